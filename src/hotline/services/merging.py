"""Merging (并单): a second call about the same event joins the ticket that is already in hand."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.domain.people import Actor
from hotline.domain.ticket import OPEN_STATES, Action
from hotline.services.access import find_ticket
from hotline.services.context import Context
from hotline.services.errors import InvalidInput
from hotline.services.moves import move
from hotline.storage.tables import Ticket


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeTicket:
    """Which ticket joins which."""

    number: str
    into: str


def merge(session: Session, context: Context, command: MergeTicket, actor: Actor) -> Ticket:
    """Merge by hand, before dispatch.  Raises ``InvalidInput`` when the other ticket is not there or not open."""
    # Both rows are locked in one order, so that two people who merge two tickets into each other do not deadlock.
    both = select(Ticket.id).where(Ticket.number.in_((command.number, command.into))).order_by(Ticket.id)
    session.execute(both.with_for_update())
    ticket = find_ticket(session, actor, command.number, lock=True)
    merge_into(session, context, ticket, command.into, actor, field="into")
    return ticket


def merge_into(session: Session, context: Context, ticket: Ticket, number: str, actor: Actor, *, field: str) -> None:
    """Merge the locked ``ticket`` into the open one with ``number``; ``field`` is what the caller called it."""
    query = select(Ticket).where(Ticket.number == number).with_for_update(of=Ticket)
    target = session.scalars(query).one_or_none()
    if target is None or target.id == ticket.id:
        raise InvalidInput(field, "there is no other ticket with this number")
    if target.state not in OPEN_STATES:
        raise InvalidInput(field, f"that ticket is no longer open (state '{target.state}')")
    now = context.now()
    move(session, context, ticket, Action.MERGE, actor, now, data={"into": target.number})
    ticket.merged_into_id = target.id
    ticket.ended_early_at = now
