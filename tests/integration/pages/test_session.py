"""Signing in and out: who gets in, where they land, and that nobody is led astray or made to act unknowingly."""

from urllib.parse import urljoin, urlsplit

import pytest
from flask import Flask
from sqlalchemy import update
from tests.factories import row_counts
from tests.integration.browser import Browser

from hotline.bootstrap import Runtime, utc_now
from hotline.storage.engine import transaction
from hotline.storage.tables import Account

HOME = {
    "agent01": "/tickets/new",
    "dispatcher01": "/dispatch",
    "cgj-handler": "/tickets",
    "cgj-lead": "/tickets",
    "followup01": "/calls",
    "supervisor01": "/board",
    "admin": "/accounts",
    "auditor": "/",
}

# Each would lead a careless login page to another site, or run a script.
ELSEWHERE = (
    *("https://evil.example/", "http://evil.example", "//evil.example", "///evil.example", "////evil.example/x"),
    *("/\\evil.example", "\\\\evil.example", "/\\/evil.example", "/\t/evil.example", "/\n/evil.example", "\t//evil"),
    *("javascript:alert(1)", "data:text/html,x", "evil.example", "https:evil.example", "HTTPS://evil.example", "@evil"),
    *("/\r/evil.example", "/\t\\evil.example", " //evil.example", "//evil.example@localhost/", "http:///evil.example"),
)


REFUSED_FORMS = (307, 400, 401, 409)


@pytest.fixture
def browser(standing_app: Flask) -> Browser:
    return Browser.of(standing_app)


@pytest.mark.parametrize(("username", "start"), HOME.items())
def test_everybody_lands_at_their_work(browser: Browser, username: str, start: str) -> None:
    assert browser.sign_in(username).location == "/"
    landed = browser.client.get("/", follow_redirects=True)
    assert (landed.status_code, landed.request.path) == (200, start)


@pytest.mark.parametrize(
    ("username", "password"),
    [
        # Each guess is at an account of its own: too many at one would lock it.
        ("agent02", "wrong"),
        ("agent03", ""),
        ("agent04", "hotline-demo "),
        ("agent05", "x" * 10_000),
        ("AGENT06", "hotline-demo"),
        ("agent06\x00", "wrong"),
        ("agent06' OR '1'='1", "x"),
        ("nobody", "hotline-demo"),
        ("x" * 10_000, "hotline-demo"),
        ("", ""),
    ],
)
def test_a_wrong_name_or_password_gets_the_same_answer(browser: Browser, username: str, password: str) -> None:
    answer = browser.sign_in(username, password)
    assert answer.status_code == 401
    assert "用户名或密码不正确" in answer.get_data(as_text=True)
    assert password == "" or f'value="{password}"' not in answer.get_data(as_text=True)
    assert browser.get("/tickets").status_code == 302


def test_what_was_typed_as_the_name_is_shown_again_and_escaped(browser: Browser) -> None:
    answer = browser.sign_in('"><script>alert(1)</script>', "wrong").get_data(as_text=True)
    assert "<script>alert" not in answer
    assert "&lt;script&gt;" in answer


def test_signing_out_ends_the_session(browser: Browser) -> None:
    browser.sign_in("agent01")
    assert browser.get("/tickets").status_code == 200
    assert browser.send("/logout", {}, form_on="/tickets").location == "/login"
    assert browser.get("/tickets").status_code == 302


def test_whoever_opens_a_page_first_lands_there_after_signing_in(browser: Browser) -> None:
    sent = browser.get("/tickets", state="closed")
    assert sent.status_code == 302
    page = browser.client.get(sent.location)
    assert 'name="next" value="/tickets?state=closed"' in page.get_data(as_text=True)
    assert browser.sign_in("agent01", next="/tickets?state=closed").location == "/tickets?state=closed"


@pytest.mark.parametrize("target", ELSEWHERE)
def test_the_login_page_leads_nobody_to_another_site(browser: Browser, target: str) -> None:
    location = browser.sign_in("agent01", next=target).location
    landed = urljoin("http://localhost/login", "".join(c for c in location if c not in "\t\r\n").replace("\\", "/"))
    assert urlsplit(landed).netloc == "localhost", location
    assert urlsplit(landed).scheme == "http"


@pytest.mark.parametrize("path", ["/login", "/logout", "/tickets/new", "/tickets/20261125-000001/sign"])
@pytest.mark.parametrize("token", [None, "", "x", "IjAwMDAi.aaaa.bbbb"])
def test_a_form_without_its_token_does_nothing(
    browser: Browser, standing_parts: Runtime, path: str, token: str | None
) -> None:
    browser.sign_in("agent01")
    before = row_counts(standing_parts)
    fields = {"content": "路灯不亮", "channel": "phone"} | ({} if token is None else {"csrf_token": token})
    answer = browser.client.post(path, data=fields)
    # The page may ask to send the form again, or to sign in again and then send it; it never does what the form says.
    assert answer.status_code in REFUSED_FORMS
    assert row_counts(standing_parts) == before
    assert browser.get("/tickets").status_code == 200


def test_a_token_of_another_session_is_worth_nothing(standing_app: Flask, standing_parts: Runtime) -> None:
    mine, theirs = Browser.of(standing_app), Browser.of(standing_app)
    mine.sign_in("agent01")
    theirs.sign_in("agent02")
    before = row_counts(standing_parts)
    fields = {"content": "路灯不亮", "channel": "phone", "csrf_token": theirs.token("/tickets")}
    assert mine.client.post("/tickets/new", data=fields).status_code in REFUSED_FORMS
    assert row_counts(standing_parts) == before


def test_a_session_ends_after_its_hours(app: Flask, parts: Runtime) -> None:
    browser = Browser.of(app)
    browser.sign_in("agent01")
    seconds = parts.settings.session_hours * 3600
    for age, status in ((seconds - 60, 200), (seconds + 60, 302)):
        with browser.client.session_transaction() as cookie:
            cookie["since"] = utc_now().timestamp() - age
        assert browser.get("/tickets").status_code == status


def test_a_cookie_that_was_tampered_with_is_no_session(standing_app: Flask) -> None:
    browser = Browser.of(standing_app)
    browser.sign_in("agent01")
    cookie = browser.client.get_cookie("hotline")
    assert cookie is not None
    browser.client.set_cookie("hotline", cookie.value[:-2] + ("AA" if cookie.value[-2:] != "AA" else "BB"))
    assert browser.get("/tickets").status_code == 302
    browser.client.set_cookie("hotline", "garbage.\x7f")
    assert browser.get("/tickets").status_code == 302


def test_the_session_cookie_is_kept_from_scripts_and_other_sites(browser: Browser) -> None:
    cookie = browser.sign_in("agent01").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_a_closed_account_does_not_get_in(app: Flask, parts: Runtime) -> None:
    with transaction(parts.sessions) as session:
        session.execute(update(Account).where(Account.username == "agent01").values(active=False))
    assert Browser.of(app).sign_in("agent01").status_code == 401
