"""Countings: what the reports are computed from, and the note of which tickets have moved.

Revision: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

NOTE_MOVES = """
CREATE FUNCTION note_moves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO uncounted (ticket_id) SELECT DISTINCT ticket_id FROM moved;
    RETURN NULL;
END $$
"""
TRIGGER = """
CREATE TRIGGER note_moves AFTER INSERT ON ticket_event REFERENCING NEW TABLE AS moved
FOR EACH STATEMENT EXECUTE FUNCTION note_moves()
"""


def _dimensions(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=True) for name in names]


def upgrade() -> None:
    op.create_table(
        "counted",
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("measure", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("hit_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("department_id", sa.BigInteger(), nullable=True),
        sa.Column("seconds", sa.Double(), nullable=True),
        *_dimensions("district", "task", "matter", "channel", "type"),
        sa.Column("excluded", sa.Boolean(), nullable=False),
    )
    op.create_index("ix_counted_ticket", "counted", ["ticket_id"])
    op.create_index("ix_counted_measure_at", "counted", ["measure", "at"])
    op.create_table(
        "counted_day",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("measure", sa.Text(), nullable=False),
        sa.Column("department_id", sa.BigInteger(), nullable=True),
        *_dimensions("district", "task"),
        sa.Column("excluded", sa.Boolean(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("hits", sa.BigInteger(), nullable=False),
    )
    keys = ["day", "measure", "department_id", "district", "task", "excluded"]
    op.create_index("uq_counted_day", "counted_day", keys, unique=True, postgresql_nulls_not_distinct=True)
    op.create_table(
        "waited",
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("department_id", sa.BigInteger(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        *_dimensions("district", "task", "matter", "channel", "type"),
        sa.Column("excluded", sa.Boolean(), nullable=False),
    )
    op.create_index("ix_waited_ticket", "waited", ["ticket_id"])
    op.execute("CREATE INDEX ix_waited_during ON waited USING gist (tstzrange(since, until))")
    op.create_table(
        "uncounted",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_uncounted")),
    )
    op.create_table(
        "bulletin",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("headline", sa.Text(), nullable=False),
        sa.Column("workbook", sa.LargeBinary(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulletin")),
    )
    op.create_index("uq_bulletin_kind_day", "bulletin", ["kind", "first_day"], unique=True)
    op.execute(NOTE_MOVES)
    op.execute(TRIGGER)
    # What is there already is counted by the first job, in batches.
    op.execute("INSERT INTO uncounted (ticket_id) SELECT id FROM ticket")


def downgrade() -> None:
    op.execute("DROP TRIGGER note_moves ON ticket_event")
    op.execute("DROP FUNCTION note_moves")
    for table in ("bulletin", "uncounted", "waited", "counted_day", "counted"):
        op.drop_table(table)
