"""Follow-up (回访): ask each caller whether it is solved and how satisfied they are.

A ticket closes when each caller's follow-up has a result; a caller whose matter is unresolved, or who is dissatisfied,
sends it back for rework (重办) once the others have been asked too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.domain.kpi import VALID_RESULTS
from hotline.domain.people import SYSTEM, Actor
from hotline.domain.ticket import Action, FollowupResult, Overlay, Satisfaction, State
from hotline.services import clock
from hotline.services.assignments import current_assignment, due_data
from hotline.services.context import Context
from hotline.services.errors import Conflict, InvalidInput
from hotline.services.locking import lock_ticket
from hotline.services.moves import lay, move, require
from hotline.storage.tables import Caller, Followup, Ticket

# A citizen who cannot be reached is tried three times before that is the result.
TRIES = 3
# After so many reworks a ticket closes as what it is: unresolved.  Otherwise two stubborn sides would go on for ever.
MOST_REWORKS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp:
    """What the call ended with.  A rating needs a citizen who was reached.

    ``caller`` is the number of the merged ticket whose caller was called; None means the ticket's own, or the only one
    still to be reached.  ``rework`` False closes an unresolved ticket without another round, which needs a comment.
    """

    number: str
    result: FollowupResult
    satisfaction: Satisfaction | None = None
    comment: str | None = None
    caller: str | None = None
    rework: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRework:
    """The department has to do it again, for instance because a review found a sham closure."""

    number: str
    reason: str


def open_followups(session: Session, context: Context, ticket: Ticket, now: datetime) -> None:
    """Open a follow-up for each caller of a ticket that has a reply: its own and those of merged tickets.

    Anonymous callers are skipped and counted as such; when nobody is left, the ticket closes by itself.
    """
    members = [ticket, *merged_into(session, ticket)]
    rows = [row for member in members if (row := add_followup(session, ticket, member, now)) is not None]
    if all(row.result is not None for row in rows):
        _close(session, context, ticket, rows, now)


def add_followup(session: Session, ticket: Ticket, member: Ticket, now: datetime) -> Followup | None:
    """Open the follow-up of ``member``'s caller and return it; None when that caller is asked already."""
    caller = member.caller
    if caller is not None and caller.phone_index is not None and member.id != ticket.id:
        same = select(Caller.id).join(Followup, Followup.caller_ticket_id == Caller.ticket_id)
        same = same.where(
            Followup.ticket_id == ticket.id, Followup.round == ticket.reworks, Caller.phone_index == caller.phone_index
        )
        if session.scalars(same.limit(1)).first() is not None:
            return None
    anonymous = caller is not None and caller.anonymous
    assert ticket.followup_due is not None
    row = Followup(
        ticket_id=ticket.id,
        caller_ticket_id=member.id,
        round=ticket.reworks,
        due=ticket.followup_due,
        result=FollowupResult.ANONYMOUS if anonymous else None,
        at=now if anonymous else None,
    )
    session.add(row)
    return row


def merged_into(session: Session, ticket: Ticket) -> Sequence[Ticket]:
    """Return all tickets that were merged into this one, also by way of others, oldest first."""
    below = select(Ticket.id).where(Ticket.merged_into_id == ticket.id).cte(recursive=True)
    below = below.union(select(Ticket.id).join(below, Ticket.merged_into_id == below.c.id))
    return session.scalars(select(Ticket).where(Ticket.id.in_(select(below.c.id))).order_by(Ticket.id)).all()


def follow_up(session: Session, context: Context, command: FollowUp, actor: Actor) -> Ticket:
    """Record one call; close or rework the ticket when it was the last caller's.

    Raises ``InvalidInput`` for a rating without a conversation, an anonymous result for a caller who is known, or an
    unknown caller; ``Conflict`` when that caller has a result already.
    """
    if command.satisfaction is not None and command.result not in VALID_RESULTS:
        raise InvalidInput("satisfaction", "only a citizen who was reached can rate")
    if not command.rework and not command.comment:
        raise InvalidInput("comment", "say why it is not reworked")
    ticket = lock_ticket(session, context, actor, command.number)
    # Refused moves are refused before anything is counted as a try.
    require(ticket, Action.FOLLOW_UP, actor)
    rows = _round(session, ticket)
    row = _asked(session, ticket, rows, command)
    now = context.now()
    row.tries, row.last_try_at = row.tries + 1, now
    if command.result is not FollowupResult.UNREACHABLE or row.tries >= TRIES:
        row.result, row.satisfaction = command.result, command.satisfaction
        row.at, row.account_id = now, actor.account_id
        if row.caller_ticket_id == ticket.id:
            ticket.followed_up_at, ticket.followup_result = now, command.result
            ticket.satisfaction = command.satisfaction
    data = {
        "result": command.result,
        "satisfaction": command.satisfaction,
        "caller": session.get_one(Ticket, row.caller_ticket_id).number,
        "own": row.caller_ticket_id == ticket.id,
        "round": row.round,
        "try": row.tries,
        "final": row.result is not None,
    }
    move(session, context, ticket, Action.FOLLOW_UP, actor, now, reason=command.comment, data=data)
    _conclude(session, context, ticket, rows, actor, now, rework=command.rework)
    return ticket


def _asked(session: Session, ticket: Ticket, rows: Sequence[Followup], command: FollowUp) -> Followup:
    if command.caller is not None:
        wanted = session.scalars(select(Ticket.id).where(Ticket.number == command.caller)).one_or_none()
        row = next((row for row in rows if row.caller_ticket_id == wanted), None)
        if row is None:
            raise InvalidInput("caller", "no caller of this ticket has this number")
    else:
        waiting = [row for row in rows if row.result is None]
        own = [row for row in waiting if row.caller_ticket_id == ticket.id]
        row = next(iter(own or waiting), None)
    if row is None or row.result is not None:
        raise Conflict("this caller has been followed up already")
    caller = _caller_of(session, ticket, row)
    if command.result is FollowupResult.ANONYMOUS and not (caller and caller.anonymous):
        raise InvalidInput("result", "this caller is not anonymous")
    return row


def _caller_of(session: Session, ticket: Ticket, row: Followup) -> Caller | None:
    if row.caller_ticket_id == ticket.id:
        return ticket.caller
    return session.scalars(select(Caller).where(Caller.ticket_id == row.caller_ticket_id)).one_or_none()


def _round(session: Session, ticket: Ticket) -> Sequence[Followup]:
    query = select(Followup).where(Followup.ticket_id == ticket.id, Followup.round == ticket.reworks)
    return session.scalars(query.order_by(Followup.id)).all()


def conclude_round(session: Session, context: Context, ticket: Ticket, actor: Actor, now: datetime) -> None:
    """Close or rework a ticket whose last open caller has been taken off it; otherwise do nothing."""
    if ticket.state == State.AWAITING_FOLLOWUP:
        _conclude(session, context, ticket, _round(session, ticket), actor, now, rework=True)


def _conclude(
    session: Session,
    context: Context,
    ticket: Ticket,
    rows: Sequence[Followup],
    actor: Actor,
    now: datetime,
    *,
    rework: bool,
) -> None:
    """Close or rework the ticket when no caller of this round is left to be asked."""
    if any(row.result is None for row in rows):
        return
    unhappy = any(
        row.result == FollowupResult.UNRESOLVED or row.satisfaction == Satisfaction.DISSATISFIED for row in rows
    )
    if unhappy and rework and ticket.reworks < MOST_REWORKS and ticket.lead_department_id is not None:
        _rework(session, context, ticket, actor, "unresolved_or_dissatisfied", now)
    else:
        _close(session, context, ticket, rows, now)


def order_rework(session: Session, context: Context, command: OrderRework, actor: Actor) -> Ticket:
    """Send the ticket back for rework before its callers are asked, or although they were content."""
    ticket = lock_ticket(session, context, actor, command.number)
    require(ticket, Action.REWORK, actor)
    _rework(session, context, ticket, actor, command.reason, context.now())
    return ticket


def _rework(session: Session, context: Context, ticket: Ticket, actor: Actor, reason: str, now: datetime) -> None:
    """Start another round.  It has a limit of its own; the first completion stays what it was."""
    ticket.reworks += 1
    ticket.reworked_at = now
    ticket.followup_due = None
    clock.refresh_dues(session, context, ticket)
    assignment = current_assignment(session, ticket)
    data = {
        "round": ticket.reworks,
        "department": assignment.department.code,
        "rework_due": ticket.rework_due.isoformat() if ticket.rework_due else None,
        **due_data(ticket),
    }
    move(session, context, ticket, Action.REWORK, actor, now, reason=reason, data=data)
    # Whoever has replied to a ticket has taken it as its own.
    lay(ticket, Overlay.RETURN_BARRED)


def _close(session: Session, context: Context, ticket: Ticket, rows: Sequence[Followup], now: datetime) -> None:
    own = [row for row in rows if row.caller_ticket_id == ticket.id]
    if own and own[0].result == FollowupResult.ANONYMOUS:
        ticket.followed_up_at, ticket.followup_result = own[0].at, own[0].result
    ticket.closed_at = now
    ticket.next_due = None
    move(session, context, ticket, Action.CLOSE, SYSTEM, now)
