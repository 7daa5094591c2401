"""The State Council's calendar, day by day, against a second source."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import chinese_calendar
import pytest

from hotline.domain.working_time import Limit, due
from hotline.reference.calendars import CalendarError, calendar_names, load_calendar, year_from_mapping

OFFICE_HOURS = ((30_600, 43_200), (48_600, 63_000))


@pytest.mark.parametrize("year", sorted(load_calendar("cn").published_years or ()))
def test_every_day_agrees_with_chinesecalendar(year: int) -> None:
    calendar, day, differing = load_calendar("cn"), date(year, 1, 1), []
    while day.year == year:
        if calendar.works_on(day) != chinese_calendar.is_workday(day):
            differing.append(day)
        day += timedelta(days=1)
    assert differing == []


def test_the_calendar_covers_three_years_and_says_of_which_notice_it_is() -> None:
    calendar = load_calendar("cn")
    assert calendar.published_years == {2024, 2025, 2026}
    assert (calendar.name, calendar.timezone, calendar.version) == ("cn", "Asia/Shanghai", "2025-11-04")


def test_working_hours() -> None:
    calendar = load_calendar("cn")
    assert calendar.windows_on(date(2026, 9, 18)) == OFFICE_HOURS
    assert calendar.windows_on(date(2026, 9, 20)) == OFFICE_HOURS  # A make-up Sunday.
    assert calendar.windows_on(date(2026, 10, 1)) == ()


def test_an_unpublished_year_is_computed_and_marked() -> None:
    result = due(load_calendar("cn"), datetime(2040, 10, 1, 1, tzinfo=UTC), Limit.parse("1h"))
    assert result.provisional
    assert result.instant is not None


def test_calendars_are_parsed_once() -> None:
    assert load_calendar("cn") is load_calendar()
    assert calendar_names() == ("cn",)


@pytest.mark.parametrize("name", ["", "de", "../taxonomy", "cn.yaml", "c\0n", "CN"])
def test_unknown_names_are_refused(name: str) -> None:
    with pytest.raises(CalendarError, match="known are cn"):
        load_calendar(name)


def test_a_notice_lists_spans_with_both_ends() -> None:
    span = {"name": "元旦", "from": date(2026, 12, 31), "to": date(2027, 1, 2)}
    holidays, makeup_days = year_from_mapping(2027, {"holidays": [span], "makeup_days": [date(2027, 1, 3)]})
    assert holidays == [date(2026, 12, 31), date(2027, 1, 1), date(2027, 1, 2)]
    assert makeup_days == [date(2027, 1, 3)]


@pytest.mark.parametrize(
    ("notice", "message"),
    [
        (None, "not an object"),
        ({"holidays": []}, "lacks 'makeup_days'"),
        ({"holidays": [{"from": date(2027, 1, 1)}], "makeup_days": []}, "lacks 'to'"),
        ({"holidays": [{"from": "元旦", "to": "2027-01-02"}], "makeup_days": []}, "not a date"),
        ({"holidays": [], "makeup_days": ["2027-13-01"]}, "not a date"),
        ({"holidays": [], "makeup_days": 5}, "not a date"),
        ({"holidays": [{"from": date(2027, 1, 3), "to": date(2027, 1, 1)}], "makeup_days": []}, "cannot be"),
        ({"holidays": [{"from": date(2027, 1, 3), "to": date(2028, 1, 1)}], "makeup_days": []}, "cannot be"),
        ({"holidays": [], "makeup_days": [date(2028, 1, 3)]}, "not near that year"),
    ],
)
def test_notices_that_cannot_be(notice: Any, message: str) -> None:
    with pytest.raises(CalendarError, match=message):
        year_from_mapping(2027, notice)
