"""Hot topics: what many tickets of a period are about.

Revision: 0017
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0017"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "hot_topic",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("rank", sa.BigInteger(), nullable=False),
        sa.Column("rolling", sa.Boolean(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("places", postgresql.JSONB(), nullable=False),
        sa.Column("matter", sa.Text(), nullable=True),
        sa.Column("before", sa.BigInteger(), nullable=False),
        sa.Column("weeks", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("tickets", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("of", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hot_topic")),
    )
    op.create_index("uq_hot_topic_days_rank", "hot_topic", ["first_day", "last_day", "rank"], unique=True)


def downgrade() -> None:
    op.drop_table("hot_topic")
