"""Watching over tickets: urging (催办) when the citizen calls again, cards by hand (督办), corrected classification."""

from dataclasses import dataclass
from typing import Literal

from sqlalchemy.orm import Session

from hotline.domain.people import Actor
from hotline.domain.ticket import Action, ComplaintType, Urgency
from hotline.services.assignments import due_data
from hotline.services.context import Context
from hotline.services.dispatch import relabel
from hotline.services.dues import apply_dues
from hotline.services.errors import InvalidInput
from hotline.services.locking import lock_ticket
from hotline.services.moves import move, require
from hotline.services.notices import catch_up
from hotline.storage.tables import Ticket

Card = Literal["yellow", "red"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Urge:
    """What the citizen said when calling again."""

    number: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Supervise:
    """The supervisor's card, given by hand and with a reason."""

    number: str
    card: Card
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reclassify:
    """What was wrong about a dispatched ticket; None stays as it is."""

    number: str
    reason: str
    type: ComplaintType | None = None
    matter: str | None = None
    urgency: Urgency | None = None


def urge(session: Session, context: Context, command: Urge, actor: Actor) -> Ticket:
    """Record that the citizen urges."""
    ticket = lock_ticket(session, context, actor, command.number)
    urge_ticket(session, context, ticket, actor, command.reason)
    return ticket


def urge_ticket(session: Session, context: Context, ticket: Ticket, actor: Actor, reason: str | None) -> None:
    """Count one more call about the locked ticket."""
    ticket_urges = ticket.urges + 1
    move(session, context, ticket, Action.URGE, actor, context.now(), reason=reason, data={"urges": ticket_urges})
    ticket.urges = ticket_urges


def supervise(session: Session, context: Context, command: Supervise, actor: Actor) -> Ticket:
    """Give the ticket a card; it stands in its timeline and in the figures beside those of the clock."""
    ticket = lock_ticket(session, context, actor, command.number)
    move(
        session,
        context,
        ticket,
        Action.SUPERVISE,
        actor,
        context.now(),
        reason=command.reason,
        data={"card": command.card, "department": ticket.lead_department.code if ticket.lead_department else None},
    )
    return ticket


def reclassify(session: Session, context: Context, command: Reclassify, actor: Actor) -> Ticket:
    """Correct type, matter or urgency after dispatch; the dues follow from their original starts.

    The event keeps both sides of each change, for the list of changes that move figures.  Raises ``InvalidInput`` when
    nothing would change.
    """
    ticket = lock_ticket(session, context, actor, command.number)
    require(ticket, Action.RECLASSIFY, actor)
    wanted = {"type": command.type, "matter": command.matter, "urgency": command.urgency}
    changes = {
        name: [getattr(ticket, name), value]
        for name, value in wanted.items()
        if value is not None and value != getattr(ticket, name)
    }
    if not changes:
        raise InvalidInput("type", "say what changes: type, matter or urgency")
    before = due_data(ticket)
    if command.matter is not None:
        relabel(session, context, ticket, command.matter, actor)
    ticket.type = command.type or ticket.type
    ticket.urgency = command.urgency or ticket.urgency
    moved = apply_dues(session, context, ticket)
    data = {"changes": changes, "before": before, **due_data(ticket), "moved": moved}
    move(session, context, ticket, Action.RECLASSIFY, actor, context.now(), reason=command.reason, data=data)
    catch_up(session, context, ticket)
    return ticket
