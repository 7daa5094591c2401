"""What the program writes into the audit log by itself: reveals and refusals.  Logins are tested beside the login."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select
from tests.factories import ApiClient, receive
from tests.integration.browser import Browser

from hotline.bootstrap import Runtime
from hotline.services import audit
from hotline.storage.engine import transaction
from hotline.storage.tables import Account, AuditEntry

Api = Callable[[str], ApiClient]


def entries(parts: Runtime, *actions: str) -> list[AuditEntry]:
    with transaction(parts.sessions) as session:
        query = select(AuditEntry).where(AuditEntry.action.in_(actions)).order_by(AuditEntry.id)
        return list(session.scalars(query))


def account_id(parts: Runtime, username: str) -> int:
    with transaction(parts.sessions) as session:
        return session.scalars(select(Account.id).where(Account.username == username)).one()


@pytest.fixture
def number(parts: Runtime) -> str:
    """A ticket with a caller."""
    with transaction(parts.sessions) as session:
        return receive(session, parts.context, caller_name="王小明", caller_phone="13800001234").number


def test_who_reveals_a_caller_leaves_name_reason_and_address(app: Flask, parts: Runtime, number: str) -> None:
    browser = Browser.of(app)
    browser.sign_in("agent01")
    reason = {"reason": "市民王小明要求回拨 13800001234"}
    shown = browser.send(f"/tickets/{number}/reveal", reason, form_on=f"/tickets/{number}")
    assert "13800001234" in shown.get_data(as_text=True)
    (entry,) = entries(parts, "caller.revealed")
    assert (entry.account_id, entry.role, entry.subject) == (account_id(parts, "agent01"), "agent", number)
    assert entry.address == "127.0.0.1"
    assert entry.reason
    assert "回拨 138****1234" in entry.reason
    assert "王小明" not in entry.reason


def test_a_reveal_over_the_api_is_recorded_too(api: Api, parts: Runtime, number: str) -> None:
    answer = api("supervisor01").post(f"/api/v1/tickets/{number}/reveal", {"reason": "核实"})
    assert answer.status_code == 200
    assert [entry.subject for entry in entries(parts, "caller.revealed")] == [number]


def test_a_reveal_that_is_rolled_back_shows_nothing_and_records_nothing(api: Api, parts: Runtime, number: str) -> None:
    assert api("cgj-handler").post(f"/api/v1/tickets/{number}/reveal", {"reason": "想看"}).status_code == 404
    assert entries(parts, "caller.revealed") == []


def test_a_refusal_is_recorded_with_who_and_what(api: Api, app: Flask, parts: Runtime, number: str) -> None:
    assert api("admin").get(f"/api/v1/tickets/{number}").status_code == 403
    browser = Browser.of(app)
    browser.sign_in("agent01")
    assert browser.get("/audit").status_code == 403
    first, second = entries(parts, "access.refused")
    assert (first.account_id, first.subject) == (account_id(parts, "admin"), number)
    assert first.detail == {"route": "tickets.read_ticket", "method": "GET", "permission": "ticket.read"}
    assert (second.account_id, second.detail["route"]) == (account_id(parts, "agent01"), "pages.audit_log")


def test_a_role_s_refusal_by_the_table_of_steps_is_recorded(api: Api, parts: Runtime, number: str) -> None:
    assert api("followup01").post(f"/api/v1/tickets/{number}/actions/dispatch", {"matter": "E03"}).status_code == 403
    assert [entry.role for entry in entries(parts, "access.refused")] == ["followup"]


def test_what_a_client_put_in_a_number_s_place_is_not_written_down(api: Api, parts: Runtime) -> None:
    assert api("admin").get("/api/v1/tickets/13800001234").status_code == 403
    assert [entry.subject for entry in entries(parts, "access.refused")] == [None]


def test_who_is_not_signed_in_leaves_no_refusal(app: Flask, parts: Runtime) -> None:
    app.test_client().get("/api/v1/tickets")
    app.test_client().get("/audit")
    assert entries(parts, "access.refused") == []


def test_all_of_it_hangs_in_the_chain(api: Api, app: Flask, parts: Runtime, number: str) -> None:
    Browser.of(app).sign_in("agent01")
    Browser.of(app).sign_in("agent01", "wrong")
    api("admin").get("/api/v1/tickets")
    api("agent01").post(f"/api/v1/tickets/{number}/reveal", {"reason": "核实"})
    with transaction(parts.sessions) as session:
        found = audit.verify(session, parts.context)
    assert (found.entries, found.broken_at) == (4, None)
