"""The job row: the truth about one piece of background work."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from hotline.storage.tables.base import Base, Key


class Job(Base):
    """Background work, enqueued in the transaction that makes it necessary.

    ``args`` holds ids only.  ``attempts`` counts claims and is the fence: a worker whose number is no longer the row's
    has lost its lease and its effects are rolled back.  ``dedupe_key`` lets the same work be asked for twice and done
    once.
    """

    __tablename__ = "job"
    __table_args__ = (
        CheckConstraint("state IN ('queued', 'running', 'done', 'dead')", name="state_known"),
        Index("ix_job_queued", "available_at", postgresql_where=text("state = 'queued'")),
        Index("ix_job_running", "lease_until", postgresql_where=text("state = 'running'")),
        Index("ix_job_dead", "finished_at", postgresql_where=text("state = 'dead'")),
    )

    id: Mapped[Key]
    kind: Mapped[str]
    queue: Mapped[str]
    args: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(default="queued", server_default="queued")
    dedupe_key: Mapped[str | None] = mapped_column(unique=True)
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    max_attempts: Mapped[int]
    available_at: Mapped[datetime] = mapped_column(server_default=func.now())
    lease_until: Mapped[datetime | None]
    worker: Mapped[str | None]
    rung_at: Mapped[datetime] = mapped_column(server_default=func.now())
    rings: Mapped[int] = mapped_column(default=0, server_default="0")
    last_error: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    finished_at: Mapped[datetime | None]
