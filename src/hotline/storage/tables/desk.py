"""What lies on a desk: drafts of calls that are not tickets yet, calls that the telephone announced, saved views,
tables that were uploaded and not applied yet.
"""

from datetime import datetime
from typing import Any

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


class SavedView(Base):
    """Filters of a queue under a name (视图); the words to look for are sealed."""

    __tablename__ = "saved_view"
    __table_args__ = (Index("uq_saved_view_account_name", "account_id", "name", unique=True),)

    id: Mapped[Key]
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    name: Mapped[str]
    tab: Mapped[str]
    filters: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")


class ListImport(Base):
    """A table that an administrator uploaded and has not applied yet (待导入): its rows as they were read."""

    __tablename__ = "list_import"

    id: Mapped[Key]
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    # Which list it is for, what was asked beside the file, and the rows: {"number": of the sheet, "cells": {…}}.
    name: Mapped[str]
    options: Mapped[dict[str, Any]]
    rows: Mapped[list[dict[str, Any]]]
    uploaded_at: Mapped[datetime] = mapped_column(index=True)
