"""The second factor: who needs one, how it is set up, that a code is good once, and what a lost phone needs."""

import html
import re
from collections.abc import Callable

import pytest
from tests.factories import MovableClock
from tests.integration.browser import Browser
from werkzeug.test import TestResponse

from hotline.bootstrap import Runtime
from hotline.domain import totp
from hotline.domain.people import SYSTEM
from hotline.domain.sign_in import FAILURES_BEFORE_LOCK
from hotline.services import accounts
from hotline.storage.engine import transaction
from hotline.storage.tables import Account, AuditEntry

_SECRET = re.compile(r'id="secret" value="([A-Z2-7]+)"')
_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


@pytest.fixture
def changes() -> dict[str, object]:
    """Required as in production, without its cookies, which need TLS."""
    return {"second_factor": "required"}


def send_on(browser: Browser, answer: TestResponse, path: str, **fields: str) -> TestResponse:
    """Send the form on a page that was just shown."""
    found = _TOKEN.search(answer.get_data(as_text=True))
    assert found
    return browser.client.post(path, data={"csrf_token": html.unescape(found[1]), **fields})


def code_now(secret: str, clock: MovableClock, steps: int = 0) -> str:
    return totp.code(secret, totp.step_at(clock()) + steps)


def enrol(browser: Browser, clock: MovableClock, username: str = "supervisor01") -> str:
    """Sign in for the first time and set up a second factor; return its secret."""
    page = browser.sign_in(username)
    found = _SECRET.search(page.get_data(as_text=True))
    assert found, "no secret is shown"
    answer = send_on(browser, page, "/login/enrol", code=code_now(found[1], clock))
    assert answer.status_code == 302
    return found[1]


@pytest.mark.parametrize("username", ["admin", "supervisor01", "auditor"])
def test_who_may_do_most_sets_one_up_at_the_first_login(
    browser: Browser, clock: MovableClock, username: str, parts: Runtime
) -> None:
    page = browser.sign_in(username)
    text = page.get_data(as_text=True)
    assert "设置动态口令" in text
    assert f"otpauth://totp/Hotline%2012345%3A{username}?secret=" in text
    assert browser.get("/").status_code == 302, "the password alone opens nothing"
    assert browser.get("/").location.startswith("/login")
    secret = enrol(browser, clock, username)
    assert browser.get("/account").status_code == 200
    with transaction(parts.sessions) as session:
        account = accounts.find(session, username)
        assert secret not in str(account.totp_sealed)


def test_others_need_none(browser: Browser) -> None:
    assert browser.sign_in("agent01").status_code == 302
    assert browser.get("/tickets").status_code == 200


def test_a_wrong_code_sets_up_nothing(browser: Browser, account: Callable[[str], Account]) -> None:
    page = browser.sign_in("supervisor01")
    answer = send_on(browser, page, "/login/enrol", code="000000")
    assert answer.status_code == 401
    assert account("supervisor01").totp_sealed is None


def test_from_then_on_password_and_code_are_both_needed(browser: Browser, clock: MovableClock) -> None:
    secret = enrol(browser, clock)
    browser.client.delete_cookie("hotline")
    clock.advance(minutes=1)
    page = browser.sign_in("supervisor01")
    assert page.status_code == 200
    assert browser.get("/reports").status_code == 302
    page = browser.sign_in("supervisor01")
    assert send_on(browser, page, "/login/code", code=code_now(secret, clock)).status_code == 302
    assert browser.get("/reports").status_code == 200


def test_a_code_is_good_once(browser: Browser, clock: MovableClock) -> None:
    secret = enrol(browser, clock)
    used = code_now(secret, clock)
    page = browser.sign_in("supervisor01")
    assert send_on(browser, page, "/login/code", code=used).status_code == 401
    page = browser.sign_in("supervisor01")
    assert send_on(browser, page, "/login/code", code=code_now(secret, clock, steps=-1)).status_code == 401
    page = browser.sign_in("supervisor01")
    assert send_on(browser, page, "/login/code", code=code_now(secret, clock, steps=1)).status_code == 302
    # That was the next step's code, from a phone that is ahead: when its time comes it is used up.
    clock.advance(seconds=30)
    page = browser.sign_in("supervisor01")
    assert send_on(browser, page, "/login/code", code=code_now(secret, clock)).status_code == 401


@pytest.mark.parametrize(("steps", "status"), [(-2, 401), (-1, 302), (0, 302), (1, 302), (2, 401)])
def test_a_phone_may_be_one_step_off(browser: Browser, clock: MovableClock, steps: int, status: int) -> None:
    secret = enrol(browser, clock)
    clock.advance(minutes=5)
    page = browser.sign_in("supervisor01")
    assert send_on(browser, page, "/login/code", code=code_now(secret, clock, steps)).status_code == status


def test_guessing_codes_locks_the_account_although_the_password_is_right(
    browser: Browser, clock: MovableClock, account: Callable[[str], Account]
) -> None:
    secret = enrol(browser, clock)
    clock.advance(minutes=1)
    for _ in range(FAILURES_BEFORE_LOCK):
        page = browser.sign_in("supervisor01")
        assert send_on(browser, page, "/login/code", code="123").status_code == 401
    assert account("supervisor01").locked_until is not None
    assert browser.sign_in("supervisor01").status_code == 401
    clock.advance(minutes=16)
    page = browser.sign_in("supervisor01")
    assert send_on(browser, page, "/login/code", code=code_now(secret, clock)).status_code == 302


def test_a_code_without_the_password_opens_nothing(browser: Browser, clock: MovableClock) -> None:
    secret = enrol(browser, clock)
    other = Browser.of(browser.client.application)
    clock.advance(minutes=1)
    answer = other.send("/login/code", {"code": code_now(secret, clock)}, form_on="/login")
    assert answer.status_code == 401
    assert other.get("/reports").status_code == 302


def test_the_password_is_good_for_ten_minutes_of_looking_for_the_phone(browser: Browser, clock: MovableClock) -> None:
    secret = enrol(browser, clock)
    page = browser.sign_in("supervisor01")
    clock.advance(minutes=11)
    assert send_on(browser, page, "/login/code", code=code_now(secret, clock)).status_code == 401


def test_a_lost_phone_is_forgotten_and_another_one_set_up(
    browser: Browser, clock: MovableClock, parts: Runtime, audited: Callable[[], list[AuditEntry]]
) -> None:
    lost = enrol(browser, clock)
    with transaction(parts.sessions) as session:
        accounts.reset_second_factor(session, parts.context, "supervisor01", SYSTEM)
    assert browser.get("/reports").status_code == 302
    assert enrol(browser, clock) != lost
    assert [entry.action for entry in audited()] == [
        *("totp.enrolled", "login.succeeded", "totp.reset", "totp.enrolled", "login.succeeded"),
    ]
    assert audited()[1].detail == {"factors": 2}


def test_anybody_may_have_one(browser: Browser, clock: MovableClock, account: Callable[[str], Account]) -> None:
    browser.sign_in("agent01")
    found = _SECRET.search(browser.text("/account"))
    assert found
    assert browser.send("/account/totp", {"code": "12345"}, form_on="/account").status_code == 422
    answer = browser.send("/account/totp", {"code": code_now(found[1], clock)}, form_on="/account")
    assert answer.status_code == 302
    assert "已启用" in browser.text("/account")
    assert account("agent01").totp_sealed
    browser.send("/logout", {}, form_on="/account")
    clock.advance(minutes=1)
    page = browser.sign_in("agent01")
    assert send_on(browser, page, "/login/code", code=code_now(found[1], clock)).status_code == 302
