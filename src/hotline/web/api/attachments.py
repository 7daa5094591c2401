"""Attachments over the API: pictures, documents and recordings of a ticket."""

from datetime import datetime

from apiflask import APIBlueprint
from flask import Response, request, url_for
from pydantic import BaseModel, Field

from hotline.domain.people import Permission
from hotline.services import attachments
from hotline.services.access import find_ticket
from hotline.storage.engine import transaction
from hotline.storage.tables import Attachment
from hotline.web.api.representation import local
from hotline.web.attachment_files import file_response
from hotline.web.auth import requires
from hotline.web.runtime import actor, runtime

bp = APIBlueprint("attachments", __name__, url_prefix="/api/v1/tickets/<number>/attachments", tag="Attachments")


class AttachmentOut(BaseModel):
    """A file of a ticket.  Its name is not kept: people name files after people."""

    id: int
    media: str = Field(description="What the content is, whatever it was called.")
    size: int = Field(description="Bytes, after a picture's place, time and make have been taken out.")
    role: str
    at: datetime | None
    href: str


class AttachmentsOut(BaseModel):
    """The ticket's files, the oldest first, as far as the account may see them."""

    attachments: list[AttachmentOut]


@bp.get("")
@bp.output(AttachmentsOut)
@bp.doc(summary="List a ticket's attachments", responses={404: "No such ticket"})
@requires(Permission.READ_TICKETS)
def list_attachments(number: str) -> AttachmentsOut:
    """List what is attached to the ticket."""
    with transaction(runtime().sessions) as session:
        rows = attachments.attached(session, find_ticket(session, actor(), number), actor())
        return AttachmentsOut(attachments=[_out(number, row) for row in rows])


@bp.post("")
@bp.output(AttachmentOut, status_code=201)
@bp.doc(
    summary="Attach a file",
    description=(
        "The body is the file: JPEG, PNG, WebP, PDF, MP3, WAV or M4A, told by its content and not by any header; "
        f"at most {attachments.LONGEST // 1024 // 1024} MB, {attachments.MOST} for a ticket.  "
        "`curl --data-binary @photo.jpg …`"
    ),
    responses={404: "No such ticket", 409: "The ticket is over", 413: "Too large", 422: "No such kind of file"},
)
@requires(Permission.ACT_ON_TICKETS, longest_body=attachments.LONGEST)
def attach_file(number: str) -> AttachmentOut:
    """Attach the body to the ticket."""
    content = request.get_data(cache=False)
    with transaction(runtime().sessions) as session:
        row = attachments.attach(session, runtime().context, number, content, actor())
        session.flush()
        return _out(number, row)


@bp.get("/<int:attachment_id>")
@bp.doc(summary="Read an attachment's content", responses={404: "No such attachment"})
@requires(Permission.READ_TICKETS)
def read_attachment(number: str, attachment_id: int) -> Response:
    """Return the file itself."""
    with transaction(runtime().sessions) as session:
        media, content = attachments.content_of(session, runtime().context, number, attachment_id, actor())
    return file_response(number, attachment_id, media, content)


def _out(number: str, row: Attachment) -> AttachmentOut:
    return AttachmentOut(
        id=row.id,
        media=row.media,
        size=row.size,
        role=row.role,
        at=local(row.at),
        href=url_for(".read_attachment", number=number, attachment_id=row.id),
    )
