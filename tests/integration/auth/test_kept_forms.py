"""A form that comes after its session has ended: its sender signs in again and finds everything that was typed."""

import html
import re
from dataclasses import dataclass

import pytest
from flask import Flask
from sqlalchemy import func, select
from tests.factories import MovableClock, ticket_after
from tests.integration.browser import Browser
from werkzeug.test import TestResponse

from hotline.bootstrap import Runtime
from hotline.demo.city import DEMO_PASSWORD
from hotline.domain.ticket import Action
from hotline.storage.engine import transaction
from hotline.storage.tables import Ticket

CALL = {
    "caller_phone": "13800001234",
    "caller_name": "王小明",
    "content": "楼下烧烤店夜里两点还在营业，油烟很大。" * 200,
    "address": "金茂小区 3 栋",
    "wish": "希望 12 点前关门",
    "confidential": "on",
    "urgency": "urgent",
}
REPLY = {"text": "已更换灯头", "valid": "yes", "contacted": "no", "resolved": "no", "unresolved_reason": "等待供电"}


@dataclass(frozen=True)
class LoginPage:
    """A login page that was just shown, with what it carries."""

    browser: Browser
    text: str

    @classmethod
    def after(cls, browser: Browser, answer: TestResponse) -> "LoginPage":
        """Follow the redirect as a browser does: the same form once more."""
        assert answer.status_code == 200, answer.status
        text = answer.get_data(as_text=True)
        assert 'name="password"' in text
        return cls(browser, text)

    def field(self, name: str) -> str | None:
        """Return the value of a field."""
        found = re.search(rf'name="{name}" value="([^"]*)"', self.text)
        return html.unescape(found[1]) if found else None

    def sign_in(self, username: str, password: str = DEMO_PASSWORD) -> TestResponse:
        """Fill in the form and send it with everything it carries."""
        carried = {name: value for name in ("csrf_token", "next", "kept") if (value := self.field(name)) is not None}
        return self.browser.client.post("/login", data=carried | {"username": username, "password": password})


def post_too_late(browser: Browser, path: str, fields: dict[str, str], **headers: str) -> LoginPage:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    data = fields | {"csrf_token": "of a page long gone"}
    answer = browser.client.post(path, data=data, headers=named)
    assert answer.status_code == 307
    assert answer.location.startswith("/login/again")
    # What was typed never stands in an address.
    assert "1380000" not in answer.location
    return LoginPage.after(browser, browser.client.post(answer.location, data=data, headers=named))


def holds_the_call(page: str) -> bool:
    values = {
        name: html.unescape(found[1])
        for name in ("caller_phone", "caller_name", "address", "wish")
        if (found := re.search(rf'name="{name}" value="([^"]*)"', page))
    }
    typed = html.unescape(page)
    return (
        values == {name: CALL[name] for name in values}
        and len(values) == 4
        and CALL["content"] in typed
        and re.search(r'name="confidential" checked', page) is not None
        and '<option value="urgent" selected' in page
    )


@pytest.mark.parametrize("way", ["idle", "old", "cookie gone"])
def test_an_expired_call_comes_back_whole(browser: Browser, clock: MovableClock, way: str, parts: Runtime) -> None:
    browser.sign_in("agent01")
    if way == "cookie gone":
        browser.client.delete_cookie("hotline")
    else:
        clock.advance(minutes=31) if way == "idle" else clock.advance(hours=13)
    page = post_too_late(browser, "/tickets/new", CALL)
    assert "已保留" in page.text
    # The page carries it sealed: nothing of it can be read there.
    assert "13800001234" not in page.text
    assert "烧烤" not in page.text
    answer = page.sign_in("agent01")
    shown = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert "尚未提交" in shown
    assert holds_the_call(shown)
    with transaction(parts.sessions) as session:
        assert session.scalar(select(func.count()).select_from(Ticket)) == 0
    # The form carries a token of the new session, so that sending it works.
    token = re.search(r'name="csrf_token" value="([^"]+)"', shown)
    key = re.search(r'name="key" value="([^"]+)"', shown)
    assert token
    assert key
    fields = CALL | {"csrf_token": html.unescape(token[1]), "key": key[1]}
    assert browser.client.post("/tickets/new", data=fields).location.startswith("/tickets/2")


def test_a_mistyped_password_loses_nothing_either(browser: Browser, clock: MovableClock) -> None:
    browser.sign_in("agent01")
    clock.advance(minutes=31)
    page = post_too_late(browser, "/tickets/new", CALL)
    page = LoginPage(browser, page.sign_in("agent01", "mistyped").get_data(as_text=True))
    assert holds_the_call(page.sign_in("agent01").get_data(as_text=True))


def test_a_login_page_that_lay_open_too_long_loses_nothing(browser: Browser, clock: MovableClock) -> None:
    browser.sign_in("agent01")
    clock.advance(minutes=31)
    page = post_too_late(browser, "/tickets/new", CALL)
    browser.client.delete_cookie("hotline")
    again = page.sign_in("agent01")
    assert again.status_code == 401
    assert holds_the_call(LoginPage(browser, again.get_data(as_text=True)).sign_in("agent01").get_data(as_text=True))


def test_somebody_else_does_not_get_it(browser: Browser, clock: MovableClock) -> None:
    browser.sign_in("agent01")
    clock.advance(minutes=31)
    answer = post_too_late(browser, "/tickets/new", CALL).sign_in("agent02")
    assert answer.status_code == 302
    assert "没有恢复" in browser.text("/tickets")


def test_after_signing_out_in_another_tab_it_waits_for_its_owner(browser: Browser) -> None:
    browser.sign_in("agent01")
    browser.send("/logout", {}, form_on="/account")
    page = post_too_late(browser, "/tickets/new", CALL)
    assert holds_the_call(page.sign_in("agent01").get_data(as_text=True))


def test_a_reply_comes_back_in_its_place(browser: Browser, clock: MovableClock, parts: Runtime) -> None:
    with transaction(parts.sessions) as session:
        number = ticket_after(session, parts.context, Action.SIGN).number
    browser.sign_in("cgj-handler")
    clock.advance(minutes=31)
    shown = post_too_late(browser, f"/tickets/{number}/reply", REPLY).sign_in("cgj-handler").get_data(as_text=True)
    assert ">已更换灯头</textarea>" in shown
    assert 'name="valid" value="yes" required checked' in shown
    assert 'name="contacted" value="no" checked' in shown
    assert 'value="等待供电"' in shown
    assert f'action="/tickets/{number}/reply"' in shown


def test_a_form_nobody_knows_to_show_is_listed_and_can_be_sent(browser: Browser, clock: MovableClock) -> None:
    browser.sign_in("admin")
    clock.advance(minutes=31)
    shown = (
        post_too_late(browser, "/accounts/agent02/disable", {"note": "离职"}).sign_in("admin").get_data(as_text=True)
    )
    assert 'action="/accounts/agent02/disable"' in shown
    assert ">离职</textarea>" in shown


def test_passwords_are_never_kept(browser: Browser, clock: MovableClock) -> None:
    browser.sign_in("agent01")
    clock.advance(minutes=31)
    new = "four new words here"
    fields = {"password": DEMO_PASSWORD, "new_password": new, "repeated_password": new}
    shown = post_too_late(browser, "/account/password", fields).sign_in("agent01").get_data(as_text=True)
    assert new not in shown


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
def test_a_foreign_page_cannot_put_words_into_the_form(browser: Browser, headers: dict[str, str]) -> None:
    page = post_too_late(browser, "/tickets/new", CALL, **headers)
    assert page.field("kept") is None
    assert page.sign_in("agent01").status_code == 302


@pytest.mark.parametrize("kept", ["garbage", "", "gAAAAAB" + "A" * 200])
def test_what_is_not_ours_is_ignored(browser: Browser, kept: str) -> None:
    assert browser.sign_in("agent01", kept=kept).status_code == 302


def test_what_was_kept_goes_stale(browser: Browser, clock: MovableClock) -> None:
    browser.sign_in("agent01")
    clock.advance(minutes=31)
    page = post_too_late(browser, "/tickets/new", CALL)
    clock.advance(hours=13)
    assert page.sign_in("agent01").status_code == 302


def test_a_form_from_before_a_login_in_another_tab_is_shown_again(browser: Browser, app: Flask) -> None:
    browser.sign_in("agent01")
    stale = browser.token("/tickets/new")
    browser.sign_in("agent01")
    answer = browser.client.post("/tickets/new", data=CALL | {"csrf_token": stale})
    assert answer.status_code == 409
    assert holds_the_call(answer.get_data(as_text=True))


def test_a_form_without_a_token_from_a_foreign_page_is_refused(browser: Browser) -> None:
    browser.sign_in("agent01")
    answer = browser.client.post("/tickets/new", data=CALL, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 400
    assert "烧烤" not in answer.get_data(as_text=True)


def test_a_page_asked_for_too_late_is_shown_after_the_login(browser: Browser, clock: MovableClock) -> None:
    browser.sign_in("agent01")
    clock.advance(minutes=31)
    answer = browser.get("/tickets", state="closed")
    assert answer.location == "/login?next=/tickets?state%3Dclosed"
    page = LoginPage.after(browser, browser.client.get(answer.location))
    assert page.sign_in("agent01").location == "/tickets?state=closed"


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_the_login_sends_nobody_elsewhere(browser: Browser, target: str) -> None:
    assert browser.sign_in("agent01", next=target).location == "/"
