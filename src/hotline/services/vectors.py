"""Keep a vector beside each ticket and each entry of the knowledge base, by which similar ones are found."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Select, exists, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from hotline.domain.people import SYSTEM
from hotline.ml.privacy import looks_personal
from hotline.ml.similar import SimilarModel
from hotline.ml.similar_text import Message
from hotline.services.context import Context
from hotline.services.masking import mask_for
from hotline.storage.engine import SessionFactory, transaction
from hotline.storage.tables import KnowledgeEntry, KnowledgeVector, Ticket, TicketVector

BATCH = 200
PLACES = 20


def keep_vectors(session: Session, context: Context, tickets: Sequence[Ticket]) -> None:
    """Write or renew the tickets' vectors, in the caller's transaction.  Without a model there are none.

    The text is masked first: neither vector nor places may hold who called.
    """
    model = context.similar()
    if model is None or not tickets:
        return
    readings = [model.read(masked_message(ticket, context)) for ticket in tickets]
    vectors = model.vectors(readings)
    rows = [
        {
            "ticket_id": ticket.id,
            "version": model.version,
            "embedding": vector.tolist(),
            "places": [name for name in reading.places.labels() if not looks_personal(name)][:PLACES],
            "received_at": ticket.received_at,
        }
        for ticket, reading, vector in zip(tickets, readings, vectors, strict=True)
    ]
    _put(session, TicketVector, "ticket_id", rows)


def keep_entry_vectors(session: Session, context: Context, entries: Iterable[KnowledgeEntry]) -> None:
    """The same for entries of the knowledge base, whose question stands for a title."""
    model, entries = context.similar(), list(entries)
    if model is None or not entries:
        return
    vectors = model.vectors([model.read(Message(entry.question, entry.answer)) for entry in entries])
    rows = [
        {"entry_id": entry.id, "version": model.version, "embedding": vector.tolist()}
        for entry, vector in zip(entries, vectors, strict=True)
    ]
    _put(session, KnowledgeVector, "entry_id", rows)


def masked_message(ticket: Ticket, context: Context) -> Message:
    """A ticket as similarity may read it: without anything that tells who called."""
    mask = mask_for(ticket, context, SYSTEM)
    address = mask.place(ticket.address)
    content = f"{mask.text(ticket.content)} {address}" if address else mask.text(ticket.content)
    return Message(mask.text(ticket.title), content, ticket.received_at.timestamp())


def backfill(sessions: SessionFactory, context: Context, model: SimilarModel) -> Iterator[int]:
    """Give vectors of the present version to whatever has none; yield how many each batch held.

    Each batch is a transaction of its own.  It can be stopped at any time and goes on where it was.
    """
    last = 0
    while True:
        with transaction(sessions) as session:
            query = _without_vector(model.version).where(Ticket.id > last).order_by(Ticket.id).limit(BATCH)
            tickets = session.scalars(query.with_for_update(of=Ticket)).all()
            keep_vectors(session, context, tickets)
            last = tickets[-1].id if tickets else last
        if not tickets:
            break
        yield len(tickets)
    with transaction(sessions) as session:
        current = exists().where(
            KnowledgeVector.entry_id == KnowledgeEntry.id, KnowledgeVector.version == model.version
        )
        entries = session.scalars(select(KnowledgeEntry).where(~current)).all()
        keep_entry_vectors(session, context, entries)


def count_without_vector(session: Session, version: str) -> int:
    """Count the tickets that ``backfill`` would read, for a progress bar."""
    return session.scalar(select(func.count()).select_from(_without_vector(version).subquery())) or 0


def _without_vector(version: str) -> Select[Ticket]:
    current = exists().where(TicketVector.ticket_id == Ticket.id, TicketVector.version == version)
    return select(Ticket).where(Ticket.anonymised_at.is_(None), ~current)


def _put(session: Session, table: type[Any], key: str, rows: list[dict[str, Any]]) -> None:
    statement = insert(table).values(rows)
    renewed = {name: statement.excluded[name] for name in rows[0] if name != key}
    session.execute(statement.on_conflict_do_update(index_elements=[key], set_=renewed))
