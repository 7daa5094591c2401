"""What the clock runs by, as dated editions that are added and never changed: calendars and limits."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from hotline.storage.tables.base import Base, Key


class CalendarEdition(Base):
    """One year's notice about holidays and make-up days (放假调休通知), or, without a year, the hours of the week.

    ``body`` holds it in the form of the files that ship with the program.  Of several editions of one year the newest
    counts; older ones stay, since results name the edition that they were computed with.
    """

    __tablename__ = "calendar_edition"
    __table_args__ = (CheckConstraint("year BETWEEN 1900 AND 2199", name="year_range"),)

    id: Mapped[Key]
    year: Mapped[int | None] = mapped_column(index=True)
    body: Mapped[dict[str, Any]]
    # The notice's own number and date, as its issuer wrote them.
    source: Mapped[str | None]
    imported_at: Mapped[datetime]
    imported_by: Mapped[str]


class LimitSetRow(Base):
    """A whole set of limits for what starts at ``valid_from`` or later."""

    __tablename__ = "limit_set"
    __table_args__ = (Index("ix_limit_set_valid_from", text("valid_from DESC"), text("id DESC")),)

    id: Mapped[Key]
    version: Mapped[str] = mapped_column(unique=True)
    valid_from: Mapped[datetime]
    rules: Mapped[list[dict[str, Any]]]
    imported_at: Mapped[datetime]
    imported_by: Mapped[str]


class CalendarWarning(Base):
    """A year for which dues were computed before its notice was known, so that it is warned of once."""

    __tablename__ = "calendar_warning"

    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
