"""What ends a session: idleness, age, another password or role, closing, signing out."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import update
from tests.factories import MovableClock
from tests.integration.browser import Browser

from hotline.bootstrap import Runtime
from hotline.domain.people import SYSTEM, Role
from hotline.services import accounts
from hotline.storage.engine import transaction
from hotline.storage.tables import Account

COOKIE = "hotline"


@pytest.fixture
def agent(browser: Browser) -> Browser:
    """A browser in which agent01 has signed in."""
    assert browser.sign_in("agent01").status_code == 302
    return browser


def is_signed_in(browser: Browser) -> bool:
    answer = browser.get("/tickets")
    assert answer.status_code == 200 or answer.location.startswith("/login?next=")
    return answer.status_code == 200


def test_half_an_hour_of_idleness_ends_it(agent: Browser, clock: MovableClock) -> None:
    for _ in range(3):
        clock.advance(minutes=29)
        assert is_signed_in(agent)
    clock.advance(minutes=31)
    assert not is_signed_in(agent)


def test_twelve_hours_end_it_however_busy_it_was(agent: Browser, clock: MovableClock) -> None:
    for _ in range(12 * 3 - 1):
        clock.advance(minutes=20)
        assert is_signed_in(agent)
    clock.advance(minutes=21)
    assert not is_signed_in(agent)


def test_another_password_ends_it(agent: Browser, parts: Runtime) -> None:
    with transaction(parts.sessions) as session:
        account = accounts.find(session, "agent01", lock=True)
        accounts.set_password(session, parts.context, account, "a passphrase of four words", SYSTEM)
    assert not is_signed_in(agent)
    assert agent.sign_in("agent01").status_code == 401
    assert agent.sign_in("agent01", "a passphrase of four words").status_code == 302


@pytest.mark.parametrize("what", ["role", "disable", "totp"])
def test_another_role_closing_and_a_lost_phone_end_it(agent: Browser, parts: Runtime, what: str) -> None:
    changes: dict[str, Callable[..., Account]] = {
        "role": lambda session, context, *rest: accounts.change_role(
            session, context, "agent01", Role.DISPATCHER, None, SYSTEM
        ),
        "disable": lambda session, context: accounts.disable(session, context, "agent01", SYSTEM),
        "totp": lambda session, context: accounts.reset_second_factor(session, context, "agent01", SYSTEM),
    }
    with transaction(parts.sessions) as session:
        changes[what](session, parts.context)
    assert not is_signed_in(agent)


def test_closing_and_opening_again_revives_no_session(agent: Browser, parts: Runtime) -> None:
    with transaction(parts.sessions) as session:
        accounts.disable(session, parts.context, "agent01", SYSTEM)
        accounts.enable(session, parts.context, "agent01", SYSTEM)
    assert not is_signed_in(agent)
    assert agent.sign_in("agent01").status_code == 302


def test_a_copied_cookie_opens_nothing_after_signing_out(agent: Browser, app: Flask) -> None:
    cookie = agent.client.get_cookie(COOKIE)
    assert cookie is not None
    thief = Browser.of(app)
    thief.client.set_cookie(COOKIE, cookie.value)
    assert is_signed_in(thief)
    agent.send("/logout", {}, form_on="/account")
    assert not is_signed_in(agent)
    assert not is_signed_in(thief)


def test_signing_out_leaves_other_sessions_of_the_account_alone(agent: Browser, app: Flask) -> None:
    other = Browser.of(app)
    other.sign_in("agent01")
    agent.send("/logout", {}, form_on="/account")
    assert is_signed_in(other)


def test_a_cookie_with_one_letter_changed_opens_nothing(agent: Browser, app: Flask) -> None:
    cookie = agent.client.get_cookie(COOKIE)
    assert cookie is not None
    middle = len(cookie.value) // 2
    for place in (5, middle, len(cookie.value) - 3):
        changed = "A" if cookie.value[place] != "A" else "B"
        forger = Browser.of(app)
        forger.client.set_cookie(COOKIE, cookie.value[:place] + changed + cookie.value[place + 1 :])
        assert not is_signed_in(forger)


def test_a_role_that_now_needs_two_factors_ends_a_session_of_one(browser: Browser, parts: Runtime, app: Flask) -> None:
    browser.sign_in("agent01")
    with transaction(parts.sessions) as session:
        session.execute(update(Account).where(Account.username == "agent01").values(role="supervisor"))
    assert is_signed_in(browser)
    object.__setattr__(parts, "settings", parts.settings.model_copy(update={"second_factor": "required"}))
    assert not is_signed_in(browser)


def test_the_cookie_is_for_the_server_only(app: Flask) -> None:
    browser = Browser.of(app)
    answer = browser.sign_in("agent01")
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
