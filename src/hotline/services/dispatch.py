"""Dispatch (派单): find who owns the matter there, hand the ticket over and start the limits."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from hotline.domain.limits import Kind, deadline, resolve
from hotline.domain.people import Actor
from hotline.domain.responsibility import CatalogueEntry, find_owner
from hotline.domain.ticket import Action, ComplaintType, State, Urgency, next_state
from hotline.services.access import find_ticket
from hotline.services.context import Context
from hotline.services.errors import InvalidInput
from hotline.services.labels import keep_label
from hotline.services.moves import move, record
from hotline.storage.tables import CatalogueEntryRow, Department, Ticket


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchTicket:
    """A dispatcher's decision.  What is None stays as it is; without ``department`` the catalogue names the owner."""

    number: str
    matter: str | None = None
    department: str | None = None
    type: ComplaintType | None = None
    urgency: Urgency | None = None
    reason: str | None = None


def dispatch(session: Session, context: Context, command: DispatchTicket, actor: Actor) -> Ticket:
    """Dispatch by hand.  Raises ``InvalidInput`` when matter or department is unknown or no owner is found."""
    ticket = find_ticket(session, actor, command.number, lock=True)
    # Refused moves are refused before anything of the ticket is changed.
    next_state(State(ticket.state), Action.DISPATCH, actor.role)
    _relabel(session, context, ticket, command, actor)
    if command.department is not None:
        department = session.scalars(select(Department).where(Department.code == command.department)).one_or_none()
        if department is None or not department.active:
            raise InvalidInput("department", "there is no active department with this code")
        _hand_over(session, context, ticket, department, None, actor, command.reason)
    elif not dispatch_to_owner(session, context, ticket, actor, reason=command.reason):
        field = "department" if ticket.matter else "matter"
        raise InvalidInput(field, "the catalogue names no owner for this matter here; give a department")
    return ticket


def _relabel(session: Session, context: Context, ticket: Ticket, command: DispatchTicket, actor: Actor) -> None:
    """Take over what the dispatcher says.  Confirming the model's own matter is a human label too."""
    matter = command.matter or ticket.matter
    if matter is not None:
        if matter not in context.taxonomy.matters:
            raise InvalidInput("matter", "unknown matter; use a code from A01 to G09")
        ticket.matter, ticket.task, ticket.matter_source = matter, matter[0], actor.role
        keep_label(session, ticket, matter, "blind" if ticket.blind else "dispatcher", actor, context.now())
    ticket.type = command.type or ticket.type
    ticket.urgency = command.urgency or ticket.urgency


def dispatch_to_owner(
    session: Session, context: Context, ticket: Ticket, actor: Actor, *, reason: str | None = None
) -> bool:
    """Dispatch to whom the catalogue names; return False and change nothing when it names nobody."""
    if ticket.matter is None:
        return False
    entry = _owner(session, ticket.matter, ticket.district, context.now())
    if entry is None:
        return False
    _hand_over(session, context, ticket, entry.lead_department, entry, actor, reason)
    return True


def _owner(session: Session, matter: str, district: str | None, at: datetime) -> CatalogueEntryRow | None:
    query = select(CatalogueEntryRow).where(
        CatalogueEntryRow.matter == matter,
        or_(CatalogueEntryRow.district.is_(None), CatalogueEntryRow.district == district),
    )
    rows = {row.id: row for row in session.scalars(query)}
    entries = [
        CatalogueEntry(row.id, row.matter, row.district, row.lead_department_id, (), row.valid_from, row.valid_to)
        for row in rows.values()
    ]
    found = find_owner(entries, matter, district, at)
    return rows[found.entry_id] if found else None


def _hand_over(
    session: Session,
    context: Context,
    ticket: Ticket,
    department: Department,
    entry: CatalogueEntryRow | None,
    actor: Actor,
    reason: str | None,
) -> None:
    now = context.now()
    # The column too, since what follows in this transaction asks for it before it is flushed.
    ticket.lead_department, ticket.lead_department_id = department, department.id
    ticket.catalogue_entry_id = entry.id if entry else None
    ticket.cohandlers = list(entry.cohandlers) if entry else []
    # The handling limit runs from the first dispatch and no later one resets it.
    ticket.dispatched_at = ticket.dispatched_at or now
    set_dues(context, ticket, sign_from=now)
    data = _due_data(ticket) | {
        "department": department.code,
        "cohandlers": [helper.code for helper in ticket.cohandlers],
        "entry": ticket.catalogue_entry_id,
        "matter": ticket.matter,
        "matter_source": ticket.matter_source,
    }
    move(session, context, ticket, Action.DISPATCH, actor, now, reason=reason, data=data)


def set_dues(context: Context, ticket: Ticket, *, sign_from: datetime) -> None:
    """Set both dues of a dispatched ticket: signing from ``sign_from``, handling from the first dispatch."""
    assert ticket.dispatched_at is not None

    # A ticket whose type nobody has said yet gets the longest limit; triage or a person says it, and the dues follow.
    kind_of_request = ticket.type or ""

    def due(kind: Kind, start: datetime) -> datetime:
        resolved = resolve(context.limits, kind, kind_of_request, ticket.matter, ticket.district, ticket.urgency)
        instant = deadline(context.calendar, start, resolved).instant
        assert instant is not None, "nothing is suspended at dispatch, so the due is known"
        return instant

    ticket.sign_due = due(Kind.SIGN, sign_from)
    ticket.handle_due = due(Kind.HANDLE, ticket.dispatched_at)


def recompute_dues(
    session: Session, context: Context, ticket: Ticket, actor: Actor, at: datetime, *, reason: str
) -> None:
    """After a change of type, matter or urgency: the dues from their original starts, with an event that keeps both."""
    assert ticket.dispatched_at is not None
    before = _due_data(ticket)
    set_dues(context, ticket, sign_from=ticket.dispatched_at)
    after = _due_data(ticket)
    if after != before:
        record(session, context, ticket, "dues_recomputed", actor, at, reason=reason, data={"before": before, **after})


def _due_data(ticket: Ticket) -> dict[str, Any]:
    return {
        "sign_due": ticket.sign_due.isoformat() if ticket.sign_due else None,
        "handle_due": ticket.handle_due.isoformat() if ticket.handle_due else None,
    }
