"""The words of tickets for the search box: written once a ticket is read, and caught up for those that have none."""

from collections.abc import Sequence

from sqlalchemy import cast, select
from sqlalchemy.dialects.postgresql import TSVECTOR, insert
from sqlalchemy.orm import Session, selectinload

from hotline.ml.pairs import document_vector
from hotline.services.context import Context
from hotline.services.masking import hidden_mask
from hotline.storage.tables import Ticket, TicketWords

# A batch of the hourly catch-up: its tickets are locked for a second or two, so that nobody waits long for one.
BATCH = 1000


def write_words(session: Session, context: Context, tickets: Sequence[Ticket]) -> None:
    """Write the words of ``tickets``, masked as for those who see least, so that no search tells what is hidden."""
    rows = [{"ticket_id": ticket.id, "words": cast(_vector(context, ticket), TSVECTOR)} for ticket in tickets]
    if rows:
        session.execute(insert(TicketWords).values(rows).on_conflict_do_nothing())


def _vector(context: Context, ticket: Ticket) -> str:
    mask = hidden_mask(ticket, context)
    texts = (ticket.title, ticket.content, ticket.wish or "", mask.place(ticket.address) or "")
    return document_vector(*(mask.text(text) for text in texts))


def catch_up(session: Session, context: Context, limit: int = BATCH) -> int:
    """Write the words of tickets that have none, the newest first; return how many.

    They come from before there was a search, or from a restore.  A ticket that somebody holds is left out: its triage
    may be writing the same words, and the two would wait for one another.
    """
    lacking = ~select(TicketWords.ticket_id).where(TicketWords.ticket_id == Ticket.id).exists()
    query = select(Ticket).where(lacking, Ticket.anonymised_at.is_(None)).options(selectinload(Ticket.caller))
    unheld = query.order_by(Ticket.id.desc()).limit(limit).with_for_update(of=Ticket, key_share=True, skip_locked=True)
    tickets = session.scalars(unheld).all()
    for start in range(0, len(tickets), 500):
        write_words(session, context, tickets[start : start + 500])
    return len(tickets)
