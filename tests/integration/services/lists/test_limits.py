"""The set of limits as a table: whole, with a version, and taken up by what runs."""

from typing import Any

import pytest
from sqlalchemy import select
from tests.integration.services.lists.city import City, counts
from tests.sheets import put, row_of

from hotline.bootstrap import Runtime
from hotline.domain.limits import Kind as LimitKind
from hotline.services.errors import Conflict, InvalidInput
from hotline.services.timekeeping import load_timekeeping
from hotline.storage.engine import transaction
from hotline.storage.tables import (
    Job,
    LimitSetRow,
)


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
