"""Read the reports' figures from the countings: sums of days for what lies back, countings themselves for the rest.

A report that is told as of now reads the daily sums of all days before today, however many tickets they hold, and the
countings of today; one with a filter on matter, channel or type, or told as of an earlier instant, reads countings.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from hotline.domain.city_time import CITY_ZONE
from hotline.domain.kpi import AGE_BANDS, ONE_PASS_SETTLES, Durations, Measure, Period
from hotline.storage.queries.counting import CITY_DAY

# A report told as of so long ago is as good as one of now: what the sums know more is what happened since.
JUST_NOW = timedelta(minutes=1)

# What the daily sums can be told apart by.
SUMMED = {"department_id", "district", "task", "1"}

# What stands for "none" where a dimension is chosen: tickets without a department, district or matter.
NONE = "-"


@dataclass(frozen=True, slots=True)
class Slice:
    """Which part of the city's tickets is looked at.

    None means all, an empty tuple of departments those without one.
    """

    departments: tuple[int, ...] | None = None
    district: str | None = None
    task: str | None = None
    matter: str | None = None
    channel: str | None = None
    type: str | None = None
    after_exclusion: bool = False

    @property
    def is_summed(self) -> bool:
        """Tell whether the daily sums know every dimension that is chosen."""
        return self.matter is None and self.channel is None and self.type is None


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
WHOLE = "whole"


def _conditions(chosen: Slice) -> tuple[str, dict[str, Any]]:
    """Return the condition on a row of countings, sums or times, and its parameters."""
    parts, given = ["true"], {}
    if chosen.departments is not None:
        parts.append("department_id = ANY(:departments)" if chosen.departments else "department_id IS NULL")
        given["departments"] = list(chosen.departments)
    for name in (field.name for field in fields(chosen)):
        value = getattr(chosen, name)
        if name in ("departments", "after_exclusion") or value is None:
            continue
        parts.append(f"{name} IS NULL" if value == NONE else f"{name} = :{name}")
        given[name] = value
    if chosen.after_exclusion:
        parts.append("NOT excluded")
    return " AND ".join(parts), given


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=CITY_ZONE)


def _rows(
    period: Period, chosen: Slice, *, now: datetime, columns: str, of_counting: str | None = None
) -> tuple[str, dict[str, Any]]:
    """Return a query of the cohort's rows (``columns``, measure, n, hit, excluded), summed by day where that may be.

    ``of_counting`` says what ``columns`` are of a single counting, where that is something else.
    """
    condition, given = _conditions(chosen)
    given |= {"start": period.start, "end": period.end, "as_of": period.as_of, "settles": ONE_PASS_SETTLES}
    hit = "(hit_at IS NOT NULL AND hit_at <= :as_of)::int"
    of_tickets = f"""
        SELECT {of_counting or columns}, measure, 1 AS n, {hit} AS hit, excluded FROM counted
        WHERE {condition} AND at >= :start AND at < :end AND at <= :as_of"""
    settled = " AND (measure <> 'one_pass' OR at + :settles <= :as_of)"
    is_live = period.as_of >= now - JUST_NOW
    known = of_counting is not None or {column.strip() for column in columns.split(",")} <= SUMMED
    if not chosen.is_summed or not known or not is_live or period.start != _midnight(_city_day(period.start)):
        return of_tickets + settled, given
    today = _city_day(period.as_of)
    first_open = min(_midnight(today), period.end)
    settled_day = today - ONE_PASS_SETTLES - timedelta(days=1)
    whole_days = min(today, _city_day(period.end))
    given |= {"first": _city_day(period.start), "open_day": whole_days, "settled_day": settled_day}
    # A last day that is cut short cannot be read from its sum.
    first_open = min(first_open, _midnight(whole_days))
    given |= {"open": first_open, "unsettled": _midnight(settled_day + timedelta(days=1))}
    return (
        f"""
        SELECT {columns}, measure, n, hits AS hit, excluded FROM counted_day
        WHERE {condition} AND day >= :first AND day < :open_day AND (measure <> 'one_pass' OR day <= :settled_day)
        UNION ALL {of_tickets}{settled}
          AND (at >= :open OR (measure = 'one_pass' AND at >= :unsettled))"""
    ), given


def _city_day(instant: datetime) -> date:
    return instant.astimezone(CITY_ZONE).date()


def counts(session: Session, period: Period, chosen: Slice, by: Sequence[str], *, now: datetime) -> Grouped:
    """Return the counts of the period: of the whole, and by each dimension of ``by``.

    A dimension is a column of the countings; ``now`` is the present instant.
    """
    columns = ", ".join(by) or "1"
    rows, given = _rows(period, chosen, now=now, columns=columns)
    sets = ", ".join(["(measure)", *(f"(measure, {name})" for name in by)])
    which = " ".join(f"WHEN grouping({name}) = 0 THEN '{name}'" for name in by)
    name = f"CASE {which} ELSE '{WHOLE}' END" if by else f"'{WHOLE}'"
    value = f"coalesce({', '.join(f'{column}::text' for column in by)})" if by else "NULL"
    query = f"""
        SELECT {name}, {value}, measure, sum(n), sum(hit),
               coalesce(sum(n) FILTER (WHERE NOT excluded), 0), coalesce(sum(hit) FILTER (WHERE NOT excluded), 0)
        FROM ({rows}) row GROUP BY GROUPING SETS ({sets})"""
    found: Grouped = {WHOLE: {"": {}}, **{dimension: {} for dimension in by}}
    for dimension, key, measure, *numbers in session.execute(text(query), given):
        place = "" if dimension == WHOLE else key
        found[dimension].setdefault(place, {})[Measure(measure)] = Count(*(int(number) for number in numbers))
    return found


def handling_times(
    session: Session, period: Period, chosen: Slice, by: Sequence[str]
) -> dict[str, dict[Any, Durations]]:
    """Return the handling times of what was completed in the period: of the whole, and by each dimension of ``by``."""
    condition, given = _conditions(chosen)
    given |= {"start": period.start, "end": period.end, "as_of": period.as_of}
    sets = ", ".join(["()", *(f"({name})" for name in by)])
    which = " ".join(f"WHEN grouping({name}) = 0 THEN '{name}'" for name in by)
    name = f"CASE {which} ELSE '{WHOLE}' END" if by else f"'{WHOLE}'"
    value = f"coalesce({', '.join(f'{column}::text' for column in by)})" if by else "NULL"
    query = f"""
        SELECT {name}, {value}, count(*), avg(seconds),
               percentile_cont(ARRAY[0.5, 0.9, 0.95]) WITHIN GROUP (ORDER BY seconds)
        FROM counted WHERE {condition} AND measure = 'handled' AND at >= :start AND at < :end AND at <= :as_of
        GROUP BY GROUPING SETS ({sets})"""
    found: dict[str, dict[Any, Durations]] = {WHOLE: {"": Durations()}, **{dimension: {} for dimension in by}}
    for dimension, key, number, mean, percentiles in session.execute(text(query), given):
        if number:
            found[dimension]["" if dimension == WHOLE else key] = Durations(number, mean, *percentiles)
    return found


def backlog(session: Session, instant: datetime, chosen: Slice, by: str | None = None) -> dict[Any, tuple[int, ...]]:
    """Return how many tickets waited at ``instant``, by age band: of the whole (key ""), and by ``by``."""
    condition, given = _conditions(chosen)
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
    condition, given = _conditions(chosen)
    given |= {"start": period.start, "end": period.end, "as_of": period.as_of, "measure": measure}
    condition += " AND measure = :measure AND at >= :start AND at < :end AND at <= :as_of"
    if measure is Measure.ONE_PASS:
        condition += " AND at + :settles <= :as_of"
        given["settles"] = ONE_PASS_SETTLES
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
    condition, given = _conditions(chosen)
    given |= {"instant": instant, "offset": offset, "limit": limit}
    condition += " AND tstzrange(since, until) @> CAST(:instant AS timestamptz)"
    total = session.scalar(text(f"SELECT count(*) FROM waited WHERE {condition}"), given) or 0
    page = f"""
        SELECT ticket_id, received_at, NULL, department_id, excluded FROM waited WHERE {condition}
        ORDER BY received_at, ticket_id OFFSET :offset LIMIT :limit"""
    return total, [Member(*row) for row in session.execute(text(page), given)]


def daily(session: Session, period: Period, chosen: Slice, measure: Measure, *, now: datetime) -> dict[date, Count]:
    """Return the counts of one measure by day of the city."""
    rows, given = _rows(period, chosen, now=now, columns="day", of_counting=f"{CITY_DAY} AS day")
    query = f"""
        SELECT day, sum(n), sum(hit), coalesce(sum(n) FILTER (WHERE NOT excluded), 0),
               coalesce(sum(hit) FILTER (WHERE NOT excluded), 0)
        FROM ({rows}) row WHERE measure = :measure GROUP BY day"""
    found = session.execute(text(query), given | {"measure": measure})
    return {day: Count(*(int(number) for number in numbers)) for day, *numbers in found}


def by_hour(session: Session, period: Period, chosen: Slice) -> dict[tuple[int, int], int]:
    """Return how many tickets came in by weekday (1 for Monday) and hour of the city's day."""
    condition, given = _conditions(chosen)
    given |= {"start": period.start, "end": period.end, "as_of": period.as_of}
    query = f"""
        SELECT extract(isodow FROM local)::int, extract(hour FROM local)::int, count(*) FROM (
            SELECT at AT TIME ZONE 'Asia/Shanghai' AS local FROM counted
            WHERE {condition} AND measure = 'received' AND at >= :start AND at < :end AND at <= :as_of
        ) call GROUP BY 1, 2"""
    return {(day, hour): number for day, hour, number in session.execute(text(query), given)}
