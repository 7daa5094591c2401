"""The ticket page: it offers what the person may do now and nothing else, and each step's form does its step."""

import re

import pytest
from flask import Flask
from sqlalchemy import select
from tests.factories import SettledClassifier, actor_named, receive, ticket_after, with_classifier
from tests.integration.browser import Browser

from hotline.bootstrap import Runtime
from hotline.domain.people import Role
from hotline.domain.ticket import Action, State
from hotline.services.access import find_ticket
from hotline.services.allowed import actions_for
from hotline.services.triage import triage
from hotline.storage.engine import transaction
from hotline.storage.tables import Reply, Ticket

PEOPLE = {
    Role.AGENT: "agent01",
    Role.DISPATCHER: "dispatcher01",
    Role.HANDLER: "cgj-handler",
    Role.LEAD: "cgj-lead",
    Role.FOLLOWUP: "followup01",
    Role.SUPERVISOR: "supervisor01",
}
REPLY = {"text": "已更换灯头", "valid": "yes", "contacted": "yes", "resolved": "yes", "unresolved_reason": ""}

# What has happened, who acts, the form as filled in, and where the ticket is then.
STEPS: list[tuple[Action | None, str, str, dict[str, str], State]] = [
    (None, "dispatcher01", "dispatch", {"matter": "E03", "department": "", "type": "投诉"}, State.AWAITING_SIGN),
    (None, "supervisor01", "dispatch", {"matter": "C04", "department": "ZJJ", "type": ""}, State.AWAITING_SIGN),
    (None, "agent01", "answer", {"answer": "路灯由城管局维护"}, State.ANSWERED),
    (None, "dispatcher01", "decline", {"reason": "请向法院提出"}, State.DECLINED),
    (None, "agent01", "transfer", {"reason": "已转 119"}, State.TRANSFERRED),
    (None, "agent01", "withdraw", {"reason": "诉求人撤回"}, State.WITHDRAWN),
    (Action.DISPATCH, "cgj-handler", "sign", {}, State.HANDLING),
    (Action.SIGN, "cgj-handler", "reply", REPLY, State.REPLIED),
    (Action.SIGN, "cgj-handler", "reply", REPLY | {"resolved": "no", "unresolved_reason": "待会商"}, State.REPLIED),
    (Action.REPLY, "cgj-lead", "approve", {}, State.AWAITING_FOLLOWUP),
    (Action.REPLY, "cgj-lead", "send_back", {"reason": "请补充"}, State.HANDLING),
    (Action.APPROVE, "followup01", "follow_up", {"result": "resolved", "satisfaction": "satisfied"}, State.CLOSED),
    (Action.APPROVE, "followup01", "follow_up", {"result": "unreachable", "satisfaction": ""}, State.AWAITING_FOLLOWUP),
]

# Forms that were filled in wrongly: the ticket stays as it is.
MISTAKES: list[tuple[Action | None, str, str, dict[str, str]]] = [
    (None, "dispatcher01", "dispatch", {"matter": "Z99"}),
    (None, "dispatcher01", "dispatch", {"matter": "E03", "department": "NOBODY"}),
    (None, "agent01", "answer", {"answer": "  "}),
    (None, "agent01", "merge", {"into": "20991231-999999"}),
    (Action.SIGN, "cgj-handler", "reply", {"text": ""}),
    (Action.SIGN, "cgj-handler", "reply", REPLY | {"resolved": "no"}),
    (Action.SIGN, "cgj-handler", "reply", REPLY | {"text": "已处理\x00"}),
    (Action.REPLY, "cgj-lead", "send_back", {"reason": ""}),
    (Action.APPROVE, "followup01", "follow_up", {"result": ""}),
    (Action.APPROVE, "followup01", "follow_up", {"result": "refused", "satisfaction": "satisfied"}),
]


def browser_of(app: Flask, username: str) -> Browser:
    """Return a browser with a session of the account; one account signs in once for each application."""
    signed_in: dict[str, Browser] = app.extensions.setdefault("browsers of these tests", {})
    if username not in signed_in:
        signed_in[username] = Browser.of(app)
        assert signed_in[username].sign_in(username).status_code == 302
    return signed_in[username]


def prepared(parts: Runtime, last: Action | None) -> str:
    with transaction(parts.sessions) as session:
        return ticket_after(session, parts.context, last, caller_name="王小明", caller_phone="13912345678").number


def state_of(parts: Runtime, number: str) -> str:
    with transaction(parts.sessions) as session:
        return session.scalars(select(Ticket.state).where(Ticket.number == number)).one()


def offered(page: str, number: str) -> set[str]:
    return set(re.findall(rf'action="/tickets/{number}/(\w+)"', page)) - {"reveal", "presence"}


@pytest.mark.parametrize(("last", "username", "action", "fields", "state"), STEPS)
def test_a_step_on_the_page_does_what_it_says(
    standing_app: Flask,
    standing_parts: Runtime,
    last: Action | None,
    username: str,
    action: str,
    fields: dict[str, str],
    state: State,
) -> None:
    number = prepared(standing_parts, last)
    browser = browser_of(standing_app, username)
    answer = browser.send(f"/tickets/{number}/{action}", fields, form_on=f"/tickets/{number}")
    assert (answer.status_code, answer.location) == (302, f"/tickets/{number}")
    assert state_of(standing_parts, number) == state
    # A department that has handed the ticket on may no longer see it; everybody else does.
    assert browser.get(answer.location).status_code == 200


@pytest.mark.parametrize(("last", "username", "action", "fields"), MISTAKES)
def test_a_form_filled_in_wrongly_says_so_and_changes_nothing(
    standing_app: Flask,
    standing_parts: Runtime,
    last: Action | None,
    username: str,
    action: str,
    fields: dict[str, str],
) -> None:
    number = prepared(standing_parts, last)
    before = state_of(standing_parts, number)
    browser = browser_of(standing_app, username)
    answer = browser.send(f"/tickets/{number}/{action}", fields, form_on=f"/tickets/{number}")
    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    assert 'role="alert"' in page
    assert 'class="invalid-feedback' in page
    assert state_of(standing_parts, number) == before


@pytest.mark.parametrize("last", [None, Action.DISPATCH, Action.SIGN, Action.REPLY, Action.APPROVE, Action.FOLLOW_UP])
@pytest.mark.parametrize("role", PEOPLE)
def test_the_page_offers_what_the_table_allows(
    standing_app: Flask, standing_parts: Runtime, last: Action | None, role: Role
) -> None:
    number = prepared(standing_parts, last)
    browser = browser_of(standing_app, PEOPLE[role])
    answer = browser.get(f"/tickets/{number}")
    if last is None and role in (Role.HANDLER, Role.LEAD):
        assert answer.status_code == 404
        return
    with standing_parts.sessions() as session:
        actor = actor_named(session, PEOPLE[role])
        allowed = set(actions_for(session, find_ticket(session, actor, number), actor))
    assert offered(answer.get_data(as_text=True), number) == allowed


def test_a_co_handler_is_offered_its_part_and_nothing_else(standing_app: Flask, standing_parts: Runtime) -> None:
    number = prepared(standing_parts, Action.DISPATCH)
    page = browser_of(standing_app, "gdgs-handler").text(f"/tickets/{number}")
    assert offered(page, number) == {"cohandle"}


def test_merging_on_the_page_joins_the_other_ticket(standing_app: Flask, standing_parts: Runtime) -> None:
    one, two = prepared(standing_parts, Action.SIGN), prepared(standing_parts, None)
    browser = browser_of(standing_app, "agent01")
    browser.send(f"/tickets/{two}/merge", {"into": one}, form_on=f"/tickets/{two}")
    assert state_of(standing_parts, two) == State.MERGED
    assert f"/tickets/{one}" in browser.text(f"/tickets/{two}")


def test_a_step_that_came_too_late_shows_the_fresh_state(standing_app: Flask, standing_parts: Runtime) -> None:
    number = prepared(standing_parts, Action.DISPATCH)
    first, second = browser_of(standing_app, "cgj-handler"), browser_of(standing_app, "cgj-lead")
    token = second.token(f"/tickets/{number}")
    first.send(f"/tickets/{number}/sign", {}, form_on=f"/tickets/{number}")
    late = second.client.post(f"/tickets/{number}/sign", data={"csrf_token": token})
    assert late.status_code == 409
    page = late.get_data(as_text=True)
    assert "状态已变化" in page
    assert "办理中" in page


def test_a_refused_approval_of_ones_own_reply_is_explained(standing_app: Flask, standing_parts: Runtime) -> None:
    number = prepared(standing_parts, Action.SIGN)
    lead, path = browser_of(standing_app, "cgj-lead"), f"/tickets/{number}"
    lead.send(f"{path}/reply", REPLY, form_on=path)
    lead.send(f"{path}/approve", {}, form_on=path)
    assert state_of(standing_parts, number) == State.REPLIED
    with transaction(standing_parts.sessions) as session:
        assert session.scalars(select(Reply).order_by(Reply.id.desc()).limit(1)).one().approved_at is None


def test_revealing_on_the_page_asks_why_and_shows_once(standing_app: Flask, standing_parts: Runtime) -> None:
    number = prepared(standing_parts, Action.DISPATCH)
    browser, path = browser_of(standing_app, "cgj-handler"), f"/tickets/{number}"
    browser.send(f"{path}/reveal", {"reason": " "}, form_on=path)
    assert "需要填写理由" in browser.text(path)
    shown = browser.send(f"{path}/reveal", {"reason": "核实地点"}, form_on=path).get_data(as_text=True)
    assert "王小明" in shown
    assert "13912345678" in shown
    again = browser.text(path)
    assert "13912345678" not in again
    assert "查看诉求人信息" in again
    assert "核实地点" in again


def test_a_confidential_caller_is_not_on_a_departments_page(standing_app: Flask, standing_parts: Runtime) -> None:
    with transaction(standing_parts.sessions) as session:
        given = {"caller_name": "王小明", "caller_phone": "13912345678", "confidential": True}
        number = ticket_after(session, standing_parts.context, Action.DISPATCH, **given).number
    browser, path = browser_of(standing_app, "cgj-handler"), f"/tickets/{number}"
    page = browser.text(path)
    assert not [mark for mark in ("王**", "5678", f"{path}/reveal") if mark in page]
    assert browser.send(f"{path}/reveal", {"reason": "核实"}, form_on=path).status_code == 403
    assert "5678" in browser_of(standing_app, "agent01").text(path)


def test_what_the_model_said_stands_beside_the_ticket(standing_app: Flask, standing_parts: Runtime) -> None:
    with transaction(standing_parts.sessions) as session:
        context = with_classifier(standing_parts.context, SettledClassifier(auto=False))
        ticket = receive(session, context)
        triage(session, context, ticket.id)
        number = ticket.number
    page = browser_of(standing_app, "dispatcher01").text(f"/tickets/{number}")
    assert "settled-1" in page
    assert "95.0%" in page
    assert "分类把握不足" in page


def test_each_role_finds_its_queue_in_the_list(app: Flask, parts: Runtime) -> None:
    numbers = {last: prepared(parts, last) for last in (Action.DISPATCH, Action.SIGN, Action.REPLY, Action.APPROVE)}
    first_seen = {"cgj-handler": Action.DISPATCH, "cgj-lead": Action.REPLY, "followup01": Action.APPROVE}
    for username, last in first_seen.items():
        page = browser_of(app, username).text("/tickets")
        assert [number for number in numbers.values() if number in page] == [numbers[last]]
    everything = browser_of(app, "agent01").text("/tickets", tab="all")
    assert all(number in everything for number in numbers.values())
    outsider = browser_of(app, "zjj-handler").text("/tickets", tab="all")
    assert not [number for number in numbers.values() if number in outsider]


def test_an_unknown_step_leads_back_to_the_ticket(standing_app: Flask, standing_parts: Runtime) -> None:
    number = prepared(standing_parts, None)
    browser = browser_of(standing_app, "agent01")
    answer = browser.send(f"/tickets/{number}/queue", {}, form_on=f"/tickets/{number}")
    assert answer.status_code in (302, 404)
    assert state_of(standing_parts, number) == State.RECEIVED
