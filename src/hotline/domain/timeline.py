"""Working time laid out on a line, so that a question about a calendar is a bisection and not a walk through days.

Everything here is whole microseconds since 1970-01-01T00:00:00Z ("ticks") and whole days since 1970-01-01 on the wall
calendar of the zone ("day numbers").  Integers keep the arithmetic exact; datetimes stay at the edge, in
:mod:`hotline.domain.working_time`.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

SECOND = 1_000_000
DAY = 86_400 * SECOND
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)

# A window of a day as (opens, closes) in seconds after wall midnight; 86400 is the midnight that ends the day.
Window = tuple[int, int]
DayWindows = tuple[Window, ...]


def to_ticks(instant: datetime) -> int:
    """Return an aware ``instant`` as ticks; a naive one raises ``TypeError``."""
    return (instant - EPOCH) // _TICK


def from_ticks(ticks: int) -> datetime:
    """Return ``ticks`` as a datetime in UTC."""
    return EPOCH + timedelta(microseconds=ticks)


@dataclass(frozen=True, slots=True)
class Timeline:
    """The working windows of the days ``first_day <= day < last_day`` as intervals of real time, in order.

    ``before[i]`` is the working time from the start of the time line to the opening of interval ``i``; the last entry
    is the sum of all.  ``days`` are the days with any working time and ``days_before`` the same running sum per day.
    From tick ``shifts[i]`` on, the zone is ``offsets[i]`` ticks ahead of UTC.
    """

    first_day: int
    last_day: int
    shifts: list[int]
    offsets: list[int]
    opens: list[int]
    closes: list[int]
    before: list[int]
    days: list[int]
    days_before: list[int]

    def position(self, ticks: int) -> int:
        """Return the working time between the start of the time line and ``ticks``."""
        index = bisect_right(self.opens, ticks) - 1
        if index < 0:
            return 0
        return self.before[index] + min(ticks, self.closes[index]) - self.opens[index]

    def instant(self, position: int) -> int | None:
        """Return the earliest instant with ``position`` (> 0) working time before it, None when beyond the end.

        Bisecting to the left makes it the earliest: a position on a boundary belongs to the closing of one window
        (noon), not to the opening of the next (half past one).
        """
        if position > self.before[-1]:
            return None
        index = bisect_left(self.before, position) - 1
        return self.opens[index] + position - self.before[index]

    def is_working(self, ticks: int) -> bool:
        """Tell whether ``ticks`` lies inside a window; the closing instant does not."""
        index = bisect_right(self.opens, ticks) - 1
        return index >= 0 and ticks < self.closes[index]

    def day_of(self, ticks: int) -> int:
        """Return the day number that the wall calendar shows at ``ticks``."""
        return (ticks + self.offsets[bisect_right(self.shifts, ticks) - 1]) // DAY

    def following_midnight(self, ticks: int) -> int:
        """Return the first instant after ``ticks`` at which the wall calendar shows the next day.

        Some zones shift their clocks at midnight: then 00:00 is skipped (the day begins when the clocks jump over it)
        or falls back into the old day (the day begins at the 00:00 that is not taken back).
        """
        index = bisect_right(self.shifts, ticks) - 1
        wall = (self.day_of(ticks) + 1) * DAY
        while index + 1 < len(self.shifts) and wall - self.offsets[index] >= self.shifts[index + 1]:
            index += 1
        return max(ticks, self.shifts[index], wall - self.offsets[index])

    def working_days(self, after_day: int, count: int) -> int | None:
        """Return the working time of the first ``count`` working days after ``after_day``, None when beyond the end."""
        index = bisect_right(self.days, after_day)
        if index + count >= len(self.days_before):
            return None
        return self.days_before[index + count] - self.days_before[index]

    def intervals(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Yield the parts of the working windows that lie in ``[start, end)``, in order."""
        index = max(bisect_right(self.opens, start) - 1, 0)
        while index < len(self.opens) and self.opens[index] < end:
            opens, closes = max(self.opens[index], start), min(self.closes[index], end)
            if opens < closes:
                yield opens, closes
            index += 1


class RealTime:
    """The scale of limits that run on the clock, where all time counts.  It answers like a :class:`Timeline`."""

    def position(self, ticks: int) -> int:
        """Return ``ticks``: every instant has all the time before it."""
        return ticks

    def instant(self, position: int) -> int | None:
        """Return ``position``."""
        return position

    def intervals(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Yield ``[start, end)`` whole."""
        if start < end:
            yield start, end


REAL_TIME = RealTime()


def build_timeline(zone: tzinfo, first_day: int, last_day: int, windows_on: Callable[[int], DayWindows]) -> Timeline:
    """Lay out the windows that ``windows_on(day number)`` gives for the days ``first_day <= day < last_day``."""
    periods = list(_offset_periods(zone, (first_day - 2) * DAY, (last_day + 2) * DAY))
    opens: list[int] = []
    closes: list[int] = []
    per_day: dict[int, int] = {}
    seam = -1
    for day, begin, end in _intervals(periods, first_day, last_day, windows_on):
        if day == seam and closes and closes[-1] == begin:
            closes[-1] = end  # A change of the clocks cut this window; to everyone who worked it is one.
        else:
            opens.append(begin)
            closes.append(end)
        seam = day
        per_day[day] = per_day.get(day, 0) + end - begin
    days = sorted(per_day)
    return Timeline(
        first_day=first_day,
        last_day=last_day,
        shifts=[period[0] for period in periods],
        offsets=[period[2] for period in periods],
        opens=opens,
        closes=closes,
        before=_running_sum([end - begin for begin, end in zip(opens, closes, strict=True)]),
        days=days,
        days_before=_running_sum([per_day[day] for day in days]),
    )


def _running_sum(lengths: list[int]) -> list[int]:
    sums = [0]
    for length in lengths:
        sums.append(sums[-1] + length)
    return sums


def _intervals(
    periods: list[tuple[int, int, int]], first_day: int, last_day: int, windows_on: Callable[[int], DayWindows]
) -> Iterator[tuple[int, int, int]]:
    """Yield (day, begin, end) in order of time: an instant works when the reading of the wall clock lies in a window.

    Inside a period of one offset the wall clock runs like real time, so cutting each window to the period is exact:
    an hour that the clocks skip has no instants and counts nothing, an hour that they repeat counts twice.
    """
    for period_begin, period_end, offset in periods:
        day_from = max(first_day, (period_begin + offset) // DAY)
        day_to = min(last_day, (period_end + offset) // DAY + 1)
        for day in range(day_from, day_to):
            midnight = day * DAY - offset
            for opens, closes in windows_on(day):
                begin = max(midnight + opens * SECOND, period_begin)
                end = min(midnight + closes * SECOND, period_end)
                if begin < end:
                    yield day, begin, end


def _offset_periods(zone: tzinfo, first: int, last: int) -> Iterator[tuple[int, int, int]]:
    """Yield (begin, end, offset) covering ``[first, last)``, all in ticks; the offset is constant inside each.

    Looking once a day is enough: no zone shifts its clocks forth and back within a day.
    """
    begin, offset = first, _offset(zone, first)
    for tick in range(first + DAY, last + DAY, DAY):
        if _offset(zone, tick) == offset:
            continue
        shift = _first_shift(zone, tick - DAY, tick, offset)
        yield begin, shift, offset
        begin, offset = shift, _offset(zone, tick)
    yield begin, last + DAY, offset


def _first_shift(zone: tzinfo, low: int, high: int, offset: int) -> int:
    """Return the tick in ``(low, high]`` at which ``zone`` leaves ``offset``; zone data has whole seconds."""
    low_second, high_second = low // SECOND, high // SECOND
    while high_second - low_second > 1:
        middle = (low_second + high_second) // 2
        if _offset(zone, middle * SECOND) == offset:
            low_second = middle
        else:
            high_second = middle
    return high_second * SECOND


def _offset(zone: tzinfo, ticks: int) -> int:
    """Return how far ``zone`` is ahead of UTC at ``ticks``."""
    shift = from_ticks(ticks).astimezone(zone).utcoffset()
    assert shift is not None  # astimezone has just asked the same zone.
    return shift // _TICK
