"""The administrator's lists in a browser: looked at, changed one by one, and exchanged as Excel tables."""

import io
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from tests.factories import department, ticket_after
from tests.integration.browser import Browser
from tests.sheets import edited, put, row_of
from werkzeug.test import TestResponse

from hotline.bootstrap import Runtime
from hotline.domain.ticket import Action
from hotline.services.lists.registry import LISTS
from hotline.storage.engine import transaction
from hotline.storage.tables import CatalogueEntryRow, KnowledgeEntry, Ticket
from hotline.web.app import create_app
from hotline.web.pages.lists import PAGES

Edit = Callable[[Any], None]


@pytest.fixture
def admin(app: Flask) -> Browser:
    browser = Browser.of(app)
    browser.sign_in("admin")
    return browser


def upload(browser: Browser, name: str, content: bytes, **options: str) -> TestResponse:
    fields = {
        "csrf_token": browser.token(f"/lists/{name}/import"),
        "file": (io.BytesIO(content), "清单.xlsx"),
        **options,
    }
    answer = browser.client.post(f"/lists/{name}/import", data=fields)
    # A large form lies in a file, which the test's own client leaves open.
    answer.request.environ["wsgi.input"].close()
    return answer


def exported(browser: Browser, name: str, edit: Edit) -> bytes:
    answer = browser.get(f"/lists/{name}/export")
    assert answer.status_code == 200
    assert re.fullmatch(rf"attachment; filename={name}-\d{{8}}\.xlsx", answer.headers["Content-Disposition"])
    return edited(answer.data, edit)


def digest(page: str) -> str:
    found = re.search(r'name="digest" value="([0-9a-f]{64})"', page)
    assert found
    return found[1]


def move(sheet: Any) -> None:
    put(sheet, row_of(sheet, "E03"), "主办单位编码", "ZJJ")


def rename(sheet: Any) -> None:
    put(sheet, row_of(sheet, "CGJ"), "单位名称", "城市管理与执法局")


def test_every_list_has_a_page_that_leads_out_and_in(admin: Browser, app: Flask) -> None:
    assert set(PAGES) == set(LISTS)
    for name, endpoint in PAGES.items():
        with app.test_request_context():
            path = app.url_for(endpoint)
        page = admin.text(path)
        assert f'href="/lists/{name}/export"' in page
        assert f'href="/lists/{name}/import"' in page
        # And so does the way there.
        assert f'href="{path}"' in admin.text("/account")


def test_a_table_is_uploaded_looked_at_and_applied(admin: Browser, parts: Runtime) -> None:
    answer = upload(admin, "departments", exported(admin, "departments", rename))
    assert answer.status_code == 302
    page = admin.text(answer.location)
    assert "新增 0，更改 1，移除 0" in page
    assert re.search(r"list-before\">[^<]*城[^<]*</td><td class=\"list-after\">城市管理与执法局<", page)
    with transaction(parts.sessions) as session:
        assert department(session, "CGJ").name != "城市管理与执法局"
    sent = admin.send(f"{answer.location}/apply", {"digest": digest(page)}, form_on=answer.location)
    assert (sent.status_code, sent.location) == (302, "/departments")
    page = admin.text("/departments")
    assert "已导入：1 处变更。" in page
    assert "城市管理与执法局" in page
    # A second click, or the page from the browser's memory, does nothing more.
    token = admin.token("/departments/new")
    again = admin.client.post(f"{answer.location}/apply", data={"csrf_token": token, "digest": "0"})
    assert again.location == "/departments"
    assert "已经执行或放弃" in admin.text("/departments")
    assert admin.get(answer.location).location == "/lists/departments/import"


def test_what_changed_since_the_dry_run_is_shown_afresh(admin: Browser, parts: Runtime) -> None:
    place = upload(admin, "departments", exported(admin, "departments", rename)).location
    seen = digest(admin.text(place))
    form = {"name": "执法局", "kind": "city_bureau", "parent": "", "district": "LD"}
    admin.send("/departments/CGJ", form, form_on="/departments/CGJ")
    answer = admin.send(f"{place}/apply", {"digest": seen}, form_on=place)
    assert answer.status_code == 409
    page = answer.get_data(as_text=True)
    assert "预览之后数据有了变化，刚才没有执行任何变更" in page
    assert "执法局</td>" in page
    with transaction(parts.sessions) as session:
        assert department(session, "CGJ").name == "执法局"
    assert digest(page) != seen
    admin.send(f"{place}/apply", {"digest": digest(page)}, form_on=place)
    with transaction(parts.sessions) as session:
        assert department(session, "CGJ").name == "城市管理与执法局"


def test_an_upload_is_dropped_without_a_trace(admin: Browser, parts: Runtime) -> None:
    place = upload(admin, "departments", exported(admin, "departments", rename)).location
    admin.send(f"{place}/drop", {}, form_on=place)
    assert "没有任何变更" in admin.text("/departments")
    assert admin.get(place).location == "/lists/departments/import"


def test_mistakes_are_told_by_row_and_column_in_words(admin: Browser) -> None:
    def wrong(sheet: Any) -> None:
        put(sheet, 4, "类别", "局")
        put(sheet, 5, "单位名称", None)
        put(sheet, 6, "上级单位编码", "NIX")

    answer = upload(admin, "departments", exported(admin, "departments", wrong))
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    told = re.findall(r'<tr><td class="tabular">(\d+)</td><td class="nowrap">([^<]+)</td><td>([^<]+)</td>', page)
    assert told == [
        ("4", "类别", "须是其中之一：热线中心、市级部门、区级部门、街道（镇）、公用事业单位"),
        ("5", "单位名称", "此项必填"),
    ]
    assert "什么也没有导入" in page


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "请选择文件。"),
        ("编码,名称".encode(), "文件不能导入：不是 Excel 工作簿"),
        (bytes.fromhex("d0cf11e0a1b11ae1"), "文件不能导入：是旧版 .xls 或设了密码"),
        (b"PK" + b"x" * (3 * 1024 * 1024), "文件不能导入：超过 3 MB"),
    ],
)
def test_what_is_no_list_is_refused_in_words(admin: Browser, content: bytes, why: str) -> None:
    answer = upload(admin, "departments", content)
    assert answer.status_code == 422
    assert why in answer.get_data(as_text=True)


def test_another_list_s_table_is_refused(admin: Browser) -> None:
    answer = upload(admin, "catalogue", exported(admin, "departments", rename))
    assert "没有名为“权责清单”的工作表" in answer.get_data(as_text=True)
    assert admin.get("/lists/nothing/export").status_code == 404


def test_a_body_larger_than_any_list_is_refused_unread(admin: Browser) -> None:
    assert upload(admin, "departments", b"x" * (4 * 1024 * 1024)).status_code == 413


def test_nothing_in_a_file_becomes_code_of_the_page(admin: Browser) -> None:
    def attack(sheet: Any) -> None:
        put(sheet, row_of(sheet, "CGJ"), "单位名称", "<script>alert(1)</script>")

    place = upload(admin, "departments", exported(admin, "departments", attack)).location
    assert "<script>alert" not in admin.text(place)
    assert "&lt;script&gt;alert" in admin.text(place)
    strange = exported(admin, "departments", lambda sheet: sheet.cell(1, 20, "<img src=x>"))
    assert "<img" not in upload(admin, "departments", strange).get_data(as_text=True)


def test_a_draft_of_the_catalogue_is_replayed_over_past_tickets(admin: Browser, parts: Runtime) -> None:
    with transaction(parts.sessions) as session:
        for _ in range(3):
            ticket_after(session, parts.context, Action.DISPATCH)

    place = upload(admin, "catalogue", exported(admin, "catalogue", move)).location
    assert "不会改动任何工单" in admin.text(place)
    page = re.sub(r"\s+", " ", admin.text(place, last="1000"))
    assert "3 件已派工单中，3 件会派往别处；其中 0 件当时被退回并改派。" in page
    assert re.search(
        r'tabular">3</td><td class="nowrap">E03 [^<]+</td><td>[^<]*城市管理局</td><td>[^<]*建设局</td>', page
    )
    # Other numbers are not computed.
    assert "会派往别处；" not in admin.text(place, last="999999999")


def test_the_catalogue_shows_what_is_in_force_how_it_fared_and_what_was_before(admin: Browser, parts: Runtime) -> None:
    with transaction(parts.sessions) as session:
        ticket_after(session, parts.context, Action.DISPATCH)
        entries = session.scalars(select(CatalogueEntryRow)).all()
    page = admin.text("/catalogue")
    assert f'<span class="text-secondary tabular">{len(entries)}</span>' in page
    narrowed = admin.text("/catalogue", matter="E03", district="LD")
    assert narrowed.count('<a href="/catalogue/E03">') == 1
    assert "没有符合条件的条目" in admin.text("/catalogue", matter="E03", district="nowhere")
    place = upload(admin, "catalogue", exported(admin, "catalogue", move)).location
    admin.send(f"{place}/apply", {"digest": digest(admin.text(place))}, form_on=place)
    history = admin.text("/catalogue/E03")
    assert "至今" in history
    assert re.search(r'<td class="text-end tabular">1</td>', history)
    before = re.findall(r'href="(/catalogue\?at=[^"]+)"', admin.text("/catalogue"))
    assert len(before) == 2
    assert "时的清单" in admin.text(before[-1].replace("&#43;", "%2B"))
    assert admin.get("/catalogue/Z99").status_code == 404


def test_a_catalogue_to_come_is_announced_and_taken_back(admin: Browser) -> None:
    content = exported(admin, "catalogue", move)
    place = upload(admin, "catalogue", content, since="2099-01-01").location
    assert "自 2099-01-01 起生效" in admin.text(place)
    admin.send(f"{place}/apply", {"digest": digest(admin.text(place))}, form_on=place)
    assert "2099-01-01 00:00 起新增 1 行、结束 1 行" in admin.text("/catalogue")
    # While it waits, nothing earlier is imported over it.
    blocked = upload(admin, "catalogue", exported(admin, "catalogue", lambda sheet: sheet.delete_rows(2)))
    assert "已有 2099-01-01 00:00 起生效的导入，请先在权责清单页撤回它" in blocked.get_data(as_text=True)
    admin.send("/catalogue/drop", {}, form_on="/catalogue")
    assert "已撤回尚未生效的 1 行" in admin.text("/catalogue")
    assert "起新增" not in admin.text("/catalogue")
    wrong = upload(admin, "catalogue", content, since="2020-01-01")
    assert "立即生效请空着" in wrong.get_data(as_text=True)


def test_departments_are_kept_one_by_one(admin: Browser, parts: Runtime) -> None:
    form = {"code": "xfj", "name": "消防救援局", "kind": "city_bureau", "parent": "", "district": ""}
    assert admin.send("/departments/new", form, form_on="/departments/new").location == "/departments"
    assert "已新增 消防救援局" in admin.text("/departments")
    again = admin.send("/departments/new", form, form_on="/departments/new")
    assert again.status_code == 422
    page = again.get_data(as_text=True)
    assert "已有这个编码的单位" in page
    assert 'value="消防救援局"' in page
    admin.send("/departments/XFJ", form | {"name": "消防局", "parent": "CGJ"}, form_on="/departments/XFJ")
    assert "消防局" in admin.text("/departments", text="xfj")
    assert admin.send("/departments/XFJ/retire", {}, form_on="/departments/XFJ").location == "/departments"
    assert "消防局</a>" not in admin.text("/departments")
    assert "消防局</a>" in admin.text("/departments", retired="yes")
    admin.send("/departments/XFJ/reopen", {}, form_on="/departments/XFJ")
    assert "消防局</a>" in admin.text("/departments")
    assert "没有符合条件的单位" in admin.text("/departments", text="没有这样的单位")
    assert admin.get("/departments/NIX").status_code == 404


def test_a_department_with_work_is_not_retired_and_the_page_says_what_to_do(admin: Browser, parts: Runtime) -> None:
    with transaction(parts.sessions) as session:
        ticket_after(session, parts.context, Action.DISPATCH).lead_department = department(session, "LX-XJJD")
    answer = admin.send("/departments/LX-XJJD/retire", {}, form_on="/departments/LX-XJJD")
    assert answer.status_code == 422
    assert "还有 1 件未办结工单，请先改派或办结" in answer.get_data(as_text=True)


def test_an_entry_of_the_knowledge_base_is_written_changed_and_retired(admin: Browser, parts: Runtime) -> None:
    question = "去哪里给狗登记？"
    form = {"question": question, "answer": "到社区服务站。", "matter": "E03", "owner": "CGJ", "source": "办事指南"}
    assert admin.send("/knowledge/new", form, form_on="/knowledge/new").location == "/knowledge"
    with transaction(parts.sessions) as session:
        place = f"/knowledge/{session.scalars(select(KnowledgeEntry.id)).one()}"
    twin = admin.send("/knowledge/new", form, form_on="/knowledge/new")
    assert "已有条目回答这个问题" in twin.get_data(as_text=True)
    over = {"answer": "到政务中心。", "valid_from": "2020-01-01", "valid_to": "2020-12-31"}
    admin.send(place, form | over, form_on=place)
    page = admin.text("/knowledge", text="狗登记")
    assert "已过期" in page
    assert "2020-01-01 — 2020-12-31" in page
    assert question in admin.text("/knowledge", holding="expired", owner="CGJ", matter="E03")
    assert "没有符合条件的条目" in admin.text("/knowledge", holding="in_force")
    wrong = admin.send(place, form | {"valid_from": "2020-02-01", "valid_to": "2020-01-01"}, form_on=place)
    assert wrong.status_code == 422
    assert "失效日早于生效日" in wrong.get_data(as_text=True)
    admin.send(f"{place}/retire", {}, form_on=place)
    assert question not in admin.text("/knowledge")
    assert question in admin.text("/knowledge", holding="retired")
    # Saving it takes it back into use.
    admin.send(place, form, form_on=place)
    assert question in admin.text("/knowledge", holding="in_force")
    assert admin.get("/knowledge/999999").status_code == 404


@pytest.mark.parametrize("path", ["/knowledge/new", "/departments/new"])
@pytest.mark.parametrize("value", ["\x00", "\x07", "\ud800", "", "x" * 30_000])
def test_no_form_breaks_by_what_is_typed_into_it(admin: Browser, path: str, value: str) -> None:
    names = (
        "question",
        "answer",
        "matter",
        "owner",
        "source",
        "valid_from",
        "valid_to",
        "code",
        "name",
        "kind",
        "parent",
    )
    token = admin.token(path)
    for name in names:
        good = {"question": "问", "answer": "答", "code": "XFJ", "name": "局", "kind": "street"}
        sent = {"csrf_token": token} | good | {name: value}
        encoded = {key: said.encode("utf-8", "surrogatepass") for key, said in sent.items()}
        answer = admin.client.post(path, data=encoded)
        assert answer.status_code in (302, 400, 413, 422), (name, answer.status)


def test_the_pages_speak_english_too(admin: Browser) -> None:
    token = admin.token("/account")
    admin.client.post("/language", data={"language": "en", "csrf_token": token})
    for path in ("/departments", "/departments/new", "/catalogue", "/catalogue/E03", "/knowledge", "/knowledge/new"):
        page = admin.text(path)
        assert re.search(r"<h1[^>]*>\s*(<[^>]*>)?[A-Z]", page) or path == "/catalogue/E03", path
    wrong = upload(admin, "departments", b"no workbook").get_data(as_text=True)
    assert "is no Excel workbook; save it as .xlsx" in wrong


def test_limits_that_are_dated_back_show_which_dues_they_would_move(admin: Browser, parts: Runtime) -> None:
    with transaction(parts.sessions) as session:
        number = ticket_after(session, parts.context, Action.SIGN).number
        before = session.scalars(select(Ticket.handle_due).where(Ticket.number == number)).one()

    def lengthen(sheet: Any) -> None:
        for row in range(2, sheet.max_row + 1):
            if sheet.cell(row, 1).value == "办理时限" and sheet.cell(row, 7).value == "工作日":
                put(sheet, row, "时限", 60)

    content = exported(admin, "limits", lengthen)
    place = upload(admin, "limits", content, version="从宽", since="2020-01-01").location
    page = admin.text(place)
    assert "版本名：从宽。" in page
    assert "自 2020-01-01 起生效。" in page
    assert "推后" not in page
    page = admin.text(place, shifts="yes")
    assert re.search(r"办理时限</th><td>推后</td><td class=\"text-end tabular\">1</td>", page)
    with transaction(parts.sessions) as session:
        assert session.scalars(select(Ticket.handle_due).where(Ticket.number == number)).one() == before
    admin.send(f"{place}/apply", {"digest": digest(page)}, form_on=place)
    assert re.search(
        r"从宽</a></th>\s*<td[^>]*>2020-01-01 00:00</td>\s*<td[^>]*><span[^>]*>使用中", admin.text("/limits")
    )
    # A version's name is used once.
    again = upload(admin, "limits", exported(admin, "limits", lambda sheet: put(sheet, 2, "时限", 50)), version="从宽")
    assert "已有名为 从宽 的版本" in again.get_data(as_text=True)


def test_a_year_without_its_notice_is_marked_provisional_until_it_comes(parts: Runtime) -> None:
    year = max(parts.context.calendar.published_years or ()) + 1
    clock = replace(parts.context, now=lambda: datetime(year, 6, 1, tzinfo=UTC))
    browser = Browser.of(create_app(replace(parts, context=clock)))
    browser.sign_in("admin")
    assert f"{year} 年的放假通知还没有导入" in browser.text("/calendar")

    def edit(sheet: Any) -> None:
        sheet.delete_rows(2, sheet.max_row)
        sheet.append([year, "放假", f"{year}-01-01", f"{year}-01-03", "元旦", "测试文号"])

    place = upload(browser, "calendar", exported(browser, "calendar", edit)).location
    browser.send(f"{place}/apply", {"digest": digest(browser.text(place))}, form_on=place)
    page = browser.text("/calendar")
    assert f"{year} 年的放假通知还没有导入" not in page
    assert "测试文号" in page
