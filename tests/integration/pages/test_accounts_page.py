"""The administrator's list of accounts, and everybody's own account."""

import pytest
from flask import Flask
from tests.integration.browser import Browser

from hotline.demo.city import DEMO_PASSWORD


@pytest.fixture
def admin(app: Flask) -> Browser:
    """The administrator's browser."""
    browser = Browser.of(app)
    assert browser.sign_in("admin").location == "/"
    return browser


def test_home_is_the_list(admin: Browser) -> None:
    assert admin.get("/").location == "/accounts"
    page = admin.text("/accounts")
    assert "agent01" in page
    assert 'action="/accounts/agent01/disable"' in page
    # Nobody closes their own account.
    assert 'action="/accounts/admin/disable"' not in page


def test_it_is_narrowed_by_name_and_role(admin: Browser) -> None:
    assert "agent01" not in admin.text("/accounts", role="auditor")
    assert "cgj-lead" in admin.text("/accounts", text="cgj")
    assert "没有符合条件的账号" in admin.text("/accounts", text="%")
    assert "agent01" in admin.text("/accounts", role="king")


def test_an_account_is_closed_and_opened_again(admin: Browser, app: Flask) -> None:
    agent = Browser.of(app)
    agent.sign_in("agent01")
    assert admin.send("/accounts/agent01/disable", {}, form_on="/accounts").status_code == 302
    assert "账号 agent01 已停用" in admin.text("/accounts")
    assert agent.get("/tickets").status_code == 302
    assert Browser.of(app).sign_in("agent01").status_code == 401
    assert 'action="/accounts/agent01/enable"' in admin.text("/accounts")
    admin.send("/accounts/agent01/enable", {}, form_on="/accounts")
    assert Browser.of(app).sign_in("agent01").status_code == 302


def test_a_locked_account_is_unlocked(admin: Browser, app: Flask) -> None:
    for _ in range(5):
        Browser.of(app).sign_in("agent01", "wrong")
    assert "锁定至" in admin.text("/accounts", text="agent01")
    admin.send("/accounts/agent01/enable", {}, form_on="/accounts")
    assert Browser.of(app).sign_in("agent01").status_code == 302


def test_one_s_own_account_and_an_unknown_one_are_refused(admin: Browser) -> None:
    admin.send("/accounts/admin/disable", {}, form_on="/accounts")
    assert "不能停用自己的账号" in admin.text("/accounts")
    assert admin.send("/accounts/nobody/disable", {}, form_on="/accounts").status_code == 404


def test_a_password_is_changed_and_other_sessions_end(app: Flask) -> None:
    here, there = Browser.of(app), Browser.of(app)
    for browser in (here, there):
        browser.sign_in("agent01")
    new = "four new words here"
    fields = {"password": DEMO_PASSWORD, "new_password": new, "repeated_password": new}
    assert here.send("/account/password", fields, form_on="/account").status_code == 302
    assert "密码已修改" in here.text("/account")
    assert there.get("/tickets").status_code == 302
    assert Browser.of(app).sign_in("agent01").status_code == 401
    assert Browser.of(app).sign_in("agent01", new).status_code == 302


@pytest.mark.parametrize(
    ("present", "new", "repeated", "why"),
    [
        ("wrong", "four new words here", "four new words here", "原密码不正确"),
        (DEMO_PASSWORD, "four new words here", "four other words", "两次输入的新密码不一致"),
        (DEMO_PASSWORD, "short", "short", "新密码须 12 位以上"),
        (DEMO_PASSWORD, DEMO_PASSWORD, DEMO_PASSWORD, "新密码须"),
    ],
)
def test_a_password_that_will_not_do_changes_nothing(
    app: Flask, present: str, new: str, repeated: str, why: str
) -> None:
    browser = Browser.of(app)
    browser.sign_in("agent01")
    fields = {"password": present, "new_password": new, "repeated_password": repeated}
    answer = browser.send("/account/password", fields, form_on="/account")
    assert answer.status_code == 422
    assert why in answer.get_data(as_text=True)
    assert Browser.of(app).sign_in("agent01").status_code == 302


def test_a_body_larger_than_such_a_form_is_refused(admin: Browser) -> None:
    answer = admin.send("/accounts/agent01/disable", {"note": "x" * 70_000}, form_on="/accounts")
    assert answer.status_code == 413
