"""Merging (并单): a second call about the same event joins the ticket in hand, and can be taken out again.

Each caller is informed and followed up exactly once, with the ticket that is in hand.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.domain.limits import Kind
from hotline.domain.people import SYSTEM, Actor
from hotline.domain.ticket import OPEN_STATES, Action, FollowupResult, QueueReason, State
from hotline.domain.transitions import IN_HAND, WITH_DEPARTMENT
from hotline.services import clock
from hotline.services.assignments import cancel_cohandling, due_data, end_assignment
from hotline.services.context import Context
from hotline.services.errors import Conflict, InvalidInput
from hotline.services.followup import add_followup, conclude_round, merged_into
from hotline.services.locking import lock_ticket
from hotline.services.moves import move, require
from hotline.services.notices import catch_up, settle
from hotline.services.supervision import urge_ticket
from hotline.services.triage import is_triaged
from hotline.storage.tables import Assignment, Caller, Followup, Ticket, TicketEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeTicket:
    """Which ticket joins which."""

    number: str
    into: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnmergeTicket:
    """Which merged ticket stands alone again, and why."""

    number: str
    reason: str


def merge(session: Session, context: Context, command: MergeTicket, actor: Actor) -> Ticket:
    """Merge by hand.  Raises ``InvalidInput`` when the other ticket is not there or not open."""
    # Both rows are locked in one order, so that two people who merge two tickets into each other do not deadlock.
    both = select(Ticket.id).where(Ticket.number.in_((command.number, command.into))).order_by(Ticket.id)
    session.execute(both.with_for_update())
    ticket = lock_ticket(session, context, actor, command.number)
    merge_into(session, context, ticket, command.into, actor, field="into")
    return ticket


def merge_into(session: Session, context: Context, ticket: Ticket, number: str, actor: Actor, *, field: str) -> None:
    """Merge the locked ``ticket`` into the open one with ``number``; ``field`` is what the caller called it.

    A caller who is on that ticket already urges it (催办) instead of being counted twice.
    """
    query = select(Ticket).where(Ticket.number == number).with_for_update(of=Ticket)
    target = session.scalars(query).one_or_none()
    if target is None or target.id == ticket.id:
        raise InvalidInput(field, "there is no other ticket with this number")
    require(ticket, Action.MERGE, actor)
    if target.state not in OPEN_STATES:
        raise InvalidInput(field, f"that ticket is no longer open (state '{target.state}')")
    settle(session, context, target)
    now = context.now()
    again = _calls_again(session, ticket, target)
    if ticket.state in WITH_DEPARTMENT:
        end_assignment(session, ticket, now, by="merged")
        cancel_cohandling(session, ticket, now)
    data = {"into": target.number, "same_caller": again}
    move(session, context, ticket, Action.MERGE, actor, now, data=data)
    ticket.merged_into_id = target.id
    ticket.ended_early_at = now
    ticket.next_due = None
    if target.state == State.AWAITING_FOLLOWUP:
        session.flush()
        for member in [ticket, *merged_into(session, ticket)]:
            add_followup(session, target, member, now)
    elif again and State(target.state) in IN_HAND | {State.AWAITING_DISPATCH}:
        urge_ticket(session, context, target, actor, None)


def _calls_again(session: Session, ticket: Ticket, target: Ticket) -> bool:
    """Tell whether the ticket's caller is already among those of ``target``."""
    if ticket.caller is None or ticket.caller.phone_index is None:
        return False
    members = [target.id, *(member.id for member in merged_into(session, target))]
    same = select(Caller.id).where(Caller.ticket_id.in_(members), Caller.phone_index == ticket.caller.phone_index)
    return session.scalars(same.limit(1)).first() is not None


def unmerge(session: Session, context: Context, command: UnmergeTicket, actor: Actor) -> Ticket:
    """Take the ticket out again; it goes back to the state it came from.

    Raises ``Conflict`` when its caller has been followed up with the other ticket: that cannot be undone.
    """
    ticket = lock_ticket(session, context, actor, command.number)
    require(ticket, Action.UNMERGE, actor)
    in_hand = _take_out_of_followup(session, ticket)
    came_from = _came_from(session, ticket)
    if came_from in WITH_DEPARTMENT:
        _reopen_assignment(session, ticket)
    now = context.now()
    ticket.merged_into_id = ticket.ended_early_at = None
    clock.refresh_dues(session, context, ticket)
    if came_from in (State.RECEIVED, State.AWAITING_DISPATCH):
        ticket.dispatch_due = clock.due_from(context, ticket, Kind.DISPATCH, now)
    data = due_data(ticket)
    move(session, context, ticket, Action.UNMERGE, actor, now, to=came_from, reason=command.reason, data=data)
    # What fell due while it was merged is over now.
    catch_up(session, context, ticket)
    _queue_if_triaged(session, context, ticket, now)
    if in_hand is not None:
        conclude_round(session, context, in_hand, actor, now)
    return ticket


def _take_out_of_followup(session: Session, ticket: Ticket) -> Ticket | None:
    """Ask its callers no longer with the ticket in hand; return that ticket when they were to be asked."""
    members = [ticket.id, *(member.id for member in merged_into(session, ticket))]
    query = select(Followup).where(Followup.caller_ticket_id.in_(members), Followup.ticket_id.not_in(members))
    rows = session.scalars(query).all()
    for row in rows:
        if row.tries or row.result not in (None, FollowupResult.ANONYMOUS):
            raise Conflict("this caller has been called about the other ticket already; receive a new ticket instead")
        session.delete(row)
    session.flush()
    return session.get_one(Ticket, rows[0].ticket_id, with_for_update={"of": Ticket}) if rows else None


def _came_from(session: Session, ticket: Ticket) -> State:
    query = select(TicketEvent.from_state).where(TicketEvent.ticket_id == ticket.id, TicketEvent.kind == Action.MERGE)
    return State(session.scalars(query.order_by(TicketEvent.id.desc()).limit(1)).one() or State.RECEIVED)


def _reopen_assignment(session: Session, ticket: Ticket) -> None:
    query = select(Assignment).where(Assignment.ticket_id == ticket.id, Assignment.ended_by == "merged")
    last = session.scalars(query.order_by(Assignment.id.desc()).limit(1)).one()
    last.ended_at = last.ended_by = None


def _queue_if_triaged(session: Session, context: Context, ticket: Ticket, now: datetime) -> None:
    """A ticket that was merged during the call has been read by now, and no second reading will come."""
    if ticket.state == State.RECEIVED and is_triaged(session, ticket.id):
        ticket.queue_reason = QueueReason.UNMERGED
        move(session, context, ticket, Action.QUEUE, SYSTEM, now, reason=QueueReason.UNMERGED)
