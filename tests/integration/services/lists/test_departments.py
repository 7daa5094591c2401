"""The tree of departments as a table: added, renamed, retired, and refused by row."""

import re
from typing import Any

from sqlalchemy import select
from tests.factories import department
from tests.integration.services.lists.city import City, counts
from tests.sheets import put, row_of

from hotline.bootstrap import Runtime
from hotline.services.lists.registry import LISTS
from hotline.storage.engine import transaction
from hotline.storage.tables import (
    Department,
    ListImport,
)


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
