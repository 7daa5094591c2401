"""What was attached to a ticket; the files themselves lie in the file store."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from hotline.storage.tables.base import Base, Key


class Attachment(Base):
    """One file of a ticket (附件).  Its name is not kept: people name files after people."""

    __tablename__ = "attachment"

    id: Mapped[Key]
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), index=True)
    digest: Mapped[str] = mapped_column(index=True)
    media: Mapped[str]
    size: Mapped[int]
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    # The role it was added in: of a confidential ticket departments see only what departments have added.
    role: Mapped[str]
    at: Mapped[datetime]
