"""The administrator's page of the working calendar: hours of the week, and which years' notices are known."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import render_template

from hotline.domain.calendar import Calendar
from hotline.domain.city_time import CITY_ZONE
from hotline.domain.people import Permission
from hotline.reference.calendars import year_from_mapping
from hotline.services.timekeeping import calendar_parts, editions, load_timekeeping
from hotline.storage.engine import transaction
from hotline.storage.tables import CalendarEdition
from hotline.web.auth import requires
from hotline.web.pages.blueprint import bp
from hotline.web.pages.session import View
from hotline.web.runtime import runtime

# How many years ahead limits may reach, so that a notice that is still missing is seen in time.
AHEAD = 1


@dataclass(frozen=True, slots=True)
class Year:
    """A year on the page; ``notice`` None means that its notice is not known and its days are provisional."""

    year: int
    notice: Mapping[str, Any] | None
    holidays: int = 0
    edition: CalendarEdition | None = None


@bp.get("/calendar")
@requires(Permission.MANAGE_LISTS)
def calendar_page() -> View:
    """The years, those to come without a notice among them, and the hours of the week."""
    today = runtime().context.now().astimezone(CITY_ZONE).date()
    with transaction(runtime().sessions) as session:
        calendar, imported = load_timekeeping(session).calendar, editions(session)
    _week, notices = calendar_parts(imported)
    newest = {edition.year: edition for edition in imported}
    years = [_year(year, notices.get(year), newest.get(year)) for year in _shown(notices, today)]
    return render_template(
        "calendar.html",
        calendar=calendar,
        week=[[_span(window) for window in windows] for windows in calendar.windows],
        makeup=[_span(window) for window in _makeup(calendar)],
        years=years,
        today=today,
        week_edition=newest.get(None),
    )


def _shown(notices: Mapping[int, Any], today: date) -> list[int]:
    return sorted(set(notices) | set(range(today.year, today.year + AHEAD + 1)), reverse=True)


def _year(year: int, notice: Mapping[str, Any] | None, edition: CalendarEdition | None) -> Year:
    if notice is None:
        return Year(year, None)
    holidays, _makeup_days = year_from_mapping(year, notice)
    return Year(year, notice, len(holidays), edition)


def _makeup(calendar: Calendar) -> Any:
    return calendar.makeup_windows or next(filter(None, calendar.windows))


def _span(window: tuple[int, int]) -> str:
    return "–".join(f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}" for seconds in window)
