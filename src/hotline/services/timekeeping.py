"""Calendar and limits as the database has them: what ships with the program, and the editions imported over it."""

import threading
import time
from collections.abc import Iterable
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from hotline.domain.calendar import Calendar
from hotline.domain.limits import LimitRules, rules_from_mapping
from hotline.domain.timekeeping import LimitSet, Timekeeping, in_order
from hotline.reference.calendars import assemble, shipped_parts
from hotline.storage.engine import SessionFactory, looking_up
from hotline.storage.tables import CalendarEdition, LimitSetRow

# Between the version of what ships and the number of the newest edition over it.
_PLUS = "+"

# How often a process asks whether another calendar or other limits are in force.
CHECK_SECONDS = 5.0


class Newest(NamedTuple):
    """The newest edition of either kind, 0 for none; it changes when one is imported."""

    calendar: int
    limits: int


def newest(session: Session) -> Newest:
    """Ask which editions are the newest; one cheap statement."""
    highest = select(
        select(func.coalesce(func.max(CalendarEdition.id), 0)).scalar_subquery(),
        select(func.coalesce(func.max(LimitSetRow.id), 0)).scalar_subquery(),
    )
    return Newest(*session.execute(highest).one())


def load_timekeeping(session: Session) -> Timekeeping:
    """Return calendar and limits as they are now."""
    return Timekeeping(_calendar(editions(session)), in_order([as_value(row) for row in limit_sets(session)]))


def editions(session: Session) -> list[CalendarEdition]:
    """Return all imported editions of the calendar, the oldest first."""
    return list(session.scalars(select(CalendarEdition).order_by(CalendarEdition.id)))


def limit_sets(session: Session) -> list[LimitSetRow]:
    """Return all imported sets of limits, the oldest first."""
    return list(session.scalars(select(LimitSetRow).order_by(LimitSetRow.id)))


def as_value(row: LimitSetRow) -> LimitSet:
    """Return the row as the value that the domain reads."""
    return LimitSet(row.valid_from, _rules(row))


def _rules(row: LimitSetRow) -> LimitRules:
    return rules_from_mapping({"version": row.version, "rules": row.rules})


def _calendar(imported: Iterable[CalendarEdition]) -> Calendar:
    week, years = calendar_parts(imported)
    return assemble(week, years)


def calendar_parts(imported: Iterable[CalendarEdition]) -> tuple[dict[str, Any], dict[int, Any]]:
    """Return the hours of the week and the notices by year, with each of ``imported`` laid over what was before."""
    week, years = shipped_parts()
    week, years = dict(week), dict(years)
    for edition in imported:
        if edition.year is None:
            week |= edition.body
        else:
            years[edition.year] = edition.body
        week["version"] = f"{shipped_parts()[0]['version']}{_PLUS}{edition.id}"
    return week, years


def with_editions(session: Session, more: Iterable[CalendarEdition]) -> Calendar:
    """Return the calendar as it would be with ``more`` editions, which have no number yet.

    Raises ``CalendarError`` when one cannot be read.
    """
    return _calendar([*editions(session), *more])


def calendar_versioned(session: Session, version: str) -> Calendar | None:
    """Return the calendar that a stored result names, None when it was made from files that no longer ship."""
    shipped, _, number = version.partition(_PLUS)
    if shipped != shipped_parts()[0]["version"]:
        return None
    upto = int(number) if number.isdigit() else 0
    return _calendar(edition for edition in editions(session) if edition.id <= upto)


def changed_days(before: Calendar, after: Calendar, year: int) -> list[date]:
    """Return the days of ``year`` on which other hours are worked after than before."""
    days = (date.fromordinal(day) for day in range(date(year, 1, 1).toordinal(), date(year + 1, 1, 1).toordinal()))
    return [day for day in days if before.windows_on(day) != after.windows_on(day)]


class TimekeepingSource:
    """Gives calendar and limits, and notices within seconds when others have been imported."""

    def __init__(self, sessions: SessionFactory, check_every_seconds: float = CHECK_SECONDS) -> None:
        self._sessions = sessions
        self._check_every = check_every_seconds
        self._lock = threading.Lock()
        self._checked_at = float("-inf")
        self._newest: Newest | None = None
        self._present: Timekeeping | None = None

    def current(self) -> Timekeeping:
        """Return what is in force.  Raises the database's error only when nothing has been read before."""
        present = self._present
        if present is not None and time.monotonic() - self._checked_at < self._check_every:
            return present
        # While one thread asks, the others go on with what they have; the first answer is waited for.
        if not self._lock.acquire(blocking=present is None):
            assert present is not None
            return present
        try:
            return self._asked()
        except DBAPIError:
            if self._present is None:
                raise
            return self._present
        finally:
            self._lock.release()

    def refresh(self) -> None:
        """Ask now, for work that must not be done by what was in force before."""
        with self._lock:
            self._checked_at = float("-inf")
            self._asked()

    def _asked(self) -> Timekeeping:
        if self._present is None or time.monotonic() - self._checked_at >= self._check_every:
            with looking_up(self._sessions) as session:
                found = newest(session)
                if self._present is None or found != self._newest:
                    self._present, self._newest = load_timekeeping(session), found
            self._checked_at = time.monotonic()
        return self._present
