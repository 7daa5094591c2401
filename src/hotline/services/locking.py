"""Lock a ticket to change it; the clock speaks first, so that its notices do not depend on who came when."""

from sqlalchemy.orm import Session

from hotline.domain.people import Actor
from hotline.services.access import find_ticket
from hotline.services.context import Context
from hotline.services.notices import settle
from hotline.storage.tables import Ticket


def lock_ticket(session: Session, context: Context, actor: Actor, number: str) -> Ticket:
    """Return the ticket with ``number``, locked against other moves and with its notices written up to now.

    Raises ``NotFound`` also when the actor may not see it.
    """
    ticket = find_ticket(session, actor, number, lock=True)
    settle(session, context, ticket)
    return ticket
