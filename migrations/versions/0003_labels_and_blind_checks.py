"""Labels and blind checks.

Revision: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "label",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("matter", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("predicted", sa.Text(), nullable=True),
        sa.Column("model_version", sa.Text(), nullable=True),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("source IN ('agent', 'dispatcher', 'blind', 'return')", name=op.f("ck_label_source_known")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_label_account_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_label_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_label")),
    )
    op.create_index("ix_label_at", "label", ["at"], unique=False)
    op.create_index("ix_label_ticket", "label", ["ticket_id"], unique=False)
    op.add_column("ticket", sa.Column("blind", sa.Boolean(), server_default="false", nullable=False))


def downgrade() -> None:
    op.drop_column("ticket", "blind")
    op.drop_index("ix_label_ticket", table_name="label")
    op.drop_index("ix_label_at", table_name="label")
    op.drop_table("label")
