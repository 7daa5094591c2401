"""The road of every list: out, in, a dry run that tells the truth, all or nothing."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import select
from tests.factories import MovableClock, actor_named, at, department
from tests.integration.services.lists.city import City, counts
from tests.sheets import edited, put, row_of

from hotline.bootstrap import Runtime
from hotline.services.errors import Conflict, NotFound
from hotline.services.lists import importing
from hotline.services.lists.registry import LISTS
from hotline.services.lists.workbook import RowsRefused
from hotline.services.ownership import owner_of
from hotline.storage.engine import transaction
from hotline.storage.tables import (
    AuditEntry,
    ListImport,
)


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


def test_the_same_thing_twice_is_refused(city: City) -> None:
    def twice(sheet: Any) -> None:
        sheet.append([cell.value for cell in sheet[3]])

    ((_, column, message),) = city.refused("departments", twice)
    assert (column, message) == ("code", "says again what row 3 is about")


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
