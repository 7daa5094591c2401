"""Attachments (附件): pictures, documents and recordings of a ticket, for whoever may see it."""

from collections.abc import Sequence

from sqlalchemy import delete, event, func, select
from sqlalchemy.orm import Session

from hotline.domain.media import Media, recognise
from hotline.domain.people import DEPARTMENT_STAFF, HOTLINE_STAFF, Actor
from hotline.domain.ticket import OPEN_STATES
from hotline.services.access import find_ticket
from hotline.services.context import Context
from hotline.services.errors import Conflict, InvalidInput, NotFound
from hotline.services.events import record
from hotline.services.locking import lock_ticket
from hotline.services.pictures import cleaned
from hotline.storage.files import FileStore
from hotline.storage.tables import Attachment, Ticket

LONGEST = 10 * 1024 * 1024
MOST = 20
ADDED = "attachment_added"


def attach(session: Session, context: Context, number: str, content: bytes, actor: Actor) -> Attachment:
    """Attach a file to an open ticket.

    Raises ``InvalidInput`` for a kind of file that is not taken, one too large or one too many, and ``Conflict`` when
    the ticket is over or this installation has no folder for files.
    """
    files = _files(context)
    ticket = lock_ticket(session, context, actor, number)
    if ticket.state not in OPEN_STATES:
        raise Conflict("nothing is attached to a ticket that is over")
    if len(content) > LONGEST:
        raise InvalidInput("file", f"is larger than {LONGEST // 1024 // 1024} MB")
    media = recognise(content)
    if media is None:
        raise InvalidInput("file", "is none of JPEG, PNG, WebP, PDF, MP3, WAV, M4A")
    count = session.scalar(select(func.count()).where(Attachment.ticket_id == ticket.id)) or 0
    if count >= MOST:
        raise InvalidInput("file", f"a ticket has at most {MOST} attachments")
    kept = cleaned(content, media) if media.is_image else content
    # A file whose transaction fails stays behind alone; no address leads to it.
    found = Attachment(
        ticket_id=ticket.id,
        digest=files.put(kept),
        media=media,
        size=len(kept),
        account_id=actor.account_id,
        role=actor.role,
        at=context.now(),
    )
    session.add(found)
    record(session, context, ticket, ADDED, actor, context.now(), data={"media": media, "size": len(kept)})
    return found


def attached(session: Session, ticket: Ticket, actor: Actor) -> Sequence[Attachment]:
    """Return what is attached to a ticket that ``actor`` may see, as far as they may see it.

    Whoever reports in confidence may be on their own pictures: departments see only what departments have added.
    """
    query = select(Attachment).where(Attachment.ticket_id == ticket.id)
    if ticket.confidential and actor.role in DEPARTMENT_STAFF:
        query = query.where(Attachment.role.not_in(HOTLINE_STAFF))
    return session.scalars(query.order_by(Attachment.id)).all()


def content_of(
    session: Session, context: Context, number: str, attachment_id: int, actor: Actor
) -> tuple[Media, bytes]:
    """Return kind and content of an attachment.  Raises ``NotFound`` when there is none that the actor may see."""
    ticket = find_ticket(session, actor, number)
    found = next((row for row in attached(session, ticket, actor) if row.id == attachment_id), None)
    content = _files(context).read(found.digest) if found else None
    if found is None or content is None:
        raise NotFound("there is no such attachment")
    return Media(found.media), content


def remove_all(session: Session, context: Context, ticket_ids: Sequence[int]) -> None:
    """Remove what is attached to the tickets; files go with the commit, unless another ticket has the same."""
    removed = delete(Attachment).where(Attachment.ticket_id.in_(ticket_ids)).returning(Attachment.digest)
    digests = set(session.scalars(removed))
    if not digests:
        return
    files = _files(context)
    others = set(session.scalars(select(Attachment.digest).where(Attachment.digest.in_(digests))))

    def remove(_session: Session) -> None:
        for digest in digests - others:
            files.remove(digest)

    event.listen(session, "after_commit", remove, once=True)


def _files(context: Context) -> FileStore:
    if context.files is None:
        raise Conflict("this installation has no folder for attachments; set HOTLINE_ATTACHMENTS_FOLDER")
    return context.files
