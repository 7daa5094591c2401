"""Handling times (办理时长): mean and percentiles, exact, from the packed times of days that are over and from single
countings for the rest.

Percentiles of days cannot be summed, but their values can be put together: a float32 each, so that a month of a city is
read in one go instead of ticket by ticket.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from hotline.domain.kpi import Durations, Period
from hotline.storage.queries.slices import WHOLE, Slice, city_day, midnight
from hotline.storage.tables import HANDLED_DAY

PACKED = np.dtype("<f4")
# What a packed day is kept by, as columns of the countings.
DIMENSIONS = ("department_id", "district", "task", "matter", "channel", "type")
ONE_DAY = timedelta(days=1)

Place = tuple[str, str | None]
Times = dict[Place, list[Any]]


def handling_times(
    session: Session, period: Period, chosen: Slice, by: Sequence[str]
) -> dict[str, dict[Any, Durations]]:
    """Return the handling times of what was completed in the period: of the whole, and by each dimension of ``by``."""
    end = min(period.end, period.as_of + timedelta(microseconds=1))
    times: Times = defaultdict(list)
    kept: set[date] = set()
    if not chosen.dimensions or (len(chosen.dimensions) == 1 and not by):
        kept = _read_days(session, _Days.between(period.start, end), chosen, by, times)
    _read_countings(session, _gaps(period.start, end, kept), chosen, by, times)
    found: dict[str, dict[Any, Durations]] = {WHOLE: {"": Durations()}, **{dimension: {} for dimension in by}}
    for (dimension, key), parts in times.items():
        seconds = np.concatenate(parts)
        if len(seconds):
            found[dimension]["" if dimension == WHOLE else key] = _durations(seconds)
    return found


def _durations(seconds: Any) -> Durations:
    percentiles = np.percentile(seconds, (50, 90, 95))
    return Durations(len(seconds), float(seconds.mean(dtype=np.float64)), *(float(value) for value in percentiles))


@dataclass(frozen=True, slots=True)
class _Days:
    """The whole days of the city ``[first, last)`` within two instants."""

    first: date
    last: date

    @classmethod
    def between(cls, start: datetime, end: datetime) -> "_Days":
        first = city_day(start)
        return cls(first if start == midnight(first) else first + ONE_DAY, city_day(end))


def _read_days(session: Session, days: _Days, chosen: Slice, by: Sequence[str], times: Times) -> set[date]:
    """Put the packed times of ``days`` into ``times``; return the days that there are.

    Which days there are is told by the same statement, so that none is lost or read twice while days change.
    """
    condition, given = chosen.condition_alone()
    each = "AND NOT excluded" if chosen.after_exclusion else ""
    query = f"""
        SELECT dimension, key, day, seconds FROM handled_day
        WHERE day >= :first AND day < :last AND dimension = ANY(:by) {each}
        UNION ALL
        SELECT '{WHOLE}', NULL, day, seconds FROM handled_day WHERE day >= :first AND day < :last AND {condition}
        UNION ALL
        SELECT 'kept', NULL, day, NULL FROM handled_day
        WHERE day >= :first AND day < :last AND dimension = '{WHOLE}' AND NOT excluded"""
    given |= {"first": days.first, "last": days.last, "by": list(by)}
    kept = set()
    for dimension, key, day, seconds in session.execute(text(query), given):
        if seconds is None:
            kept.add(day)
        else:
            times[dimension, key].append(np.frombuffer(seconds, PACKED))
    return kept


def _gaps(start: datetime, end: datetime, kept: set[date]) -> list[tuple[datetime, datetime]]:
    """Return the stretches of ``[start, end)`` that lie in no day of ``kept``."""
    gaps, since = [], start
    for day in sorted(kept):
        if since < midnight(day):
            gaps.append((since, midnight(day)))
        since = midnight(day + ONE_DAY)
    return [*gaps, (since, end)] if since < end else gaps


def _read_countings(
    session: Session, gaps: Sequence[tuple[datetime, datetime]], chosen: Slice, by: Sequence[str], times: Times
) -> None:
    if not gaps:
        return
    condition, given = chosen.condition()
    columns = "".join(f"{column}::text, " for column in by)
    grouping = f"GROUP BY {', '.join(by)}" if by else ""
    query = f"""
        SELECT {columns}array_agg(seconds) FROM unnest(CAST(:since AS timestamptz[]), CAST(:until AS timestamptz[]))
            gap (since, until) JOIN counted ON measure = 'handled' AND at >= since AND at < until
        WHERE {condition} {grouping}"""
    given |= {"since": [since for since, _ in gaps], "until": [until for _, until in gaps]}
    for *keys, seconds in session.execute(text(query), given):
        if seconds:
            values = np.asarray(seconds, PACKED)
            for place in ((WHOLE, None), *zip(by, keys, strict=True)):
                times[place].append(values)


def pack_days(session: Session, before: date, limit: int) -> int:
    """Pack up to ``limit`` days before ``before`` that are not packed yet, the newest first; return how many.

    The caller keeps others from counting meanwhile.
    """
    missing = text(f"""
        SELECT day FROM counted_day_by
        WHERE dimension = '{WHOLE}' AND measure = 'handled' AND day < :before GROUP BY day HAVING sum(n) <> 0
        EXCEPT SELECT day FROM handled_day WHERE dimension = '{WHOLE}' AND NOT excluded
        ORDER BY day DESC LIMIT :limit""")
    days = session.scalars(missing, {"before": before, "limit": limit}).all()
    for day in days:
        session.execute(insert(HANDLED_DAY), _packed(session, day))
    return len(days)


def _packed(session: Session, day: date) -> list[dict[str, Any]]:
    query = text(f"""
        SELECT {", ".join(f"{name}::text" for name in DIMENSIONS)}, excluded, seconds FROM counted
        WHERE measure = 'handled' AND at >= :start AND at < :end""")
    values: dict[tuple[str, str | None, bool], list[float]] = defaultdict(list)
    # A day is packed once this row is there, though it may hold nothing.
    values[WHOLE, None, False] = []
    for *keys, excluded, seconds in session.execute(query, {"start": midnight(day), "end": midnight(day + ONE_DAY)}):
        for dimension, key in ((WHOLE, None), *zip(DIMENSIONS, keys, strict=True)):
            values[dimension, key, excluded].append(seconds)
    return [
        {"dimension": dimension, "day": day, "key": key, "excluded": excluded, "seconds": _bytes(seconds)}
        for (dimension, key, excluded), seconds in values.items()
    ]


def _bytes(seconds: Sequence[float]) -> bytes:
    return np.asarray(seconds, PACKED).tobytes()
