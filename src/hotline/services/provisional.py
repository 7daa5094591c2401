"""Years without a notice: dues that reach into them are provisional (暂定), which is said once and to supervisors."""

from collections.abc import Iterable
from datetime import datetime

import structlog
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from hotline.domain.calendar import Calendar
from hotline.services.context import Context
from hotline.services.notifying import notify_supervisors
from hotline.storage.tables import CalendarWarning

log = structlog.get_logger()

CALENDAR_PROVISIONAL = "calendar_provisional"


def unpublished(calendar: Calendar, start: datetime, end: datetime) -> tuple[int, ...]:
    """Return the years between ``start`` and ``end`` that the calendar has no notice for."""
    if calendar.published_years is None:
        return ()
    first, last = (instant.astimezone(calendar.zone).year for instant in (start, end))
    return tuple(year for year in range(first, last + 1) if year not in calendar.published_years)


def warn_once(session: Session, context: Context, start: datetime, end: datetime) -> None:
    """Warn of each unpublished year between ``start`` and ``end`` that has not been warned of before."""
    for year in _new(session, unpublished(context.calendar, start, end)):
        row = {"year": year, "at": context.now()}
        added = insert(CalendarWarning).values(row).on_conflict_do_nothing().returning(CalendarWarning.year)
        if session.execute(added).scalar() is not None:
            log.warning(CALENDAR_PROVISIONAL, year=year)
            notify_supervisors(session, context, CALENDAR_PROVISIONAL, year=year)


def _new(session: Session, years: Iterable[int]) -> list[int]:
    # Most dues of such a year come long after the first one, and need not write for it.
    known = set(session.scalars(select(CalendarWarning.year).where(CalendarWarning.year.in_(list(years)))))
    return [year for year in years if year not in known]
