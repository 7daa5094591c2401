"""What lies on an agent's desk: drafts of calls that are not tickets yet, and calls that the telephone announced."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from hotline.storage.tables.base import Base, Key


class Draft(Base):
    """What somebody has typed into the form of a call and not sent yet (草稿), sealed as a whole.

    ``key`` is the form's own, by which a second click is told from a second call.
    """

    __tablename__ = "draft"
    __table_args__ = (Index("uq_draft_account_key", "account_id", "key", unique=True),)

    id: Mapped[Key]
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    key: Mapped[str]
    fields_sealed: Mapped[str]
    saved_at: Mapped[datetime] = mapped_column(index=True)


class AnnouncedCall(Base):
    """A call that the telephone system has announced (来电弹屏); only a digest of its link is kept."""

    __tablename__ = "announced_call"

    id: Mapped[Key]
    digest: Mapped[str] = mapped_column(unique=True)
    phone_sealed: Mapped[str]
    announced_at: Mapped[datetime] = mapped_column(index=True)
