"""Bearer tokens: only a valid one of an active account opens the API."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update
from tests.factories import ApiClient, token_for
from tests.integration.browser import Browser

from hotline.bootstrap import Runtime, utc_now
from hotline.services.tokens import issue_token
from hotline.storage.engine import transaction
from hotline.storage.tables import Account, ApiToken

TICKETS = "/api/v1/tickets"


def status_with(app: Flask, authorization: str | None) -> int:
    headers = {} if authorization is None else {"Authorization": authorization}
    answer = app.test_client().get(TICKETS, headers=headers)
    assert answer.status_code == 200 or answer.content_type == "application/problem+json"
    return answer.status_code


def test_a_valid_token_opens_the_api(app: Flask, parts: Runtime) -> None:
    token = token_for(parts, "agent01")
    assert status_with(app, f"Bearer {token}") == 200
    assert status_with(app, f"bearer   {token} ") == 200


@pytest.mark.parametrize(
    "authorization",
    [
        *(None, "", "Bearer", "Bearer ", "Bearer hl_", "Bearer x", "Basic YWdlbnQwMTpob3RsaW5lLWRlbW8=", "hl_"),
        *("Bearer é", "Bearer hl_" + "A" * 43, "Bearer hl_" + "x" * 10_000, "Bearer hl_'; --", "Bearer hl_\xff\xfe"),
    ],
)
def test_garbage_is_no_token(standing_app: Flask, authorization: str | None) -> None:
    assert status_with(standing_app, authorization) == 401


def test_a_token_with_one_letter_changed_or_missing_is_refused(app: Flask, parts: Runtime) -> None:
    token = token_for(parts, "agent01")
    changed = token[:-1] + ("A" if token[-1] != "A" else "B")
    for wrong in (changed, token[:-1], token + "A", token.swapcase(), token.removeprefix("hl_")):
        assert status_with(app, f"Bearer {wrong}") == 401


def test_an_expired_token_is_refused(app: Flask, parts: Runtime) -> None:
    with transaction(parts.sessions) as session:
        agent = session.scalars(select(Account).where(Account.username == "agent01")).one()
        expired = issue_token(session, agent, "old", utc_now() - timedelta(seconds=1))
        valid = issue_token(session, agent, "new", utc_now() + timedelta(seconds=60))
    assert status_with(app, f"Bearer {expired}") == 401
    assert status_with(app, f"Bearer {valid}") == 200


def test_a_revoked_token_is_refused(app: Flask, parts: Runtime) -> None:
    token = token_for(parts, "agent01")
    with transaction(parts.sessions) as session:
        session.execute(update(ApiToken).values(revoked_at=utc_now()))
    assert status_with(app, f"Bearer {token}") == 401


def test_an_account_that_was_closed_is_shut_out_at_once(app: Flask, parts: Runtime) -> None:
    token, browser = token_for(parts, "agent01"), Browser.of(app)
    browser.sign_in("agent01")
    assert browser.get("/tickets").status_code == 200
    with transaction(parts.sessions) as session:
        session.execute(update(Account).where(Account.username == "agent01").values(active=False))
    assert status_with(app, f"Bearer {token}") == 401
    assert browser.get("/tickets").status_code == 302
    assert Browser.of(app).sign_in("agent01").status_code == 401


def test_a_session_does_not_open_the_api(app: Flask) -> None:
    browser = Browser.of(app)
    browser.sign_in("agent01")
    assert browser.get("/tickets").status_code == 200
    assert browser.get(TICKETS).status_code == 401


def test_only_a_digest_of_the_token_is_kept(app: Flask, parts: Runtime) -> None:
    token = token_for(parts, "agent01")
    with transaction(parts.sessions) as session:
        kept = session.scalars(select(ApiToken)).one()
    assert token not in (kept.digest, kept.name)
    assert len(kept.digest) == 64


def test_a_change_of_role_holds_from_the_next_request(api: Callable[[str], ApiClient], parts: Runtime) -> None:
    agent = api("agent01")
    assert agent.get(TICKETS).status_code == 200
    with transaction(parts.sessions) as session:
        session.execute(update(Account).where(Account.username == "agent01").values(role="auditor"))
    assert agent.get(TICKETS).status_code == 403
