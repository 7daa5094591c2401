"""The administrator's lists as tables: out, in, a dry run that tells the truth, all or nothing."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from tests.factories import MovableClock, actor_named, at, department
from tests.sheets import edited, put, row_of

from hotline.bootstrap import Runtime
from hotline.demo.knowledge import build_knowledge
from hotline.domain.people import Actor
from hotline.services import knowledge
from hotline.services.context import Context
from hotline.services.errors import Conflict, InvalidInput, NotFound
from hotline.services.lists import importing
from hotline.services.lists.listing import Draft
from hotline.services.lists.registry import LISTS
from hotline.services.lists.workbook import RowsRefused
from hotline.services.ownership import owner_of
from hotline.storage.engine import transaction
from hotline.storage.tables import AuditEntry, CatalogueEntryRow, Department, KnowledgeEntry, ListImport, PushDownBan


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
    draft = city.change("knowledge", lambda sheet: sheet.delete_rows(row_of(sheet, second)), whole="yes")
    assert counts(draft) == (0, 0, 1)
    with transaction(parts.sessions) as session:
        assert second not in {text.question for _, text in knowledge.entries(session)}
        # Retired, not deleted: tickets name it.
        assert not session.scalars(select(KnowledgeEntry).where(KnowledgeEntry.question == second)).one().active
    # The same row brings it back.
    with transaction(parts.sessions) as session:
        answer = session.scalars(select(KnowledgeEntry).where(KnowledgeEntry.question == second)).one().answer
    assert counts(city.change("knowledge", lambda sheet: sheet.append([second, answer]))) == (1, 0, 0)
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
    clock.advance(days=2)
    city.context = at(city.context, clock())
    city.upload("departments", content)
    with pytest.raises(NotFound):
        city.dry_run("departments", import_id)
