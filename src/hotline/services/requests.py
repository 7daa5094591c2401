"""What departments have asked for and the hotline has to decide: returns, adjudications, extensions and the like."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from hotline.domain.people import Actor, Role
from hotline.services.context import Context
from hotline.storage.tables import (
    Assignment,
    CatalogueEntryRow,
    Department,
    Exclusion,
    Extension,
    ReturnRequest,
    Suspension,
    Ticket,
)

Asked = ReturnRequest | Extension | Suspension | Exclusion
Row = TypeVar("Row", ReturnRequest, Extension, Suspension, Exclusion)
Kind = Literal["return", "adjudication", "extension", "suspension", "exclusion"]
KIND_NAMES: dict[Kind, str] = {
    "return": "退单",
    "adjudication": "裁定",
    "extension": "延期",
    "suspension": "挂账",
    "exclusion": "剔除",
}

HISTORY = timedelta(days=180)


@dataclass(frozen=True, slots=True)
class Pending:
    """One request that waits for a decision."""

    kind: Kind
    asked: Asked
    ticket: Ticket


def kinds_of(role: Role) -> tuple[Kind, ...]:
    """Return what a role decides."""
    return tuple(KIND_NAMES) if role is Role.SUPERVISOR else ("return",)


def pending(session: Session, actor: Actor) -> list[Pending]:
    """Return what waits for somebody of the actor's role, the oldest first."""
    rows: list[tuple[Asked, Ticket]] = [
        *_pending(session, ReturnRequest),
        *_pending(session, Extension),
        *_pending(session, Suspension),
        *_pending(session, Exclusion),
    ]
    found = [Pending(_kind(row), row, ticket) for row, ticket in rows]
    mine = [one for one in found if one.kind in kinds_of(actor.role)]
    return sorted(mine, key=lambda one: one.asked.asked_at)


def _pending(session: Session, table: type[Row]) -> Sequence[tuple[Row, Ticket]]:
    query = select(table, Ticket).join(Ticket, Ticket.id == table.ticket_id).where(table.state == "pending")
    query = query.options(selectinload(Ticket.lead_department), selectinload(Ticket.caller))
    return [(row[0], row[1]) for row in session.execute(query)]


def _kind(row: Asked) -> Kind:
    match row:
        case ReturnRequest():
            return "adjudication" if row.adjudication else "return"
        case Extension():
            return "extension"
        case Suspension():
            return "suspension"
        case _:
            return "exclusion"


def counts(session: Session, actor: Actor) -> dict[Kind, int]:
    """Return how many of each kind wait for somebody of the actor's role."""
    found = dict.fromkeys(kinds_of(actor.role), 0)
    for one in pending(session, actor):
        found[one.kind] += 1
    return found


@dataclass(frozen=True, slots=True)
class Precedent:
    """How a department fared with a matter in a district: how often it got it and how often that was taken back."""

    department: Department
    dispatched: int
    returned: int


@dataclass(frozen=True, slots=True)
class Grounds:
    """What a return is judged by: the catalogue entry that named the department, and what happened to the like."""

    entry: CatalogueEntryRow | None
    precedents: Sequence[Precedent]


def grounds(session: Session, context: Context, ticket: Ticket) -> Grounds:
    """Return the grounds for deciding about the ticket's return; the precedents are of the last half year."""
    entry = session.get(CatalogueEntryRow, ticket.catalogue_entry_id) if ticket.catalogue_entry_id else None
    return Grounds(entry, _precedents(session, ticket, context.now() - HISTORY) if ticket.matter else ())


def _precedents(session: Session, ticket: Ticket, since: datetime) -> list[Precedent]:
    returned = func.count().filter(Assignment.ended_by == "returned")
    query = select(Assignment.department_id, func.count(), returned).join(Ticket, Ticket.id == Assignment.ticket_id)
    query = query.where(Assignment.at >= since, Ticket.matter == ticket.matter, Ticket.id != ticket.id)
    query = query.where(Ticket.district.is_not_distinct_from(ticket.district)).group_by(Assignment.department_id)
    rows = session.execute(query.order_by(func.count().desc()).limit(8)).all()
    departments = {
        row.id: row for row in session.scalars(select(Department).where(Department.id.in_([row[0] for row in rows])))
    }
    return [Precedent(departments[row[0]], row[1], row[2]) for row in rows]
