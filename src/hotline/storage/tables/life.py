"""What happens to a ticket on its way: assignments, what departments ask for, co-handling, follow-ups and notices.

The event of each step stands in ``ticket_event``; these rows hold what is worked on and counted.
"""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, declared_attr, mapped_column, relationship

from hotline.domain.clock_notices import NoticeKind
from hotline.domain.ticket import ExclusionReason, ReturnReason
from hotline.storage.tables.base import Base, Key
from hotline.storage.tables.people import Department

PENDING = "pending"


def _codes(column: str, values: type[ReturnReason] | type[ExclusionReason] | type[NoticeKind]) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")


class Assignment(Base):
    """One department's time with a ticket, from the dispatch to it until it leaves; the last one is open.

    Signing and return limits run per assignment, and a figure is counted for the department that held the ticket then.
    """

    __tablename__ = "assignment"
    __table_args__ = (
        Index("ix_assignment_open", "ticket_id", unique=True, postgresql_where=text("ended_at IS NULL")),
        Index("ix_assignment_department", "department_id", "at"),
        Index("ix_assignment_entry", "catalogue_entry_id"),
        Index("ix_assignment_sign_due", "sign_due"),
        Index("ix_assignment_at", "at"),
    )

    id: Mapped[Key]
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), index=True)
    department_id: Mapped[int] = mapped_column(ForeignKey("department.id"))
    # The catalogue entry that fired; None when a person named the department.
    catalogue_entry_id: Mapped[int | None] = mapped_column(ForeignKey("catalogue_entry.id"))
    # The assignment of the department that handed it on to this sub-unit.
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("assignment.id"))
    at: Mapped[datetime]
    by: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    sign_due: Mapped[datetime]
    return_due: Mapped[datetime]
    signed_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    # Why it left: returned, taken_back, dispatched_on, adjudicated, merged or withdrawn.  Who completes it keeps it.
    ended_by: Mapped[str | None]

    department: Mapped[Department] = relationship()


class AskedAndDecided:
    """The columns of what a department asks for and the hotline decides."""

    id: Mapped[Key]
    state: Mapped[str] = mapped_column(default=PENDING, server_default=PENDING)
    asked_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    decision: Mapped[str | None]

    @declared_attr
    def ticket_id(self) -> Mapped[int]:
        """The ticket it is about."""
        return mapped_column(ForeignKey("ticket.id"), index=True)

    @declared_attr
    def department_id(self) -> Mapped[int | None]:
        """The department that asks."""
        return mapped_column(ForeignKey("department.id"))

    @declared_attr
    def asked_by(self) -> Mapped[int | None]:
        """Who asks."""
        return mapped_column(ForeignKey("account.id"))

    @declared_attr
    def decided_by(self) -> Mapped[int | None]:
        """Who decided."""
        return mapped_column(ForeignKey("account.id"))


def _one_pending(table: str) -> Index:
    """Two people asking at once: one wins."""
    return Index(f"uq_{table}_pending", "ticket_id", unique=True, postgresql_where=text("state = 'pending'"))


class ReturnRequest(AskedAndDecided, Base):
    """A department's refusal of a ticket (退单): accepted, rejected, cancelled, or settled by adjudication (裁定)."""

    __tablename__ = "return_request"
    __table_args__ = (
        CheckConstraint("state IN ('pending', 'accepted', 'rejected', 'cancelled')", name="state_known"),
        _codes("reason_code", ReturnReason),
        _one_pending("return_request"),
        Index("ix_return_request_asked_at", "asked_at"),
    )

    assignment_id: Mapped[int] = mapped_column(ForeignKey("assignment.id"))
    reason_code: Mapped[str]
    basis: Mapped[str]
    note: Mapped[str | None]
    suggested_department_id: Mapped[int | None] = mapped_column(ForeignKey("department.id"))
    adjudication: Mapped[bool] = mapped_column(default=False, server_default="false")

    suggested_department: Mapped[Department | None] = relationship(foreign_keys=suggested_department_id)
    department: Mapped[Department | None] = relationship(foreign_keys="ReturnRequest.department_id")


class Extension(AskedAndDecided, Base):
    """More working days for a ticket (延期), once; both dues are kept."""

    __tablename__ = "extension"
    __table_args__ = (
        CheckConstraint("state IN ('pending', 'approved', 'refused', 'cancelled')", name="state_known"),
        CheckConstraint("working_days BETWEEN 1 AND 10", name="working_days_range"),
        _one_pending("extension"),
        Index("uq_extension_approved", "ticket_id", unique=True, postgresql_where=text("state = 'approved'")),
    )

    working_days: Mapped[int]
    reason: Mapped[str]
    old_due: Mapped[datetime]
    new_due: Mapped[datetime | None]

    department: Mapped[Department | None] = relationship(foreign_keys="Extension.department_id")


class Suspension(AskedAndDecided, Base):
    """A stop of the clock (挂账) between its approval and its end, with a plan and the day it is looked at again."""

    __tablename__ = "suspension"
    __table_args__ = (
        CheckConstraint("state IN ('pending', 'running', 'refused', 'ended', 'cancelled')", name="state_known"),
        _one_pending("suspension"),
        Index("uq_suspension_running", "ticket_id", unique=True, postgresql_where=text("state = 'running'")),
    )

    reason: Mapped[str]
    plan: Mapped[str]
    review_on: Mapped[date]
    old_due: Mapped[datetime]
    ended_at: Mapped[datetime | None]

    department: Mapped[Department | None] = relationship(foreign_keys="Suspension.department_id")


class Exclusion(AskedAndDecided, Base):
    """A ticket left out of the figures (剔除); two people approve, neither of whom asked."""

    __tablename__ = "exclusion"
    __table_args__ = (
        CheckConstraint("state IN ('pending', 'approved', 'refused')", name="state_known"),
        _codes("reason_code", ExclusionReason),
        _one_pending("exclusion"),
    )

    reason_code: Mapped[str]
    evidence: Mapped[str]
    first_approved_by: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    first_approved_at: Mapped[datetime | None]

    department: Mapped[Department | None] = relationship(foreign_keys="Exclusion.department_id")


class CohandlingTask(Base):
    """What a co-handler (协办) is asked to do of a ticket, with a due of its own."""

    __tablename__ = "cohandling_task"
    __table_args__ = (
        CheckConstraint("state IN ('open', 'done', 'cancelled')", name="state_known"),
        Index("ix_cohandling_task_department", "department_id", "due", postgresql_where=text("state = 'open'")),
    )

    id: Mapped[Key]
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), index=True)
    department_id: Mapped[int] = mapped_column(ForeignKey("department.id"))
    state: Mapped[str] = mapped_column(default="open", server_default="open")
    request: Mapped[str]
    due: Mapped[datetime]
    asked_by: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    asked_at: Mapped[datetime]
    report: Mapped[str | None]
    done_by: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    done_at: Mapped[datetime | None]

    department: Mapped[Department] = relationship()


class Followup(Base):
    """One caller's follow-up (回访) about one round of a ticket; a merged caller's stands under the ticket in hand.

    ``result`` None means that the caller is still to be reached.
    """

    __tablename__ = "followup"
    __table_args__ = (
        Index("uq_followup_caller_round", "ticket_id", "caller_ticket_id", "round", unique=True),
        Index("ix_followup_open", "due", postgresql_where=text("result IS NULL")),
        Index("ix_followup_at", "at"),
    )

    id: Mapped[Key]
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"))
    # The ticket whose caller it is: the same one, or one that was merged into it.
    caller_ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), index=True)
    # 0 for the first, then one more with each rework.
    round: Mapped[int]
    due: Mapped[datetime]
    tries: Mapped[int] = mapped_column(default=0, server_default="0")
    last_try_at: Mapped[datetime | None]
    result: Mapped[str | None]
    satisfaction: Mapped[str | None]
    at: Mapped[datetime | None]
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))


class ClockNotice(Base):
    """What the clock said about a ticket: reminder, card or escalation, each once for each due.

    ``at`` is when it fell due by the clock, whenever the workers came to it.
    """

    __tablename__ = "clock_notice"
    __table_args__ = (
        _codes("kind", NoticeKind),
        Index("uq_clock_notice_once", "ticket_id", "kind", "due", unique=True),
        Index("ix_clock_notice_at", "at"),
    )

    id: Mapped[Key]
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"))
    kind: Mapped[str]
    due: Mapped[datetime]
    at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    department_id: Mapped[int | None] = mapped_column(ForeignKey("department.id"))


class PushDownBan(Base):
    """A matter that must not be handed down to streets and towns (不得下派), in force from until before."""

    __tablename__ = "push_down_ban"

    id: Mapped[Key]
    matter: Mapped[str] = mapped_column(index=True)
    basis: Mapped[str]
    valid_from: Mapped[datetime]
    valid_to: Mapped[datetime | None]


class KnowledgeEntry(Base):
    """A question with its standard answer (知识库), kept by an owner until it expires."""

    __tablename__ = "knowledge_entry"
    __table_args__ = (CheckConstraint("length(question) BETWEEN 1 AND 500", name="question_length"),)

    id: Mapped[Key]
    matter: Mapped[str | None] = mapped_column(index=True)
    question: Mapped[str]
    answer: Mapped[str]
    source: Mapped[str | None]
    owner_department_id: Mapped[int | None] = mapped_column(ForeignKey("department.id"))
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    active: Mapped[bool] = mapped_column(default=True, server_default="true")
    updated_at: Mapped[datetime]
    updated_by: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    used: Mapped[int] = mapped_column(default=0, server_default="0")

    owner: Mapped[Department | None] = relationship()
