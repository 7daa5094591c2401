"""The parts of the time line that deadlines alone hardly show: seams, edges, and changes of the clocks."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest

from hotline.domain.timeline import DAY, SECOND, build_timeline, from_ticks, to_ticks
from hotline.domain.working_time import Calendar, Limit, at_fraction, due, elapsed

ALWAYS = (((0, 86_400),),) * 7


@pytest.mark.parametrize(
    ("zone", "shifts"),
    [
        ("Europe/Berlin", ["2024-03-31T01:00:00", "2024-10-27T01:00:00"]),
        ("America/New_York", ["2024-03-10T07:00:00", "2024-11-03T06:00:00"]),
        ("Australia/Lord_Howe", ["2024-04-06T15:00:00", "2024-10-05T15:30:00"]),
        ("Africa/Cairo", ["2024-04-25T22:00:00", "2024-10-31T21:00:00"]),
        ("Asia/Shanghai", []),
        ("UTC", []),
    ],
)
def test_changes_of_the_clocks_are_found_to_the_second(zone: str, shifts: list[str]) -> None:
    first = (datetime(2024, 1, 5, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)).days
    for start in range(first, first + 5):  # The search must not depend on where its steps fall.
        line = build_timeline(ZoneInfo(zone), start, first + 350, lambda day: ())
        found = [from_ticks(shift) for shift in line.shifts[1:]]
        assert found == [datetime.fromisoformat(shift + "Z") for shift in shifts]


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "Europe/Amsterdam", "America/St_Johns", "Africa/Monrovia"])
def test_odd_changes_of_the_clocks_are_found_to_the_second(zone: str) -> None:
    """Before standard time, offsets and shifts had odd seconds."""
    line = build_timeline(ZoneInfo(zone), -26_000, 16_000, lambda day: ())
    assert len(line.shifts) > 2
    for shift in line.shifts[1:]:
        just_before, then = (from_ticks(tick).astimezone(ZoneInfo(zone)) for tick in (shift - SECOND, shift))
        assert just_before.utcoffset() != then.utcoffset()


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/St_Johns", "Pacific/Apia", "Africa/Cairo", "Asia/Shanghai"])
@pytest.mark.parametrize("edge", ["first_day", "last_day"])
def test_answers_at_the_edges_of_what_is_laid_out(zone: str, edge: str) -> None:
    """A question at the edge of the time line is answered like one in its middle."""
    windows = (((30_600, 43_200), (48_600, 86_400)),) * 5 + ((),) * 2
    middle = datetime(2010, 6, 1, tzinfo=UTC)
    limit = Limit.parse("1wd")
    for hours in range(-77, 78, 7):
        asked, wide = Calendar(zone, windows), Calendar(zone, windows)
        line = asked.timeline(to_ticks(middle), to_ticks(middle))
        start = from_ticks(getattr(line, edge) * DAY) + timedelta(hours=hours)
        wide.timeline(to_ticks(middle - timedelta(days=2000)), to_ticks(middle + timedelta(days=2000)))
        assert due(asked, start, limit).instant == due(wide, start, limit).instant
        for days in (-1, 1):
            other = Calendar(zone, windows)
            other.timeline(to_ticks(middle), to_ticks(middle))
            span = sorted([start, start + timedelta(days=days)])
            assert elapsed(other, *span) == elapsed(wide, *span)


def test_a_window_cut_by_a_change_of_the_clocks_stays_one_segment() -> None:
    calendar = Calendar("Europe/Berlin", (((0, 6 * 3600),),) * 7)
    result = due(calendar, datetime.fromisoformat("2024-03-30T23:00:00Z"), Limit.parse("5h"))
    assert [segment.counted for segment in result.segments] == [timedelta(hours=5)]


def test_days_stay_apart_although_work_never_stops() -> None:
    calendar = Calendar("Asia/Shanghai", ALWAYS)
    result = due(calendar, datetime.fromisoformat("2024-03-04T12:00:00+08:00"), Limit.parse("2wd"))
    assert [segment.counted for segment in result.segments] == [timedelta(days=1)] * 2


def test_a_reminder_never_comes_before_its_share_is_used() -> None:
    calendar, start, limit = Calendar("UTC", ALWAYS), datetime(2024, 3, 4, tzinfo=UTC), Limit.parse("1m")
    reminder = at_fraction(calendar, start, limit, Fraction(1, 7))
    assert reminder is not None
    used = to_ticks(reminder) - to_ticks(start)
    assert used * 7 >= 60 * SECOND > (used - 1) * 7
