"""The working calendar (工作日历): when a city's departments work, in their own zone.

A calendar is an immutable value with a version, so a result computed once can be explained for ever.  It knows the
windows of each weekday (several a day), the holidays, and the make-up working days (调休) on which people work although
it is a weekend.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hotline.domain.timeline import DAY, DayWindows, Timeline, Window, build_timeline

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

# Instants outside these years are typing errors and refused, which also bounds what a hostile line can make us compute.
FIRST_YEAR, LAST_YEAR = 1900, 2199
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_SUPPORTED_FROM = date(FIRST_YEAR, 1, 1).toordinal() - _EPOCH_ORDINAL
_SUPPORTED_TO = date(LAST_YEAR + 1, 1, 1).toordinal() - _EPOCH_ORDINAL
_MARGIN = 2  # Days; no zone is further than that from UTC, so UTC ticks this far inside the time line are covered.
_STEP = 366  # Days by which the time line grows at least.


class CalendarError(ValueError):
    """A calendar contradicts itself, or an instant cannot be placed on it."""


@dataclass(frozen=True)
class Calendar:
    """When work is done.  Windows are wall time in ``timezone``; what passes inside them is real time.

    ``windows`` holds one tuple per weekday from Monday to Sunday, each of (opens, closes) in seconds after midnight.
    ``makeup_windows`` are the windows of every make-up day.  Left empty, a make-up day that has windows of its own
    keeps them, and one that has none works like a Monday (or the first weekday that works): the State Council's
    notices make a weekend day an ordinary working day without saying of which weekday, and Monday is the one day whose
    hours no city shortens.

    ``published_years`` are the years whose notice is known; in any other year a result is *provisional*: computed from
    weekdays and the days listed here, and marked.  None means that the calendar is complete as given.
    ``version`` names the edition that a stored result was computed with.

    Raises ``CalendarError`` for an unknown zone, windows that overlap, end before they begin or leave the day, a day
    that is both holiday and make-up day, and a week without any working time.
    """

    timezone: str
    windows: tuple[DayWindows, ...]
    holidays: frozenset[date] = frozenset()
    makeup_days: frozenset[date] = frozenset()
    makeup_windows: DayWindows = ()
    published_years: frozenset[int] | None = None
    version: str = ""
    name: str = ""
    _zone: ZoneInfo = field(init=False, repr=False, compare=False)
    _exceptions: dict[int, DayWindows] = field(init=False, repr=False, compare=False)
    _timeline: Timeline | None = field(init=False, repr=False, compare=False, default=None)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_zone", _zone(self.timezone))
        if len(self.windows) != len(WEEKDAYS):
            raise CalendarError(f"windows: expected {len(WEEKDAYS)} weekdays, got {len(self.windows)}")
        week = tuple(_checked(day, name) for day, name in zip(self.windows, WEEKDAYS, strict=True))
        if not any(week):
            raise CalendarError("windows: no weekday has any working time, so no limit would ever end")
        object.__setattr__(self, "windows", week)
        object.__setattr__(self, "makeup_windows", _checked(self.makeup_windows, "makeup_windows"))
        both = sorted(self.holidays & self.makeup_days)
        if both:
            raise CalendarError(f"{both[0]} is both a holiday and a make-up working day")
        exceptions: dict[int, DayWindows] = {_day_number(day): () for day in self.holidays}
        exceptions.update((_day_number(day), self._makeup(day)) for day in self.makeup_days)
        object.__setattr__(self, "_exceptions", exceptions)

    def _makeup(self, day: date) -> DayWindows:
        return self.makeup_windows or self.windows[day.weekday()] or next(filter(None, self.windows))

    @property
    def zone(self) -> ZoneInfo:
        """The time zone as an object, to show instants on this calendar's wall clock."""
        return self._zone

    def windows_on(self, day: date) -> DayWindows:
        """Return the working windows of ``day``; empty when nobody works."""
        return self._windows(_day_number(day))

    def works_on(self, day: date) -> bool:
        """Tell whether ``day`` is a working day (工作日)."""
        return bool(self.windows_on(day))

    def with_year(
        self, year: int, holidays: Sequence[date], makeup_days: Sequence[date], *, version: str
    ) -> "Calendar":
        """Return a new edition in which the notice for ``year`` is known and replaces what was known of that year."""
        return replace(
            self,
            holidays=frozenset(day for day in self.holidays if day.year != year) | frozenset(holidays),
            makeup_days=frozenset(day for day in self.makeup_days if day.year != year) | frozenset(makeup_days),
            published_years=(self.published_years or frozenset()) | {year},
            version=version,
        )

    def is_published(self, first_day: int, last_day: int) -> bool:
        """Tell whether every year from day number ``first_day`` to ``last_day`` has a published notice."""
        if self.published_years is None:
            return True
        years = range(_year(first_day), _year(last_day) + 1)
        return all(year in self.published_years for year in years)

    def timeline(self, first: int, last: int) -> Timeline:
        """Return a time line that covers the instants ``first`` to ``last`` (ticks); kept and grown from call to call.

        Raises ``CalendarError`` outside the supported years.
        """
        line = self._timeline
        first_day, last_day = first // DAY - _MARGIN, last // DAY + _MARGIN + 1
        if line is not None and line.first_day <= first_day and last_day <= line.last_day:
            return line
        if first < _SUPPORTED_FROM * DAY or last >= _SUPPORTED_TO * DAY:
            raise CalendarError(f"an instant lies outside the supported years {FIRST_YEAR}–{LAST_YEAR}")
        if line is None:
            return self._lay_out(first_day - _STEP // 4, last_day + _STEP)
        return self._lay_out(min(line.first_day, first_day - _STEP), max(line.last_day, last_day + _STEP))

    def longer_timeline(self, line: Timeline) -> Timeline:
        """Return a time line that begins where ``line`` does and ends later.

        Raises ``CalendarError`` at the end of the supported years: so few working days that a limit never ends.
        """
        if line.last_day >= _SUPPORTED_TO + _MARGIN:
            raise CalendarError(f"the limit does not end before the year {LAST_YEAR + 1}: too little working time")
        length = max(line.last_day - line.first_day, _STEP)
        return self._lay_out(line.first_day, line.last_day + length)

    def _lay_out(self, first_day: int, last_day: int) -> Timeline:
        # Two threads may do this at once; each gets a whole time line and the later one stays, so no lock is needed.
        last_day = min(last_day, _SUPPORTED_TO + _MARGIN)
        line = build_timeline(self._zone, first_day, last_day, self._windows)
        object.__setattr__(self, "_timeline", line)
        return line

    def _windows(self, day: int) -> DayWindows:
        special = self._exceptions.get(day)
        return self.windows[(day + 3) % 7] if special is None else special  # 1970-01-01 was a Thursday.


def calendar_from_mapping(data: object) -> Calendar:
    """Build a calendar from parsed JSON or YAML, trusting nothing in it.

    Keys: ``timezone`` and ``windows`` (``{"mon": [["08:30", "12:00"], …], …}``, ``24:00`` closes at midnight), and
    optionally ``holidays``, ``makeup_days`` (ISO dates), ``makeup_windows``, ``published_years``, ``version``,
    ``name``.  Raises ``CalendarError`` that names the key for anything else, unknown keys included: a misspelt
    ``holiday`` would otherwise be a silently wrong deadline.
    """
    mapping = _mapping(data, "calendar")
    _only_keys(mapping, _KEYS, "calendar")
    windows = _mapping(mapping.get("windows"), "windows")
    _only_keys(windows, WEEKDAYS, "windows")
    years = mapping.get("published_years")
    return Calendar(
        timezone=_text(mapping.get("timezone"), "timezone"),
        windows=tuple(_windows(windows.get(name, []), f"windows.{name}") for name in WEEKDAYS),
        holidays=_dates(mapping.get("holidays", []), "holidays"),
        makeup_days=_dates(mapping.get("makeup_days", []), "makeup_days"),
        makeup_windows=_windows(mapping.get("makeup_windows", []), "makeup_windows"),
        published_years=None if years is None else _years(years),
        version=_text(mapping.get("version", ""), "version"),
        name=_text(mapping.get("name", ""), "name"),
    )


_KEYS = (
    "timezone",
    "windows",
    "holidays",
    "makeup_days",
    "makeup_windows",
    "published_years",
    "version",
    "name",
)


def _day_number(day: date) -> int:
    return day.toordinal() - _EPOCH_ORDINAL


def _year(day_number: int) -> int:
    return date.fromordinal(day_number + _EPOCH_ORDINAL).year


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # OSError: a name that is a folder, or too long.
        raise CalendarError(f"timezone: {name[:60]!r} is not a known zone; give one like 'Asia/Shanghai'") from error


def _checked(windows: DayWindows, where: str) -> DayWindows:
    """Return ``windows`` in order; raise ``CalendarError`` when one is empty, leaves the day or overlaps the next."""
    ordered = tuple(sorted(windows))
    latest = 0
    for opens, closes in ordered:
        shown = f"{where}: the window {_clock(opens)}–{_clock(closes)}"
        if not 0 <= opens <= closes <= 86_400:
            raise CalendarError(f"{shown} ends before it begins or leaves the day; split a night at 24:00")
        if opens == closes:
            raise CalendarError(f"{shown} is empty")
        if opens < latest:
            raise CalendarError(f"{shown} overlaps the one before it")
        latest = closes
    return ordered


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}"


def _mapping(value: object, where: str) -> Mapping[Any, Any]:
    if not isinstance(value, Mapping):
        raise CalendarError(f"{where}: expected an object, got {_kind(value)}")
    return value


def _items(value: object, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise CalendarError(f"{where}: expected a list, got {_kind(value)}")
    return value


def _only_keys(mapping: Mapping[Any, Any], allowed: Sequence[str], where: str) -> None:
    for key in mapping:
        if key not in allowed:
            raise CalendarError(f"{where}: unknown key {str(key)[:40]!r}; allowed are {', '.join(allowed)}")


def _text(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise CalendarError(f"{where}: expected a text, got {_kind(value)}")
    return value


def _kind(value: object) -> str:
    return "nothing" if value is None else type(value).__name__


def _windows(value: object, where: str) -> DayWindows:
    return tuple(_window(item, where) for item in _items(value, where))


def _window(value: object, where: str) -> Window:
    if not isinstance(value, list) or len(value) != 2:
        raise CalendarError(f'{where}: a window is a pair like ["08:30", "12:00"]')
    return _second_of_day(value[0], where), _second_of_day(value[1], where)


def _second_of_day(value: object, where: str) -> int:
    parts = value.split(":") if isinstance(value, str) else []
    if len(parts) in (2, 3) and all(len(part) == 2 and part.isascii() and part.isdigit() for part in parts):
        hours, minutes, seconds = (*map(int, parts), 0)[:3]
        total = hours * 3600 + minutes * 60 + seconds
        if minutes < 60 and seconds < 60 and total <= 86_400:
            return total
    raise CalendarError(f"{where}: {str(value)[:20]!r} is not a time of day between 00:00 and 24:00")


def _dates(value: object, where: str) -> frozenset[date]:
    return frozenset(_date(item, where) for item in _items(value, where))


def _date(value: object, where: str) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value  # YAML reads an unquoted date as one.
    try:
        return date.fromisoformat(_text(value, where))
    except ValueError as error:
        raise CalendarError(f"{where}: {str(value)[:20]!r} is not a date like 2026-10-01") from error


def _years(value: object) -> frozenset[int]:
    years = _items(value, "published_years")
    for year in years:
        if not isinstance(year, int) or isinstance(year, bool) or not FIRST_YEAR <= year <= LAST_YEAR:
            raise CalendarError(f"published_years: {str(year)[:20]!r} is not a year")
    return frozenset(years)
