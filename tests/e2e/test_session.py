"""Sessions in a real browser: a late form comes back whole, a second factor is set up, pages work by keyboard."""

import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from tests.e2e.conftest import Installation

from hotline.demo.city import DEMO_PASSWORD
from hotline.domain import totp

SignIn = Callable[[str], Page]
pytestmark = pytest.mark.browser

WORDS = "楼下烧烤店夜里两点还在营业，油烟很大，孩子睡不着。\n已经打过三次电话。"


def fill_in_call(page: Page) -> None:
    # Drafts and advice are kept away: what is lost or kept here is the form's own, and no answer of theirs brings a
    # cookie back that the test has thrown away.
    for path in ("**/drafts", "**/calls/*"):
        page.route(path, lambda route: route.abort())
    page.get_by_role("link", name="登记来电").click()
    page.get_by_label("来电号码").fill("13800001234")
    page.get_by_label("姓名").fill("王小明")
    page.get_by_label("诉求内容").fill(WORDS)
    page.get_by_label("地址").fill("金茂小区 3 栋")
    page.get_by_label("紧急程度").select_option("urgent")
    page.get_by_label("保密").check()


def end_session(hotline: Installation, page: Page, way: str) -> None:
    if way == "cookie gone":
        page.context.clear_cookies()
    else:
        hotline.stack.execute("UPDATE account SET session_epoch = session_epoch + 1 WHERE username = 'agent01'")


@pytest.mark.parametrize("way", ["session ended", "cookie gone"])
def test_a_call_typed_before_the_session_ended_is_logged_after_signing_in(
    sign_in: SignIn, hotline: Installation, way: str
) -> None:
    page = sign_in("agent01")
    fill_in_call(page)
    end_session(hotline, page, way)
    page.get_by_role("button", name="提交").click()
    expect(page.get_by_role("alert")).to_contain_text("已保留")
    # Nothing of it stands in the address or can be read on the page of who sits there next.
    assert page.url.endswith("/login/again?to=/tickets/new")
    assert "王小明" not in page.content()
    # A mistake on the way costs nothing either.
    for password in ("mistyped", DEMO_PASSWORD):
        page.get_by_label("用户名").fill("agent01")
        page.get_by_label("密码").fill(password)
        page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("尚未提交")
    expect(page.get_by_label("来电号码")).to_have_value("13800001234")
    expect(page.get_by_label("姓名")).to_have_value("王小明")
    expect(page.get_by_label("诉求内容")).to_have_value(WORDS)
    expect(page.get_by_label("地址")).to_have_value("金茂小区 3 栋")
    expect(page.get_by_label("紧急程度")).to_have_value("urgent")
    expect(page.get_by_label("保密")).to_be_checked()
    page.get_by_role("button", name="提交").click()
    expect(page.get_by_role("status")).to_contain_text("已受理")
    expect(page.get_by_text("138****1234")).to_be_visible()


def test_a_form_of_another_tab_survives_a_new_login(sign_in: SignIn, hotline: Installation) -> None:
    first = sign_in("agent01")
    fill_in_call(first)
    second = first.context.new_page()
    end_session(hotline, first, "session ended")
    second.goto("/tickets")
    second.get_by_label("用户名").fill("agent01")
    second.get_by_label("密码").fill(DEMO_PASSWORD)
    second.keyboard.press("Enter")
    expect(second.get_by_role("link", name="登记来电")).to_be_visible()
    first.get_by_role("button", name="提交").click()
    expect(first.get_by_role("alert")).to_contain_text("尚未提交")
    expect(first.get_by_label("诉求内容")).to_have_value(WORDS)
    first.get_by_role("button", name="提交").click()
    expect(first.get_by_role("status")).to_contain_text("已受理")


def test_a_second_factor_is_set_up_and_asked_for(sign_in: SignIn) -> None:
    page = sign_in("supervisor01")
    page.get_by_role("link", name=re.compile("督办")).click()
    secret = page.get_by_label("密钥", exact=True).input_value()
    page.get_by_label("应用显示的 6 位数字").fill(totp.code(secret, int(time.time()) // 30 - 1))
    page.get_by_role("button", name="启用动态口令").click()
    expect(page.get_by_role("status")).to_contain_text("动态口令已启用")
    page.get_by_role("button", name="退出").click()
    page.get_by_label("用户名").fill("supervisor01")
    page.get_by_label("密码").fill(DEMO_PASSWORD)
    page.keyboard.press("Enter")
    # The field has the focus: who has the phone at hand only types.
    expect(page.get_by_label("手机应用上的 6 位数字")).to_be_focused()
    page.keyboard.type("000000")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("动态口令不正确")
    expect(page.get_by_label("手机应用上的 6 位数字")).to_be_focused()
    page.keyboard.type(totp.code(secret, int(time.time()) // 30 + 1))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="当前看板")).to_be_visible()


def test_the_administrator_closes_an_account_and_the_auditor_sees_it(sign_in: SignIn) -> None:
    admin = sign_in("admin")
    admin.get_by_label("用户名或姓名").fill("agent02")
    admin.keyboard.press("Enter")
    admin.get_by_role("button", name="停用 agent02").focus()
    admin.keyboard.press("Enter")
    expect(admin.get_by_role("status")).to_contain_text("agent02 已停用")
    auditor = sign_in("auditor")
    auditor.get_by_role("link", name="查看审计日志").click()
    auditor.get_by_label("动作").select_option(label="停用账号")
    auditor.get_by_role("button", name="查看").click()
    expect(auditor.get_by_role("row", name=re.compile("account:agent02"))).to_contain_text("admin")
    auditor.get_by_role("button", name="校验链条").click()
    expect(auditor.get_by_role("status")).to_contain_text("链条完整")
    with auditor.expect_download() as download:
        auditor.get_by_role("link", name="导出 CSV").click()
    assert download.value.suggested_filename == "audit.csv"


@pytest.mark.parametrize(("username", "path"), [("auditor", "/audit"), ("admin", "/accounts"), ("agent01", "/account")])
def test_the_new_pages_fit_a_small_screen(sign_in: SignIn, username: str, path: str) -> None:
    page = sign_in(username)
    page.goto(path)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
