"""Calendars that make sense are accepted, others are refused with the key that is wrong."""

from datetime import date
from typing import Any

import pytest

from hotline.domain.calendar import Calendar, CalendarError, calendar_from_mapping

MORNING = ((32_400, 43_200),)
AFTERNOON = ((46_800, 61_200),)
MINIMAL: dict[str, Any] = {"timezone": "UTC", "windows": {"mon": [["09:00", "12:00"]]}}


def test_windows_of_a_mapping() -> None:
    calendar = calendar_from_mapping(
        {
            "timezone": "Asia/Shanghai",
            "windows": {"mon": [["13:00", "17:00"], ["09:00", "12:00"]], "tue": [["22:00", "24:00"]]},
            "holidays": ["2024-03-11", date(2024, 3, 12)],
            "makeup_days": ["2024-03-16"],
            "published_years": [2024],
            "version": "3",
        }
    )
    assert calendar.windows_on(date(2024, 3, 4)) == MORNING + AFTERNOON
    assert calendar.windows_on(date(2024, 3, 5)) == ((79_200, 86_400),)
    assert not calendar.works_on(date(2024, 3, 6))
    assert not calendar.works_on(date(2024, 3, 11))
    assert not calendar.works_on(date(2024, 3, 12))
    assert calendar.windows_on(date(2024, 3, 16)) == MORNING + AFTERNOON
    assert calendar.published_years == {2024}


def test_which_windows_a_makeup_day_has() -> None:
    saturday, sunday = date(2024, 3, 16), date(2024, 3, 17)
    week = (MORNING, AFTERNOON, AFTERNOON, AFTERNOON, AFTERNOON, AFTERNOON, ())
    both = frozenset({saturday, sunday})
    calendar = Calendar("UTC", week, makeup_days=both)
    assert calendar.windows_on(saturday) == AFTERNOON  # Its own.
    assert calendar.windows_on(sunday) == MORNING  # Monday's.
    given = Calendar("UTC", week, makeup_days=both, makeup_windows=MORNING)
    assert given.windows_on(saturday) == given.windows_on(sunday) == MORNING
    without_monday = Calendar("UTC", ((), AFTERNOON, MORNING, (), (), (), ()), makeup_days=both)
    assert without_monday.windows_on(sunday) == AFTERNOON


def test_calendars_are_values() -> None:
    first, second = calendar_from_mapping(MINIMAL), calendar_from_mapping(MINIMAL)
    first.timeline(0, 0)
    assert first == second
    assert hash(first) == hash(second)


def test_a_new_year_makes_a_new_edition() -> None:
    old = calendar_from_mapping(MINIMAL | {"holidays": ["2024-01-01", "2025-01-06"], "published_years": [2024]})
    new = old.with_year(2025, [date(2025, 1, 13)], [date(2025, 1, 18)], version="2025")
    assert (old.version, new.version) == ("", "2025")
    assert new.published_years == {2024, 2025}
    assert old.works_on(date(2025, 1, 13))
    assert not new.works_on(date(2025, 1, 13))
    assert new.works_on(date(2025, 1, 6))  # The notice replaces what was assumed of its year
    assert not new.works_on(date(2024, 1, 1))  # and leaves the other years alone.
    assert new.works_on(date(2025, 1, 18))


@pytest.mark.parametrize(
    "zone",
    ["Mars/Olympus", "America", "", "../../etc/passwd", "/etc/localtime", "a\0b", "x" * 5000, "\ud800", "Asia/上海"],
)
def test_unknown_zones(zone: str) -> None:
    with pytest.raises(CalendarError, match="timezone"):
        calendar_from_mapping(MINIMAL | {"timezone": zone})


@pytest.mark.parametrize(
    ("windows", "message"),
    [
        ([["09:00", "12:00"], ["11:59", "13:00"]], "overlaps"),
        ([["09:00", "12:00"], ["09:00", "12:00"]], "overlaps"),
        ([["12:00", "09:00"]], "before it begins"),
        ([["22:00", "02:00"]], "split a night at 24:00"),
        ([["09:00", "09:00"]], "empty"),
        ([["24:00", "24:00"]], "empty"),
        ([["09:00", "24:01"]], "not a time of day"),
        ([["09:00", "25:00"]], "not a time of day"),
        ([["09:00", "12:60"]], "not a time of day"),
        ([["9:00", "12:00"]], "not a time of day"),
        ([["09:00", "1２:00"]], "not a time of day"),
        ([["-1:00", "12:00"]], "not a time of day"),
        ([["09:00", "12"]], "not a time of day"),
        ([[9, 12]], "not a time of day"),
        ([["09:00"]], "pair"),
        ([["09:00", "12:00", "13:00"]], "pair"),
        (["09:00", "12:00"], "pair"),
        ([None], "pair"),
        ({"09:00": "12:00"}, "expected a list"),
        ("09:00-12:00", "expected a list"),
        ([], "no weekday has any working time"),
    ],
)
def test_impossible_windows(windows: object, message: str) -> None:
    with pytest.raises(CalendarError, match=message):
        calendar_from_mapping({"timezone": "UTC", "windows": {"mon": windows}})


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (None, "calendar: expected an object, got nothing"),
        ([], "calendar: expected an object, got list"),
        ({}, "windows: expected an object, got nothing"),
        ({"windows": {"mon": []}}, "timezone: expected a text, got nothing"),
        (MINIMAL | {"timezone": 8}, "timezone: expected a text, got int"),
        (MINIMAL | {"windows": []}, "windows: expected an object, got list"),
        (MINIMAL | {"windows": {"monday": []}}, "windows: unknown key 'monday'"),
        (MINIMAL | {"holiday": []}, "calendar: unknown key 'holiday'"),
        (MINIMAL | {"holidays": "2024-01-01"}, "holidays: expected a list, got str"),
        (MINIMAL | {"holidays": ["2024-02-30"]}, "holidays: '2024-02-30' is not a date"),
        (MINIMAL | {"holidays": [20240101]}, "holidays: '20240101' is not a date"),
        (MINIMAL | {"makeup_days": [None]}, "makeup_days: 'None' is not a date"),
        (MINIMAL | {"holidays": ["2024-01-01"], "makeup_days": ["2024-01-01"]}, "both a holiday and a make-up"),
        (MINIMAL | {"published_years": 2024}, "published_years: expected a list"),
        (MINIMAL | {"published_years": [True]}, "'True' is not a year"),
        (MINIMAL | {"published_years": [10**30]}, "is not a year"),
        (MINIMAL | {"version": 1}, "version: expected a text, got int"),
    ],
)
def test_mappings_that_are_no_calendar(data: object, message: str) -> None:
    with pytest.raises(CalendarError, match=message):
        calendar_from_mapping(data)


def test_a_week_has_seven_days() -> None:
    with pytest.raises(CalendarError, match="expected 7 weekdays, got 5"):
        Calendar("UTC", (MORNING,) * 5)
