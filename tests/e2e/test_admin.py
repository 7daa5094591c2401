"""The administrator in a real browser: lists exchanged as Excel tables, by keyboard, on pages that anybody can use."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from tests.e2e.axe import violations
from tests.e2e.conftest import Installation
from tests.sheets import edited, put, row_of

SignIn = Callable[[str], Page]
pytestmark = pytest.mark.browser

PAGES = (
    "/departments?retired=yes",
    "/departments/new",
    "/departments/CGJ",
    "/catalogue",
    "/catalogue/E03",
    "/knowledge",
    "/knowledge/new",
    "/limits",
    "/calendar",
    "/accounts",
    "/lists/catalogue/import",
    "/lists/limits/import",
)


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def file_of(page: Page, folder: Path, edit: Callable[[Any], None]) -> Path:
    """Export the list whose page is open, change it, and return the file."""
    with page.expect_download() as download:
        page.get_by_role("link", name="导出 Excel").click()
    file = folder / download.value.suggested_filename
    file.write_bytes(edited(Path(download.value.path()).read_bytes(), edit))
    return file


def upload(page: Page, file: Path) -> None:
    page.get_by_role("link", name="导入 Excel").click()
    page.get_by_label("Excel 文件").set_input_files(file)
    page.get_by_label("Excel 文件").focus()
    page.keyboard.press("Tab")
    while page.evaluate("document.activeElement.tagName") != "BUTTON":
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")


def test_every_page_has_no_violations_and_fits_a_small_screen(sign_in: SignIn, hotline: Installation) -> None:
    page = sign_in("admin")
    expect(page.get_by_role("navigation", name="主导航")).to_contain_text("权责清单")
    for path in PAGES:
        page.goto(path)
        assert violations(page) == [], path
        assert fits(page), path


def test_a_table_goes_out_is_changed_and_comes_in_by_keyboard(
    sign_in: SignIn, hotline: Installation, tmp_path: Path
) -> None:
    page = sign_in("admin")
    page.get_by_role("link", name="权责清单").click()

    def edit(sheet: Any) -> None:
        put(sheet, row_of(sheet, "F02"), "主办单位编码", "ZJJ")
        sheet.append(["不得下派", "F02", None, None, None, "条例第九条"])

    upload(page, file_of(page, tmp_path, edit))
    expect(page.get_by_text("新增 1，更改 1，移除 0")).to_be_visible()
    assert violations(page) == []
    assert fits(page)
    page.get_by_role("link", name="最近 1000 件").click()
    expect(page.get_by_text("件已派工单中")).to_be_visible()
    page.get_by_role("button", name="执行这 2 处变更").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("已导入：2 处变更")
    ((basis,),) = hotline.stack.rows("SELECT basis FROM push_down_ban WHERE matter = 'F02'")
    assert basis == "条例第九条"


def test_mistakes_are_shown_in_words_and_nothing_happens(
    sign_in: SignIn, hotline: Installation, tmp_path: Path
) -> None:
    page = sign_in("admin")
    page.get_by_role("link", name="承办单位").click()
    before = hotline.stack.rows("SELECT code, name FROM department ORDER BY id")

    def edit(sheet: Any) -> None:
        put(sheet, row_of(sheet, "CGJ"), "状态", "停用")
        put(sheet, row_of(sheet, "ZJJ"), "单位名称", "住建局")

    upload(page, file_of(page, tmp_path, edit))
    expect(page.get_by_role("alert")).to_contain_text("什么也没有导入")
    expect(page.get_by_role("row", name="还有在用的下级单位")).to_be_visible()
    assert violations(page) == []
    assert fits(page)
    assert hotline.stack.rows("SELECT code, name FROM department ORDER BY id") == before


def test_a_new_account_s_password_is_shown_once(sign_in: SignIn, hotline: Installation, tmp_path: Path) -> None:
    page = sign_in("admin")
    page.get_by_role("link", name="账号", exact=True).click()

    def edit(sheet: Any) -> None:
        sheet.append(["seat-77", "新来的坐席", "坐席", None, None, "在用"])

    upload(page, file_of(page, tmp_path, edit))
    page.get_by_role("button", name="执行这 1 处变更").click()
    password = page.get_by_role("row", name="seat-77").locator("code").inner_text()
    assert violations(page) == []
    page.get_by_role("button", name="退出").click()
    page.get_by_label("用户名").fill("seat-77")
    page.get_by_label("密码").fill(password)
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_role("heading", name="登记来电")).to_be_visible()
