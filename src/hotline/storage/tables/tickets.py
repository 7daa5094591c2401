"""The ticket, who called about it, what was replied, and its append-only list of events."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Sequence, func, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from hotline.domain.ticket import Channel, ComplaintType, State, Urgency
from hotline.storage.tables.base import Base, Key
from hotline.storage.tables.people import Account, Department

# Numbers come from a sequence: gaps are tolerated, a number is never used twice, and no intake waits for another.
TICKET_NUMBER = Sequence("ticket_number_seq", metadata=Base.metadata)


def _known(column: str, values: type[State] | type[Channel] | type[ComplaintType] | type[Urgency]) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")


class Ticket(Base):
    """A citizen's request (工单).

    The columns from ``dispatched_at`` down are facts that each move keeps up to date beside its event, so that queues
    and reports need not read the events; every one of them can be recomputed from the events.
    """

    __tablename__ = "ticket"
    __table_args__ = (
        _known("state", State),
        _known("channel", Channel),
        _known("type", ComplaintType),
        _known("urgency", Urgency),
        CheckConstraint("length(content) BETWEEN 1 AND 20000", name="content_length"),
        # A department's queue: open tickets by what falls due first.
        Index("ix_ticket_queue", "lead_department_id", "state", "next_due"),
        # The newest of a department's tickets.
        Index("ix_ticket_lead_newest", "lead_department_id", "id"),
        # The sweep of the clock: as long as the list of tickets that are still to be heard of, however many are closed.
        Index("ix_ticket_next_notice_at", "next_notice_at", postgresql_where=text("next_notice_at IS NOT NULL")),
        Index("ix_ticket_assignee", "assignee_id", postgresql_where=text("assignee_id IS NOT NULL")),
        Index("ix_ticket_state_received", "state", "received_at"),
        Index("ix_ticket_received_at", "received_at"),
        Index("ix_ticket_sign_due", "sign_due"),
        Index("ix_ticket_handle_due", "handle_due"),
        Index("ix_ticket_followed_up_at", "followed_up_at"),
    )

    id: Mapped[Key]
    number: Mapped[str] = mapped_column(unique=True)
    state: Mapped[str] = mapped_column(default=State.RECEIVED)
    channel: Mapped[str]
    type: Mapped[str | None]
    title: Mapped[str] = mapped_column(default="", server_default="")
    content: Mapped[str]
    wish: Mapped[str | None]
    address: Mapped[str | None]
    district: Mapped[str | None] = mapped_column(ForeignKey("district.code"))
    occurred_at: Mapped[datetime | None]
    confidential: Mapped[bool] = mapped_column(default=False, server_default="false")
    urgency: Mapped[str] = mapped_column(default=Urgency.NORMAL, server_default="normal")
    task: Mapped[str | None]
    matter: Mapped[str | None]
    matter_source: Mapped[str | None]
    confidence: Mapped[float | None]
    # One of the few that a dispatcher reads without the model's answer, so that its accuracy can be told without bias.
    blind: Mapped[bool] = mapped_column(default=False, server_default="false")
    answer: Mapped[str | None]
    # Why a dispatcher has to decide, while the ticket waits for one.
    queue_reason: Mapped[str | None]
    # The department that the complaint is about; it never handles it alone.
    about_department_id: Mapped[int | None] = mapped_column(ForeignKey("department.id"))
    knowledge_entry_id: Mapped[int | None] = mapped_column(ForeignKey("knowledge_entry.id"))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"), index=True)
    overlays: Mapped[list[str]] = mapped_column(default=list, server_default="{}")
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"), index=True)
    created_by: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    received_at: Mapped[datetime]

    lead_department_id: Mapped[int | None] = mapped_column(ForeignKey("department.id"))
    catalogue_entry_id: Mapped[int | None] = mapped_column(ForeignKey("catalogue_entry.id"))
    assignee_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    dispatch_due: Mapped[datetime | None]
    # The first dispatch; the present department has had the ticket since ``assigned_at``.
    dispatched_at: Mapped[datetime | None]
    assigned_at: Mapped[datetime | None]
    sign_due: Mapped[datetime | None]
    return_due: Mapped[datetime | None]
    contact_due: Mapped[datetime | None]
    contacted_at: Mapped[datetime | None]
    # None while the ticket is suspended: nobody knows then when it will be due.
    handle_due: Mapped[datetime | None]
    # Where the handling limit runs from: the first dispatch, unless an adjudication granted a fresh one.
    handle_from: Mapped[datetime | None]
    reworked_at: Mapped[datetime | None]
    rework_due: Mapped[datetime | None]
    # What the department has to meet next, for queues: the due of the handling or rework that runs; otherwise None.
    next_due: Mapped[datetime | None]
    # When the clock next has something to say (reminder, card, escalation); None when it has not.
    next_notice_at: Mapped[datetime | None]
    # Until when the clock has been heard.
    noticed_until: Mapped[datetime | None]
    # The limit, ceiling and versions that ``handle_due`` was computed with.
    due_basis: Mapped[dict[str, Any] | None]
    signed_at: Mapped[datetime | None]
    replied_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    followup_due: Mapped[datetime | None]
    followed_up_at: Mapped[datetime | None]
    followup_result: Mapped[str | None]
    satisfaction: Mapped[str | None]
    closed_at: Mapped[datetime | None]
    archived_at: Mapped[datetime | None]
    returns: Mapped[int] = mapped_column(default=0, server_default="0")
    reworks: Mapped[int] = mapped_column(default=0, server_default="0")
    suspensions: Mapped[int] = mapped_column(default=0, server_default="0")
    urges: Mapped[int] = mapped_column(default=0, server_default="0")
    excluded_at: Mapped[datetime | None]
    # When retention has closed out the personal data; figures do not change by it.
    anonymised_at: Mapped[datetime | None]
    ended_early_at: Mapped[datetime | None]

    lead_department: Mapped[Department | None] = relationship(foreign_keys=lead_department_id)
    caller: Mapped["Caller | None"] = relationship(back_populates="ticket")
    merged_into: Mapped["Ticket | None"] = relationship(foreign_keys=merged_into_id, remote_side="Ticket.id")
    parent: Mapped["Ticket | None"] = relationship(foreign_keys=parent_id, remote_side="Ticket.id")
    assignee: Mapped[Account | None] = relationship(foreign_keys=assignee_id)
    events: Mapped[list["TicketEvent"]] = relationship(order_by="TicketEvent.at, TicketEvent.id", viewonly=True)
    replies: Mapped[list["Reply"]] = relationship(order_by="Reply.id", viewonly=True)
    cohandlers: Mapped[list[Department]] = relationship(secondary="ticket_cohandler", order_by="Department.id")


class TicketCohandler(Base):
    """A department that helps the lead (协办)."""

    __tablename__ = "ticket_cohandler"

    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), primary_key=True)
    department_id: Mapped[int] = mapped_column(ForeignKey("department.id"), primary_key=True, index=True)


class Caller(Base):
    """The citizen behind a ticket (诉求人).

    Name and phone are encrypted; the index finds a phone without decrypting.
    """

    __tablename__ = "caller"

    id: Mapped[Key]
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), unique=True)
    name_sealed: Mapped[str | None]
    phone_sealed: Mapped[str | None]
    phone_index: Mapped[str | None] = mapped_column(index=True)
    anonymous: Mapped[bool] = mapped_column(default=False, server_default="false")

    ticket: Mapped[Ticket] = relationship(back_populates="caller")


class Reply(Base):
    """What the department found and did (反馈)."""

    __tablename__ = "reply"

    id: Mapped[Key]
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), index=True)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    at: Mapped[datetime]
    text: Mapped[str]
    valid: Mapped[bool]
    contacted: Mapped[bool]
    resolved: Mapped[bool]
    unresolved_reason: Mapped[str | None]
    approved_at: Mapped[datetime | None]
    approved_by: Mapped[int | None] = mapped_column(ForeignKey("account.id"))


class TicketEvent(Base):
    """One step in a ticket's life: who, when, from, to, why.  A trigger refuses every change and deletion.

    ``data`` holds codes, numbers and dates; never a citizen's name, phone or words.
    """

    __tablename__ = "ticket_event"

    id: Mapped[Key]
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), index=True)
    kind: Mapped[str] = mapped_column(index=True)
    from_state: Mapped[str | None]
    to_state: Mapped[str | None]
    at: Mapped[datetime]
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    role: Mapped[str]
    reason: Mapped[str | None]
    data: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    recorded_at: Mapped[datetime] = mapped_column(server_default=func.now())


class IdempotencyKey(Base):
    """A key that a client sent with a request, so that a retry gives the first answer instead of a second ticket.

    Key and request are kept as keyed digests.
    """

    __tablename__ = "idempotency_key"

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[str]
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)
