"""The responsibility catalogue (权责清单): what is in force, how each entry fared, and a draft that takes its place.

Entries are effective-dated.  An import closes what the draft changes at one instant and opens the draft's lines at the
same one, so that what was dispatched before still names the entry that fired.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, delete, func, or_, select, update
from sqlalchemy.orm import Session, joinedload, selectinload

from hotline.domain.audit import AuditAction
from hotline.domain.city_time import CITY_ZONE
from hotline.domain.people import Actor
from hotline.services import audit
from hotline.services.context import Context
from hotline.services.errors import Conflict, InvalidInput
from hotline.storage.tables import (
    Assignment,
    CatalogueCohandler,
    CatalogueEntryRow,
    Department,
    District,
    PushDownBan,
    ReturnRequest,
)

MOST_LINES = 20_000


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a draft: who leads ``matter`` in ``district`` (None: the whole city), by codes."""

    matter: str
    district: str | None
    lead: str
    cohandlers: tuple[str, ...] = ()
    note: str | None = None

    @property
    def place(self) -> tuple[str, str | None]:
        """What the line is for; a draft names each once."""
        return self.matter, self.district


@dataclass(frozen=True, slots=True)
class Draft:
    """A whole catalogue; ``bans`` are matters with the reason why they must not be pushed down (不得下派)."""

    lines: tuple[Line, ...]
    bans: Mapping[str, str]


def read_draft(session: Session, context: Context, given: object) -> Draft:
    """Read ``{"entries": [{"matter", "district", "lead", "cohandlers", "note"}], "must_not_push_down": [{"matter",
    "reason"}]}`` and check every code in it.  Raises ``InvalidInput`` that names the line.
    """
    if not isinstance(given, dict) or not isinstance(given.get("entries"), list):
        raise InvalidInput("entries", "the draft has a list of entries")
    entries, bans = given["entries"], given.get("must_not_push_down") or []
    if not isinstance(bans, list) or len(entries) + len(bans) > MOST_LINES:
        raise InvalidInput("must_not_push_down", f"is a list, and all lines together are at most {MOST_LINES}")
    known = _Codes(session, context)
    lines = [_line(known, item, f"entries[{place}]") for place, item in enumerate(entries, start=1)]
    seen: set[tuple[str, str | None]] = set()
    for place, line in enumerate(lines, start=1):
        if line.place in seen:
            raise InvalidInput(f"entries[{place}]", f"names {line.matter} in {line.district or 'the city'} again")
        seen.add(line.place)
    banned = dict(_ban(known, item, f"must_not_push_down[{place}]") for place, item in enumerate(bans, start=1))
    return Draft(tuple(lines), banned)


class _Codes:
    """The codes that a draft may name."""

    def __init__(self, session: Session, context: Context) -> None:
        self.matters = set(context.taxonomy.matters)
        self.districts = set(session.scalars(select(District.code)))
        self.departments = set(session.scalars(select(Department.code).where(Department.active)))


def _line(known: _Codes, item: object, where: str) -> Line:
    given = _members(item, ("matter", "district", "lead", "cohandlers", "note"), where)
    helpers = given.get("cohandlers") or []
    if not isinstance(helpers, list):
        raise InvalidInput(where, "cohandlers are a list of codes")
    line = Line(
        _code(given.get("matter"), known.matters, where, "matter"),
        _code(given["district"], known.districts, where, "district") if given.get("district") else None,
        _code(given.get("lead"), known.departments, where, "active department"),
        tuple(_code(helper, known.departments, where, "active department") for helper in helpers),
        str(given["note"])[:500] if given.get("note") else None,
    )
    if line.lead in line.cohandlers or len(set(line.cohandlers)) < len(line.cohandlers):
        raise InvalidInput(where, "names a department twice")
    return line


def _ban(known: _Codes, item: object, where: str) -> tuple[str, str]:
    given = _members(item, ("matter", "reason"), where)
    reason = given.get("reason")
    if not isinstance(reason, str) or not reason.strip():
        raise InvalidInput(where, "has no reason")
    return _code(given.get("matter"), known.matters, where, "matter"), reason.strip()[:500]


def _members(item: object, allowed: Sequence[str], where: str) -> Mapping[str, Any]:
    if not isinstance(item, dict):
        raise InvalidInput(where, "is no object")
    unknown = [str(name)[:40] for name in item if name not in allowed]
    if unknown:
        raise InvalidInput(where, f"unknown key {unknown[0]!r}; allowed are {', '.join(allowed)}")
    return item


def _code(value: object, known: set[str], where: str, what: str) -> str:
    if not isinstance(value, str) or value not in known:
        raise InvalidInput(where, f"{str(value)[:40]!r} is the code of no {what}")
    return value


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries to show: of a matter, a district, a department that leads or helps, all by code; None for any."""

    matter: str | None = None
    district: str | None = None
    department: str | None = None


def entries_at(session: Session, at: datetime, wanted: Wanted | None = None) -> list[CatalogueEntryRow]:
    """Return the entries in force at ``at``, by matter and district, the city's first."""
    query = (
        _narrowed(select(CatalogueEntryRow), wanted or Wanted())
        .where(_in_force(CatalogueEntryRow, at))
        .options(joinedload(CatalogueEntryRow.lead_department), selectinload(CatalogueEntryRow.cohandlers))
        .order_by(CatalogueEntryRow.matter, CatalogueEntryRow.district.nulls_first(), CatalogueEntryRow.id)
    )
    return list(session.scalars(query))


def _narrowed(query: Select[CatalogueEntryRow], wanted: Wanted) -> Select[CatalogueEntryRow]:
    if wanted.matter:
        query = query.where(CatalogueEntryRow.matter == wanted.matter)
    if wanted.district:
        query = query.where(CatalogueEntryRow.district == wanted.district)
    if wanted.department:
        department = select(Department.id).where(Department.code == wanted.department).scalar_subquery()
        helped = select(CatalogueCohandler.entry_id).where(CatalogueCohandler.department_id == department)
        query = query.where(or_(CatalogueEntryRow.lead_department_id == department, CatalogueEntryRow.id.in_(helped)))
    return query


def bans_at(session: Session, at: datetime) -> list[PushDownBan]:
    """Return the matters that must not be pushed down at ``at``."""
    return list(session.scalars(select(PushDownBan).where(_in_force(PushDownBan, at)).order_by(PushDownBan.matter)))


def _in_force(table: type[CatalogueEntryRow] | type[PushDownBan], at: datetime) -> Any:
    return and_(table.valid_from <= at, or_(table.valid_to.is_(None), table.valid_to > at))


def draft_of(session: Session, at: datetime) -> dict[str, Any]:
    """Return the catalogue in force at ``at`` in the form that `read_draft` reads."""
    entries = [
        {
            "matter": row.matter,
            "district": row.district,
            "lead": row.lead_department.code,
            "cohandlers": [helper.code for helper in row.cohandlers],
            "note": row.note,
        }
        for row in entries_at(session, at)
    ]
    bans = [{"matter": ban.matter, "reason": ban.basis} for ban in bans_at(session, at)]
    return {"entries": entries, "must_not_push_down": bans}


@dataclass(frozen=True, slots=True)
class Fared:
    """How an entry fared: how often it named the owner, how often that was returned, and how often rightly so."""

    dispatches: int = 0
    returns: int = 0
    accepted: int = 0


def fared(session: Session, entry_ids: Iterable[int]) -> dict[int, Fared]:
    """Count dispatches and returns by entry; requests that were taken back do not count."""
    wanted = list(entry_ids)
    query = (
        select(
            Assignment.catalogue_entry_id,
            func.count(func.distinct(Assignment.id)),
            func.count(func.distinct(ReturnRequest.id)),
            func.count(func.distinct(ReturnRequest.id)).filter(ReturnRequest.state == "accepted"),
        )
        .outerjoin(
            ReturnRequest, and_(ReturnRequest.assignment_id == Assignment.id, ReturnRequest.state != "cancelled")
        )
        .where(Assignment.catalogue_entry_id.in_(wanted))
        .group_by(Assignment.catalogue_entry_id)
    )
    return {entry_id: Fared(*counts) for entry_id, *counts in session.execute(query) if entry_id is not None}


@dataclass(frozen=True, slots=True)
class CataloguePlan:
    """What an import from ``since`` would do: lines that open and entries that close, and the same for bans."""

    since: datetime
    opened: tuple[Line, ...]
    closed: tuple[CatalogueEntryRow, ...]
    bans_opened: Mapping[str, str]
    bans_closed: tuple[PushDownBan, ...]
    ownerless: tuple[str, ...]


def plan_import(session: Session, context: Context, draft: Draft, since: datetime | None) -> CataloguePlan:
    """Compare the draft with what is in force at ``since``.

    ``since`` None means now.  Raises ``InvalidInput`` for an instant in the past, by whose catalogue tickets have been
    dispatched, and ``Conflict`` when nothing would change or entries begin only after ``since``.
    """
    now = context.now()
    since = since or now
    if since < now:
        raise InvalidInput("from", "lies in the past: tickets have been dispatched by the catalogue of then")
    later = session.scalar(select(func.min(CatalogueEntryRow.valid_from)).where(CatalogueEntryRow.valid_from >= since))
    if later is not None:
        at = f"{later.astimezone(CITY_ZONE):%Y-%m-%d %H:%M}"
        raise Conflict(f"entries begin at {at} already, not before --from; see `hotline catalogue drop`")
    wanted = {line.place: line for line in draft.lines}
    closed = [row for row in entries_at(session, since) if not _says(row, wanted.get((row.matter, row.district)))]
    kept = {(row.matter, row.district) for row in entries_at(session, since)} - {(r.matter, r.district) for r in closed}
    bans = {ban.matter: ban for ban in bans_at(session, since)}
    bans_opened = {m: why for m, why in draft.bans.items() if m not in bans or bans[m].basis != why}
    bans_closed = [ban for matter, ban in bans.items() if draft.bans.get(matter) != ban.basis]
    city_wide = {line.matter for line in draft.lines if line.district is None}
    plan = CataloguePlan(
        since,
        tuple(line for line in draft.lines if line.place not in kept),
        tuple(closed),
        bans_opened,
        tuple(bans_closed),
        tuple(sorted(set(context.taxonomy.matters) - city_wide)),
    )
    if not (plan.opened or plan.closed or bans_opened or bans_closed):
        raise Conflict("the catalogue says all of that already; nothing would change")
    return plan


def _says(row: CatalogueEntryRow, line: Line | None) -> bool:
    helpers = sorted(helper.code for helper in row.cohandlers)
    return line is not None and (row.lead_department.code, helpers, row.note) == (
        line.lead,
        sorted(line.cohandlers),
        line.note,
    )


def import_catalogue(session: Session, context: Context, plan: CataloguePlan, actor: Actor) -> None:
    """Close and open what the plan says, all at one instant."""
    departments = {department.code: department for department in session.scalars(select(Department))}
    ending: list[CatalogueEntryRow | PushDownBan] = [*plan.closed, *plan.bans_closed]
    for row in ending:
        row.valid_to = plan.since
    session.add_all(
        CatalogueEntryRow(
            matter=line.matter,
            district=line.district,
            lead_department=departments[line.lead],
            cohandlers=[departments[code] for code in line.cohandlers],
            valid_from=plan.since,
            note=line.note,
        )
        for line in plan.opened
    )
    session.add_all(
        PushDownBan(matter=matter, basis=why, valid_from=plan.since) for matter, why in plan.bans_opened.items()
    )
    session.flush()
    detail = {
        "from": plan.since.isoformat(),
        "opened": len(plan.opened),
        "closed": len(plan.closed),
        "bans_opened": sorted(plan.bans_opened),
        "bans_closed": sorted(ban.matter for ban in plan.bans_closed),
    }
    audit.append(session, context, actor, AuditAction.CATALOGUE_IMPORTED, detail=detail)


def drop_coming(session: Session, context: Context, actor: Actor) -> int:
    """Take back what was imported for a day to come: its lines go, and what it would have closed stays open."""
    now = context.now()
    coming = select(CatalogueEntryRow.id).where(CatalogueEntryRow.valid_from > now)
    ids = list(session.scalars(coming))
    session.execute(delete(CatalogueCohandler).where(CatalogueCohandler.entry_id.in_(ids)))
    session.execute(delete(CatalogueEntryRow).where(CatalogueEntryRow.id.in_(ids)))
    session.execute(delete(PushDownBan).where(PushDownBan.valid_from > now))
    session.execute(update(CatalogueEntryRow).where(CatalogueEntryRow.valid_to > now).values(valid_to=None))
    session.execute(update(PushDownBan).where(PushDownBan.valid_to > now).values(valid_to=None))
    audit.append(session, context, actor, AuditAction.CATALOGUE_IMPORTED, detail={"dropped": len(ids)})
    return len(ids)
