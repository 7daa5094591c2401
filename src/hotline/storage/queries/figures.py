"""Read the reports' figures: counts by dimension and day, the backlog at an instant, and the tickets behind each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from hotline.domain.kpi import AGE_BANDS, Measure, Period, settles_after
from hotline.storage.queries.counting import CITY_DAY
from hotline.storage.queries.slices import WHOLE, Days, Slice, rows, rows_alone, rows_of_each


@dataclass(frozen=True, slots=True)
class Count:
    """How many count and how many of them were met, before and after exclusion (剔除)."""

    n: int = 0
    hits: int = 0
    n_after: int = 0
    hits_after: int = 0


Counts = Mapping[Measure, Count]
# Dimension → what it is ("" for the whole) → counts.
Grouped = dict[str, dict[Any, dict[Measure, Count]]]
_FOUR = """sum(n), sum(hit),
    coalesce(sum(n) FILTER (WHERE NOT excluded), 0), coalesce(sum(hit) FILTER (WHERE NOT excluded), 0)"""


def counts(session: Session, period: Period, chosen: Slice, by: Sequence[str], *, now: datetime) -> Grouped:
    """Return the counts of the period: of the whole, and by each dimension of ``by``.

    A dimension is a column of the countings; ``now`` is the present instant.
    """
    days = Days.of(period, now)
    if days is not None and not chosen.dimensions:
        found, given = rows_of_each(period, chosen, days, (WHOLE, *by))
        query = f"SELECT dimension, key, measure, {_FOUR} FROM ({found}) row GROUP BY dimension, key, measure"
    elif days is not None and not by and len(chosen.dimensions) == 1:
        found, given = rows_alone(period, chosen, days)
        query = f"SELECT '{WHOLE}', NULL, measure, {_FOUR} FROM ({found}) row GROUP BY measure"
    else:
        found, given = rows(period, chosen, by, now=now)
        sets = ", ".join(["(measure)", *(f"(measure, {name})" for name in by)])
        query = f"""
            SELECT {_which(by)}, measure, {_FOUR} FROM ({found}) row GROUP BY GROUPING SETS ({sets})"""
    grouped: Grouped = {WHOLE: {"": {}}, **{dimension: {} for dimension in by}}
    for dimension, key, measure, *numbers in session.execute(text(query), given):
        if numbers[0]:
            place = "" if dimension == WHOLE else key
            grouped[dimension].setdefault(place, {})[Measure(measure)] = Count(*(int(number) for number in numbers))
    return grouped


def _which(by: Sequence[str]) -> str:
    """Return the columns that tell a row of grouping sets: which dimension it is of, and what of it."""
    if not by:
        return f"'{WHOLE}', NULL"
    which = " ".join(f"WHEN grouping({name}) = 0 THEN '{name}'" for name in by)
    return f"CASE {which} ELSE '{WHOLE}' END, coalesce({', '.join(f'{column}::text' for column in by)})"


def daily(session: Session, period: Period, chosen: Slice, measure: Measure, *, now: datetime) -> dict[date, Count]:
    """Return the counts of one measure by day of the city."""
    days = Days.of(period, now)
    if days is not None and len(chosen.dimensions) <= 1:
        found, given = rows_alone(period, chosen, days)
    else:
        found, given = rows(period, chosen, (f"{CITY_DAY} AS day",), now=now)
    query = f"SELECT day, {_FOUR} FROM ({found}) row WHERE measure = :measure GROUP BY day HAVING sum(n) <> 0"
    numbered = session.execute(text(query), given | {"measure": measure})
    return {day: Count(*(int(number) for number in numbers)) for day, *numbers in numbered}


def by_hour(session: Session, period: Period, chosen: Slice, *, now: datetime) -> dict[tuple[int, int], int]:
    """Return how many tickets came in by weekday (1 for Monday) and hour of the city's day."""
    days = Days.of(period, now)
    if days is not None and not chosen.dimensions:
        found, given = rows_of_each(period, chosen, days, ("hour",))
        local = "extract(isodow FROM day)::int, key::int"
    else:
        found, given = rows(period, chosen, ("at AT TIME ZONE 'Asia/Shanghai' AS local",), now=now)
        local = "extract(isodow FROM local)::int, extract(hour FROM local)::int"
    query = f"SELECT {local}, sum(n) FROM ({found}) row WHERE measure = 'received' GROUP BY 1, 2 HAVING sum(n) <> 0"
    return {(day, hour): int(number) for day, hour, number in session.execute(text(query), given)}


def backlog(session: Session, instant: datetime, chosen: Slice, by: str | None = None) -> dict[Any, tuple[int, ...]]:
    """Return how many tickets waited at ``instant``, by age band: of the whole (key ""), and by ``by``."""
    condition, given = chosen.condition()
    given["instant"] = instant
    bands = ", ".join(
        f"count(*) FILTER (WHERE age >= interval '{first} days'"
        + (f" AND age < interval '{last} days')" if last is not None else ")")
        for first, last in AGE_BANDS
    )
    column = by or "NULL"
    sets = f"GROUPING SETS ((), ({by}))" if by else "()"
    which = f"grouping({by})" if by else "1"
    query = f"""
        SELECT {which}, {column}::text, {bands} FROM (
            SELECT *, CAST(:instant AS timestamptz) - received_at AS age FROM waited
            WHERE tstzrange(since, until) @> CAST(:instant AS timestamptz) AND {condition}
        ) open GROUP BY {sets}"""
    found: dict[Any, tuple[int, ...]] = {"": (0,) * len(AGE_BANDS)}
    for whole, key, *numbers in session.execute(text(query), given):
        found["" if whole else key] = tuple(numbers)
    return found


@dataclass(frozen=True, slots=True)
class Member:
    """One counting behind a figure."""

    ticket_id: int
    at: datetime
    hit_at: datetime | None
    department_id: int | None
    excluded: bool


def cohort(
    session: Session, period: Period, chosen: Slice, measure: Measure, met: bool | None, *, offset: int, limit: int
) -> tuple[int, list[Member]]:
    """Return how many countings stand behind a figure and a page of them, newest first.

    ``met`` True gives its numerator, False the rest, None its denominator.
    """
    condition, given = chosen.condition()
    given |= {"start": period.start, "end": period.end, "as_of": period.as_of, "measure": measure}
    given["settled"] = period.as_of - settles_after(measure)
    condition += " AND measure = :measure AND at >= :start AND at < :end AND at <= :settled"
    if met is not None:
        condition += f" AND {'' if met else 'NOT '}(hit_at IS NOT NULL AND hit_at <= :as_of)"
    total = session.scalar(text(f"SELECT count(*) FROM counted WHERE {condition}"), given) or 0
    page = f"""
        SELECT ticket_id, at, CASE WHEN hit_at <= :as_of THEN hit_at END, department_id, excluded FROM counted
        WHERE {condition} ORDER BY at DESC, ticket_id DESC OFFSET :offset LIMIT :limit"""
    rows = session.execute(text(page), given | {"offset": offset, "limit": limit})
    return total, [Member(*row) for row in rows]


def waiting(session: Session, instant: datetime, chosen: Slice, *, offset: int, limit: int) -> tuple[int, list[Member]]:
    """Return how many tickets waited at ``instant`` and a page of them, oldest first."""
    condition, given = chosen.condition()
    given |= {"instant": instant, "offset": offset, "limit": limit}
    condition += " AND tstzrange(since, until) @> CAST(:instant AS timestamptz)"
    total = session.scalar(text(f"SELECT count(*) FROM waited WHERE {condition}"), given) or 0
    page = f"""
        SELECT ticket_id, received_at, NULL, department_id, excluded FROM waited WHERE {condition}
        ORDER BY received_at, ticket_id OFFSET :offset LIMIT :limit"""
    return total, [Member(*row) for row in session.execute(text(page), given)]
