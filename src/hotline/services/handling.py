"""Handling (办理): the department signs and replies, its lead approves or sends back.

The hotline's own desk ends here what needs no handling: answered, declined, transferred, withdrawn.
"""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.domain.limits import Kind
from hotline.domain.people import Actor
from hotline.domain.ticket import Action, Overlay
from hotline.services import clock
from hotline.services.access import require_lead
from hotline.services.answers import answer_ticket
from hotline.services.assignments import cancel_cohandling, current_assignment, end_assignment
from hotline.services.context import Context
from hotline.services.errors import Forbidden, InvalidInput
from hotline.services.followup import open_followups
from hotline.services.locking import lock_ticket
from hotline.services.moves import lift, move, require
from hotline.services.suspensions import end_suspension
from hotline.storage.tables import Reply, Ticket


@dataclass(frozen=True, slots=True, kw_only=True)
class SignTicket:
    """The department takes the ticket in hand (签收)."""

    number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactCitizen:
    """The citizen was called before the work started (先行联系)."""

    number: str
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyToTicket:
    """What was found and done (反馈): is the complaint valid (属实), was the citizen contacted, is it resolved."""

    number: str
    text: str
    valid: bool
    contacted: bool
    resolved: bool
    unresolved_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApproveReply:
    """The lead answers for the reply (审核)."""

    number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerTicket:
    """The answer given on the spot, and the entry of the knowledge base that it came from."""

    number: str
    answer: str
    knowledge_entry: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndTicket:
    """A move that needs nothing but its reason: send back, decline, transfer or withdraw."""

    number: str
    reason: str


# What a department had asked for falls away with the ticket.
PENDING = (
    Overlay.RETURN_PENDING,
    Overlay.ADJUDICATION_PENDING,
    Overlay.EXTENSION_PENDING,
    Overlay.SUSPENSION_PENDING,
    Overlay.SUSPENDED,
)


def sign(session: Session, context: Context, command: SignTicket, actor: Actor) -> Ticket:
    """Sign for the ticket; the sign limit ends here."""
    ticket = _locked(session, context, actor, command.number)
    now = context.now()
    move(session, context, ticket, Action.SIGN, actor, now)
    ticket.signed_at = current_assignment(session, ticket).signed_at = now
    return ticket


def contact(session: Session, context: Context, command: ContactCitizen, actor: Actor) -> Ticket:
    """Record that the citizen was called first; the first time counts."""
    ticket = _locked(session, context, actor, command.number)
    now = context.now()
    require(ticket, Action.CONTACT, actor)
    ticket.contacted_at = ticket.contacted_at or now
    move(session, context, ticket, Action.CONTACT, actor, now, reason=command.note)
    return ticket


def reply(session: Session, context: Context, command: ReplyToTicket, actor: Actor) -> Ticket:
    """Write the reply.  Raises ``InvalidInput`` when it is unresolved without a reason."""
    if not command.resolved and not command.unresolved_reason:
        raise InvalidInput("unresolved_reason", "say why it is not resolved")
    ticket = _locked(session, context, actor, command.number)
    now = context.now()
    data = {"valid": command.valid, "contacted": command.contacted, "resolved": command.resolved}
    require(ticket, Action.REPLY, actor)
    if command.contacted:
        ticket.contacted_at = ticket.contacted_at or now
    ticket.replied_at = now
    move(session, context, ticket, Action.REPLY, actor, now, data=data)
    session.add(
        Reply(
            ticket_id=ticket.id,
            account_id=actor.account_id,
            at=now,
            text=command.text,
            valid=command.valid,
            contacted=command.contacted,
            resolved=command.resolved,
            unresolved_reason=command.unresolved_reason,
        )
    )
    return ticket


def approve(session: Session, context: Context, command: ApproveReply, actor: Actor) -> Ticket:
    """Approve the newest reply; handling is complete.  Nobody approves a reply of their own."""
    ticket = _locked(session, context, actor, command.number)
    # Refused moves are refused before anything of the ticket is changed.
    require(ticket, Action.APPROVE, actor)
    newest = session.scalars(select(Reply).where(Reply.ticket_id == ticket.id).order_by(Reply.id.desc()).limit(1)).one()
    if newest.account_id is not None and newest.account_id == actor.account_id:
        raise Forbidden("a reply is approved by somebody other than its author")
    now = context.now()
    newest.approved_at, newest.approved_by = now, actor.account_id
    ticket.completed_at = ticket.completed_at or now
    ticket.next_due = None
    ticket.followup_due = clock.due_from(context, ticket, Kind.FOLLOW_UP, now)
    cancel_cohandling(session, ticket, now)
    data = {"followup_due": ticket.followup_due.isoformat()}
    move(session, context, ticket, Action.APPROVE, actor, now, data=data)
    lift(ticket, Overlay.EXTENSION_PENDING, Overlay.SUSPENSION_PENDING)
    open_followups(session, context, ticket, now)
    return ticket


def send_back(session: Session, context: Context, command: EndTicket, actor: Actor) -> Ticket:
    """Send the reply back to the handler; the due stays."""
    ticket = _locked(session, context, actor, command.number)
    move(session, context, ticket, Action.SEND_BACK, actor, context.now(), reason=command.reason)
    return ticket


def answer(session: Session, context: Context, command: AnswerTicket, actor: Actor) -> Ticket:
    """Answer the inquiry at once (直接答复)."""
    ticket = _locked(session, context, actor, command.number)
    answer_ticket(session, context, ticket, command.answer, command.knowledge_entry, actor)
    return ticket


def decline(session: Session, context: Context, command: EndTicket, actor: Actor) -> Ticket:
    """Decline (不予受理); the reason names the proper channel that the caller was told."""
    return _end(session, context, command, actor, Action.DECLINE, reason=command.reason)


def transfer(session: Session, context: Context, command: EndTicket, actor: Actor) -> Ticket:
    """Hand over to 110, 119 or 120 (转办外部); the reason says to whom."""
    return _end(session, context, command, actor, Action.TRANSFER, reason=command.reason)


def withdraw(session: Session, context: Context, command: EndTicket, actor: Actor) -> Ticket:
    """Record that the citizen takes the request back (撤诉)."""
    return _end(session, context, command, actor, Action.WITHDRAW, reason=command.reason)


def _end(
    session: Session, context: Context, command: EndTicket, actor: Actor, action: Action, *, reason: str
) -> Ticket:
    ticket = _locked(session, context, actor, command.number)
    require(ticket, action, actor)
    now = context.now()
    end_suspension(session, context, ticket)
    end_assignment(session, ticket, now, by="withdrawn")
    cancel_cohandling(session, ticket, now)
    ticket.next_due = None
    ticket.ended_early_at = ticket.ended_early_at or now
    move(session, context, ticket, action, actor, now, reason=reason)
    lift(ticket, *PENDING)
    return ticket


def _locked(session: Session, context: Context, actor: Actor, number: str) -> Ticket:
    ticket = lock_ticket(session, context, actor, number)
    require_lead(session, actor, ticket)
    return ticket
