"""The tree of departments (承办单位): who there is, below whom, and what it takes to add, change or retire one.

A change is judged by the tree as it would be afterwards, so that a whole table of changes may come in any order.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from hotline.domain.audit import AuditAction
from hotline.domain.departments import DepartmentKind, in_a_circle
from hotline.domain.people import Actor
from hotline.domain.ticket import OPEN_STATES
from hotline.services import audit
from hotline.services.context import Context
from hotline.services.errors import InvalidInput, NotFound
from hotline.storage.tables import (
    Account,
    CatalogueCohandler,
    CatalogueEntryRow,
    CohandlingTask,
    Department,
    District,
    Ticket,
)

NAME_CHARS = 60
CODE_CHARS = 32
_CODE = re.compile(rf"[A-Z0-9][A-Z0-9-]{{0,{CODE_CHARS - 1}}}")

# Changes of the tree come one after another, since each is judged by the whole of it.  The number only has to be ours.
_TREE_LOCK = 12345_013


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """A department as it is written down: ``parent`` and ``district`` are codes."""

    code: str
    name: str
    kind: str
    parent: str | None = None
    district: str | None = None
    active: bool = True


@dataclass(frozen=True, slots=True)
class Fault:
    """What keeps a department from becoming as it is wanted: in which field, and why."""

    code: str
    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Node:
    """A department in the tree, ``depth`` steps below the top, with its people and its open tickets."""

    office: Office
    depth: int
    people: int
    open_tickets: int


def offices(session: Session) -> dict[str, Office]:
    """Return every department by code."""
    rows = session.scalars(select(Department).order_by(Department.id)).all()
    codes = {row.id: row.code for row in rows}
    return {
        row.code: Office(
            code=row.code,
            name=row.name,
            kind=row.kind,
            parent=codes[row.parent_id] if row.parent_id is not None else None,
            district=row.district,
            active=row.active,
        )
        for row in rows
    }


def districts(session: Session) -> dict[str, str]:
    """Return the districts' names by code."""
    return {row.code: row.name for row in session.scalars(select(District).order_by(District.code))}


def tree(session: Session) -> list[Node]:
    """Return every department, each followed by what stands below it."""
    every = offices(session)
    people = _counted(session, select(Account.department_id, func.count()).where(Account.active), Account.department_id)
    running = select(Ticket.lead_department_id, func.count()).where(Ticket.state.in_(OPEN_STATES))
    tickets = _counted(session, running, Ticket.lead_department_id)
    below: dict[str | None, list[Office]] = {}
    for office in every.values():
        below.setdefault(office.parent, []).append(office)
    found: list[Node] = []
    waiting = [(office, 0) for office in reversed(below.get(None, []))]
    while waiting:
        office, depth = waiting.pop()
        found.append(Node(office, depth, people.get(office.code, 0), tickets.get(office.code, 0)))
        waiting += [(each, depth + 1) for each in reversed(below.get(office.code, []))]
    return found


def _counted(session: Session, query: Select[*tuple[Any, ...]], column: Any) -> dict[str, int]:
    """Return a count by department's code; ``query`` selects the department's id and a count."""
    codes = {row.id: row.code for row in session.execute(select(Department.id, Department.code))}
    return {codes[found]: number for found, number in session.execute(query.group_by(column)) if found is not None}


def settle(session: Session, context: Context, wanted: Iterable[Office], actor: Actor) -> None:
    """Make departments as they are wanted, new ones among them.

    Raises ``InvalidInput`` for the first fault; then nothing has been changed.
    """
    session.execute(select(func.pg_advisory_xact_lock(_TREE_LOCK)))
    before = offices(session)
    changes = [office for office in wanted if before.get(office.code) != office]
    for fault in faults(session, changes, context.now()):
        raise InvalidInput(fault.field, fault.message)
    rows = {row.code: row for row in session.scalars(select(Department).with_for_update())}
    for office in changes:
        if office.code not in rows:
            rows[office.code] = Department(code=office.code, name=office.name, kind=office.kind)
            session.add(rows[office.code])
        elif rows[office.code].name != office.name:
            # Names are told apart at every moment, also while two departments exchange theirs.
            rows[office.code].name = f"{office.code} {office.name}"
    session.flush()
    for office in changes:
        row = rows[office.code]
        row.name, row.kind, row.district, row.active = office.name, office.kind, office.district, office.active
        row.parent_id = rows[office.parent].id if office.parent is not None else None
    session.flush()
    for office in changes:
        _note(session, context, before.get(office.code), office, actor)


def _note(session: Session, context: Context, before: Office | None, after: Office, actor: Actor) -> None:
    old = asdict(before) if before else {}
    detail = {name: value for name, value in asdict(after).items() if old.get(name) != value and name != "code"}
    action = AuditAction.DEPARTMENT_CHANGED if before else AuditAction.DEPARTMENT_ADDED
    audit.append(session, context, actor, action, subject=f"department:{after.code}", detail=detail)


def add(session: Session, context: Context, office: Office, actor: Actor) -> None:
    """Add a department.  Raises ``InvalidInput``, also when there is one of this code."""
    if office.code in offices(session):
        raise InvalidInput("code", "there is a department with this code already")
    settle(session, context, [office], actor)


def change(session: Session, context: Context, office: Office, actor: Actor) -> None:
    """Change what a department is called, where it stands, or whether it is in use.

    Raises ``NotFound`` and ``InvalidInput``.
    """
    if office.code not in offices(session):
        raise NotFound("there is no such department")
    settle(session, context, [office], actor)


def switch(session: Session, context: Context, code: str, actor: Actor, *, active: bool) -> Office:
    """Take a department out of use or back into it; return it.  Raises ``NotFound`` and ``InvalidInput``."""
    present = offices(session).get(code)
    if present is None:
        raise NotFound("there is no such department")
    office = replace(present, active=active)
    settle(session, context, [office], actor)
    return office


def faults(session: Session, wanted: Sequence[Office], at: datetime) -> list[Fault]:
    """Return what is wrong with departments as they are wanted, all of it."""
    before = offices(session)
    after = before | {office.code: office for office in wanted}
    named: dict[str, list[str]] = {}
    for office in after.values():
        named.setdefault(office.name, []).append(office.code)
    circling = in_a_circle({code: office.parent for code, office in after.items()})
    known = set(districts(session))
    retired = [o.code for o in wanted if not o.active and o.code in before and before[o.code].active]
    found: list[Fault] = []
    for office in wanted:
        said = [*_form(office, known, new=office.code not in before), *_place(office, after, circling)]
        if len(named[office.name]) > 1:
            said.append(("name", "another department has this name"))
        found += [Fault(office.code, field, message) for field, message in said]
    bonds = _bonds(session, retired, at)
    return found + [Fault(code, "active", message) for code in retired for message in bonds.get(code, ())]


def _form(office: Office, known: set[str], *, new: bool) -> Iterable[tuple[str, str]]:
    if new and not _CODE.fullmatch(office.code):
        yield "code", f"use up to {CODE_CHARS} capital letters, digits and hyphens"
    if not office.name.strip() or len(office.name) > NAME_CHARS or not office.name.isprintable():
        yield "name", f"must have 1 to {NAME_CHARS} characters"
    if office.kind not in list(DepartmentKind):
        yield "kind", "is no kind of department"
    if office.district is not None and office.district not in known:
        yield "district", "there is no district with this code"


def _place(office: Office, after: Mapping[str, Office], circling: frozenset[str]) -> Iterable[tuple[str, str]]:
    if office.parent is not None and office.parent not in after:
        yield "parent", "there is no department with this code"
    elif office.code in circling:
        yield "parent", "stands below this department itself"
    elif office.active and office.parent is not None and not after[office.parent].active:
        yield "parent", "is retired; name a parent that is in use"
    if not office.active and any(each.parent == office.code and each.active for each in after.values()):
        yield "active", "has sub-units in use; retire them or give them another parent first"


def _bonds(session: Session, codes: Sequence[str], at: datetime) -> dict[str, list[str]]:
    """Return by code what a department that is to be retired still has in hand."""
    if not codes:
        return {}
    entries = select(CatalogueEntryRow.id, CatalogueEntryRow.lead_department_id.label("department_id")).where(
        or_(CatalogueEntryRow.valid_to.is_(None), CatalogueEntryRow.valid_to > at)
    )
    helpers = (
        select(CatalogueCohandler.entry_id, CatalogueCohandler.department_id)
        .join(CatalogueEntryRow, CatalogueEntryRow.id == CatalogueCohandler.entry_id)
        .where(or_(CatalogueEntryRow.valid_to.is_(None), CatalogueEntryRow.valid_to > at))
    )
    named = entries.union_all(helpers).subquery()
    counts = (
        (
            select(Ticket.lead_department_id, func.count()).where(Ticket.state.in_(OPEN_STATES)),
            Ticket.lead_department_id,
            "has {} open tickets; dispatch them elsewhere or let them be finished first",
        ),
        (
            select(CohandlingTask.department_id, func.count()).where(CohandlingTask.state == "open"),
            CohandlingTask.department_id,
            "has {} open co-handling parts; let it report on them first",
        ),
        (
            select(Account.department_id, func.count()).where(Account.active),
            Account.department_id,
            "has {} accounts in use; close them or give them another department first",
        ),
        (
            select(named.c.department_id, func.count()),
            named.c.department_id,
            "is named in {} lines of the catalogue; import a catalogue without it first",
        ),
    )
    found: dict[str, list[str]] = {}
    for query, column, message in counts:
        for code, number in _counted(session, query, column).items():
            found.setdefault(code, []).append(message.format(number))
    return {code: found[code] for code in codes if code in found}
