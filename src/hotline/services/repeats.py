"""The same form sent twice: a double click, a reload or an impatient second press must not do a thing twice."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hotline.domain.people import Actor
from hotline.domain.ticket import Action
from hotline.services.access import find_ticket
from hotline.storage.tables import Ticket, TicketEvent


def last_event(session: Session, ticket: Ticket) -> int:
    """Return the id of the ticket's newest event, which a form carries to tell what its sender has seen."""
    return session.scalar(select(func.max(TicketEvent.id)).where(TicketEvent.ticket_id == ticket.id)) or 0


def was_done_since(session: Session, number: str, action: Action, actor: Actor, seen: int) -> bool:
    """Tell whether ``actor`` has taken ``action`` after the event ``seen``; the ticket stays locked for what follows.

    Whoever wants the same once more does it on a page that shows the first.
    """
    ticket = find_ticket(session, actor, number, lock=True)
    query = select(TicketEvent.id).where(
        TicketEvent.ticket_id == ticket.id,
        TicketEvent.id > seen,
        TicketEvent.kind == action,
        TicketEvent.account_id == actor.account_id,
    )
    return session.scalars(query.limit(1)).first() is not None
