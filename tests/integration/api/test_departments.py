"""Who sees which ticket, who may do what to it, and whom nobody in a department gets to know."""

from collections.abc import Callable

import pytest
from sqlalchemy import select
from tests.factories import STREET_LIGHT, ApiClient, actor_named, department, receive, ticket_after

from hotline.bootstrap import Runtime
from hotline.domain.ticket import Action
from hotline.services.access import scope_of, subtree
from hotline.storage.engine import transaction
from hotline.storage.tables import Ticket, TicketEvent

Api = Callable[[str], ApiClient]
TICKETS = "/api/v1/tickets"
CALLER = {"caller_name": "王小明", "caller_phone": "13912345678"}
HOTLINE = ("agent01", "dispatcher01", "followup01", "supervisor01")


@pytest.fixture
def number(parts: Runtime) -> str:
    """A ticket with 城市管理局, where 供电公司 helps."""
    with transaction(parts.sessions) as session:
        return ticket_after(session, parts.context, Action.DISPATCH, **CALLER).number


def seen_by(client: ApiClient) -> list[str]:
    return [ticket["number"] for ticket in client.get(TICKETS).json["tickets"]]


def dispatched_to(parts: Runtime, code: str) -> str:
    with transaction(parts.sessions) as session:
        ticket = receive(session, parts.context)
        ticket.lead_department = department(session, code)
        return ticket.number


def test_a_department_sees_its_own_tickets_and_those_of_its_sub_units(api: Api, parts: Runtime) -> None:
    own, district, street, other = (dispatched_to(parts, code) for code in ("CGJ", "LD-CGJ", "LD-LHJD", "ZJJ"))
    undispatched = api("agent01").post(TICKETS, {"channel": "phone", "content": STREET_LIGHT}).json["number"]
    assert set(seen_by(api("cgj-handler"))) == {own, district, street}
    assert set(seen_by(api("ldcgj-handler"))) == {district, street}
    assert set(seen_by(api("zjj-lead"))) == {other}
    assert seen_by(api("sjj-handler")) == []
    for username in HOTLINE:
        assert set(seen_by(api(username))) == {own, district, street, other, undispatched}
    for username, number in (("ldcgj-handler", own), ("cgj-handler", other), ("cgj-handler", undispatched)):
        assert api(username).get(f"{TICKETS}/{number}").status_code == 404


def test_the_tree_is_followed_to_its_leaves_and_not_upwards(parts: Runtime) -> None:
    with transaction(parts.sessions) as session:
        ids = {code: department(session, code).id for code in ("CGJ", "LD-CGJ", "LD-LHJD", "RQJT", "ZJJ", "LX-CGJ")}
        below = subtree(session, ids["CGJ"])
        assert {ids["CGJ"], ids["LD-CGJ"], ids["LD-LHJD"], ids["RQJT"], ids["LX-CGJ"]} <= below
        assert ids["ZJJ"] not in below
        assert ids["CGJ"] not in subtree(session, ids["LD-CGJ"])
        assert subtree(session, ids["LD-LHJD"]) == {ids["LD-LHJD"]}


def test_a_ticket_of_others_looks_as_if_it_did_not_exist(api: Api, number: str) -> None:
    outsider = api("zjj-handler")
    made_up = outsider.get(f"{TICKETS}/20991231-999999")
    hidden = outsider.get(f"{TICKETS}/{number}")
    assert (hidden.status_code, hidden.json) == (made_up.status_code, made_up.json) == (404, made_up.json)
    for action in ("sign", "reply", "approve"):
        body = {"text": "已处理"} if action == "reply" else {}
        assert outsider.post(f"{TICKETS}/{number}/actions/{action}", body).status_code == 404
    assert outsider.post(f"{TICKETS}/{number}/reveal", {"reason": "好奇"}).status_code == 404


def test_a_co_handler_sees_the_ticket_and_may_not_decide(api: Api, number: str) -> None:
    helper = api("gdgs-handler")
    assert seen_by(helper) == [number]
    assert helper.get(f"{TICKETS}/{number}").json["cohandlers"] == ["澜州供电公司"]
    answer = helper.post(f"{TICKETS}/{number}/actions/sign", {})
    assert (answer.status_code, answer.content_type) == (403, "application/problem+json")
    assert "co-handler" in answer.json["detail"]
    assert api("gdgs-lead").post(f"{TICKETS}/{number}/actions/sign", {}).status_code == 403
    assert helper.get(f"{TICKETS}/{number}").json["state"] == "awaiting_sign"


def test_a_co_handler_is_offered_to_report_its_part_and_nothing_else(api: Api, number: str) -> None:
    path = f"{TICKETS}/{number}"
    assert api("gdgs-handler").get(path).json["allowed_actions"] == ["cohandle"]
    lead = api("cgj-handler").get(path).json["allowed_actions"]
    assert "sign" in lead
    assert "cohandle" not in lead
    done = api("gdgs-handler").post(f"{path}/actions/cohandle", {"report": "线路已停电配合"})
    assert (done.status_code, done.json["state"], done.json["allowed_actions"]) == (200, "awaiting_sign", [])


def test_administrators_and_auditors_see_no_ticket(api: Api, parts: Runtime, number: str) -> None:
    for username in ("admin", "auditor"):
        assert api(username).get(TICKETS).status_code == 403
        assert api(username).get(f"{TICKETS}/{number}").status_code == 403
        with transaction(parts.sessions) as session:
            scope = scope_of(session, actor_named(session, username))
            assert not scope.sees(session.scalars(select(Ticket)).one())
            assert session.scalars(scope.narrow(select(Ticket))).all() == []


def test_a_filter_by_department_shows_no_more_than_the_list(api: Api, number: str) -> None:
    assert [t["number"] for t in api("agent01").get(TICKETS, department="CGJ").json["tickets"]] == [number]
    assert api("zjj-handler").get(TICKETS, department="CGJ").json["tickets"] == []
    assert api("agent01").get(TICKETS, department="ZJJ").json["tickets"] == []
    assert api("agent01").get(TICKETS, department="NOBODY").json["tickets"] == []


def test_the_caller_is_masked_for_everybody(api: Api, parts: Runtime) -> None:
    with transaction(parts.sessions) as session:
        words = "我叫王小明，电话13912345678，路灯坏了"
        number = ticket_after(session, parts.context, Action.DISPATCH, content=words, **CALLER).number
    for username in (*HOTLINE, "cgj-handler", "cgj-lead", "gdgs-handler"):
        client = api(username)
        assert client.get(f"{TICKETS}/{number}").json["caller"] == {
            "name": "王**",
            "phone": "139****5678",
            "anonymous": False,
        }
        for shown in (client.get(f"{TICKETS}/{number}"), client.get(TICKETS)):
            assert not [secret for secret in ("王小明", "13912345678") if secret in shown.get_data(as_text=True)]


def test_revealing_a_caller_needs_a_reason_and_leaves_an_event(api: Api, parts: Runtime, number: str) -> None:
    handler = api("cgj-handler")
    for body in ({}, {"reason": ""}, {"reason": "  "}, {"reason": None}):
        refused = handler.post(f"{TICKETS}/{number}/reveal", body)
        assert (refused.status_code, refused.json["errors"][0]["field"]) == (422, "reason")
    shown = handler.post(f"{TICKETS}/{number}/reveal", {"reason": "联系诉求人核实地点"})
    assert shown.json == {"name": "王小明", "phone": "13912345678", "content": STREET_LIGHT}
    with transaction(parts.sessions) as session:
        event = session.scalars(select(TicketEvent).where(TicketEvent.kind == "caller_revealed")).one()
        assert (event.reason, event.role, event.data) == ("联系诉求人核实地点", "handler", {})
        assert event.account_id == actor_named(session, "cgj-handler").account_id
        assert (event.from_state, event.to_state) == (None, None)


def test_departments_never_learn_who_is_behind_a_confidential_ticket(api: Api, parts: Runtime) -> None:
    with transaction(parts.sessions) as session:
        number = ticket_after(session, parts.context, Action.DISPATCH, confidential=True, **CALLER).number
    for username in ("cgj-handler", "cgj-lead", "gdgs-handler", "gdgs-lead"):
        client = api(username)
        detail = client.get(f"{TICKETS}/{number}")
        assert detail.json["caller"] is None
        refused = client.post(f"{TICKETS}/{number}/reveal", {"reason": "核实"})
        assert (refused.status_code, refused.content_type) == (403, "application/problem+json")
        for text in (detail, refused, client.get(TICKETS)):
            assert not [mark for mark in ("王", "139", "5678") if mark in text.get_data(as_text=True)]
    assert api("agent01").post(f"{TICKETS}/{number}/reveal", {"reason": "回访"}).json["phone"] == "13912345678"
    with transaction(parts.sessions) as session:
        assert [event.role for event in session.scalars(select(TicketEvent)) if event.kind == "caller_revealed"] == [
            "agent"
        ]


def test_what_people_write_on_the_way_is_masked_too(api: Api, number: str) -> None:
    handler, lead = api("cgj-handler"), api("cgj-lead")
    handler.post(f"{TICKETS}/{number}/actions/sign", {})
    words = "已电话联系13912345678"
    reply = {"text": words, "resolved": False, "unresolved_reason": f"{words}未接"}
    handler.post(f"{TICKETS}/{number}/actions/reply", reply)
    lead.post(f"{TICKETS}/{number}/actions/send_back", {"reason": f"{words}再核实"})
    answered = api("agent01").post(
        TICKETS, {"channel": "phone", "content": "问路灯", "disposition": "answered", "answer": words}
    )
    assert answered.status_code == 201
    for answer in (handler.get(f"{TICKETS}/{number}"), answered):
        assert "139****5678" in answer.get_data(as_text=True)
        assert "13912345678" not in answer.get_data(as_text=True)
