"""What the model said about a ticket, and the responsibility catalogue that turns a matter into an owner."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, func
from sqlalchemy.orm import Mapped, mapped_column, relationship

from hotline.storage.tables.base import Base, Key
from hotline.storage.tables.people import Department


class Prediction(Base):
    """One reading of a ticket by one model version.  ``top`` is a list of ``{"matter", "p"}``, best first."""

    __tablename__ = "prediction"
    __table_args__ = (Index("uq_prediction_ticket_version", "ticket_id", "model_version", unique=True),)

    id: Mapped[Key]
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"))
    model_version: Mapped[str]
    matter: Mapped[str]
    confidence: Mapped[float]
    auto: Mapped[bool]
    top: Mapped[list[dict[str, Any]]]
    evidence: Mapped[list[str]]
    type: Mapped[str]
    urgency: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Label(Base):
    """What a person said a ticket is about.  Only these train and judge the model, which never learns from itself.

    ``source`` says how it came about: an agent during the call, a dispatcher who saw the model's answer, a dispatcher
    who did not (blind), or a department's accepted return.  ``predicted`` is what the model had said, if anything.
    """

    __tablename__ = "label"
    __table_args__ = (
        CheckConstraint("source IN ('agent', 'dispatcher', 'blind', 'return')", name="source_known"),
        Index("ix_label_ticket", "ticket_id"),
        Index("ix_label_at", "at"),
    )

    id: Mapped[Key]
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"))
    matter: Mapped[str]
    source: Mapped[str]
    predicted: Mapped[str | None]
    model_version: Mapped[str | None]
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    at: Mapped[datetime]


class CatalogueEntryRow(Base):
    """A line of the responsibility catalogue (权责清单), in force from ``valid_from`` until before ``valid_to``."""

    __tablename__ = "catalogue_entry"
    __table_args__ = (
        CheckConstraint("valid_to IS NULL OR valid_to > valid_from", name="period_forward"),
        Index("ix_catalogue_entry_matter", "matter", "district"),
    )

    id: Mapped[Key]
    matter: Mapped[str]
    district: Mapped[str | None] = mapped_column(ForeignKey("district.code"))
    lead_department_id: Mapped[int] = mapped_column(ForeignKey("department.id"))
    valid_from: Mapped[datetime]
    valid_to: Mapped[datetime | None]
    note: Mapped[str | None]

    lead_department: Mapped[Department] = relationship()
    cohandlers: Mapped[list[Department]] = relationship(secondary="catalogue_cohandler", order_by="Department.id")


class CatalogueCohandler(Base):
    """A department that a catalogue entry names as co-handler."""

    __tablename__ = "catalogue_cohandler"

    entry_id: Mapped[int] = mapped_column(ForeignKey("catalogue_entry.id"), primary_key=True)
    department_id: Mapped[int] = mapped_column(ForeignKey("department.id"), primary_key=True)
