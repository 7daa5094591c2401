"""The audit log: who did what that touches people, access or settings; hash-chained and append-only."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from hotline.storage.tables.base import Base, Key


class AuditEntry(Base):
    """One entry.  ``seal`` is a keyed digest of this entry and of the seal before it, so that none can change or go.

    ``detail`` holds codes, numbers and dates; never a citizen's name, phone or words.
    """

    __tablename__ = "audit_entry"

    id: Mapped[Key]
    at: Mapped[datetime]
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
    role: Mapped[str]
    action: Mapped[str] = mapped_column(index=True)
    subject: Mapped[str | None] = mapped_column(index=True)
    address: Mapped[str | None]
    reason: Mapped[str | None]
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    seal: Mapped[str] = mapped_column(unique=True)
