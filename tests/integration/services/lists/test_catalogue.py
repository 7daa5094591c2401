"""The catalogue as a table: it changes hands at one instant, now or on a day to come, and never dates back."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from tests.integration.services.lists.city import City, counts
from tests.sheets import edited, put, row_of

from hotline.bootstrap import Runtime
from hotline.services.errors import InvalidInput
from hotline.services.lists.registry import LISTS
from hotline.services.ownership import owner_of
from hotline.storage.engine import transaction
from hotline.storage.tables import (
    CatalogueEntryRow,
    PushDownBan,
)


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
