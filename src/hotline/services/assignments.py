"""Assignments (承办): which department has a ticket, since when, and what it has to meet."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.domain.limits import Kind
from hotline.domain.people import Actor
from hotline.domain.ticket import Action, State
from hotline.services import clock
from hotline.services.context import Context
from hotline.services.moves import move
from hotline.storage.tables import Assignment, CatalogueEntryRow, CohandlingTask, Department, Ticket


def current_assignment(session: Session, ticket: Ticket) -> Assignment:
    """Return the open assignment of a ticket that is with a department."""
    query = select(Assignment).where(Assignment.ticket_id == ticket.id, Assignment.ended_at.is_(None))
    return session.scalars(query).one()


def hand_over(
    session: Session,
    context: Context,
    ticket: Ticket,
    department: Department,
    actor: Actor,
    *,
    action: Action,
    entry: CatalogueEntryRow | None = None,
    parent: Assignment | None = None,
    reason: str | None = None,
    data: dict[str, Any] | None = None,
) -> Assignment:
    """Give the locked ticket to ``department`` by ``action``: a new assignment with its own sign and return limits.

    The handling limit runs from the first dispatch, and no later one resets it.
    """
    now = context.now()
    # The column too, since what follows in this transaction asks for it before it is flushed.
    ticket.lead_department, ticket.lead_department_id = department, department.id
    ticket.catalogue_entry_id = entry.id if entry else None
    ticket.assignee_id = None
    ticket.queue_reason = None
    if ticket.dispatched_at is None:
        ticket.dispatched_at = ticket.handle_from = now
    ticket.assigned_at, ticket.signed_at = now, None
    set_assignment_dues(context, ticket)
    clock.refresh_dues(session, context, ticket)
    assert ticket.sign_due is not None and ticket.return_due is not None
    assignment = Assignment(
        ticket_id=ticket.id,
        department_id=department.id,
        catalogue_entry_id=ticket.catalogue_entry_id,
        parent_id=parent.id if parent else None,
        at=now,
        by=actor.account_id,
        sign_due=ticket.sign_due,
        return_due=ticket.return_due,
    )
    session.add(assignment)
    told = due_data(ticket) | {
        "department": department.code,
        "entry": ticket.catalogue_entry_id,
        "matter": ticket.matter,
        "matter_source": ticket.matter_source,
    }
    move(session, context, ticket, action, actor, now, to=State.AWAITING_SIGN, reason=reason, data=told | (data or {}))
    return assignment


def set_assignment_dues(context: Context, ticket: Ticket) -> None:
    """Set the dues that run from the present assignment; a citizen who has been called stays called."""
    assert ticket.assigned_at is not None
    if ticket.contacted_at is None:
        ticket.contact_due = clock.due_from(context, ticket, Kind.CONTACT, ticket.assigned_at)
    ticket.sign_due = clock.due_from(context, ticket, Kind.SIGN, ticket.assigned_at)
    ticket.return_due = clock.due_from(context, ticket, Kind.RETURN, ticket.assigned_at)


def end_assignment(session: Session, ticket: Ticket, at: datetime, *, by: str) -> Assignment | None:
    """End the open assignment, if there is one; ``by`` says how it ended."""
    query = select(Assignment).where(Assignment.ticket_id == ticket.id, Assignment.ended_at.is_(None))
    assignment = session.scalars(query).one_or_none()
    if assignment is not None:
        assignment.ended_at, assignment.ended_by = at, by
        # Before another one is opened: a ticket has one open assignment.
        session.flush()
    return assignment


def cancel_cohandling(session: Session, ticket: Ticket, at: datetime) -> None:
    """Call off what co-handlers have not done yet: the ticket is done, or goes to a department that asks its own."""
    query = select(CohandlingTask).where(CohandlingTask.ticket_id == ticket.id, CohandlingTask.state == "open")
    for task in session.scalars(query):
        task.state, task.done_at = "cancelled", at


def release_cohandlers(session: Session, ticket: Ticket, at: datetime) -> None:
    """Let the co-handlers go with the department that they helped: they no longer see a ticket that is another's."""
    cancel_cohandling(session, ticket, at)
    ticket.cohandlers = []


def due_data(ticket: Ticket) -> dict[str, Any]:
    """Return the ticket's dues for an event."""
    return {
        "sign_due": ticket.sign_due.isoformat() if ticket.sign_due else None,
        "handle_due": ticket.handle_due.isoformat() if ticket.handle_due else None,
        "contact_due": ticket.contact_due.isoformat() if ticket.contact_due else None,
    }
