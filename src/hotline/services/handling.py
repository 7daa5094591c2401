"""Handling (办理): the department signs and replies, its lead approves or sends back.

The hotline's own desk ends here what needs no handling: answered, declined, transferred, withdrawn.
"""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.domain.people import Actor
from hotline.domain.ticket import Action, State, next_state
from hotline.services.access import find_ticket, require_lead
from hotline.services.context import Context
from hotline.services.errors import Forbidden, InvalidInput
from hotline.services.moves import move
from hotline.storage.tables import Reply, Ticket


@dataclass(frozen=True, slots=True, kw_only=True)
class SignTicket:
    """The department takes the ticket in hand (签收)."""

    number: str


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
class EndTicket:
    """A move that needs nothing but its reason: send back, answer, decline, transfer or withdraw."""

    number: str
    reason: str


def sign(session: Session, context: Context, command: SignTicket, actor: Actor) -> Ticket:
    """Sign for the ticket; the sign limit ends here."""
    ticket = _locked(session, actor, command.number)
    now = context.now()
    move(session, context, ticket, Action.SIGN, actor, now)
    ticket.signed_at = now
    return ticket


def reply(session: Session, context: Context, command: ReplyToTicket, actor: Actor) -> Ticket:
    """Write the reply.  Raises ``InvalidInput`` when it is unresolved without a reason."""
    if not command.resolved and not command.unresolved_reason:
        raise InvalidInput("unresolved_reason", "say why it is not resolved")
    ticket = _locked(session, actor, command.number)
    now = context.now()
    data = {"valid": command.valid, "contacted": command.contacted, "resolved": command.resolved}
    move(session, context, ticket, Action.REPLY, actor, now, data=data)
    ticket.replied_at = now
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
    ticket = _locked(session, actor, command.number)
    # Refused moves are refused before anything of the ticket is changed.
    next_state(State(ticket.state), Action.APPROVE, actor.role)
    newest = session.scalars(select(Reply).where(Reply.ticket_id == ticket.id).order_by(Reply.id.desc()).limit(1)).one()
    if newest.account_id is not None and newest.account_id == actor.account_id:
        raise Forbidden("a reply is approved by somebody other than its author")
    now = context.now()
    move(session, context, ticket, Action.APPROVE, actor, now)
    newest.approved_at, newest.approved_by = now, actor.account_id
    ticket.completed_at = ticket.completed_at or now
    return ticket


def send_back(session: Session, context: Context, command: EndTicket, actor: Actor) -> Ticket:
    """Send the reply back to the handler; the due stays."""
    ticket = _locked(session, actor, command.number)
    move(session, context, ticket, Action.SEND_BACK, actor, context.now(), reason=command.reason)
    return ticket


def answer(session: Session, context: Context, command: EndTicket, actor: Actor) -> Ticket:
    """Answer the inquiry at once (直接答复); ``reason`` is the answer given."""
    ticket = _end(session, context, command, actor, Action.ANSWER, reason=None)
    ticket.answer = command.reason
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
    session: Session, context: Context, command: EndTicket, actor: Actor, action: Action, *, reason: str | None
) -> Ticket:
    ticket = _locked(session, actor, command.number)
    now = context.now()
    move(session, context, ticket, action, actor, now, reason=reason)
    ticket.ended_early_at = now
    return ticket


def _locked(session: Session, actor: Actor, number: str) -> Ticket:
    ticket = find_ticket(session, actor, number, lock=True)
    require_lead(session, actor, ticket)
    return ticket
