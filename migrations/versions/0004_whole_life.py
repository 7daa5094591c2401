"""The whole life of a ticket: assignments, what departments ask for, co-handling, follow-ups and notices.

Tickets from before get the facts that can be told from what they hold: the present assignment and their follow-up.

Revision: 0004
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


STATES = (
    *("received", "awaiting_dispatch", "awaiting_sign", "handling", "replied", "awaiting_followup", "closed"),
    *("archived", "answered", "declined", "transferred", "merged", "withdrawn"),
)


def _know_states(*states: str) -> None:
    listed = ", ".join(f"'{state}'" for state in states)
    op.drop_constraint(op.f("ck_ticket_state_known"), "ticket", type_="check")
    op.create_check_constraint(op.f("ck_ticket_state_known"), "ticket", f"state IN ({listed})")


def upgrade() -> None:
    op.create_table(
        "push_down_ban",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("matter", sa.Text(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_to", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_push_down_ban")),
    )
    op.create_index(op.f("ix_push_down_ban_matter"), "push_down_ban", ["matter"], unique=False)
    op.create_table(
        "knowledge_entry",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("matter", sa.Text(), nullable=True),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("owner_department_id", sa.BigInteger(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("active", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by", sa.BigInteger(), nullable=True),
        sa.Column("used", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint("length(question) BETWEEN 1 AND 500", name=op.f("ck_knowledge_entry_question_length")),
        sa.ForeignKeyConstraint(
            ["owner_department_id"], ["department.id"], name=op.f("fk_knowledge_entry_owner_department_id")
        ),
        sa.ForeignKeyConstraint(["updated_by"], ["account.id"], name=op.f("fk_knowledge_entry_updated_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_knowledge_entry")),
    )
    op.create_index(op.f("ix_knowledge_entry_matter"), "knowledge_entry", ["matter"], unique=False)
    op.create_table(
        "assignment",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("department_id", sa.BigInteger(), nullable=False),
        sa.Column("catalogue_entry_id", sa.BigInteger(), nullable=True),
        sa.Column("parent_id", sa.BigInteger(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.BigInteger(), nullable=True),
        sa.Column("sign_due", sa.DateTime(timezone=True), nullable=False),
        sa.Column("return_due", sa.DateTime(timezone=True), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["by"], ["account.id"], name=op.f("fk_assignment_by")),
        sa.ForeignKeyConstraint(
            ["catalogue_entry_id"], ["catalogue_entry.id"], name=op.f("fk_assignment_catalogue_entry_id")
        ),
        sa.ForeignKeyConstraint(["department_id"], ["department.id"], name=op.f("fk_assignment_department_id")),
        sa.ForeignKeyConstraint(["parent_id"], ["assignment.id"], name=op.f("fk_assignment_parent_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_assignment_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assignment")),
    )
    op.create_index("ix_assignment_at", "assignment", ["at"], unique=False)
    op.create_index("ix_assignment_department", "assignment", ["department_id", "at"], unique=False)
    op.create_index("ix_assignment_entry", "assignment", ["catalogue_entry_id"], unique=False)
    op.create_index(
        "ix_assignment_open", "assignment", ["ticket_id"], unique=True, postgresql_where=sa.text("ended_at IS NULL")
    )
    op.create_index("ix_assignment_sign_due", "assignment", ["sign_due"], unique=False)
    op.create_index(op.f("ix_assignment_ticket_id"), "assignment", ["ticket_id"], unique=False)
    op.create_table(
        "clock_notice",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("due", sa.DateTime(timezone=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("department_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('dispatch_overdue', 'sign_overdue', 'contact_overdue', 'reminder_50', 'reminder_80', 'reminder_100', 'yellow_card', 'red_card', 'review', 'followup_overdue')",
            name=op.f("ck_clock_notice_kind_known"),
        ),
        sa.ForeignKeyConstraint(["department_id"], ["department.id"], name=op.f("fk_clock_notice_department_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_clock_notice_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clock_notice")),
    )
    op.create_index("ix_clock_notice_at", "clock_notice", ["at"], unique=False)
    op.create_index("uq_clock_notice_once", "clock_notice", ["ticket_id", "kind", "due"], unique=True)
    op.create_table(
        "cohandling_task",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("department_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("due", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_by", sa.BigInteger(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("report", sa.Text(), nullable=True),
        sa.Column("done_by", sa.BigInteger(), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('open', 'done', 'cancelled')", name=op.f("ck_cohandling_task_state_known")),
        sa.ForeignKeyConstraint(["asked_by"], ["account.id"], name=op.f("fk_cohandling_task_asked_by")),
        sa.ForeignKeyConstraint(["department_id"], ["department.id"], name=op.f("fk_cohandling_task_department_id")),
        sa.ForeignKeyConstraint(["done_by"], ["account.id"], name=op.f("fk_cohandling_task_done_by")),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_cohandling_task_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cohandling_task")),
    )
    op.create_index(
        "ix_cohandling_task_department",
        "cohandling_task",
        ["department_id", "due"],
        unique=False,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index(op.f("ix_cohandling_task_ticket_id"), "cohandling_task", ["ticket_id"], unique=False)
    op.create_table(
        "exclusion",
        sa.Column("reason_code", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("first_approved_by", sa.BigInteger(), nullable=True),
        sa.Column("first_approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("state", sa.Text(), server_default="pending", nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision", sa.Text(), nullable=True),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("department_id", sa.BigInteger(), nullable=True),
        sa.Column("asked_by", sa.BigInteger(), nullable=True),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "reason_code IN ('unreasonable', 'against_law', 'malicious', 'force_majeure')",
            name=op.f("ck_exclusion_reason_code_known"),
        ),
        sa.CheckConstraint("state IN ('pending', 'approved', 'refused')", name=op.f("ck_exclusion_state_known")),
        sa.ForeignKeyConstraint(["asked_by"], ["account.id"], name=op.f("fk_exclusion_asked_by")),
        sa.ForeignKeyConstraint(["decided_by"], ["account.id"], name=op.f("fk_exclusion_decided_by")),
        sa.ForeignKeyConstraint(["department_id"], ["department.id"], name=op.f("fk_exclusion_department_id")),
        sa.ForeignKeyConstraint(["first_approved_by"], ["account.id"], name=op.f("fk_exclusion_first_approved_by")),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_exclusion_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exclusion")),
    )
    op.create_index(op.f("ix_exclusion_ticket_id"), "exclusion", ["ticket_id"], unique=False)
    op.create_index(
        "uq_exclusion_pending", "exclusion", ["ticket_id"], unique=True, postgresql_where=sa.text("state = 'pending'")
    )
    op.create_table(
        "extension",
        sa.Column("working_days", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("old_due", sa.DateTime(timezone=True), nullable=False),
        sa.Column("new_due", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("state", sa.Text(), server_default="pending", nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision", sa.Text(), nullable=True),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("department_id", sa.BigInteger(), nullable=True),
        sa.Column("asked_by", sa.BigInteger(), nullable=True),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "state IN ('pending', 'approved', 'refused', 'cancelled')", name=op.f("ck_extension_state_known")
        ),
        sa.CheckConstraint("working_days BETWEEN 1 AND 10", name=op.f("ck_extension_working_days_range")),
        sa.ForeignKeyConstraint(["asked_by"], ["account.id"], name=op.f("fk_extension_asked_by")),
        sa.ForeignKeyConstraint(["decided_by"], ["account.id"], name=op.f("fk_extension_decided_by")),
        sa.ForeignKeyConstraint(["department_id"], ["department.id"], name=op.f("fk_extension_department_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_extension_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_extension")),
    )
    op.create_index(op.f("ix_extension_ticket_id"), "extension", ["ticket_id"], unique=False)
    op.create_index(
        "uq_extension_approved", "extension", ["ticket_id"], unique=True, postgresql_where=sa.text("state = 'approved'")
    )
    op.create_index(
        "uq_extension_pending", "extension", ["ticket_id"], unique=True, postgresql_where=sa.text("state = 'pending'")
    )
    op.create_table(
        "followup",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("caller_ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("round", sa.BigInteger(), nullable=False),
        sa.Column("due", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("last_try_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("satisfaction", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_followup_account_id")),
        sa.ForeignKeyConstraint(["caller_ticket_id"], ["ticket.id"], name=op.f("fk_followup_caller_ticket_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_followup_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_followup")),
    )
    op.create_index("ix_followup_at", "followup", ["at"], unique=False)
    op.create_index(op.f("ix_followup_caller_ticket_id"), "followup", ["caller_ticket_id"], unique=False)
    op.create_index("ix_followup_open", "followup", ["due"], unique=False, postgresql_where=sa.text("result IS NULL"))
    op.create_index("uq_followup_caller_round", "followup", ["ticket_id", "caller_ticket_id", "round"], unique=True)
    op.create_table(
        "suspension",
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("review_on", sa.Date(), nullable=False),
        sa.Column("old_due", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("state", sa.Text(), server_default="pending", nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision", sa.Text(), nullable=True),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("department_id", sa.BigInteger(), nullable=True),
        sa.Column("asked_by", sa.BigInteger(), nullable=True),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "state IN ('pending', 'running', 'refused', 'ended', 'cancelled')", name=op.f("ck_suspension_state_known")
        ),
        sa.ForeignKeyConstraint(["asked_by"], ["account.id"], name=op.f("fk_suspension_asked_by")),
        sa.ForeignKeyConstraint(["decided_by"], ["account.id"], name=op.f("fk_suspension_decided_by")),
        sa.ForeignKeyConstraint(["department_id"], ["department.id"], name=op.f("fk_suspension_department_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_suspension_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suspension")),
    )
    op.create_index(op.f("ix_suspension_ticket_id"), "suspension", ["ticket_id"], unique=False)
    op.create_index(
        "uq_suspension_pending", "suspension", ["ticket_id"], unique=True, postgresql_where=sa.text("state = 'pending'")
    )
    op.create_index(
        "uq_suspension_running", "suspension", ["ticket_id"], unique=True, postgresql_where=sa.text("state = 'running'")
    )
    op.create_table(
        "return_request",
        sa.Column("assignment_id", sa.BigInteger(), nullable=False),
        sa.Column("reason_code", sa.Text(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("suggested_department_id", sa.BigInteger(), nullable=True),
        sa.Column("adjudication", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("state", sa.Text(), server_default="pending", nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision", sa.Text(), nullable=True),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("department_id", sa.BigInteger(), nullable=True),
        sa.Column("asked_by", sa.BigInteger(), nullable=True),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "reason_code IN ('not_our_duty', 'wrong_area', 'must_not_push_down', 'multi_department', 'info_incomplete', 'duplicate', 'legal_channel', 'higher_authority', 'conflict_of_interest')",
            name=op.f("ck_return_request_reason_code_known"),
        ),
        sa.CheckConstraint(
            "state IN ('pending', 'accepted', 'rejected', 'cancelled')", name=op.f("ck_return_request_state_known")
        ),
        sa.ForeignKeyConstraint(["asked_by"], ["account.id"], name=op.f("fk_return_request_asked_by")),
        sa.ForeignKeyConstraint(["assignment_id"], ["assignment.id"], name=op.f("fk_return_request_assignment_id")),
        sa.ForeignKeyConstraint(["decided_by"], ["account.id"], name=op.f("fk_return_request_decided_by")),
        sa.ForeignKeyConstraint(["department_id"], ["department.id"], name=op.f("fk_return_request_department_id")),
        sa.ForeignKeyConstraint(
            ["suggested_department_id"], ["department.id"], name=op.f("fk_return_request_suggested_department_id")
        ),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_return_request_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_return_request")),
    )
    op.create_index("ix_return_request_asked_at", "return_request", ["asked_at"], unique=False)
    op.create_index(op.f("ix_return_request_ticket_id"), "return_request", ["ticket_id"], unique=False)
    op.create_index(
        "uq_return_request_pending",
        "return_request",
        ["ticket_id"],
        unique=True,
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.add_column("ticket", sa.Column("queue_reason", sa.Text(), nullable=True))
    op.add_column("ticket", sa.Column("about_department_id", sa.BigInteger(), nullable=True))
    op.add_column("ticket", sa.Column("knowledge_entry_id", sa.BigInteger(), nullable=True))
    op.add_column("ticket", sa.Column("parent_id", sa.BigInteger(), nullable=True))
    op.add_column("ticket", sa.Column("overlays", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False))
    op.add_column("ticket", sa.Column("assignee_id", sa.BigInteger(), nullable=True))
    op.add_column("ticket", sa.Column("dispatch_due", sa.DateTime(timezone=True), nullable=True))
    op.add_column("ticket", sa.Column("assigned_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("ticket", sa.Column("return_due", sa.DateTime(timezone=True), nullable=True))
    op.add_column("ticket", sa.Column("contact_due", sa.DateTime(timezone=True), nullable=True))
    op.add_column("ticket", sa.Column("contacted_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("ticket", sa.Column("handle_from", sa.DateTime(timezone=True), nullable=True))
    op.add_column("ticket", sa.Column("reworked_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("ticket", sa.Column("rework_due", sa.DateTime(timezone=True), nullable=True))
    op.add_column("ticket", sa.Column("next_due", sa.DateTime(timezone=True), nullable=True))
    op.add_column("ticket", sa.Column("next_notice_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("ticket", sa.Column("noticed_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("ticket", sa.Column("due_basis", postgresql.JSONB(astext_type=sa.Text()), nullable=True))
    op.add_column("ticket", sa.Column("followup_due", sa.DateTime(timezone=True), nullable=True))
    op.add_column("ticket", sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("ticket", sa.Column("returns", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("ticket", sa.Column("reworks", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("ticket", sa.Column("suspensions", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("ticket", sa.Column("urges", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("ticket", sa.Column("excluded_at", sa.DateTime(timezone=True), nullable=True))
    op.drop_index(op.f("ix_ticket_queue"), table_name="ticket")
    op.create_index("ix_ticket_queue", "ticket", ["lead_department_id", "state", "next_due"], unique=False)
    op.create_index(
        "ix_ticket_assignee",
        "ticket",
        ["assignee_id"],
        unique=False,
        postgresql_where=sa.text("assignee_id IS NOT NULL"),
    )
    op.create_index(
        "ix_ticket_next_notice_at",
        "ticket",
        ["next_notice_at"],
        unique=False,
        postgresql_where=sa.text("next_notice_at IS NOT NULL"),
    )
    op.create_index(op.f("ix_ticket_parent_id"), "ticket", ["parent_id"], unique=False)
    op.create_foreign_key(op.f("fk_ticket_assignee_id"), "ticket", "account", ["assignee_id"], ["id"])
    op.create_foreign_key(op.f("fk_ticket_parent_id"), "ticket", "ticket", ["parent_id"], ["id"])
    op.create_foreign_key(
        op.f("fk_ticket_knowledge_entry_id"), "ticket", "knowledge_entry", ["knowledge_entry_id"], ["id"]
    )
    op.create_foreign_key(
        op.f("fk_ticket_about_department_id"), "ticket", "department", ["about_department_id"], ["id"]
    )
    _know_states(*STATES)
    _fill()


def _fill() -> None:
    """Give tickets from before what the new tables and columns say about them."""
    op.execute(
        """
        UPDATE ticket SET handle_from = dispatched_at, assigned_at = dispatched_at,
            next_due = CASE WHEN state IN ('awaiting_sign', 'handling', 'replied') THEN handle_due END
        WHERE dispatched_at IS NOT NULL
        """
    )
    op.execute(
        """
        UPDATE ticket SET queue_reason = 'not_confident' WHERE state = 'awaiting_dispatch'
        """
    )
    op.execute(
        """
        INSERT INTO assignment (ticket_id, department_id, catalogue_entry_id, at, sign_due, return_due, signed_at,
                                ended_at, ended_by)
        SELECT id, lead_department_id, catalogue_entry_id, dispatched_at, sign_due, sign_due, signed_at,
               ended_early_at, CASE WHEN ended_early_at IS NOT NULL THEN 'withdrawn' END
        FROM ticket WHERE dispatched_at IS NOT NULL AND lead_department_id IS NOT NULL AND sign_due IS NOT NULL
        """
    )
    op.execute(
        """
        INSERT INTO followup (ticket_id, caller_ticket_id, round, due, tries, result, satisfaction, at)
        SELECT id, id, 0, completed_at + interval '3 days', CASE WHEN followup_result IS NULL THEN 0 ELSE 1 END,
               followup_result, satisfaction, followed_up_at
        FROM ticket WHERE completed_at IS NOT NULL AND state IN ('awaiting_followup', 'closed')
        """
    )


def downgrade() -> None:
    op.execute("UPDATE ticket SET state = 'closed' WHERE state = 'archived'")
    _know_states(*(state for state in STATES if state != "archived"))
    op.drop_constraint(op.f("fk_ticket_about_department_id"), "ticket", type_="foreignkey")
    op.drop_constraint(op.f("fk_ticket_knowledge_entry_id"), "ticket", type_="foreignkey")
    op.drop_constraint(op.f("fk_ticket_parent_id"), "ticket", type_="foreignkey")
    op.drop_constraint(op.f("fk_ticket_assignee_id"), "ticket", type_="foreignkey")
    op.drop_index(op.f("ix_ticket_parent_id"), table_name="ticket")
    op.drop_index(
        "ix_ticket_next_notice_at", table_name="ticket", postgresql_where=sa.text("next_notice_at IS NOT NULL")
    )
    op.drop_index("ix_ticket_assignee", table_name="ticket", postgresql_where=sa.text("assignee_id IS NOT NULL"))
    op.drop_index("ix_ticket_queue", table_name="ticket")
    op.create_index(op.f("ix_ticket_queue"), "ticket", ["lead_department_id", "state", "handle_due"], unique=False)
    op.drop_column("ticket", "excluded_at")
    op.drop_column("ticket", "urges")
    op.drop_column("ticket", "suspensions")
    op.drop_column("ticket", "reworks")
    op.drop_column("ticket", "returns")
    op.drop_column("ticket", "archived_at")
    op.drop_column("ticket", "followup_due")
    op.drop_column("ticket", "due_basis")
    op.drop_column("ticket", "noticed_until")
    op.drop_column("ticket", "next_notice_at")
    op.drop_column("ticket", "next_due")
    op.drop_column("ticket", "rework_due")
    op.drop_column("ticket", "reworked_at")
    op.drop_column("ticket", "handle_from")
    op.drop_column("ticket", "contacted_at")
    op.drop_column("ticket", "contact_due")
    op.drop_column("ticket", "return_due")
    op.drop_column("ticket", "assigned_at")
    op.drop_column("ticket", "dispatch_due")
    op.drop_column("ticket", "assignee_id")
    op.drop_column("ticket", "overlays")
    op.drop_column("ticket", "parent_id")
    op.drop_column("ticket", "knowledge_entry_id")
    op.drop_column("ticket", "about_department_id")
    op.drop_column("ticket", "queue_reason")
    op.drop_index(
        "uq_return_request_pending", table_name="return_request", postgresql_where=sa.text("state = 'pending'")
    )
    op.drop_index(op.f("ix_return_request_ticket_id"), table_name="return_request")
    op.drop_index("ix_return_request_asked_at", table_name="return_request")
    op.drop_table("return_request")
    op.drop_index("uq_suspension_running", table_name="suspension", postgresql_where=sa.text("state = 'running'"))
    op.drop_index("uq_suspension_pending", table_name="suspension", postgresql_where=sa.text("state = 'pending'"))
    op.drop_index(op.f("ix_suspension_ticket_id"), table_name="suspension")
    op.drop_table("suspension")
    op.drop_index("uq_followup_caller_round", table_name="followup")
    op.drop_index("ix_followup_open", table_name="followup", postgresql_where=sa.text("result IS NULL"))
    op.drop_index(op.f("ix_followup_caller_ticket_id"), table_name="followup")
    op.drop_index("ix_followup_at", table_name="followup")
    op.drop_table("followup")
    op.drop_index("uq_extension_pending", table_name="extension", postgresql_where=sa.text("state = 'pending'"))
    op.drop_index("uq_extension_approved", table_name="extension", postgresql_where=sa.text("state = 'approved'"))
    op.drop_index(op.f("ix_extension_ticket_id"), table_name="extension")
    op.drop_table("extension")
    op.drop_index("uq_exclusion_pending", table_name="exclusion", postgresql_where=sa.text("state = 'pending'"))
    op.drop_index(op.f("ix_exclusion_ticket_id"), table_name="exclusion")
    op.drop_table("exclusion")
    op.drop_index(op.f("ix_cohandling_task_ticket_id"), table_name="cohandling_task")
    op.drop_index(
        "ix_cohandling_task_department", table_name="cohandling_task", postgresql_where=sa.text("state = 'open'")
    )
    op.drop_table("cohandling_task")
    op.drop_index("uq_clock_notice_once", table_name="clock_notice")
    op.drop_index("ix_clock_notice_at", table_name="clock_notice")
    op.drop_table("clock_notice")
    op.drop_index(op.f("ix_assignment_ticket_id"), table_name="assignment")
    op.drop_index("ix_assignment_sign_due", table_name="assignment")
    op.drop_index("ix_assignment_open", table_name="assignment", postgresql_where=sa.text("ended_at IS NULL"))
    op.drop_index("ix_assignment_entry", table_name="assignment")
    op.drop_index("ix_assignment_department", table_name="assignment")
    op.drop_index("ix_assignment_at", table_name="assignment")
    op.drop_table("assignment")
    op.drop_index(op.f("ix_knowledge_entry_matter"), table_name="knowledge_entry")
    op.drop_table("knowledge_entry")
    op.drop_index(op.f("ix_push_down_ban_matter"), table_name="push_down_ban")
    op.drop_table("push_down_ban")
