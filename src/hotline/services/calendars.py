"""Import a working calendar (工作日历): a year's notice or the hours of the week, as a new edition beside the old ones.

Every process takes the new edition up within seconds, and a job then computes the dues of open tickets anew.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from sqlalchemy.orm import Session

from hotline.domain.audit import AuditAction
from hotline.domain.calendar import Calendar, CalendarError
from hotline.domain.people import Actor
from hotline.domain.timekeeping import Timekeeping
from hotline.jobs.queue import enqueue
from hotline.jobs.registry import RECOMPUTE
from hotline.reference.calendars import year_from_mapping
from hotline.services import audit
from hotline.services.context import Context
from hotline.services.errors import Conflict, InvalidInput
from hotline.services.timekeeping import CHECK_SECONDS, changed_days, with_editions
from hotline.storage.tables import CalendarEdition

# Which parts of a file make the hours of the week; its name and version are its author's and not taken over.
WEEK = ("timezone", "windows", "makeup_windows")
_FILE = (*WEEK, "years", "name", "version")
_NOTICE = ("notice", "holidays", "makeup_days")

# Until then every process has noticed, so that none computes a due by the old edition behind the job's back.
SETTLED_AFTER = timedelta(seconds=2 * CHECK_SECONDS)


@dataclass(frozen=True, slots=True)
class CalendarPlan:
    """What an import would do: the editions it adds, the calendar after it and the days that change, by year."""

    editions: tuple[CalendarEdition, ...]
    calendar: Calendar
    changed: Mapping[int, list[date]]
    newly_published: tuple[int, ...]


def plan_import(session: Session, context: Context, given: object, actor: Actor) -> CalendarPlan:
    """Read a parsed file: ``{"year": 2027, "notice", "holidays", "makeup_days"}``, or whole as it ships, or in part.

    Raises ``InvalidInput`` that says what cannot be read, and ``Conflict`` when nothing would change.
    """
    present = context.calendar
    try:
        editions = [_edition(context, year, body, actor) for year, body in _parts(given)]
        after = with_editions(session, editions)
    except CalendarError as error:
        raise InvalidInput("calendar", str(error)) from error
    before_years = present.published_years or frozenset()
    fresh = tuple(sorted((after.published_years or frozenset()) - before_years))
    years = sorted({edition.year for edition in editions if edition.year} | before_years | set(fresh))
    changed = {year: days for year in years if (days := changed_days(present, after, year))}
    if not changed and not fresh and after.zone == present.zone:
        raise Conflict("the calendar says all of that already; nothing would change")
    return CalendarPlan(tuple(editions), after, changed, fresh)


def _parts(given: object) -> list[tuple[int | None, dict[str, Any]]]:
    """Return the parts of a file as (year, notice), and (None, hours of the week) where it has any."""
    if not isinstance(given, dict):
        raise CalendarError("the file holds no object")
    if "year" in given:
        years, week = {given["year"]: {name: value for name, value in given.items() if name != "year"}}, {}
    else:
        unknown = [str(name) for name in given if name not in _FILE]
        if unknown:
            raise CalendarError(f"unknown key {unknown[0][:40]!r}; allowed are year, {', '.join((*_NOTICE, *_FILE))}")
        years, week = given.get("years", {}), {name: given[name] for name in WEEK if name in given}
    if not isinstance(years, dict):
        raise CalendarError("years: expected an object")
    parts: list[tuple[int | None, dict[str, Any]]] = [(None, week)] if week else []
    parts += [_notice(year, body) for year, body in sorted(years.items(), key=lambda item: str(item[0]))]
    if not parts:
        raise CalendarError("the file holds neither a year's notice nor hours of the week")
    return parts


def _notice(year: object, body: object) -> tuple[int, dict[str, Any]]:
    number = int(year) if isinstance(year, str) and year.isdecimal() else year
    if not isinstance(number, int) or isinstance(number, bool) or not 1900 <= number <= 2199:
        raise CalendarError(f"{str(year)[:20]!r} is not a year")
    year_from_mapping(number, body)
    assert isinstance(body, dict)
    unknown = [str(name) for name in body if name not in _NOTICE]
    if unknown:
        raise CalendarError(f"the notice for {number}: unknown key {unknown[0][:40]!r}")
    return number, body


def _edition(context: Context, year: int | None, body: dict[str, Any], actor: Actor) -> CalendarEdition:
    source = body.get("notice")
    return CalendarEdition(
        year=year,
        body=_plain(body),
        source=str(source)[:200] if source else None,
        imported_at=context.now(),
        imported_by=actor.address or actor.role,
    )


def _plain(value: Any) -> Any:
    """Return ``value`` as JSON holds it: dates as texts."""
    if isinstance(value, dict):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return value.isoformat() if isinstance(value, date) else value


def in_force(context: Context, calendar: Calendar) -> Context:
    """Return the same surroundings with another calendar, to see what it would change."""
    sets = context.timekeeping().limit_sets
    return replace(context, timekeeping=lambda: Timekeeping(calendar, sets))


def import_calendar(session: Session, context: Context, plan: CalendarPlan, actor: Actor) -> None:
    """Add the planned editions, and have the dues of open tickets computed anew once every process has noticed."""
    session.add_all(plan.editions)
    session.flush()
    start_recomputing(session, context, "calendar_imported")
    detail = {
        "editions": [edition.id for edition in plan.editions],
        "years": [edition.year for edition in plan.editions],
        "changed_days": sum(len(days) for days in plan.changed.values()),
    }
    audit.append(session, context, actor, AuditAction.CALENDAR_IMPORTED, detail=detail)


def start_recomputing(session: Session, context: Context, reason: str) -> None:
    """Write the job that recomputes the dues of open tickets."""
    enqueue(session, RECOMPUTE, {"after_id": 0, "reason": reason}, not_before=context.now() + SETTLED_AFTER)
