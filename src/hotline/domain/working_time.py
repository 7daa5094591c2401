"""Deadlines: from a start, a limit, a calendar and the pauses to the exact instant at which the limit is used up.

The rules (``hotline.md``, "Time limits"):

* The due is the earliest instant at which the elapsed time reaches the limit, so four hours that end with the morning
  end at noon and not when the afternoon begins.
* Hours and minutes run in working time.  ``n wd`` is the working time of the first n working days after the start day,
  counted from the following midnight: without pauses it ends at closing time of the n-th working day.
* ``clock`` limits run day and night.
* A pause (挂账) stops either clock.  While a pause is open nobody can know the due: it is None.

All functions are pure and exact to the microsecond.  Datetimes are aware; results are in UTC.  A naive datetime, a
pause that ends before it begins and an instant outside the supported years raise ``CalendarError``.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction

from hotline.domain.calendar import Calendar, CalendarError, calendar_from_mapping
from hotline.domain.limit import Limit, LimitError, Unit
from hotline.domain.timeline import DAY, REAL_TIME, SECOND, RealTime, Timeline, from_ticks, to_ticks

__all__ = [
    "Calendar",
    "CalendarError",
    "Due",
    "Limit",
    "LimitError",
    "Pause",
    "Segment",
    "Unit",
    "at_fraction",
    "calendar_from_mapping",
    "due",
    "elapsed",
    "extend",
    "is_working",
    "next_working",
    "remaining",
]

# A suspension from its approval to its end; None while it is open.
Pause = tuple[datetime, datetime | None]

_WHOLE = Fraction(1)
# Pauses inside this module: sorted, disjoint, in ticks; only the last one can be open.
_Pauses = list[tuple[int, int | None]]


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of time that counted, or a pause with the time that it held back; instants in UTC."""

    start: datetime
    end: datetime
    counted: timedelta


@dataclass(frozen=True, slots=True)
class Due:
    """A computed deadline and all that explains it.

    ``instant`` is None while an open pause keeps the limit from ending.  ``counts_from`` is where counting begins: the
    start, or for working days the following midnight.  ``amount`` is the time the limit stands for on this calendar,
    so ``elapsed(calendar, counts_from, instant, pauses, clock=limit.clock) == amount``.  ``provisional`` says that a
    year on the way has no published holidays yet.
    """

    instant: datetime | None
    provisional: bool
    limit: Limit
    start: datetime
    counts_from: datetime
    amount: timedelta
    calendar: Calendar = field(repr=False)
    pauses: tuple[Pause, ...]

    @property
    def segments(self) -> list[Segment]:
        """The stretches that counted, in order; they add up to ``amount``, or to what was used before an open pause."""
        begin, end, pauses = self._bounds()
        scale = _scale(self.calendar, begin, end, self.limit.clock)
        found = (part for first, last in _outside(pauses, begin, end) for part in scale.intervals(first, last))
        return [_segment(first, last, last - first) for first, last in found]

    @property
    def held_back(self) -> list[Segment]:
        """The pauses that pushed the due on, merged and in order, each with the time that it covered.

        An open pause has no end to measure and is left out.
        """
        begin, end, pauses = self._bounds()
        scale = _scale(self.calendar, begin, end, self.limit.clock)
        closed = [(max(first, begin), min(last, end)) for first, last in pauses if last is not None]
        covered = [
            (first, last, scale.position(last) - scale.position(first)) for first, last in closed if first < last
        ]
        return [_segment(first, last, counted) for first, last, counted in covered if counted]

    def _bounds(self) -> tuple[int, int, _Pauses]:
        begin, pauses = _ticks(self.counts_from), _merged(self.pauses)
        end = max(begin, pauses[-1][0]) if self.instant is None else _ticks(self.instant)
        return begin, end, pauses


def due(calendar: Calendar, start: datetime, limit: Limit, pauses: Iterable[Pause] = ()) -> Due:
    """Return when ``limit``, running from ``start``, is used up.

    Pauses may overlap, be unsorted, open, or lie outside.  Raises ``CalendarError`` also when the calendar has so
    little working time that the limit does not end within the supported years.
    """
    kept = tuple(pauses)
    began = _ticks(start)
    merged = _merged(kept) if kept else []
    line, counts_from, amount, end = _solve(calendar, began, limit, merged, _WHOLE)
    provisional = False
    if not limit.clock and calendar.published_years is not None:
        last = max(counts_from, merged[-1][0]) if end is None else end
        provisional = not calendar.is_published(line.day_of(began), line.day_of(last))
    return Due(
        instant=None if end is None else from_ticks(end),
        provisional=provisional,
        limit=limit,
        start=start,
        counts_from=from_ticks(counts_from),
        amount=timedelta(microseconds=amount),
        calendar=calendar,
        pauses=kept,
    )


def at_fraction(
    calendar: Calendar,
    start: datetime,
    limit: Limit,
    fraction: Fraction | float,
    pauses: Iterable[Pause] = (),
) -> datetime | None:
    """Return when ``fraction`` of ``limit`` is used up: the instant of a reminder at 50, 80 or 100 %.

    Fractions above one follow the overdue time.  0.8 means four fifths, not the binary number beside it.  None while an
    open pause holds that instant back.  Raises ``LimitError`` when the fraction is not between 0 (excluded) and 10.
    """
    exact = Fraction(fraction).limit_denominator(1_000_000) if 0 < fraction <= 10 else Fraction(0)
    if not exact:
        raise LimitError(f"a fraction of a limit lies between 0 and 10, not at {fraction!r}")
    end = _solve(calendar, _ticks(start), limit, _merged(pauses), exact)[3]
    return None if end is None else from_ticks(end)


def elapsed(
    calendar: Calendar, start: datetime, end: datetime, pauses: Iterable[Pause] = (), *, clock: bool = False
) -> timedelta:
    """Return the working time (``clock``: all time) between ``start`` and ``end`` that no pause covers.

    Zero when ``end`` is not after ``start``: a limit of working days has not begun before its midnight.
    """
    begin, stop = _ticks(start), _ticks(end)
    if stop <= begin:
        return timedelta(0)
    scale = _scale(calendar, begin, stop, clock)
    total = sum(scale.position(last) - scale.position(first) for first, last in _outside(_merged(pauses), begin, stop))
    return timedelta(microseconds=total)


def remaining(
    calendar: Calendar, now: datetime, due: datetime, pauses: Iterable[Pause] = (), *, clock: bool = False
) -> timedelta:
    """Return the working time (``clock``: all time) left until ``due``; negative when it is overdue by that much."""
    kept = tuple(pauses)
    if _ticks(now) <= _ticks(due):
        return elapsed(calendar, now, due, kept, clock=clock)
    return -elapsed(calendar, due, now, kept, clock=clock)


def extend(calendar: Calendar, due_before: datetime, working_days: int, pauses: Iterable[Pause] = ()) -> Due:
    """Return the due after an extension (延期) that adds ``working_days`` to the old due.

    The old due belongs to the day that it closes: at 24:00 it is still that day, so the extension is counted from this
    very midnight and does not skip a day.
    """
    return due(calendar, due_before - timedelta(microseconds=1), Limit(working_days, Unit.WORKING_DAYS), pauses)


def is_working(calendar: Calendar, instant: datetime) -> bool:
    """Tell whether people work at ``instant``; the closing instant of a window is outside."""
    ticks = _ticks(instant)
    return calendar.timeline(ticks, ticks).is_working(ticks)


def next_working(calendar: Calendar, instant: datetime) -> datetime:
    """Return ``instant`` itself when people work then, else the next opening: when a reminder may go out."""
    ticks = _ticks(instant)
    line = calendar.timeline(ticks, ticks)
    while (found := next(line.intervals(ticks, line.last_day * DAY), None)) is None:
        line = calendar.longer_timeline(line)
    return from_ticks(found[0])


def _scale(calendar: Calendar, first: int, last: int, clock: bool) -> Timeline | RealTime:
    return REAL_TIME if clock else calendar.timeline(first, last)


def _segment(first: int, last: int, counted: int) -> Segment:
    return Segment(from_ticks(first), from_ticks(last), timedelta(microseconds=counted))


def _solve(
    calendar: Calendar, start: int, limit: Limit, pauses: _Pauses, fraction: Fraction
) -> tuple[Timeline, int, int, int | None]:
    """Return (time line, where counting begins, amount, end) in ticks; the end is None while an open pause holds it."""
    line = calendar.timeline(start, max(start, _latest(pauses)))
    counts_from = line.following_midnight(start) if limit.unit is Unit.WORKING_DAYS else start
    while True:
        amount = _amount(line, start, limit, fraction)
        if amount is not None:
            scale = REAL_TIME if limit.clock else line
            position = _pushed_on(scale, scale.position(counts_from) + amount, counts_from, pauses)
            end = None if position is None else scale.instant(position)
            if end is not None and limit.clock:
                calendar.timeline(start, end)  # Refuses an end outside the supported years.
            if position is None or end is not None:
                return line, counts_from, amount, end
        line = calendar.longer_timeline(line)


def _amount(line: Timeline, start: int, limit: Limit, fraction: Fraction) -> int | None:
    """Return ``fraction`` of ``limit`` in ticks, rounded up so that it is never reached early; None beyond the line."""
    if limit.unit is Unit.WORKING_DAYS:
        whole = line.working_days(line.day_of(start), limit.amount)
        if whole is None:
            return None
    else:
        whole = limit.seconds * SECOND
    return whole if fraction is _WHOLE else -(-whole * fraction.numerator // fraction.denominator)


def _pushed_on(scale: Timeline | RealTime, position: int, begin: int, pauses: _Pauses) -> int | None:
    """Return ``position`` pushed on by what the pauses before it cover; None when it waits for an open pause."""
    for first, last in pauses:
        if last is not None and last <= begin:
            continue
        held_from = scale.position(max(first, begin))
        if position <= held_from:
            break  # Reached before this pause begins, or in the instant in which it does.
        if last is None:
            return None
        position += scale.position(last) - held_from
    return position


def _outside(pauses: _Pauses, begin: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the parts of ``[begin, end)`` that no pause covers, in order."""
    for first, last in pauses:
        if first > begin:
            yield begin, min(first, end)
        if last is None or last >= end:
            return
        begin = max(begin, last)
        if first >= end:
            return
    yield begin, end


def _merged(pauses: Iterable[Pause]) -> _Pauses:
    """Return the pauses sorted and disjoint, in ticks; an open pause swallows all that begin after it."""
    pairs = sorted((_pause(first, last) for first, last in pauses), key=lambda pair: pair[0])
    merged: _Pauses = []
    for first, last in pairs:
        if merged and (merged[-1][1] is None or first <= merged[-1][1]):
            before = merged[-1][1]
            merged[-1] = merged[-1][0], None if before is None or last is None else max(before, last)
        else:
            merged.append((first, last))
    return merged


def _pause(first: datetime, last: datetime | None) -> tuple[int, int | None]:
    begin, end = _ticks(first), None if last is None else _ticks(last)
    if end is not None and end < begin:
        raise CalendarError(f"a pause ends at {last} before it begins at {first}")
    return begin, end


def _latest(pauses: _Pauses) -> int:
    return max((first if last is None else last for first, last in pauses), default=-(2**63))


def _ticks(instant: datetime) -> int:
    try:
        return to_ticks(instant)
    except TypeError as error:
        raise CalendarError(f"{instant} has no time zone; give one, as in 2026-02-13T16:30:00+08:00") from error
