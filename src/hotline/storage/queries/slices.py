"""Which part of the city's tickets a figure is of, and where its rows are read from: the daily sums of one dimension
alone, those of department, district and task together, or the countings themselves.

A report that is told as of now reads sums for all days before today, however many tickets they hold, and the countings
of today; one with a filter that the sums do not know, or told as of an earlier instant, reads countings.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta
from typing import Any

from hotline.domain.city_time import CITY_ZONE
from hotline.domain.kpi import ONE_PASS_SETTLES, Measure, Period
from hotline.storage.queries.counting import CITY_DAY, EACH_ALONE

# A report told as of so long ago is as good as one of now: what the sums know more is what happened since.
JUST_NOW = timedelta(minutes=1)

# What the sums of several dimensions together can be told apart by.
TOGETHER = ("department_id", "district", "task")

# What stands for "none" where a dimension is chosen: tickets without a department, district or matter.
NONE = "-"
WHOLE = "whole"


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
    def dimensions(self) -> tuple[str, ...]:
        """The dimensions in which something is chosen, as columns."""
        names = [field.name for field in fields(self) if field.name != "after_exclusion"]
        chosen = [name for name in names if getattr(self, name) is not None]
        return tuple("department_id" if name == "departments" else name for name in chosen)

    def condition(self) -> tuple[str, dict[str, Any]]:
        """Return the condition on a row of countings, sums of several dimensions or waits, and its parameters."""
        parts, given = ["true"], {}
        if self.departments is not None:
            parts.append("department_id = ANY(:departments)" if self.departments else "department_id IS NULL")
            given["departments"] = list(self.departments)
        for name in self.dimensions:
            if name == "department_id":
                continue
            value = getattr(self, name)
            parts.append(f"{name} IS NULL" if value == NONE else f"{name} = :{name}")
            if value != NONE:
                given[name] = value
        return " AND ".join([*parts, *self._exclusion()]), given

    def condition_alone(self) -> tuple[str, dict[str, Any]]:
        """The same on a row of the sums of one dimension, for a slice that chooses in one at most."""
        chosen = self.dimensions
        keys = [] if not chosen else [str(number) for number in self.departments or ()]
        if chosen and self.departments is None:
            value = getattr(self, chosen[0])
            keys = [] if value == NONE else [value]
        parts = ["dimension = :alone", "key = ANY(:keys)" if keys else "key IS NULL", *self._exclusion()]
        return " AND ".join(parts), {"alone": chosen[0] if chosen else WHOLE, "keys": keys}

    def _exclusion(self) -> list[str]:
        return ["NOT excluded"] if self.after_exclusion else []


def midnight(day: date) -> datetime:
    """Return the instant at which a day of the city begins."""
    return datetime.combine(day, time(), tzinfo=CITY_ZONE)


def city_day(instant: datetime) -> date:
    """Return the city's day that holds an instant."""
    return instant.astimezone(CITY_ZONE).date()


@dataclass(frozen=True, slots=True)
class Days:
    """The days ``[first, open)`` of a period that can be read from sums; countings tell what follows.

    Of what settles late (一次办结率) the sums tell the days up to ``settled``, which is not one of them.
    """

    first: date
    open: date
    settled: date

    @classmethod
    def of(cls, period: Period, now: datetime) -> "Days | None":
        """Return them, None where the period does not begin with a day or is told as of an earlier instant."""
        first = city_day(period.start)
        if period.as_of < now - JUST_NOW or period.start != midnight(first):
            return None
        today = city_day(period.as_of)
        # A last day that is cut short, or not over, cannot be read from its sum.
        return cls(first, max(first, min(today, city_day(period.end))), today - ONE_PASS_SETTLES)


def rows(period: Period, chosen: Slice, columns: Sequence[str], *, now: datetime) -> tuple[str, dict[str, Any]]:
    """Return a query of the cohort's rows: ``columns``, measure, n, hit, excluded, summed by day where that may be."""
    named = "".join(f"{column}, " for column in columns)
    condition, given = chosen.condition()
    days = Days.of(period, now)
    if days is None or not {*chosen.dimensions, *columns} <= {*TOGETHER}:
        return _countings(period, named, condition, given)
    query, given = _countings(period, named, condition, given, days)
    return f"{_sums('counted_day', named, condition)} UNION ALL {query}", given


def rows_alone(period: Period, chosen: Slice, days: Days) -> tuple[str, dict[str, Any]]:
    """Return a query of the cohort's rows of a slice that chooses in one dimension at most: day, and as above."""
    on_sums, keys = chosen.condition_alone()
    condition, given = chosen.condition()
    query, given = _countings(period, f"{CITY_DAY} AS day, ", condition, given | keys, days)
    return f"{_sums('counted_day_by', 'day, ', on_sums)} UNION ALL {query}", given


def rows_of_each(period: Period, chosen: Slice, days: Days, by: Sequence[str]) -> tuple[str, dict[str, Any]]:
    """Return a query of the whole city's rows in each dimension of ``by``: day, dimension, key, and as above."""
    exclusion, _ = chosen.condition()
    condition, named = f"dimension = ANY(:by) AND {exclusion}", "dimension, key, "
    query, given = _countings(period, f"{CITY_DAY} AS day, {named}", condition, {"by": list(by)}, days, EACH_ALONE)
    return f"{_sums('counted_day_by', f'day, {named}', condition)} UNION ALL {query}", given


def _sums(table: str, named: str, condition: str) -> str:
    return f"""
        SELECT {named}measure, n, hits AS hit, excluded FROM {table}
        WHERE {condition} AND day >= :first_day AND day < :open_day
          AND (measure <> 'one_pass' OR day < :settled_day)"""


def _countings(
    period: Period, named: str, condition: str, given: dict[str, Any], days: Days | None = None, sides: str = ""
) -> tuple[str, dict[str, Any]]:
    """Return a query of single countings: of the whole period, or of what sums of ``days`` do not tell."""
    given = given | {
        "start": period.start,
        "end": period.end,
        "as_of": period.as_of,
        "start_settling": period.start,
        "settled": period.as_of - ONE_PASS_SETTLES,
        "measures": [measure.value for measure in Measure if measure is not Measure.ONE_PASS],
    }
    if days is not None:
        given |= {"first_day": days.first, "open_day": days.open, "settled_day": days.settled}
        given |= {"start": midnight(days.open)}
        given |= {"start_settling": max(period.start, midnight(min(days.open, days.settled)))}
    query = f"""
        SELECT {named}measure, 1 AS n, (hit_at IS NOT NULL AND hit_at <= :as_of)::int AS hit, excluded
        FROM counted {sides} WHERE {condition} AND at < :end"""
    return (
        f"{query} AND measure = ANY(:measures) AND at >= :start AND at <= :as_of"
        f" UNION ALL {query} AND measure = 'one_pass' AND at >= :start_settling AND at <= :settled"
    ), given
