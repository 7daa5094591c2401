"""Changed dues: when triage, a person, a calendar or limits change what dues depend on, they follow from their starts.

What is settled stays: a result once reached never changes, and a sign limit that was met or missed neither.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hotline.domain.limits import Kind
from hotline.domain.people import SYSTEM, Actor
from hotline.domain.ticket import OPEN_STATES, Action, State
from hotline.services import clock
from hotline.services.assignments import current_assignment, due_data
from hotline.services.context import Context
from hotline.services.events import record
from hotline.services.notices import catch_up, settle
from hotline.storage.tables import Followup, Reply, Ticket, TicketEvent

BATCH = 100

# What puts a ticket into the dispatchers' queue again, with a dispatch limit of its own.
_QUEUED_AGAIN = (Action.TAKE_BACK, Action.ACCEPT_RETURN, Action.UNMERGE)

# What turns a return down, so that the sign limit starts anew.
_SIGN_ANEW = (Action.REJECT_RETURN, Action.ADJUDICATE)

Dues = Mapping[str, datetime | None]


def running_dues(session: Session, context: Context, ticket: Ticket) -> Dues:
    """Return by column what the ticket still has to meet, computed from the original starts; change nothing."""
    state = State(ticket.state)
    if state in clock.BEFORE_DISPATCH:
        queued = queued_at(session, ticket)
        return {"dispatch_due": clock.due_from(context, ticket, Kind.DISPATCH, queued)}
    if state is State.AWAITING_FOLLOWUP:
        return {"followup_due": clock.due_from(context, ticket, Kind.FOLLOW_UP, approved_at(session, ticket))}
    return _in_hand(session, context, ticket, state) if state in clock.IN_HAND else {}


def _in_hand(session: Session, context: Context, ticket: Ticket, state: State) -> Dues:
    found: dict[str, datetime | None] = {}
    if state is State.AWAITING_SIGN and ticket.assigned_at is not None:
        found["sign_due"] = clock.due_from(context, ticket, Kind.SIGN, sign_from(session, ticket, ticket.assigned_at))
        found["return_due"] = clock.due_from(context, ticket, Kind.RETURN, ticket.assigned_at)
    if ticket.contacted_at is None and ticket.assigned_at is not None:
        found["contact_due"] = clock.due_from(context, ticket, Kind.CONTACT, ticket.assigned_at)
    if ticket.handle_from is not None and not clock.is_settled(ticket):
        found["handle_due"] = clock.handling_clock(session, context, ticket).due.instant
    if ticket.reworked_at is not None:
        running = clock.running_clock(session, context, ticket)
        found["rework_due"] = running.due.instant if running else None
    return found


def queued_at(session: Session, ticket: Ticket) -> datetime:
    """Return since when the ticket waits for its dispatch: its intake, or when it came back into the queue."""
    query = select(func.max(TicketEvent.at)).where(
        TicketEvent.ticket_id == ticket.id, TicketEvent.kind.in_(_QUEUED_AGAIN)
    )
    return session.scalar(query) or ticket.received_at


def sign_from(session: Session, ticket: Ticket, assigned_at: datetime) -> datetime:
    """Return where the sign limit starts: with the assignment, or anew when a return of it has been turned down."""
    query = select(func.max(TicketEvent.at)).where(
        TicketEvent.ticket_id == ticket.id, TicketEvent.kind.in_(_SIGN_ANEW), TicketEvent.at > assigned_at
    )
    return session.scalar(query) or assigned_at


def approved_at(session: Session, ticket: Ticket) -> datetime:
    """Return when the newest reply was approved, from which the follow-up limit runs."""
    approved = session.scalar(select(func.max(Reply.approved_at)).where(Reply.ticket_id == ticket.id))
    return approved or ticket.completed_at or ticket.received_at


def apply_dues(session: Session, context: Context, ticket: Ticket) -> dict[str, list[str | None]]:
    """Set the running dues anew; return what moved, by column, as [before, after] for the event."""
    found = running_dues(session, context, ticket)
    moved = {name: [_said(getattr(ticket, name)), _said(due)] for name, due in found.items()}
    for name, due in found.items():
        setattr(ticket, name, due)
    if "handle_due" in found or "rework_due" in found:
        clock.refresh_dues(session, context, ticket)
    if "sign_due" in found:
        assignment = current_assignment(session, ticket)
        assert ticket.sign_due is not None and ticket.return_due is not None
        assignment.sign_due, assignment.return_due = ticket.sign_due, ticket.return_due
    if "followup_due" in found:
        waiting = select(Followup).where(Followup.ticket_id == ticket.id, Followup.result.is_(None))
        for row in session.scalars(waiting):
            row.due = ticket.followup_due or row.due
    return {name: both for name, both in moved.items() if both[0] != both[1]}


def _said(due: datetime | None) -> str | None:
    return due.isoformat() if due else None


def recompute_dues(
    session: Session, context: Context, ticket: Ticket, actor: Actor, at: datetime, *, reason: str
) -> bool:
    """Compute the dues of a locked ticket anew, record what moved and let the clock say what is over by that.

    Returns whether any due moved.
    """
    before = due_data(ticket)
    moved = apply_dues(session, context, ticket)
    if moved:
        data = {"before": before, **due_data(ticket), "moved": moved}
        record(session, context, ticket, "dues_recomputed", actor, at, reason=reason, data=data)
        catch_up(session, context, ticket)
    # Reminders may have moved where the due has not.
    clock.plan(session, context, ticket)
    return bool(moved)


def recompute_open(session: Session, context: Context, after_id: int, reason: str) -> int | None:
    """Recompute the dues of the next open tickets after ``after_id``; return the last one's id, None when none is left.

    Doing it again changes nothing, so a batch may be repeated.
    """
    query = select(Ticket).where(Ticket.id > after_id, Ticket.state.in_(OPEN_STATES)).order_by(Ticket.id).limit(BATCH)
    tickets = session.scalars(query.with_for_update(of=Ticket)).all()
    for ticket in tickets:
        settle(session, context, ticket)
        recompute_dues(session, context, ticket, SYSTEM, context.now(), reason=reason)
    return tickets[-1].id if tickets else None


@dataclass(frozen=True, slots=True)
class Shift:
    """A due that would move: the ticket's number, the column, and both instants."""

    number: str
    due: str
    before: datetime | None
    after: datetime | None


def shifts(session: Session, context: Context) -> list[Shift]:
    """Return which dues of open tickets would move if they were computed anew in ``context``; change nothing."""
    found: list[Shift] = []
    query = select(Ticket).where(Ticket.state.in_(OPEN_STATES)).order_by(Ticket.id)
    for ticket in session.scalars(query.execution_options(yield_per=500)):
        for name, due in running_dues(session, context, ticket).items():
            if due != getattr(ticket, name):
                found.append(Shift(ticket.number, name, getattr(ticket, name), due))
    return found
