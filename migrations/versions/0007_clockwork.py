"""Calendars and limits as dated editions, and where to write to people.

Revision: 0007
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "calendar_edition",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("year", sa.BigInteger(), nullable=True),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("imported_by", sa.Text(), nullable=False),
        sa.CheckConstraint("year BETWEEN 1900 AND 2199", name=op.f("ck_calendar_edition_year_range")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_edition")),
    )
    op.create_index(op.f("ix_calendar_edition_year"), "calendar_edition", ["year"], unique=False)
    op.create_table(
        "limit_set",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rules", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("imported_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_limit_set")),
        sa.UniqueConstraint("version", name=op.f("uq_limit_set_version")),
    )
    op.create_index("ix_limit_set_valid_from", "limit_set", [sa.text("valid_from DESC"), sa.text("id DESC")])
    op.create_table(
        "calendar_warning",
        sa.Column("year", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("year", name=op.f("pk_calendar_warning")),
    )
    op.add_column("account", sa.Column("email", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("account", "email")
    op.drop_table("calendar_warning")
    op.drop_index("ix_limit_set_valid_from", table_name="limit_set")
    op.drop_table("limit_set")
    op.drop_index(op.f("ix_calendar_edition_year"), table_name="calendar_edition")
    op.drop_table("calendar_edition")
