"""Second factor, token scopes, audit log, retention.

Revision: 0002
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


# One change of an event is lawful: retention closes out the words that somebody gave as its reason.  Nothing that a
# figure is computed from changes by it.
ALLOW_CLOSING_OUT = """
CREATE OR REPLACE FUNCTION refuse_event_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.reason = '[closed out]'
       AND to_jsonb(NEW) - 'reason' = to_jsonb(OLD) - 'reason' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'ticket_event is append-only';
END
$$
"""
REFUSE_ALL = """
CREATE OR REPLACE FUNCTION refuse_event_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'ticket_event is append-only';
END
$$
"""
EACH_EVENT = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ticket_event FOR EACH ROW EXECUTE FUNCTION refuse_event_changes()
"""
NO_TRUNCATE = """
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON ticket_event FOR EACH STATEMENT EXECUTE FUNCTION refuse_event_changes()
"""
EACH_STATEMENT = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ticket_event
FOR EACH STATEMENT EXECUTE FUNCTION refuse_event_changes()
"""
REFUSE_AUDIT_CHANGES = """
CREATE FUNCTION refuse_audit_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit_entry is append-only';
END
$$
"""
AUDIT_APPEND_ONLY = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry
FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_changes()
"""


def upgrade() -> None:
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("detail", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("seal", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_audit_entry_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
        sa.UniqueConstraint("seal", name=op.f("uq_audit_entry_seal")),
    )
    op.create_index(op.f("ix_audit_entry_account_id"), "audit_entry", ["account_id"], unique=False)
    op.create_index(op.f("ix_audit_entry_action"), "audit_entry", ["action"], unique=False)
    op.create_index(op.f("ix_audit_entry_subject"), "audit_entry", ["subject"], unique=False)
    op.add_column("account", sa.Column("failed_logins", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("account", sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("account", sa.Column("totp_sealed", sa.Text(), nullable=True))
    op.add_column("account", sa.Column("totp_step", sa.BigInteger(), nullable=True))
    op.add_column("account", sa.Column("session_epoch", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("api_token", sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("api_token", sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=True))
    op.add_column("ticket", sa.Column("anonymised_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(REFUSE_AUDIT_CHANGES)
    op.execute(AUDIT_APPEND_ONLY)
    op.execute("DROP TRIGGER append_only ON ticket_event")
    op.execute(ALLOW_CLOSING_OUT)
    op.execute(EACH_EVENT)
    op.execute(NO_TRUNCATE)


def downgrade() -> None:
    op.execute("DROP TRIGGER no_truncate ON ticket_event")
    op.execute("DROP TRIGGER append_only ON ticket_event")
    op.execute(REFUSE_ALL)
    op.execute(EACH_STATEMENT)
    op.drop_column("ticket", "anonymised_at")
    op.drop_column("api_token", "scopes")
    op.drop_column("api_token", "last_used_at")
    op.drop_column("account", "session_epoch")
    op.drop_column("account", "totp_step")
    op.drop_column("account", "totp_sealed")
    op.drop_column("account", "locked_until")
    op.drop_column("account", "failed_logins")
    op.drop_index(op.f("ix_audit_entry_subject"), table_name="audit_entry")
    op.drop_index(op.f("ix_audit_entry_action"), table_name="audit_entry")
    op.drop_index(op.f("ix_audit_entry_account_id"), table_name="audit_entry")
    op.drop_table("audit_entry")
    op.execute("DROP FUNCTION refuse_audit_changes")
