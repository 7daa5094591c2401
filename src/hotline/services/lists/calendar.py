"""Holidays and make-up days as a table (工作日历): the notices of the years that it names, each as a whole."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from hotline.domain.calendar import FIRST_YEAR, LAST_YEAR
from hotline.domain.people import SYSTEM, Actor
from hotline.services import calendars
from hotline.services.calendars import CalendarPlan
from hotline.services.context import Context
from hotline.services.lists.columns import Column, Kind, Row
from hotline.services.lists.listing import Draft, ImportList, Missing
from hotline.services.lists.workbook import CellError
from hotline.services.timekeeping import calendar_parts, editions, load_timekeeping

HOLIDAY, MAKEUP = "holiday", "makeup"
LONGEST_HOLIDAY = 32

COLUMNS = (
    Column(name="year", title="年份", kind=Kind.CODE, required=True, longest=4, hint="通知所属的年份。"),
    Column(
        name="kind",
        title="类别",
        kind=Kind.CHOICE,
        required=True,
        choices={HOLIDAY: "放假", MAKEUP: "调休上班"},
        hint="调休上班：本是周末而要上班的日子，一天一行。",
    ),
    Column(name="first", title="起", kind=Kind.DATE, required=True),
    Column(name="last", title="止", kind=Kind.DATE, hint="含当日；空着表示只有一天。"),
    Column(name="name", title="名称", longest=40, hint="节日名；调休上班可不填。"),
    Column(name="notice", title="通知文号", longest=200, hint="同一年份各行须相同。"),
)
_COLUMN = {column.name: column for column in COLUMNS}


def _present(session: Session, context: Context, options: Mapping[str, str]) -> Sequence[Row]:
    _, years = calendar_parts(editions(session))
    return [row for year in sorted(years) for row in _of_year(year, years[year])]


def _of_year(year: int, notice: Mapping[str, Any]) -> Iterator[Row]:
    common = {"year": str(year), "notice": str(notice["notice"]) if notice.get("notice") else None}
    for span in notice["holidays"]:
        days = {"first": str(span["from"]), "last": str(span["to"])}
        yield {**common, "kind": HOLIDAY, **days, "name": str(span["name"]) if span.get("name") else None}
    for day in notice["makeup_days"]:
        yield {**common, "kind": MAKEUP, "first": str(day), "last": str(day), "name": None}


def _complete(context: Context, row: Row, before: Row | None) -> Row:
    return row if row["last"] is not None else {**row, "last": row["first"]}


def _check(session: Session, context: Context, draft: Draft) -> Sequence[CellError]:
    notices: dict[str | None, str | None] = {}
    errors = []
    for row in draft.rows:
        said = list(_wrong(row.cells))
        if notices.setdefault(row.cells["year"], row.cells["notice"]) != row.cells["notice"]:
            said.append(("notice", "reads otherwise in another row of this year"))
        errors += [CellError(row.number, _COLUMN[name], message) for name, message in said]
    if not errors:
        _plan(session, context, draft)
    return errors


def _wrong(row: Row) -> Iterator[tuple[str, str]]:
    year = row["year"] or ""
    if not (year.isascii() and year.isdigit() and FIRST_YEAR <= int(year) <= LAST_YEAR):
        yield "year", "is not a year"
        return
    first, last = date.fromisoformat(row["first"] or ""), date.fromisoformat(row["last"] or "")
    near = date(int(year) - 1, 12, 1), date(int(year), 12, 31)
    for name, day in (("first", first), ("last", last)):
        if not near[0] <= day <= near[1]:
            yield name, "is not near that year"
    if not 0 <= (last - first).days < LONGEST_HOLIDAY:
        yield "last", "lies before the first day or more than a month after it"
    elif row["kind"] == MAKEUP and first != last:
        yield "last", "is another day; make-up days take a row each"


def _plan(session: Session, context: Context, draft: Draft, actor: Actor = SYSTEM) -> CalendarPlan | None:
    """Return what the import would do; None when it changes nothing.  Raises ``InvalidInput`` and ``Conflict``."""
    changed = {change.row["year"] for change in draft.plan.changes}
    if not changed:
        return None
    years: dict[str, dict[str, Any]] = {}
    for row in draft.rows:
        cells = row.cells
        if cells["year"] in changed:
            notice = years.setdefault(cells["year"] or "", {"holidays": [], "makeup_days": []})
            if cells["notice"]:
                notice["notice"] = cells["notice"]
            if cells["kind"] == MAKEUP:
                notice["makeup_days"].append(cells["first"])
            else:
                notice["holidays"].append({"name": cells["name"] or "", "from": cells["first"], "to": cells["last"]})
    present = load_timekeeping(session)
    # A process looks at the database every few seconds only; what is compared with must be what is there.
    return calendars.plan_import(session, replace(context, timekeeping=lambda: present), {"years": years}, actor)


def planned(session: Session, context: Context, draft: Draft) -> Context | None:
    """Return the surroundings as the import would make them; None when it changes nothing."""
    plan = _plan(session, context, draft)
    return calendars.in_force(context, plan.calendar) if plan else None


def _apply(session: Session, context: Context, draft: Draft, actor: Actor) -> Mapping[str, str]:
    plan = _plan(session, context, draft, actor)
    assert plan is not None
    calendars.import_calendar(session, context, plan, actor)
    return {}


CALENDAR = ImportList(
    name="calendar",
    title="工作日历",
    columns=COLUMNS,
    key=("year", "kind", "first"),
    missing=Missing.REMOVED,
    within="year",
    present=_present,
    check=_check,
    apply=_apply,
    complete=_complete,
)
