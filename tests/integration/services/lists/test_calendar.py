"""Holidays and make-up days as a table: a year at a time."""

from datetime import date
from typing import Any

import pytest
from tests.integration.services.lists.city import City, counts

from hotline.bootstrap import Runtime
from hotline.services.errors import InvalidInput
from hotline.services.timekeeping import load_timekeeping
from hotline.storage.engine import transaction


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
