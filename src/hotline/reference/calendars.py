"""The working calendars that ship with the program, one dated file each in ``calendars/``."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from hotline.domain.calendar import Calendar, CalendarError, calendar_from_mapping

__all__ = [
    "Calendar",
    "CalendarError",
    "assemble",
    "calendar_from_mapping",
    "calendar_names",
    "load_calendar",
    "shipped_parts",
    "year_from_mapping",
]


@cache
def calendar_names() -> tuple[str, ...]:
    """Return the names that ``load_calendar`` knows."""
    folder = files("hotline.reference").joinpath("calendars")
    return tuple(sorted(item.name.removesuffix(".yaml") for item in folder.iterdir() if item.name.endswith(".yaml")))


def load_calendar(name: str = "cn") -> Calendar:
    """Return the calendar ``name``, parsed once per process.

    "cn" is Asia/Shanghai, 08:30–12:00 and 13:30–17:30, with the State Council's holidays and make-up days (调休).
    Raises ``CalendarError`` when there is none of that name.
    """
    if name not in calendar_names():
        raise CalendarError(f"calendar: {name[:40]!r} is not known; known are {', '.join(calendar_names())}")
    return _load(name)


@cache
def _load(name: str) -> Calendar:
    week, years = shipped_parts(name)
    return assemble(week, years)


@cache
def shipped_parts(name: str = "cn") -> tuple[dict[str, Any], dict[int, Any]]:
    """Return a shipped calendar in its two parts: the hours of the week, and the notices by year."""
    text = files("hotline.reference").joinpath("calendars", f"{name}.yaml").read_text(encoding="utf-8")
    data: dict[str, Any] = yaml.safe_load(text)
    years: dict[int, Any] = data.pop("years")
    return data, years


def assemble(week: Mapping[str, Any], years: Mapping[int, Any]) -> Calendar:
    """Put a calendar together from the hours of the week (with its version) and the notices by year.

    Raises ``CalendarError`` for parts that cannot be read.
    """
    calendar = replace(calendar_from_mapping(dict(week)), published_years=frozenset())
    for year, notice in sorted(years.items()):
        holidays, makeup_days = year_from_mapping(year, notice)
        calendar = calendar.with_year(year, holidays, makeup_days, version=calendar.version)
    return calendar


def year_from_mapping(year: int, notice: object) -> tuple[list[date], list[date]]:
    """Return the holidays and make-up days of one year's notice.

    Its form is ``{"holidays": [{"name", "from", "to"}, …], "makeup_days": [date, …]}`` with dates, both ends included.
    Raises ``CalendarError`` for another form, for spans that end before they begin, and for days far from ``year``:
    a notice may reach into the December before, as the one for 2019 did, but no further.
    """
    if not isinstance(notice, dict):
        raise CalendarError(f"the notice for {year} cannot be read: it is not an object")
    try:
        holidays = [day for span in notice["holidays"] for day in _days(_day(span["from"]), _day(span["to"]))]
        makeup_days = [_day(day) for day in notice["makeup_days"]]
        strays = [day for day in holidays + makeup_days if not date(year - 1, 12, 1) <= day <= date(year, 12, 31)]
    except CalendarError:
        raise
    except KeyError as error:
        raise CalendarError(f"the notice for {year} lacks {error}") from error
    except (TypeError, AttributeError, ValueError) as error:
        raise CalendarError(f"the notice for {year} holds something that is not a date") from error
    if strays:
        raise CalendarError(f"the notice for {year} lists {strays[0]}, which is not near that year")
    return holidays, makeup_days


def _day(value: object) -> date:
    """Return a date that YAML has read as one, or that JSON holds as a text."""
    if type(value) is date:
        return value
    if not isinstance(value, str):
        raise TypeError("neither a date nor a text")
    return date.fromisoformat(value)


def _days(first: date, last: date) -> Iterator[date]:
    length = (last - first).days
    if not 0 <= length <= 31:
        raise CalendarError(f"a holiday from {first} to {last} cannot be")
    return (first + timedelta(days=offset) for offset in range(length + 1))
