"""What the reports are computed from: countings, their daily sums, and the times in which tickets waited.

All of it follows from the tickets' events and can be made anew at any time (``hotline reports rebuild``), so that
nothing here refers to other tables by a constraint.  A trigger on ``ticket_event`` notes which tickets have moved.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Double,
    Identity,
    Index,
    LargeBinary,
    Table,
    Text,
    func,
    text,
)

from hotline.storage.tables.base import Base

# What every counting can be told apart by, beside department.
PLACE = ("district", "task", "matter", "channel", "type")


def _dimensions(*names: str) -> list[Column[str]]:
    return [Column(name, Text) for name in names]


# One thing that counts for one figure at one instant; what it means stands in ``hotline.domain.facts``.
COUNTED = Table(
    "counted",
    Base.metadata,
    Column("ticket_id", BigInteger, nullable=False),
    Column("measure", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("hit_at", DateTime(timezone=True)),
    Column("department_id", BigInteger),
    Column("seconds", Double),
    *_dimensions(*PLACE),
    Column("excluded", Boolean, nullable=False),
    Index("ix_counted_ticket", "ticket_id"),
    Index("ix_counted_measure_at", "measure", "at"),
    # A matter is a small part of a month, and is asked for alone.
    Index("ix_counted_matter_at", "matter", "at"),
)

# The sums of a day of the city, so that a report over months reads days and not tickets.
COUNTED_DAY = Table(
    "counted_day",
    Base.metadata,
    Column("day", Date, nullable=False),
    Column("measure", Text, nullable=False),
    Column("department_id", BigInteger),
    *_dimensions("district", "task"),
    Column("excluded", Boolean, nullable=False),
    Column("n", BigInteger, nullable=False),
    Column("hits", BigInteger, nullable=False),
    Index(
        "uq_counted_day",
        *("day", "measure", "department_id", "district", "task", "excluded"),
        unique=True,
        postgresql_nulls_not_distinct=True,
    ),
)

# The same by one dimension alone, which is a fraction of the rows: what is read when nothing, or one thing, is chosen.
# "whole" is everything, and "hour" the hour of the city's day, of calls only.
COUNTED_DAY_BY = Table(
    "counted_day_by",
    Base.metadata,
    Column("dimension", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("key", Text),
    Column("measure", Text, nullable=False),
    Column("excluded", Boolean, nullable=False),
    Column("n", BigInteger, nullable=False),
    Column("hits", BigInteger, nullable=False),
    Index(
        "uq_counted_day_by",
        *("dimension", "day", "key", "measure", "excluded"),
        unique=True,
        postgresql_nulls_not_distinct=True,
        postgresql_include=["n", "hits"],
    ),
)

# The handling times of a day that is over, packed as float32 seconds, so that percentiles over months need not visit
# every ticket.  A day is made when it is first missed, and goes when something of it changes.
HANDLED_DAY = Table(
    "handled_day",
    Base.metadata,
    Column("dimension", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("key", Text),
    Column("excluded", Boolean, nullable=False),
    Column("seconds", LargeBinary, nullable=False),
    Index(
        "uq_handled_day",
        *("dimension", "day", "key", "excluded"),
        unique=True,
        postgresql_nulls_not_distinct=True,
    ),
    Index("ix_handled_day_day", "day"),
)

# A time in which a ticket waited for the hotline or a department: the backlog at any instant is those that hold it.
WAITED = Table(
    "waited",
    Base.metadata,
    Column("ticket_id", BigInteger, nullable=False),
    Column("since", DateTime(timezone=True), nullable=False),
    Column("until", DateTime(timezone=True)),
    Column("department_id", BigInteger),
    Column("received_at", DateTime(timezone=True), nullable=False),
    *_dimensions(*PLACE),
    Column("excluded", Boolean, nullable=False),
    Index("ix_waited_ticket", "ticket_id"),
    Index("ix_waited_during", func.tstzrange(text("since"), text("until")), postgresql_using="gist"),
)

# A bulletin (日报、周报、月报) as it was published: the figures of that morning, whatever has been decided since.
BULLETIN = Table(
    "bulletin",
    Base.metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("first_day", Date, nullable=False),
    Column("last_day", Date, nullable=False),
    Column("made_at", DateTime(timezone=True), nullable=False),
    Column("headline", Text, nullable=False),
    Column("workbook", LargeBinary, nullable=False),
    Column("document", LargeBinary, nullable=False),
    Index("uq_bulletin_kind_day", "kind", "first_day", unique=True),
)

# Tickets that have moved since they were counted.  Rows are only added and taken away, so that no move waits here.
UNCOUNTED = Table(
    "uncounted",
    Base.metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("ticket_id", BigInteger, nullable=False),
)
