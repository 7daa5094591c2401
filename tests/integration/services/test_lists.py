"""The administrator's lists as tables: out, in, a dry run that tells the truth, all or nothing."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from tests.factories import MovableClock, actor_named, at, department
from tests.sheets import edited, put, row_of

from hotline.bootstrap import Runtime
from hotline.demo.knowledge import build_knowledge
from hotline.domain.limits import Kind as LimitKind
from hotline.domain.people import Actor
from hotline.services import accounts, knowledge
from hotline.services.context import Context
from hotline.services.errors import Conflict, Forbidden, InvalidInput, NotFound
from hotline.services.lists import importing
from hotline.services.lists.listing import Draft
from hotline.services.lists.registry import LISTS
from hotline.services.lists.workbook import RowsRefused
from hotline.services.ownership import owner_of
from hotline.services.timekeeping import load_timekeeping
from hotline.storage.engine import transaction
from hotline.storage.tables import (
    Account,
    AuditEntry,
    CatalogueEntryRow,
    Department,
    Job,
    KnowledgeEntry,
    LimitSetRow,
    ListImport,
    PushDownBan,
)


class City:
    """Lists of one city, as an administrator exports, changes and imports them."""

    def __init__(self, parts: Runtime) -> None:
        self.parts = parts
        self.context: Context = parts.context
        with transaction(parts.sessions) as session:
            self.admin: Actor = actor_named(session, "admin")

    def export(self, name: str) -> bytes:
        with transaction(self.parts.sessions) as session:
            return importing.export(session, self.context, LISTS[name], self.admin)

    def upload(self, name: str, content: bytes, **options: str) -> int:
        with transaction(self.parts.sessions) as session:
            return importing.upload(session, self.context, LISTS[name], content, options, self.admin)

    def dry_run(self, name: str, import_id: int) -> Draft:
        with transaction(self.parts.sessions) as session:
            return importing.opened(session, self.context, LISTS[name], import_id, self.admin)

    def apply(self, name: str, import_id: int, digest: str | None = None) -> Any:
        shown = digest or self.dry_run(name, import_id).plan.digest
        with transaction(self.parts.sessions) as session:
            return importing.apply(session, self.context, LISTS[name], import_id, shown, self.admin)

    def change(self, name: str, edit: Callable[[Any], None], **options: str) -> Draft:
        """Export, edit, upload, look, apply; return what the dry run said."""
        import_id = self.upload(name, edited(self.export(name), edit), **options)
        draft = self.dry_run(name, import_id)
        self.apply(name, import_id)
        return draft

    def refused(self, name: str, edit: Callable[[Any], None], **options: str) -> list[tuple[int, str, str]]:
        with pytest.raises(RowsRefused) as error:
            self.upload(name, edited(self.export(name), edit), **options)
        return [(each.row, each.column.name if each.column else "", each.message) for each in error.value.errors]


@pytest.fixture
def city(parts: Runtime) -> City:
    return City(parts)


@pytest.fixture
def answers(parts: Runtime) -> None:
    """The demo city's knowledge base."""
    with transaction(parts.sessions) as session:
        build_knowledge(session, parts.context)


def counts(draft: Draft) -> tuple[int, int, int]:
    return len(draft.plan.added), len(draft.plan.changed), len(draft.plan.removed)


@pytest.mark.parametrize("name", LISTS)
def test_what_was_exported_changes_nothing_when_it_comes_back(city: City, answers: None, name: str) -> None:
    options = {"whole": "yes", "version": "2099-01-01"}
    import_id = city.upload(name, edited(city.export(name), lambda sheet: None), **options)
    draft = city.dry_run(name, import_id)
    assert counts(draft) == (0, 0, 0)
    assert draft.plan.unchanged == len(draft.rows) > 0
    with pytest.raises(Conflict, match="nothing would change"):
        city.apply(name, import_id)


def test_an_export_is_recorded(city: City, parts: Runtime) -> None:
    city.export("departments")
    with transaction(parts.sessions) as session:
        entry = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
        assert (entry.action, entry.detail["list"]) == ("list.exported", "departments")


def test_departments_are_added_renamed_and_retired_by_table(city: City, parts: Runtime) -> None:
    def edit(sheet: Any) -> None:
        put(sheet, row_of(sheet, "CGJ"), "单位名称", "城市管理与执法局")
        sheet.append(["XFJ-1", "消防一站", "区级部门", "XFJ", "LD", "在用"])
        sheet.append(["XFJ", "消防救援局", "市级部门", None, None, "在用"])

    draft = city.change("departments", edit)
    assert counts(draft) == (2, 1, 0)
    ((column, before, after),) = draft.plan.changed[0].differing(LISTS["departments"].columns)
    assert (column.title, after) == ("单位名称", "城市管理与执法局")
    assert before != after
    with transaction(parts.sessions) as session:
        assert department(session, "CGJ").name == "城市管理与执法局"
        assert department(session, "XFJ-1").parent_id == department(session, "XFJ").id

    def retire(sheet: Any) -> None:
        for code in ("XFJ", "XFJ-1"):
            put(sheet, row_of(sheet, code), "状态", "停用")

    assert counts(city.change("departments", retire)) == (0, 2, 0)
    with transaction(parts.sessions) as session:
        assert not department(session, "XFJ").active


def test_rows_that_a_file_leaves_out_stay(city: City, parts: Runtime) -> None:
    draft = city.change(
        "departments", lambda sheet: (sheet.delete_rows(3, 500), put(sheet, 2, "单位名称", "热线中心二"))
    )
    assert counts(draft) == (0, 1, 0)
    with transaction(parts.sessions) as session:
        assert draft.plan.left == len(session.scalars(select(Department)).all()) - 1


def test_a_department_that_cannot_be_retired_is_told_by_its_row(city: City, parts: Runtime) -> None:
    row = 0

    def retire(sheet: Any) -> None:
        nonlocal row
        row = row_of(sheet, "CGJ")
        put(sheet, row, "状态", "停用")

    told = city.refused("departments", retire)
    assert {(place, column) for place, column, _ in told} == {(row, "active")}
    assert [re.sub(r"\d+", "n", message.split(";")[0]) for _, _, message in told] == [
        "has sub-units in use",
        "has n accounts in use",
        "is named in n lines of the catalogue",
    ]
    with transaction(parts.sessions) as session:
        assert department(session, "CGJ").active
        assert session.scalars(select(ListImport)).all() == []


def test_the_same_thing_twice_is_refused(city: City) -> None:
    def twice(sheet: Any) -> None:
        sheet.append([cell.value for cell in sheet[3]])

    ((_, column, message),) = city.refused("departments", twice)
    assert (column, message) == ("code", "says again what row 3 is about")


def test_the_catalogue_changes_hands_at_one_instant(city: City, parts: Runtime) -> None:
    def edit(sheet: Any) -> None:
        put(sheet, row_of(sheet, "E03"), "主办单位编码", "ZJJ")
        sheet.append(["承办", "F02", "LD", "LD-CGJ", "ZJJ GDGS", "试点"])
        sheet.append(["不得下派", "F02", None, None, None, "条例第九条"])
        sheet.delete_rows(row_of(sheet, "G09"))

    draft = city.change("catalogue", edit)
    assert counts(draft) == (2, 1, 1)
    with transaction(parts.sessions) as session:
        now = parts.context.now()
        assert owner_of(session, "E03", None, now).lead_department.code == "ZJJ"
        found = owner_of(session, "F02", "LD", now)
        assert found.lead_department.code == "LD-CGJ"
        assert sorted(helper.code for helper in found.cohandlers) == ["GDGS", "ZJJ"]
        assert owner_of(session, "G09", None, now) is None
        assert session.scalars(select(PushDownBan).where(PushDownBan.matter == "F02")).one().basis == "条例第九条"
        # The earlier lines ended when the new ones began.
        ended = session.scalars(select(CatalogueEntryRow).where(CatalogueEntryRow.valid_to.is_not(None))).all()
        begun = {row.valid_from for row in session.scalars(select(CatalogueEntryRow)) if row.valid_to is None}
        assert len(ended) == 2
        assert {row.valid_to for row in ended} <= begun


def test_a_catalogue_for_a_day_to_come_waits_for_it(city: City, parts: Runtime) -> None:
    today = parts.context.now()
    city.change(
        "catalogue",
        lambda sheet: put(sheet, row_of(sheet, "E03"), "主办单位编码", "ZJJ"),
        since=f"{today + timedelta(days=9):%Y-%m-%d}",
    )
    with transaction(parts.sessions) as session:
        assert owner_of(session, "E03", None, today).lead_department.code == "CGJ"
        assert owner_of(session, "E03", None, today + timedelta(days=10)).lead_department.code == "ZJJ"


def test_what_is_wrong_with_a_catalogue_is_told_row_by_row(city: City) -> None:
    rows = 0

    def edit(sheet: Any) -> None:
        nonlocal rows
        rows = sheet.max_row
        sheet.append(["承办", "Z99", "XX", "NIX", "CGJ NOX", None])
        sheet.append(["承办", "F02", "LD", None, None, None])
        sheet.append(["承办", "F02", "LX", "CGJ", "CGJ", None])
        sheet.append(["不得下派", "F02", "LD", None, None, None])

    assert [(row - rows, column, message) for row, column, message in city.refused("catalogue", edit)] == [
        (1, "matter", "unknown matter; use a code from A01 to G09"),
        (1, "district", "there is no district with this code"),
        (1, "lead", "there is no active department with this code"),
        (1, "cohandlers", "there is no active department with the code NOX"),
        (2, "lead", "is empty"),
        (3, "cohandlers", "leads the ticket itself"),
        (4, "district", "stays empty for what must not be pushed down"),
        (4, "note", "is empty"),
    ]


@pytest.mark.parametrize("since", ["2020-01-01", "tomorrow"])
def test_a_catalogue_is_never_dated_back(city: City, since: str) -> None:
    with pytest.raises(InvalidInput) as error:
        city.change("catalogue", lambda sheet: sheet.delete_rows(2), since=since)
    assert error.value.field in ("from", "since")


def test_a_catalogue_without_a_line_for_the_city_is_warned_of(city: City, parts: Runtime) -> None:
    import_id = city.upload(
        "catalogue", edited(city.export("catalogue"), lambda sheet: sheet.delete_rows(row_of(sheet, "G09")))
    )
    with transaction(parts.sessions) as session:
        warned = LISTS["catalogue"].warn(session, city.context, city.dry_run("catalogue", import_id))
    assert warned == ["matters without a line for the whole city: G09"]


def test_knowledge_is_added_changed_and_retired_only_when_the_file_is_the_whole(
    city: City, answers: None, parts: Runtime
) -> None:
    with transaction(parts.sessions) as session:
        first, second = [text.question for _, text in knowledge.entries(session)][:2]

    def edit(sheet: Any) -> None:
        put(sheet, row_of(sheet, first), "答复", "新的答复")
        put(sheet, row_of(sheet, first), "生效日", None)
        sheet.delete_rows(row_of(sheet, second))
        sheet.append(["自行车能带上地铁吗？", "折叠车可以。", "E03", None, "CGJ", None, "2030-12-31"])

    assert counts(city.change("knowledge", edit)) == (1, 1, 0)
    with transaction(parts.sessions) as session:
        found = {text.question: text for _, text in knowledge.entries(session)}
        assert found[first].answer == "新的答复"
        assert found["自行车能带上地铁吗？"].owner == "CGJ"
        assert second in found
    gone: list[object] = []

    def leave_out(sheet: Any) -> None:
        row = row_of(sheet, second)
        gone.extend(cell.value for cell in sheet[row])
        sheet.delete_rows(row)

    draft = city.change("knowledge", leave_out, whole="yes")
    assert counts(draft) == (0, 0, 1)
    with transaction(parts.sessions) as session:
        assert second not in {text.question for _, text in knowledge.entries(session)}
        # Retired, not deleted: tickets name it.
        assert not session.scalars(select(KnowledgeEntry).where(KnowledgeEntry.question == second)).one().active
    # The same row, to the letter, brings it back.
    assert counts(city.change("knowledge", lambda sheet: sheet.append(gone))) == (1, 0, 0)
    with transaction(parts.sessions) as session:
        assert second in {text.question for _, text in knowledge.entries(session)}


def test_what_has_changed_since_the_dry_run_is_not_overwritten(city: City, parts: Runtime) -> None:
    edit = lambda sheet: put(sheet, row_of(sheet, "CGJ"), "单位名称", "城市管理与执法局")  # noqa: E731
    import_id = city.upload("departments", edited(city.export("departments"), edit))
    shown = city.dry_run("departments", import_id).plan.digest
    city.change("departments", lambda sheet: put(sheet, row_of(sheet, "CGJ"), "区编码", "LD"))
    with pytest.raises(Conflict, match="has changed since the dry run"):
        city.apply("departments", import_id, shown)
    with transaction(parts.sessions) as session:
        assert department(session, "CGJ").district == "LD"
    # Whoever looks again sees that the file would take the district away, and may still want it.
    changed = city.dry_run("departments", import_id).plan.changed[0].differing(LISTS["departments"].columns)
    assert [column.name for column, _, _ in changed] == ["name", "district"]
    city.apply("departments", import_id)


def test_it_is_all_or_nothing_and_only_once(city: City, parts: Runtime) -> None:
    def edit(sheet: Any) -> None:
        sheet.append(["XFJ", "消防救援局", "市级部门", None, None, "在用"])

    import_id = city.upload("departments", edited(city.export("departments"), edit))
    shown = city.dry_run("departments", import_id).plan.digest
    # What it names has gone in the meantime: nothing of it happens.
    city.apply("departments", import_id, shown)
    with pytest.raises(NotFound):
        city.apply("departments", import_id, shown)
    with transaction(parts.sessions) as session:
        assert session.scalars(select(ListImport)).all() == []


def test_a_code_that_was_retired_meanwhile_stops_all_of_an_import(city: City, parts: Runtime) -> None:
    city.change("departments", lambda sheet: sheet.append(["XFJ", "消防救援局", "市级部门", None, None, "在用"]))

    def edit(sheet: Any) -> None:
        put(sheet, row_of(sheet, "G09"), "主办单位编码", "XFJ")
        put(sheet, row_of(sheet, "E03"), "主办单位编码", "ZJJ")

    import_id = city.upload("catalogue", edited(city.export("catalogue"), edit))
    shown = city.dry_run("catalogue", import_id).plan.digest
    city.change("departments", lambda sheet: put(sheet, row_of(sheet, "XFJ"), "状态", "停用"))
    with pytest.raises(RowsRefused) as error:
        city.apply("catalogue", import_id, shown)
    assert [each.message for each in error.value.errors] == ["there is no active department with this code"]
    with transaction(parts.sessions) as session:
        assert owner_of(session, "E03", None, parts.context.now()).lead_department.code == "CGJ"


def test_an_upload_is_its_owner_s_and_is_forgotten_after_a_day(city: City, parts: Runtime) -> None:
    content = edited(city.export("departments"), lambda sheet: put(sheet, 2, "单位名称", "热线中心二"))
    import_id = city.upload("departments", content)
    with transaction(parts.sessions) as session:
        other = actor_named(session, "supervisor01")
        with pytest.raises(NotFound):
            importing.opened(session, city.context, LISTS["departments"], import_id, other)
        with pytest.raises(NotFound):
            importing.opened(session, city.context, LISTS["catalogue"], import_id, city.admin)
    clock = MovableClock()
    for hours, left in ((23, 1), (2, 0)):
        clock.advance(hours=hours)
        with transaction(parts.sessions) as session:
            importing.prune(session, at(city.context, clock()))
            assert len(session.scalars(select(ListImport)).all()) == left


def test_a_new_set_of_limits_begins_now_and_reaches_what_runs(city: City, parts: Runtime) -> None:
    def edit(sheet: Any) -> None:
        row = row_of(sheet, "签收时限")
        put(sheet, row, "时限", 4)
        put(sheet, row, "依据", "本市规定")
        sheet.append(["办理时限", None, "E03", "LD", None, 5, "工作日", None])

    draft = city.change("limits", edit, version="本市 2027")
    assert counts(draft) == (1, 1, 0)
    with transaction(parts.sessions) as session:
        row = session.scalars(select(LimitSetRow)).one()
        assert row.version == "本市 2027"
        rules = load_timekeeping(session).limits_at(parts.context.now())
        assert str(rules.find(LimitKind.SIGN, "投诉", None, None, None).limit) == "4h"
        assert str(rules.find(LimitKind.HANDLE, "投诉", "E03", "LD", None).limit) == "5wd"
        assert str(rules.find(LimitKind.HANDLE, "投诉", "E03", "LX", None).limit) == "15wd"
        assert session.scalars(select(Job).where(Job.kind == "recompute")).all()
    with pytest.raises(Conflict, match="already; name it anew"):
        city.change("limits", lambda sheet: put(sheet, 2, "时限", 50), version="本市 2027")


def test_what_is_wrong_with_limits_is_told_row_by_row(city: City) -> None:
    rows = 0

    def edit(sheet: Any) -> None:
        nonlocal rows
        rows = sheet.max_row
        sheet.append(["办理时限", "投诉", "E03", None, None, "两", "工作日", None])
        sheet.append(["办理时限", None, None, "LD", "紧急", 0, "工作日", None])
        sheet.append(["办理时限", None, "Z99", "XX", "特急", 1.5, "小时（昼夜连续）", None])

    assert [(row - rows, column, message) for row, column, message in city.refused("limits", edit, version="x")] == [
        (1, "amount", "is no whole number of at most ten years"),
        (1, "type", "stands beside a matter; only one of them can decide"),
        (2, "amount", "is no whole number of at most ten years"),
        (2, "district", "stands without a matter"),
        (2, "unit", "has to run day and night, since urgent tickets do not wait"),
        (3, "amount", "is no whole number of at most ten years"),
        (3, "matter", "unknown matter; use a code from A01 to G09"),
        (3, "district", "there is no district with this code"),
    ]


def test_a_set_of_limits_is_whole_and_has_a_version(city: City) -> None:
    with pytest.raises(InvalidInput, match="has no line for the whole city: 签收时限"):
        city.change("limits", lambda sheet: sheet.delete_rows(row_of(sheet, "签收时限")), version="x")
    with pytest.raises(InvalidInput) as error:
        city.change("limits", lambda sheet: put(sheet, 2, "时限", 50))
    assert error.value.field == "version"


def test_a_year_s_notice_is_imported_and_other_years_stay(city: City, parts: Runtime) -> None:
    def edit(sheet: Any) -> None:
        sheet.delete_rows(2, sheet.max_row)
        sheet.append([2031, "放假", "2031/1/1", "2031-01-03", "元旦", "国办发明电〔2030〕1号"])
        sheet.append([2031, "调休上班", "2031-01-04", None, None, "国办发明电〔2030〕1号"])

    draft = city.change("calendar", edit)
    assert counts(draft) == (2, 0, 0)
    assert draft.plan.left > 20
    with transaction(parts.sessions) as session:
        calendar = load_timekeeping(session).calendar
        assert 2031 in (calendar.published_years or ())
        assert 2026 in (calendar.published_years or ())
        assert not calendar.windows_on(date(2031, 1, 1))
        # A Saturday on which people work.
        assert calendar.windows_on(date(2031, 1, 4))
    # A file that names the year again speaks for all of it.
    draft = city.change("calendar", lambda sheet: sheet.delete_rows(sheet.max_row))
    assert counts(draft) == (0, 0, 1)
    with transaction(parts.sessions) as session:
        assert not load_timekeeping(session).calendar.windows_on(date(2031, 1, 4))


def test_what_is_wrong_with_a_calendar_is_told_row_by_row(city: City) -> None:
    rows = 0

    def edit(sheet: Any) -> None:
        nonlocal rows
        rows = sheet.max_row
        sheet.append(["今年", "放假", "2031-01-01", None, None, None])
        sheet.append([2031, "放假", "2030-10-01", "2031-01-03", "元旦", None])
        sheet.append([2031, "放假", "2031-05-05", "2031-05-01", "劳动节", None])
        sheet.append([2031, "调休上班", "2031-02-01", "2031-02-02", None, "二号"])

    assert [(row - rows, column, message) for row, column, message in city.refused("calendar", edit)] == [
        (1, "year", "is not a year"),
        (2, "first", "is not near that year"),
        (2, "last", "lies before the first day or more than a month after it"),
        (3, "last", "lies before the first day or more than a month after it"),
        (4, "last", "is another day; make-up days take a row each"),
        (4, "notice", "reads otherwise in another row of this year"),
    ]


def test_a_day_is_not_both_off_and_on(city: City) -> None:
    def edit(sheet: Any) -> None:
        sheet.append([2031, "放假", "2031-01-04", None, "元旦", None])
        sheet.append([2031, "调休上班", "2031-01-04", None, None, None])

    with pytest.raises(InvalidInput, match="2031-01-04 is both a holiday and a make-up working day"):
        city.change("calendar", edit)


def test_accounts_are_added_with_a_password_moved_and_closed(city: City, parts: Runtime) -> None:
    def edit(sheet: Any) -> None:
        sheet.append(["li.na", "李娜", "经办人", "ZJJ", "li.na@city.example", "在用"])
        put(sheet, row_of(sheet, "agent01"), "角色", "派单员")
        put(sheet, row_of(sheet, "agent02"), "姓名", "坐席乙")
        put(sheet, row_of(sheet, "cgj-handler"), "单位编码", "ZJJ")
        put(sheet, row_of(sheet, "cgj-lead"), "状态", "停用")

    with transaction(parts.sessions) as session:
        epochs = {account.username: account.session_epoch for account in session.scalars(select(Account))}
    import_id = city.upload("accounts", edited(city.export("accounts"), edit))
    applied = city.apply("accounts", import_id)
    assert applied.changes == 5
    with transaction(parts.sessions) as session:
        found = {account.username: account for account in session.scalars(select(Account))}
        assert accounts.password_matches(found["li.na"].password_hash, applied.passwords["li.na"])
        assert (found["li.na"].department.code, found["li.na"].email) == ("ZJJ", "li.na@city.example")
        assert found["agent01"].role == "dispatcher"
        assert found["agent02"].display_name == "坐席乙"
        assert found["cgj-handler"].department.code == "ZJJ"
        assert not found["cgj-lead"].active
        ended = {name for name, epoch in epochs.items() if found[name].session_epoch > epoch}
        # A new name is no reason to sign in again.
        assert ended == {"agent01", "cgj-handler", "cgj-lead"}
        told = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
        assert "李娜" not in str([entry.detail for entry in told])
        assert applied.passwords["li.na"] not in str([entry.detail for entry in told])
        kinds = {(entry.action, entry.subject) for entry in told}
        assert ("account.added", "account:li.na") in kinds
        assert ("account.changed", "account:agent02") in kinds
        assert ("account.disabled", "account:cgj-lead") in kinds


def test_what_is_wrong_with_accounts_is_told_row_by_row(city: City) -> None:
    rows = 0

    def edit(sheet: Any) -> None:
        nonlocal rows
        rows = sheet.max_row
        sheet.append(["Li Na", "甲", "坐席", None, None, "在用"])
        sheet.append(["li.na", "乙", "经办人", None, "no mail", "在用"])
        sheet.append(["li.nb", "丙", "经办人", "NIX", None, "停用"])
        sheet.append(["li.nc", "丁", "经办人", "NIX", None, "在用"])
        sheet.append(["li.nd", "同一人", "系统管理员", None, None, "在用"])
        sheet.append(["li.ne", "同一人", "安全审计员", None, None, "在用"])
        put(sheet, row_of(sheet, "auditor"), "角色", "坐席")

    apart = "is the name of both an administrator and an auditor, who must not be the same person"
    told = city.refused("accounts", edit)
    assert [(row - rows, column, message.split(";")[0]) for row, column, message in told if row > rows] == [
        (1, "username", "use 3 to 64 small letters, digits, dots, hyphens and underscores"),
        (2, "department", "is empty"),
        (2, "email", "is no mail address"),
        (3, "active", "is out of use and new"),
        (4, "department", "there is no active department with this code"),
        (5, "display_name", apart),
        (6, "display_name", apart),
    ]
    assert [(column, message.split(",")[0]) for row, column, message in told if row <= rows] == [
        ("role", "is of an administrator or auditor")
    ]


def test_nobody_closes_their_own_account_by_a_table(city: City, parts: Runtime) -> None:
    def edit(sheet: Any) -> None:
        put(sheet, row_of(sheet, "admin"), "状态", "停用")
        put(sheet, row_of(sheet, "agent01"), "姓名", "坐席甲")

    import_id = city.upload("accounts", edited(city.export("accounts"), edit))
    with pytest.raises(Forbidden):
        city.apply("accounts", import_id)
    with transaction(parts.sessions) as session:
        assert session.scalars(select(Account).where(Account.username == "agent01")).one().display_name != "坐席甲"


def test_one_file_adds_no_more_accounts_than_can_be_hashed_at_once(city: City) -> None:
    def edit(sheet: Any) -> None:
        for number in range(101):
            sheet.append([f"many{number}", f"坐席{number}", "坐席", None, None, "在用"])

    ((_, column, message),) = city.refused("accounts", edit)
    assert (column, message) == ("username", "is beyond the 100 new accounts that one file adds")


def test_two_clicks_at_once_apply_it_once(city: City, parts: Runtime) -> None:
    def edit(sheet: Any) -> None:
        sheet.append(["XFJ", "消防救援局", "市级部门", None, None, "在用"])

    import_id = city.upload("departments", edited(city.export("departments"), edit))
    shown = city.dry_run("departments", import_id).plan.digest

    def click(_: int) -> str:
        try:
            return f"{city.apply('departments', import_id, shown).changes} change"
        except NotFound:
            return "applied already"

    with ThreadPoolExecutor(4) as clicks:
        assert sorted(clicks.map(click, range(4))) == ["1 change", *["applied already"] * 3]
    with transaction(parts.sessions) as session:
        told = session.scalars(select(AuditEntry).where(AuditEntry.subject == "department:XFJ")).all()
        assert len(told) == 1
