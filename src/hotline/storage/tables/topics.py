"""What many tickets of a period are about, as it was found by their vectors."""

from sqlalchemy import BigInteger, Boolean, Column, Date, DateTime, Identity, Index, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from hotline.storage.tables.base import Base

# One topic of the tickets received from ``first_day`` to ``last_day``.  ``weeks`` are the tickets alike it in each week
# up to the last day, the newest last; ``before`` those in as many days before; ``places`` pairs of name and tickets.
# What is ``rolling`` gives way to the next day's.
HOT_TOPIC = Table(
    "hot_topic",
    Base.metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("first_day", Date, nullable=False),
    Column("last_day", Date, nullable=False),
    Column("rank", BigInteger, nullable=False),
    Column("rolling", Boolean, nullable=False),
    Column("made_at", DateTime(timezone=True), nullable=False),
    Column("name", Text, nullable=False),
    Column("places", JSONB, nullable=False),
    Column("matter", Text),
    Column("before", BigInteger, nullable=False),
    Column("weeks", ARRAY(BigInteger), nullable=False),
    Column("tickets", ARRAY(BigInteger), nullable=False),
    Column("of", BigInteger, nullable=False),
    Index("uq_hot_topic_days_rank", "first_day", "last_day", "rank", unique=True),
)
