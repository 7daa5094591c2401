"""What the charts of the report show, as plain lists: the tables beside them are made of the same."""

from dataclasses import dataclass, replace
from datetime import date, timedelta

from sqlalchemy.orm import Session

from hotline.domain.city_time import CITY_ZONE
from hotline.domain.kpi import Measure, Period
from hotline.services.context import Context
from hotline.services.reporting import Choice, a_year_before, slice_of
from hotline.storage.queries import figures

# A longer trend is told in weeks: more points than that cannot be told apart on a screen.
MOST_DAYS = 100


@dataclass(frozen=True, slots=True)
class Point:
    """One day, or the week that begins on it: calls now and in the same period of the year before (None: no day)."""

    day: date
    received: int
    last_year: int | None


@dataclass(frozen=True)
class Charts:
    """The trend, in days or weeks, and calls by weekday (row 0 is Monday) and hour."""

    trend: tuple[Point, ...]
    by_week: bool
    hours: tuple[tuple[int, ...], ...]


def charts(session: Session, context: Context, period: Period, choice: Choice) -> Charts:
    """Compute what the trend and the heat map show; the other charts show lines of the report itself."""
    chosen, now = slice_of(session, choice), context.now()
    last = a_year_before(period)
    this_year = figures.daily(session, period, chosen, Measure.RECEIVED, now=now)
    before = figures.daily(session, replace(last, as_of=period.as_of), chosen, Measure.RECEIVED, now=now)
    first, days = _days(period)
    first_before, _ = _days(last)

    def received(found: dict[date, figures.Count], day: date) -> int:
        return found[day].n if day in found else 0

    points = [
        Point(
            first + timedelta(days=number),
            received(this_year, first + timedelta(days=number)),
            received(before, first_before + timedelta(days=number)),
        )
        for number in range(days)
    ]
    by_week = days > MOST_DAYS
    if by_week:
        points = [_sum(points[number : number + 7]) for number in range(0, days, 7)]
    hours = figures.by_hour(session, period, chosen, now=now)
    grid = tuple(tuple(hours.get((day, hour), 0) for hour in range(24)) for day in range(1, 8))
    return Charts(tuple(points), by_week, grid)


def _days(period: Period) -> tuple[date, int]:
    """Return the period's first day in the city and how many days it has, none of them to come."""
    first = period.start.astimezone(CITY_ZONE).date()
    end = min(period.end, period.as_of + timedelta(microseconds=1))
    last = (end - timedelta(microseconds=1)).astimezone(CITY_ZONE).date()
    return first, max((last - first).days + 1, 0)


def _sum(week: list[Point]) -> Point:
    return Point(week[0].day, sum(point.received for point in week), sum(point.last_year or 0 for point in week))
