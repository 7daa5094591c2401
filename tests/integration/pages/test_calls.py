"""Logging a call on the page: what is typed is kept, a double click is one ticket, and nobody's words become code."""

import html

import pytest
from flask import Flask
from sqlalchemy import select
from tests.factories import STREET_LIGHT, row_counts
from tests.integration.browser import Browser

from hotline.bootstrap import Runtime
from hotline.storage.engine import transaction
from hotline.storage.tables import Caller, Ticket, TicketEvent

NEW = "/tickets/new"
CALL = {
    "channel": "phone",
    "content": STREET_LIGHT,
    "caller_name": "王小明",
    "caller_phone": "139 1234 5678",
    "address": "幸福路12号",
    "district": "LD",
    "type": "",
    "matter": "",
    "urgency": "",
    "wish": "",
}
SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(2)>'\"{{7*7}}"


@pytest.fixture(scope="module")
def agent(standing_app: Flask) -> Browser:
    """An agent at work; whatever the tests log stays in the database that they share."""
    browser = Browser.of(standing_app)
    assert browser.sign_in("agent01").status_code == 302
    return browser


def test_a_call_that_was_typed_in_becomes_a_ticket(agent: Browser, standing_parts: Runtime) -> None:
    parts = standing_parts
    made = agent.send(NEW, CALL | {"key": agent.key(NEW)}, form_on=NEW)
    assert made.status_code == 302
    number = made.location.removeprefix("/tickets/")
    with transaction(parts.sessions) as session:
        ticket = session.scalars(select(Ticket).where(Ticket.number == number)).one()
        caller = session.scalars(select(Caller).where(Caller.ticket_id == ticket.id)).one()
        events = select(TicketEvent.kind).where(TicketEvent.ticket_id == ticket.id)
        assert session.scalars(events).all() == ["received"]
    assert (ticket.content, ticket.district, ticket.type, ticket.urgency) == (STREET_LIGHT, "LD", None, "normal")
    assert parts.context.vault.open(caller.phone_sealed) == "13912345678"
    page = agent.text(made.location)
    assert f"工单 {ticket.number} 已受理" in page
    assert "王**" in page
    assert "13912345678" not in page


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("content", ""),
        ("content", "   "),
        ("content", "路" * 20_001),
        ("content", "路灯\x01不亮"),
        ("content", "路灯\x00不亮"),
        ("caller_phone", "1391234"),
        ("caller_phone", "电话"),
        ("caller_name", "王" * 61),
        ("channel", "fax"),
        ("matter", "Z99"),
        ("district", "XX"),
        ("type", "闲聊"),
        ("urgency", "soon"),
        ("wish", "x" * 2001),
        ("address", "x" * 201),
        ("surprise", "x"),
    ],
)
def test_a_mistake_is_shown_and_everything_typed_is_kept(
    agent: Browser, standing_parts: Runtime, field: str, value: str
) -> None:
    before = row_counts(standing_parts)
    answer = agent.send(NEW, CALL | {field: value, "key": agent.key(NEW)}, form_on=NEW)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert row_counts(standing_parts) == before
    assert "有内容需要修改" in page
    for name in ("caller_name", "caller_phone", "address", "content"):
        typed = value if name == field else CALL[name]
        assert html.escape(typed, quote=False) in html.unescape(page) or typed in page or not typed.strip()
    # The form can be sent again at once, with the mistake corrected.
    again = agent.client.post(NEW, data=CALL | {"csrf_token": agent.token(NEW), "key": agent.key(NEW)})
    assert again.status_code == 302


def test_an_anonymous_call_with_a_name_is_a_mistake(agent: Browser) -> None:
    answer = agent.send(NEW, CALL | {"anonymous": "on"}, form_on=NEW)
    assert answer.status_code == 422


def test_a_double_click_makes_one_ticket(agent: Browser, standing_parts: Runtime) -> None:
    before, key = row_counts(standing_parts)["ticket"], agent.key(NEW)
    first, second = (agent.send(NEW, CALL | {"key": key}, form_on=NEW) for _ in range(2))
    assert (first.status_code, first.location) == (second.status_code, second.location)
    assert row_counts(standing_parts)["ticket"] == before + 1


def test_a_form_that_was_sent_and_then_changed_is_asked_about_and_kept(agent: Browser, standing_parts: Runtime) -> None:
    before, key = row_counts(standing_parts)["ticket"], agent.key(NEW)
    agent.send(NEW, CALL | {"key": key}, form_on=NEW)
    changed = agent.send(NEW, CALL | {"key": key, "content": "井盖没了"}, form_on=NEW)
    assert changed.status_code == 409
    assert "井盖没了" in changed.get_data(as_text=True)
    assert f'name="key" value="{key}"' not in changed.get_data(as_text=True)
    assert row_counts(standing_parts)["ticket"] == before + 1


@pytest.mark.parametrize("key", ["", "\x00", "k\x00ey", "k" * 10_000, "ключ"])
def test_a_strange_key_does_no_harm(agent: Browser, key: str) -> None:
    assert agent.send(NEW, CALL | {"key": key}, form_on=NEW).status_code == 302


def test_what_people_say_is_shown_and_never_run(agent: Browser) -> None:
    call = CALL | {"content": SCRIPT, "caller_name": "<i>王小明</i>", "address": SCRIPT, "wish": SCRIPT}
    number = agent.send(NEW, call, form_on=NEW).location.rsplit("/", 1)[1]
    agent.send(f"/tickets/{number}/withdraw", {"reason": SCRIPT}, form_on=f"/tickets/{number}")
    revealed = agent.send(f"/tickets/{number}/reveal", {"reason": SCRIPT}, form_on=f"/tickets/{number}")
    mistaken = agent.send(NEW, call | {"channel": SCRIPT}, form_on=NEW)
    shown = [agent.get(f"/tickets/{number}"), agent.get("/tickets", tab="all"), revealed, mistaken]
    for page in [answer.get_data(as_text=True) for answer in shown]:
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "<i>" not in page
        assert "&lt;script&gt;alert" in page
    assert "{{7*7}}" in shown[0].get_data(as_text=True)


def test_a_ticket_number_in_the_address_is_not_repeated_as_code(agent: Browser) -> None:
    for path in ("/tickets/%3Cscript%3Ealert(1)%3C%2Fscript%3E", "/%3Cscript%3Ealert(1)%3C/script%3E"):
        answer = agent.get(path)
        assert answer.status_code in (404, 405)
        assert "<script>alert" not in answer.get_data(as_text=True)


@pytest.mark.parametrize(
    "query",
    [
        {"tab": "lost"},
        {"tab": ""},
        {"after": "x"},
        {"after": "x~1"},
        {"state": SCRIPT},
        {"text": SCRIPT},
        {"page": "9"},
    ],
)
def test_a_list_with_a_strange_filter_is_a_list(agent: Browser, query: dict[str, str]) -> None:
    assert "<script>alert" not in agent.text("/tickets", **query)


def test_nul_in_an_address_is_refused_plainly(agent: Browser) -> None:
    assert agent.client.get("/tickets/%00").status_code == 404
    assert agent.client.get("/tickets?before=%00").status_code == 400
