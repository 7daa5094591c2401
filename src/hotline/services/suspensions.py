"""Suspensions (挂账): what cannot be done now waits with a plan and a review date; nothing else stops the clock."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.domain.city_time import CITY_ZONE
from hotline.domain.people import Actor
from hotline.domain.ticket import Action, Overlay
from hotline.services import clock
from hotline.services.access import require_lead
from hotline.services.assignments import due_data
from hotline.services.context import Context
from hotline.services.decisions import decide, pending
from hotline.services.errors import Conflict, InvalidInput
from hotline.services.locking import lock_ticket
from hotline.services.masking import masked
from hotline.services.moves import lay, lift, move, require
from hotline.storage.tables import Suspension, Ticket


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestSuspension:
    """Why it cannot be done now, what is planned, and when somebody looks at it again."""

    number: str
    reason: str
    plan: str
    review_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideSuspension:
    """The supervisor's decision, or the end of a suspension, with its reason."""

    number: str
    reason: str


def request_suspension(session: Session, context: Context, command: RequestSuspension, actor: Actor) -> Ticket:
    """Ask for it.

    Raises ``InvalidInput`` for a review date that is not to come and ``Conflict`` when the due is over.
    """
    ticket = lock_ticket(session, context, actor, command.number)
    require_lead(session, actor, ticket)
    require(ticket, Action.REQUEST_SUSPENSION, actor)
    now = context.now()
    if command.review_on <= now.astimezone(CITY_ZONE).date():
        raise InvalidInput("review_on", "must be a day to come")
    if ticket.next_due is None or now >= ticket.next_due:
        raise Conflict("a suspension is asked for before the due; this ticket is due already")
    session.add(
        Suspension(
            ticket_id=ticket.id,
            department_id=ticket.lead_department_id,
            asked_by=actor.account_id,
            asked_at=now,
            reason=masked(ticket, context, command.reason),
            plan=masked(ticket, context, command.plan),
            review_on=command.review_on,
            old_due=ticket.next_due,
        )
    )
    data = {"review_on": command.review_on.isoformat()}
    move(session, context, ticket, Action.REQUEST_SUSPENSION, actor, now, reason=command.reason, data=data)
    lay(ticket, Overlay.SUSPENSION_PENDING)
    return ticket


def approve_suspension(session: Session, context: Context, command: DecideSuspension, actor: Actor) -> Ticket:
    """Stop the clock from now on.  What the clock had to say until now has been said."""
    ticket = lock_ticket(session, context, actor, command.number)
    require(ticket, Action.APPROVE_SUSPENSION, actor)
    decide(context, ticket, pending(session, Suspension, ticket), actor, "running", command.reason)
    ticket.suspensions += 1
    session.flush()
    lay(ticket, Overlay.SUSPENDED)
    clock.refresh_dues(session, context, ticket)
    move(session, context, ticket, Action.APPROVE_SUSPENSION, actor, context.now(), reason=command.reason)
    lift(ticket, Overlay.SUSPENSION_PENDING)
    return ticket


def refuse_suspension(session: Session, context: Context, command: DecideSuspension, actor: Actor) -> Ticket:
    """Refuse it: the clock runs on."""
    ticket = lock_ticket(session, context, actor, command.number)
    move(session, context, ticket, Action.REFUSE_SUSPENSION, actor, context.now(), reason=command.reason)
    decide(context, ticket, pending(session, Suspension, ticket), actor, "refused", command.reason)
    lift(ticket, Overlay.SUSPENSION_PENDING)
    return ticket


def resume(session: Session, context: Context, command: DecideSuspension, actor: Actor) -> Ticket:
    """End the suspension; the due moves on by the time that it covered."""
    ticket = lock_ticket(session, context, actor, command.number)
    require_lead(session, actor, ticket)
    require(ticket, Action.RESUME, actor)
    end_suspension(session, context, ticket)
    clock.refresh_dues(session, context, ticket)
    move(session, context, ticket, Action.RESUME, actor, context.now(), reason=command.reason, data=due_data(ticket))
    lift(ticket, Overlay.SUSPENDED)
    clock.plan(session, context, ticket)
    return ticket


def end_suspension(session: Session, context: Context, ticket: Ticket) -> None:
    """Write the end of the running suspension, if there is one."""
    query = select(Suspension).where(Suspension.ticket_id == ticket.id, Suspension.state == "running")
    running = session.scalars(query).one_or_none()
    if running is not None:
        running.state, running.ended_at = "ended", context.now()
        session.flush()
