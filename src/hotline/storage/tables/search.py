"""The words of tickets, for the search box."""

from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from hotline.storage.tables.base import Base


class TicketWords(Base):
    """The segmented words of one ticket's masked texts, with their places.

    They stand beside the ticket, not in it: a ticket's row is rewritten at every step and its words never change.
    """

    __tablename__ = "ticket_words"
    __table_args__ = (Index("ix_ticket_words_words", "words", postgresql_using="gin"),)

    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), primary_key=True)
    words: Mapped[Any] = mapped_column(TSVECTOR)
