"""Extensions (延期): more working days, asked for once, before the due, and approved by the supervisor."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from hotline.domain.limits import LONGEST_EXTENSION
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
from hotline.storage.tables import Extension, Ticket


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestExtension:
    """How many working days more, and why."""

    number: str
    working_days: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideExtension:
    """The supervisor's decision, with its reason."""

    number: str
    reason: str


def request_extension(session: Session, context: Context, command: RequestExtension, actor: Actor) -> Ticket:
    """Ask for it.

    Raises ``InvalidInput`` for more days than a city may grant and ``Conflict`` when the due is over.
    """
    if not 1 <= command.working_days <= LONGEST_EXTENSION:
        raise InvalidInput("working_days", f"between 1 and {LONGEST_EXTENSION}")
    ticket = lock_ticket(session, context, actor, command.number)
    require_lead(session, actor, ticket)
    require(ticket, Action.REQUEST_EXTENSION, actor)
    now = context.now()
    if ticket.next_due is None or now >= ticket.next_due:
        raise Conflict("an extension is asked for before the due; this ticket is due already")
    session.add(
        Extension(
            ticket_id=ticket.id,
            department_id=ticket.lead_department_id,
            asked_by=actor.account_id,
            asked_at=now,
            working_days=command.working_days,
            reason=masked(ticket, context, command.reason),
            old_due=ticket.next_due,
        )
    )
    data = {"working_days": command.working_days, "old_due": ticket.next_due.isoformat()}
    move(session, context, ticket, Action.REQUEST_EXTENSION, actor, now, reason=command.reason, data=data)
    lay(ticket, Overlay.EXTENSION_PENDING)
    return ticket


def approve_extension(session: Session, context: Context, command: DecideExtension, actor: Actor) -> Ticket:
    """Grant it: the working days are added to the old due, whenever the decision comes."""
    ticket = lock_ticket(session, context, actor, command.number)
    require(ticket, Action.APPROVE_EXTENSION, actor)
    asked = pending(session, Extension, ticket)
    decide(context, ticket, asked, actor, "approved", command.reason)
    session.flush()
    lay(ticket, Overlay.EXTENDED)
    clock.refresh_dues(session, context, ticket)
    asked.new_due = ticket.next_due
    data = {"old_due": asked.old_due.isoformat(), "working_days": asked.working_days, **due_data(ticket)}
    move(session, context, ticket, Action.APPROVE_EXTENSION, actor, context.now(), reason=command.reason, data=data)
    lift(ticket, Overlay.EXTENSION_PENDING)
    return ticket


def refuse_extension(session: Session, context: Context, command: DecideExtension, actor: Actor) -> Ticket:
    """Refuse it: the old due stands."""
    ticket = lock_ticket(session, context, actor, command.number)
    move(session, context, ticket, Action.REFUSE_EXTENSION, actor, context.now(), reason=command.reason)
    decide(context, ticket, pending(session, Extension, ticket), actor, "refused", command.reason)
    lift(ticket, Overlay.EXTENSION_PENDING)
    return ticket
