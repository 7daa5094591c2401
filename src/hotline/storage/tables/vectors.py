"""What makes tickets and entries of the knowledge base findable by meaning.  Rows of another version are ignored."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from hotline.storage.tables.base import Base
from hotline.storage.vector_type import Vector

DIMENSIONS = 256
_COSINE = {"embedding": "vector_cosine_ops"}


class TicketVector(Base):
    """A ticket's vector and the places named in its text, made from the masked text; gone when retention closes out."""

    __tablename__ = "ticket_vector"
    __table_args__ = (
        Index("ix_ticket_vector_embedding", "embedding", postgresql_using="hnsw", postgresql_ops=_COSINE),
        Index("ix_ticket_vector_received_at", "received_at"),
    )

    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), primary_key=True)
    version: Mapped[str]
    embedding: Mapped[list[float]] = mapped_column(Vector(DIMENSIONS))
    places: Mapped[list[str]]
    # Repeated from the ticket, so that the index walk can stay within the time window.
    received_at: Mapped[datetime]


class OpenVector(Base):
    """The vectors of open tickets once more, some thousands in a city.

    An index over all tickets would walk past a hundred closed ones for each that is open, and past thousands for one
    of a department's own.  Triggers keep the table as tickets move and vectors are written (migration 0016).
    """

    __tablename__ = "open_vector"
    __table_args__ = (Index("ix_open_vector_embedding", "embedding", postgresql_using="hnsw", postgresql_ops=_COSINE),)

    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket_vector.ticket_id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[str]
    embedding: Mapped[list[float]] = mapped_column(Vector(DIMENSIONS))
    received_at: Mapped[datetime]


class KnowledgeVector(Base):
    """The vector of an entry's question and answer.  There are thousands of entries at most, so no index is needed."""

    __tablename__ = "knowledge_vector"

    entry_id: Mapped[int] = mapped_column(ForeignKey("knowledge_entry.id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[str]
    embedding: Mapped[list[float]] = mapped_column(Vector(DIMENSIONS))
