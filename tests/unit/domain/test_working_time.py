"""Deadlines by example: the cases a supervisor would check by hand."""

import json
import os
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from hotline.domain.working_time import (
    Calendar,
    CalendarError,
    Limit,
    LimitError,
    Pause,
    at_fraction,
    calendar_from_mapping,
    due,
    elapsed,
    extend,
    is_working,
    next_working,
    remaining,
)
from hotline.reference.calendars import load_calendar

SHARED = Path(os.environ.get("HOTLINE_SHARED") or Path(__file__).parents[4] / "shared")
VECTORS = SHARED / "domain" / "sla_vectors.jsonl"

WEEK = ("mon", "tue", "wed", "thu", "fri")


def calendar(zone: str = "UTC", *windows: tuple[str, str], days: tuple[str, ...] = WEEK, **more: Any) -> Calendar:
    """Return a calendar with the same windows on ``days``; 09:00–17:00 when none are given."""
    pairs = [list(pair) for pair in windows or (("09:00", "17:00"),)]
    return calendar_from_mapping({"timezone": zone, "windows": dict.fromkeys(days, pairs), **more})


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def pauses(*pairs: tuple[str, str | None]) -> list[Pause]:
    return [(at(first), None if last is None else at(last)) for first, last in pairs]


def check(cal: Calendar, start: str, limit: str, expected: str, *held: tuple[str, str | None]) -> None:
    """Assert the due and that its segments and its elapsed time tell the same story."""
    result = due(cal, at(start), Limit.parse(limit), pauses(*held))
    assert result.instant == at(expected)
    assert sum((segment.counted for segment in result.segments), timedelta()) == result.amount
    spent = elapsed(cal, result.counts_from, result.instant, pauses(*held), clock=result.limit.clock)
    assert spent == result.amount


def shared_vectors() -> list[dict[str, Any]]:
    if not VECTORS.is_file():
        return []
    return [json.loads(line) for line in VECTORS.read_text(encoding="utf-8").splitlines() if line.strip()]


@pytest.mark.skipif(not VECTORS.is_file(), reason=f"the shared vectors are not at {VECTORS}; set HOTLINE_SHARED")
def test_shared_vectors() -> None:
    vectors = shared_vectors()
    assert vectors
    for vector in vectors:
        named = vector["calendar"]
        cal = load_calendar(named) if isinstance(named, str) else calendar_from_mapping(named)
        check(cal, vector["start"], vector["limit"], vector["due"], *map(tuple, vector["pauses"]))


OFFICE = (("08:30", "12:00"), ("13:30", "17:30"))
CASES = {
    "plain, in another zone": (
        calendar("Europe/Berlin", ("08:00", "18:00")),
        ("2019-01-15T09:00:00Z", "150m", "2019-01-15T11:30:00Z"),
    ),
    "two pauses": (
        calendar("UTC"),
        ("2024-03-05T10:00:00Z", "2h", "2024-03-05T12:40:00Z"),
        ("2024-03-05T10:30:00Z", "2024-03-05T10:50:00Z"),
        ("2024-03-05T11:00:00Z", "2024-03-05T11:20:00Z"),
    ),
    "ends exactly at closing and stays there": (
        calendar("UTC"),
        ("2024-03-05T15:00:00Z", "2h", "2024-03-05T17:00:00Z"),
    ),
    "ends exactly at closing after a pause": (
        calendar("UTC"),
        ("2024-03-05T14:00:00Z", "2h", "2024-03-05T17:00:00Z"),
        ("2024-03-05T14:30:00Z", "2024-03-05T15:30:00Z"),
    ),
    "starts on a holiday": (
        calendar("Europe/Berlin", ("08:00", "20:00"), holidays=["2018-05-01"]),
        ("2018-05-01T11:11:11Z", "13h", "2018-05-03T07:00:00Z"),
    ),
    "starts on a Sunday": (
        calendar("UTC", ("10:00", "18:00")),
        ("2024-06-09T15:00:00Z", "20h", "2024-06-12T14:00:00Z"),
    ),
    "starts before opening": (calendar("UTC"), ("2024-03-05T03:00:00Z", "1h", "2024-03-05T10:00:00Z")),
    "starts at closing": (calendar("UTC"), ("2024-03-05T17:00:00Z", "1m", "2024-03-06T09:01:00Z")),
    "holidays, then a weekend": (
        calendar("UTC", holidays=["2024-06-06", "2024-06-07"]),
        ("2024-06-06T15:00:00Z", "2h", "2024-06-10T11:00:00Z"),
    ),
    "seconds are kept": (
        calendar("UTC"),
        ("2024-03-05T15:30:00Z", "1h", "2024-03-05T16:30:07Z"),
        ("2024-03-05T15:45:00Z", "2024-03-05T15:45:07Z"),
    ),
    "the first window of Monday is shorter": (
        calendar_from_mapping(
            {"timezone": "UTC", "windows": {"mon": [["10:30", "19:00"]], "tue": [["08:30", "19:00"]]}}
        ),
        ("2030-01-07T18:00:12Z", "90m", "2030-01-08T09:00:12Z"),
    ),
    "lunch is not worked": (
        calendar("Asia/Shanghai", *OFFICE),
        ("2024-03-05T11:30:00+08:00", "1h", "2024-03-05T14:00:00+08:00"),
    ),
    "ends at noon, not when the afternoon opens": (
        calendar("Asia/Shanghai", *OFFICE),
        ("2024-03-05T08:30:00+08:00", "210m", "2024-03-05T12:00:00+08:00"),
    ),
    "a make-up Saturday is worked": (
        load_calendar("cn"),
        ("2025-02-07T16:30:00+08:00", "2h", "2025-02-08T09:30:00+08:00"),
    ),
    "over the Spring Festival, ending at noon": (
        load_calendar("cn"),
        ("2026-02-14T17:00:00+08:00", "4h", "2026-02-24T12:00:00+08:00"),
    ),
    "working days, a make-up Sunday among them": (
        load_calendar("cn"),
        ("2025-09-25T16:00:00+08:00", "3wd", "2025-09-29T17:30:00+08:00"),
    ),
    "working days count from the day after, whatever the hour": (
        load_calendar("cn"),
        ("2025-03-03T00:00:00+08:00", "1wd", "2025-03-04T17:30:00+08:00"),
    ),
    "working days from a Friday night": (
        load_calendar("cn"),
        ("2025-03-07T23:59:59+08:00", "1wd", "2025-03-10T17:30:00+08:00"),
    ),
    "the start day is the calendar's, not UTC's": (
        load_calendar("cn"),
        ("2025-03-03T16:30:00Z", "1wd", "2025-03-05T17:30:00+08:00"),
    ),
    "a pause on the start day does not push working days on": (
        load_calendar("cn"),
        ("2025-03-03T09:00:00+08:00", "2wd", "2025-03-05T17:30:00+08:00"),
        ("2025-03-03T10:00:00+08:00", "2025-03-03T15:00:00+08:00"),
    ),
    "a pause pushes working days on by the working time it covers": (
        load_calendar("cn"),
        ("2025-03-03T09:00:00+08:00", "2wd", "2025-03-06T10:00:00+08:00"),
        ("2025-03-04T17:00:00+08:00", "2025-03-05T09:30:00+08:00"),
    ),
    "a pause at lunch pushes nothing on": (
        load_calendar("cn"),
        ("2025-03-04T09:00:00+08:00", "4h", "2025-03-04T14:30:00+08:00"),
        ("2025-03-04T12:00:00+08:00", "2025-03-04T13:30:00+08:00"),
    ),
    "unsorted, overlapping and outside pauses": (
        calendar("UTC"),
        ("2024-03-05T10:00:00Z", "2h", "2024-03-05T13:00:00Z"),
        ("2024-03-05T11:30:00Z", "2024-03-05T12:00:00Z"),
        ("2024-03-05T11:00:00Z", "2024-03-05T11:45:00Z"),
        ("2024-03-05T11:10:00Z", "2024-03-05T11:20:00Z"),
        ("2024-03-05T08:00:00Z", "2024-03-05T09:59:00Z"),
        ("2024-03-05T13:00:00Z", "2024-03-06T09:00:00Z"),
    ),
    "paused already at the start": (
        calendar("UTC"),
        ("2024-03-05T10:00:00Z", "1h", "2024-03-05T12:00:00Z"),
        ("2024-03-05T09:00:00Z", "2024-03-05T11:00:00Z"),
    ),
    "an open pause after the due changes nothing": (
        calendar("UTC"),
        ("2024-03-05T10:00:00Z", "1h", "2024-03-05T11:00:00Z"),
        ("2024-03-05T11:00:00Z", None),
    ),
    "the clock runs through night and holiday": (
        load_calendar("cn"),
        ("2026-10-01T23:30:00+08:00", "2h clock", "2026-10-02T01:30:00+08:00"),
    ),
    "a pause stops the clock too": (
        load_calendar("cn"),
        ("2026-10-01T23:30:00+08:00", "30m clock", "2026-10-02T00:10:00+08:00"),
        ("2026-10-01T23:40:00+08:00", "2026-10-01T23:50:00+08:00"),
    ),
    "24:00 closes a window at midnight": (
        calendar("Asia/Shanghai", ("18:00", "24:00")),
        ("2024-03-05T23:00:00+08:00", "1h", "2024-03-06T00:00:00+08:00"),
    ),
    "round the clock, a working day ends at midnight": (
        calendar("Asia/Shanghai", ("00:00", "24:00")),
        ("2024-03-05T12:00:00+08:00", "1wd", "2024-03-07T00:00:00+08:00"),
    ),
    "an hour that the clocks skip does not count": (
        calendar("Europe/Berlin", ("00:00", "06:00"), days=("sun",)),
        ("2024-03-31T00:00:00+01:00", "3h", "2024-03-31T04:00:00+02:00"),
    ),
    "an hour that the clocks repeat counts twice": (
        calendar("Europe/Berlin", ("00:00", "06:00"), days=("sun",)),
        ("2024-10-27T00:00:00+02:00", "4h", "2024-10-27T03:00:00+01:00"),
    ),
    "a window across the end of summer time keeps its wall time": (
        calendar("America/New_York"),
        ("2024-11-01T16:00:00-04:00", "2h", "2024-11-04T10:00:00-05:00"),
    ),
    "the date that Samoa skipped had no working day": (
        calendar("Pacific/Apia"),
        ("2011-12-29T12:00:00-10:00", "1wd", "2012-01-02T17:00:00+14:00"),
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_due(case: tuple[Any, ...]) -> None:
    cal, (start, limit, expected), *held = case
    check(cal, start, limit, expected, *held)


def test_due_explains_itself() -> None:
    held = pauses(("2025-03-04T11:00:00+08:00", "2025-03-04T14:00:00+08:00"))
    result = due(load_calendar("cn"), at("2025-03-04T10:00:00+08:00"), Limit.parse("2h"), held)
    shown = [(segment.start, segment.end, segment.counted) for segment in result.segments]
    assert shown == [
        (at("2025-03-04T02:00:00Z"), at("2025-03-04T03:00:00Z"), timedelta(hours=1)),
        (at("2025-03-04T06:00:00Z"), at("2025-03-04T07:00:00Z"), timedelta(hours=1)),
    ]
    (pause,) = result.held_back
    assert pause.counted == timedelta(hours=1, minutes=30)  # Lunch was no loss.
    assert result.instant is not None
    assert result.instant.tzinfo is UTC


def test_due_is_unknown_while_suspended() -> None:
    held = pauses(("2025-03-04T11:00:00+08:00", None))
    for text, used in (("2h", 1), ("2h clock", 1)):
        result = due(load_calendar("cn"), at("2025-03-04T10:00:00+08:00"), Limit.parse(text), held)
        assert result.instant is None
        assert sum((segment.counted for segment in result.segments), timedelta()) == timedelta(hours=used)
        assert result.held_back == []
    result = due(load_calendar("cn"), at("2025-03-04T12:00:00+08:00"), Limit.parse("5wd"), held)
    assert (result.instant, result.segments) == (None, [])


def test_an_open_pause_swallows_later_ones() -> None:
    held = pauses(("2024-03-05T12:00:00Z", "2024-03-05T13:00:00Z"), ("2024-03-05T11:00:00Z", None))
    assert due(calendar(), at("2024-03-05T10:00:00Z"), Limit.parse("2h"), held).instant is None


def test_provisional_only_when_the_way_touches_an_unpublished_year() -> None:
    cal = load_calendar("cn")
    first_unknown = max(cal.published_years or ()) + 1
    assert due(cal, at("2026-12-31T09:00:00+08:00"), Limit.parse("1h")).provisional is (first_unknown <= 2026)
    late = datetime(first_unknown - 1, 12, 31, 9, tzinfo=cal.zone)
    assert due(cal, late, Limit.parse("5wd")).provisional
    assert due(cal, late, Limit.parse("5wd"), [(late, None)]).provisional  # Working days begin on 1 January.
    assert not due(cal, late, Limit.parse("200h clock")).provisional
    assert not due(calendar(), late, Limit.parse("5wd")).provisional  # Complete as given.


def test_provisional_years_are_computed_by_weekdays() -> None:
    start = at("2031-10-01T09:00:00+08:00")  # A Wednesday; its National Day is not published.
    result = due(load_calendar("cn"), start, Limit.parse("1h"))
    assert (result.instant, result.provisional) == (at("2031-10-01T10:00:00+08:00"), True)


def test_at_fraction() -> None:
    cal, start = load_calendar("cn"), at("2025-03-03T10:00:00+08:00")
    ten_days = Limit.parse("10wd")
    assert at_fraction(cal, start, ten_days, 0.5) == at("2025-03-10T17:30:00+08:00")
    assert at_fraction(cal, start, ten_days, 0.8) == at("2025-03-13T17:30:00+08:00")
    assert at_fraction(cal, start, ten_days, 1) == due(cal, start, ten_days).instant
    assert at_fraction(cal, start, Limit.parse("1h clock"), Fraction(1, 3)) == start + timedelta(minutes=20)
    held = pauses(("2025-03-03T10:40:00+08:00", None))
    assert at_fraction(cal, start, Limit.parse("1h"), 0.5, held) == start + timedelta(minutes=30)
    assert at_fraction(cal, start, Limit.parse("1h"), 0.8, held) is None
    for wrong in (0, -1, 11, float("nan"), float("inf")):
        with pytest.raises(LimitError):
            at_fraction(cal, start, ten_days, wrong)


def test_remaining_turns_negative_when_overdue() -> None:
    cal, end = load_calendar("cn"), at("2025-03-07T17:30:00+08:00")
    assert remaining(cal, at("2025-03-07T11:00:00+08:00"), end) == timedelta(hours=5)
    assert remaining(cal, end, end) == timedelta(0)
    assert remaining(cal, at("2025-03-10T09:30:00+08:00"), end) == -timedelta(hours=1)
    assert remaining(cal, at("2025-03-08T17:30:00+08:00"), end, clock=True) == -timedelta(days=1)
    held = pauses(("2025-03-07T13:30:00+08:00", "2025-03-07T14:30:00+08:00"))
    assert remaining(cal, at("2025-03-07T11:00:00+08:00"), end, held) == timedelta(hours=4)


def test_elapsed_is_zero_before_the_start_and_stops_in_an_open_pause() -> None:
    cal, start = load_calendar("cn"), at("2025-03-07T11:00:00+08:00")
    assert elapsed(cal, start, start - timedelta(hours=2)) == timedelta(0)
    assert elapsed(cal, start, start + timedelta(days=9), [(start + timedelta(minutes=5), None)]) == timedelta(
        minutes=5
    )


def test_fractions_of_a_second_are_kept() -> None:
    start = at("2024-03-05T15:30:00.250001Z")
    result = due(calendar(), start, Limit.parse("2h"))
    assert result.instant == at("2024-03-06T09:30:00.250001Z")
    assert sum((segment.counted for segment in result.segments), timedelta()) == timedelta(hours=2)


def test_extension_adds_working_days_to_the_old_due() -> None:
    cal = load_calendar("cn")
    assert extend(cal, at("2025-03-07T17:30:00+08:00"), 3).instant == at("2025-03-12T17:30:00+08:00")
    assert extend(cal, at("2025-03-07T10:00:00+08:00"), 1).instant == at("2025-03-10T17:30:00+08:00")
    around = calendar("Asia/Shanghai", ("00:00", "24:00"))
    assert extend(around, at("2025-03-06T00:00:00+08:00"), 1).instant == at("2025-03-07T00:00:00+08:00")


def test_is_working_and_next_working() -> None:
    cal = load_calendar("cn")
    times = ("08:29:59", "08:30:00", "11:59:59", "12:00:00", "13:30:00", "17:30:00")
    assert [is_working(cal, at(f"2025-03-03T{time}+08:00")) for time in times] == [
        False,
        True,
        True,
        False,
        True,
        False,
    ]
    assert next_working(cal, at("2025-03-03T12:00:00+08:00")) == at("2025-03-03T13:30:00+08:00")
    assert next_working(cal, at("2025-03-03T13:30:01+08:00")) == at("2025-03-03T13:30:01+08:00")
    assert next_working(cal, at("2026-09-30T17:30:00+08:00")) == at("2026-10-08T08:30:00+08:00")
    sparse = calendar("UTC", days=("mon",), holidays=[f"2024-{month:02d}-{day:02d}" for month, day in MONDAYS_2024])
    assert next_working(sparse, at("2024-01-01T00:00:00Z")) == at("2025-01-06T09:00:00Z")


MONDAYS_2024 = [
    (day.month, day.day) for day in (datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=7 * week) for week in range(53))
]


def test_midnights_that_the_clocks_skip_or_repeat() -> None:
    around = {"days": ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
    cairo = calendar("Africa/Cairo", ("00:00", "24:00"), **around)  # 2024-04-26 began at 01:00.
    result = due(cairo, at("2024-04-25T12:00:00+02:00"), Limit.parse("1wd"))
    assert (result.counts_from, result.amount) == (at("2024-04-26T01:00:00+03:00"), timedelta(hours=23))
    assert result.instant == at("2024-04-27T00:00:00+03:00")
    result = due(cairo, at("2024-10-31T12:00:00+03:00"), Limit.parse("1wd"))  # 23:00 came twice that night.
    assert (result.counts_from, result.amount) == (at("2024-11-01T00:00:00+02:00"), timedelta(hours=24))


@pytest.mark.parametrize("limit", ["1h", "1wd", "1h clock"])
def test_naive_times_are_refused(limit: str) -> None:
    naive, aware = datetime(2025, 3, 3, 9), at("2025-03-03T09:00:00Z")  # noqa: DTZ001 - the very thing refused.
    with pytest.raises(CalendarError, match="no time zone"):
        due(calendar(), naive, Limit.parse(limit))
    with pytest.raises(CalendarError, match="no time zone"):
        due(calendar(), aware, Limit.parse(limit), [(aware, naive)])
    with pytest.raises(CalendarError, match="no time zone"):
        elapsed(calendar(), aware, naive)
    with pytest.raises(CalendarError, match="no time zone"):
        is_working(calendar(), naive)


def test_a_pause_that_ends_before_it_begins_is_refused() -> None:
    backwards = pauses(("2025-03-04T09:00:00Z", "2025-03-03T09:00:00Z"))
    with pytest.raises(CalendarError, match="before it begins"):
        due(calendar(), at("2025-03-03T09:00:00Z"), Limit.parse("1h"), backwards)
    with pytest.raises(CalendarError, match="before it begins"):
        elapsed(calendar(), at("2025-03-01T09:00:00Z"), at("2025-03-09T09:00:00Z"), backwards)


@pytest.mark.parametrize("start", ["0001-01-01T00:00:00+14:00", "1899-06-01T00:00:00Z", "2200-01-01T00:00:00Z"])
@pytest.mark.parametrize("limit", ["1h", "1wd", "1h clock"])
def test_years_without_a_calendar_are_refused(start: str, limit: str) -> None:
    with pytest.raises(CalendarError, match="supported years"):
        due(calendar(), at(start), Limit.parse(limit))


def test_a_limit_that_never_ends_is_refused_instead_of_searched_for() -> None:
    sparse = calendar("UTC", ("09:00", "09:01"), days=("mon",))
    with pytest.raises(CalendarError, match="does not end"):
        due(sparse, at("2025-03-03T09:00:00Z"), Limit.parse("80000h"))
    with pytest.raises(CalendarError, match="supported years"):
        due(calendar(), at("2199-12-30T09:00:00Z"), Limit.parse("2000h clock"))
