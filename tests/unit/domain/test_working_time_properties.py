"""Deadlines by law: what must hold for every calendar, start, limit and set of pauses.

The oracle knows nothing of intervals and sums.  It writes down for every second whether the wall clock stands in a
window, crosses out the paused seconds and counts until the limit is reached.
"""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from hotline.domain.working_time import (
    Calendar,
    CalendarError,
    Limit,
    Pause,
    Unit,
    at_fraction,
    due,
    elapsed,
    extend,
    is_working,
    next_working,
    remaining,
)

HORIZON = 12 * 86_400  # Seconds that the oracle writes down.
# Zones with summer time, with half an hour of it (Lord Howe), shifting at midnight (Cairo) or a minute past it
# (St John's until 2011), with a skipped date (Apia), and with none of that.
ZONES = [
    "Asia/Shanghai",
    "Europe/Berlin",
    "America/New_York",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "Africa/Cairo",
    "Pacific/Apia",
    "Asia/Kathmandu",
    "UTC",
]
# Weeks around changes of the clocks and around Chinese New Year; random days hardly ever meet one.
TURNING_DAYS = [
    date(2010, 3, 12),
    date(2010, 11, 5),
    date(2011, 12, 27),
    date(2024, 2, 8),
    date(2024, 3, 29),
    date(2024, 4, 5),
    date(2024, 4, 24),
    date(2024, 10, 25),
    date(2024, 10, 30),
    date(2024, 11, 1),
]

laws = settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])
against_the_oracle = settings(laws, max_examples=500)
few = settings(laws, max_examples=40)  # Each example lays out decades, several times.


@st.composite
def day_windows(draw: st.DrawFn) -> tuple[tuple[int, int], ...]:
    """One to three windows; whole quarters mostly, sometimes any second of the day."""
    step = draw(st.sampled_from([900, 900, 60, 1]))
    count = draw(st.integers(1, 3))
    edges = draw(st.lists(st.integers(0, 86_400 // step), min_size=2 * count, max_size=2 * count, unique=True))
    ordered = [edge * step for edge in sorted(edges)]
    return tuple(zip(ordered[::2], ordered[1::2], strict=True))


@st.composite
def calendars(draw: st.DrawFn, first: date) -> Calendar:
    """A calendar with exceptions in the four weeks from ``first`` on."""
    usual = draw(st.one_of(day_windows(), st.just(((30_600, 43_200), (48_600, 63_000))), st.just(((0, 86_400),))))
    other = draw(day_windows())
    week = draw(st.lists(st.sampled_from([usual, usual, usual, other, ()]), min_size=7, max_size=7).filter(any))
    near = st.integers(-2, 26).map(lambda days: first + timedelta(days=days))
    holidays = draw(st.frozensets(near, max_size=8))
    return Calendar(
        timezone=draw(st.sampled_from(ZONES)),
        windows=tuple(week),
        holidays=holidays,
        makeup_days=draw(st.frozensets(near, max_size=4)) - holidays,
        makeup_windows=draw(st.sampled_from([(), (), other])),
    )


limits = st.one_of(
    st.integers(1, 3000).map(lambda minutes: Limit(minutes, Unit.MINUTES)),
    st.integers(1, 60).map(lambda hours: Limit(hours, Unit.HOURS)),
    st.integers(1, 9).map(lambda days: Limit(days, Unit.WORKING_DAYS)),
    st.integers(1, 3000).map(lambda minutes: Limit(minutes, Unit.MINUTES, clock=True)),
)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Calendar, datetime, Limit, list[Pause]]:
    day = draw(st.one_of(st.sampled_from(TURNING_DAYS), st.dates(date(1995, 1, 1), date(2035, 1, 1))))
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    start = midnight + timedelta(seconds=draw(st.integers(0, 4 * 86_400)))
    offsets = st.integers(-86_400, 9 * 86_400).map(lambda seconds: start + timedelta(seconds=seconds))
    pairs = draw(st.lists(st.tuples(offsets, offsets).map(sorted), max_size=4))
    pauses: list[Pause] = [(first, last) for first, last in pairs]
    if draw(st.integers(0, 5)) == 0:
        pauses.insert(draw(st.integers(0, len(pauses))), (draw(offsets), None))
    return draw(calendars(day)), start, draw(limits), pauses


def written_down(calendar: Calendar, start: datetime) -> tuple[Any, Any]:
    """Return for each second from ``start`` on whether it is worked, and the number of its day on the wall calendar."""
    first, zone = int(start.timestamp()), calendar.zone
    minutes = range(first // 60, (first + HORIZON) // 60 + 1)
    moments = [datetime.fromtimestamp(minute * 60, zone) for minute in minutes]
    days = np.array([moment.toordinal() for moment in moments])
    of_day = np.array([moment.hour * 60 + moment.minute for moment in moments])
    table = np.zeros((int(days.max() - days.min()) + 1, 86_400), dtype=bool)
    for row in range(len(table)):
        for opens, closes in windows_of(calendar, date.fromordinal(int(days.min()) + row)):
            table[row, opens:closes] = True
    worked = table.reshape(len(table), 1440, 60)[days - days.min(), of_day].reshape(-1)
    window = slice(first % 60, first % 60 + HORIZON)
    return worked[window], np.repeat(days, 60)[window]


def windows_of(calendar: Calendar, day: date) -> tuple[tuple[int, int], ...]:
    """The rule for one day, told a second time."""
    if day in calendar.holidays:
        return ()
    own = calendar.windows[day.weekday()]
    if day in calendar.makeup_days:
        return calendar.makeup_windows or own or next(windows for windows in calendar.windows if windows)
    return own


def oracle(calendar: Calendar, start: datetime, limit: Limit, pauses: list[Pause]) -> datetime | None:
    """Count seconds; None when the limit is not reached within the horizon."""
    worked, days = written_down(calendar, start)
    begin = 0
    if limit.unit is Unit.WORKING_DAYS:
        later = days > days[0]
        begin = int(np.argmax(later))
        chosen = [day for day in range(days[0] + 1, days[-1]) if worked[days == day].any()][: limit.amount]
        if len(chosen) < limit.amount:
            return None
        needed = int(worked[np.isin(days, chosen)].sum())
    else:
        needed = limit.amount * (60 if limit.unit is Unit.MINUTES else 3600)
    counting = np.ones(HORIZON, dtype=bool) if limit.clock else worked.copy()
    counting[:begin] = False
    for first, last in pauses:
        until = HORIZON if last is None else int((last - start).total_seconds())
        counting[max(0, int((first - start).total_seconds())) : max(0, until)] = False
    reached = np.flatnonzero(counting)
    return start + timedelta(seconds=int(reached[needed - 1]) + 1) if len(reached) >= needed else None


@against_the_oracle
@given(cases())
def test_due_equals_counting_seconds(case: tuple[Calendar, datetime, Limit, list[Pause]]) -> None:
    calendar, start, limit, pauses = case
    result = due(calendar, start, limit, pauses)
    expected = oracle(calendar, start, limit, pauses)
    if expected is not None:
        assert result.instant == expected
    elif result.instant is not None:
        assert result.instant > start + timedelta(seconds=HORIZON) - timedelta(days=3)


@laws
@given(cases(), st.integers(0, HORIZON - 1))
def test_elapsed_and_is_working_equal_counting_seconds(
    case: tuple[Calendar, datetime, Limit, list[Pause]], length: int
) -> None:
    calendar, start, _, pauses = case
    worked, _ = written_down(calendar, start)
    assert is_working(calendar, start + timedelta(seconds=length)) is bool(worked[length])
    after = np.flatnonzero(worked[length:])
    if len(after):
        opening = start + timedelta(seconds=length + int(after[0]))
        assert next_working(calendar, start + timedelta(seconds=length)) == opening
    for first, last in pauses:
        until = HORIZON if last is None else max(0, int((last - start).total_seconds()))
        worked[max(0, int((first - start).total_seconds())) : until] = False
    end = start + timedelta(seconds=length)
    assert elapsed(calendar, start, end, pauses) == timedelta(seconds=int(worked[:length].sum()))


@laws
@given(cases())
def test_elapsed_until_the_due_is_the_limit(case: tuple[Calendar, datetime, Limit, list[Pause]]) -> None:
    calendar, start, limit, pauses = case
    result = due(calendar, start, limit, pauses)
    assume(result.instant is not None)
    assert result.instant is not None
    assert elapsed(calendar, result.counts_from, result.instant, pauses, clock=limit.clock) == result.amount
    just_before = result.instant - timedelta(microseconds=1)
    assert elapsed(calendar, result.counts_from, just_before, pauses, clock=limit.clock) < result.amount
    if limit.unit is not Unit.WORKING_DAYS:
        assert result.amount == timedelta(seconds=limit.seconds)


@laws
@given(cases())
def test_segments_add_up_and_lie_in_order(case: tuple[Calendar, datetime, Limit, list[Pause]]) -> None:
    calendar, start, limit, pauses = case
    result = due(calendar, start, limit, pauses)
    segments = result.segments
    total = sum((segment.counted for segment in segments), timedelta())
    assert all(segment.end - segment.start == segment.counted > timedelta() for segment in segments)
    assert all(left.end <= right.start for left, right in pairwise(segments))
    if result.instant is None:
        assert total < result.amount
    else:
        assert total == result.amount
        assert segments[-1].end == result.instant
        held = sum((pause.counted for pause in result.held_back), timedelta())
        free = elapsed(calendar, result.counts_from, result.instant, clock=limit.clock)
        assert total + held == free


@laws
@given(cases(), st.integers(-86_400, 9 * 86_400), st.integers(0, 3 * 86_400), st.booleans())
def test_a_pause_never_makes_the_due_earlier(
    case: tuple[Calendar, datetime, Limit, list[Pause]], offset: int, length: int, is_open: bool
) -> None:
    calendar, start, limit, pauses = case
    first = start + timedelta(seconds=offset)
    more: list[Pause] = [*pauses, (first, None if is_open else first + timedelta(seconds=length))]
    without, paused = due(calendar, start, limit, pauses).instant, due(calendar, start, limit, more).instant
    if without is None:
        assert paused is None
    else:
        assert paused is None or paused >= without


@laws
@given(cases(), st.integers(1, 500))
def test_a_longer_limit_is_never_due_earlier(case: tuple[Calendar, datetime, Limit, list[Pause]], more: int) -> None:
    calendar, start, limit, pauses = case
    longer = Limit(limit.amount + more, limit.unit, limit.clock)
    shorter, later = due(calendar, start, limit, pauses).instant, due(calendar, start, longer, pauses).instant
    if shorter is None:
        assert later is None
    else:
        assert later is None or later > shorter


@laws
@given(cases(), st.integers(0, 86_400))
def test_a_later_start_is_never_due_earlier(case: tuple[Calendar, datetime, Limit, list[Pause]], later: int) -> None:
    calendar, start, limit, pauses = case
    assume(limit.unit is not Unit.WORKING_DAYS)  # A later start may have shorter days ahead of it.
    first = due(calendar, start, limit, pauses).instant
    second = due(calendar, start + timedelta(seconds=later), limit, pauses).instant
    if first is None:
        assert second is None
    else:
        assert second is None or second >= first


@laws
@given(cases(), st.integers(1, 100))
def test_reminders_come_in_order_and_the_last_one_at_the_due(
    case: tuple[Calendar, datetime, Limit, list[Pause]], percent: int
) -> None:
    calendar, start, limit, pauses = case
    result = due(calendar, start, limit, pauses)
    reminder = at_fraction(calendar, start, limit, percent / 100, pauses)
    assert at_fraction(calendar, start, limit, 1, pauses) == result.instant
    if result.instant is not None:
        assert reminder is not None
        assert start < reminder <= result.instant
        used = elapsed(calendar, result.counts_from, reminder, pauses, clock=limit.clock)
        assert timedelta(0) <= used - result.amount * percent / 100 <= timedelta(microseconds=1)


@laws
@given(cases(), st.integers(-5 * 86_400, 9 * 86_400))
def test_remaining_is_what_the_elapsed_time_lacks(
    case: tuple[Calendar, datetime, Limit, list[Pause]], offset: int
) -> None:
    calendar, start, limit, pauses = case
    result = due(calendar, start, limit, pauses)
    assume(result.instant is not None)
    assert result.instant is not None
    now = max(result.counts_from, start + timedelta(seconds=offset))
    left = remaining(calendar, now, result.instant, pauses, clock=limit.clock)
    used = elapsed(calendar, result.counts_from, now, pauses, clock=limit.clock)
    assert left == result.amount - used


@laws
@given(cases(), st.integers(1, 10))
def test_an_extension_moves_the_due_on(case: tuple[Calendar, datetime, Limit, list[Pause]], days: int) -> None:
    calendar, start, limit, pauses = case
    old = due(calendar, start, limit, pauses).instant
    assume(old is not None)
    assert old is not None
    new = extend(calendar, old, days).instant
    assert new is not None
    assert new > old


@few
@given(cases(), st.permutations(range(5)))
def test_the_order_of_questions_changes_no_answer(
    case: tuple[Calendar, datetime, Limit, list[Pause]], order: list[int]
) -> None:
    """The time line of a calendar grows with the questions; what it grew from must not show."""
    calendar, start, limit, pauses = case
    starts = [start + timedelta(days=days) for days in (-3000, -800, 0, 500, 2000)]
    for index in order:
        fresh = Calendar(**{name: getattr(calendar, name) for name in FIELDS})
        held = pauses if index == 2 else []
        asked = (starts[index], limit, held)
        assert due(calendar, *asked).instant == due(fresh, *asked).instant


FIELDS = ("timezone", "windows", "holidays", "makeup_days", "makeup_windows")


@laws
@example("Asia/Shanghai", [], [])
@given(
    st.text(max_size=20),
    st.lists(st.tuples(st.integers(-9, 90_000), st.integers(-9, 90_000)), max_size=4),
    st.lists(st.dates(), max_size=2),
)
def test_any_calendar_is_either_refused_or_answers(zone: str, windows: list[tuple[int, int]], days: list[date]) -> None:
    try:
        calendar = Calendar(zone, (tuple(windows),) * 7, frozenset(days))
    except CalendarError as error:
        assert str(error)
    else:
        assert due(calendar, datetime(2024, 1, 1, tzinfo=UTC), Limit(1, Unit.HOURS)).instant is not None
