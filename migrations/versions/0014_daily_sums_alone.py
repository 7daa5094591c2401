"""Daily sums by one dimension alone, packed handling times of days, and an index of countings by matter.

Revision: 0014
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0012"
branch_labels = None
depends_on = None

# What is counted already is summed here; afterwards the sums are carried forward with the countings.
SUM_UP = """
INSERT INTO counted_day_by (dimension, day, key, measure, excluded, n, hits)
SELECT dimension, (at AT TIME ZONE 'Asia/Shanghai')::date, key, measure, excluded, count(*), count(hit_at)
FROM counted
CROSS JOIN LATERAL (VALUES ('whole', NULL), ('department_id', department_id::text), ('district', district),
    ('task', task), ('matter', matter), ('channel', channel), ('type', type),
    ('hour', to_char(at AT TIME ZONE 'Asia/Shanghai', 'HH24'))) side (dimension, key)
WHERE dimension <> 'hour' OR measure = 'received'
GROUP BY 1, 2, 3, 4, 5
"""


def upgrade() -> None:
    op.create_table(
        "counted_day_by",
        sa.Column("dimension", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("measure", sa.Text(), nullable=False),
        sa.Column("excluded", sa.Boolean(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("hits", sa.BigInteger(), nullable=False),
    )
    op.create_index(
        "uq_counted_day_by",
        "counted_day_by",
        ["dimension", "day", "key", "measure", "excluded"],
        unique=True,
        postgresql_nulls_not_distinct=True,
        postgresql_include=["n", "hits"],
    )
    op.create_table(
        "handled_day",
        sa.Column("dimension", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("excluded", sa.Boolean(), nullable=False),
        sa.Column("seconds", sa.LargeBinary(), nullable=False),
    )
    keys = ["dimension", "day", "key", "excluded"]
    op.create_index("uq_handled_day", "handled_day", keys, unique=True, postgresql_nulls_not_distinct=True)
    op.create_index("ix_handled_day_day", "handled_day", ["day"])
    op.create_index("ix_counted_matter_at", "counted", ["matter", "at"])
    op.execute(SUM_UP)


def downgrade() -> None:
    op.drop_index("ix_counted_matter_at", "counted")
    op.drop_table("handled_day")
    op.drop_table("counted_day_by")
