"""Attach files to a ticket and show them."""

from flask import flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug import Response

from hotline.domain.people import Permission
from hotline.services import attachments
from hotline.services.errors import Conflict, InvalidInput
from hotline.storage.engine import transaction
from hotline.web.attachment_files import file_response
from hotline.web.auth import requires
from hotline.web.pages.blueprint import bp
from hotline.web.pages.refusals import refusal
from hotline.web.runtime import actor, runtime

# Several pictures at once; a form with more is refused unread.
LONGEST_BODY = 4 * attachments.LONGEST


@bp.post("/tickets/<number>/attachments")
@requires(Permission.ACT_ON_TICKETS, longest_body=LONGEST_BODY)
def attach_files(number: str) -> Response:
    """Attach what was chosen, each file for itself; say which was not taken and why."""
    added, refused = 0, []
    for at, file in enumerate(request.files.getlist("file"), start=1):
        content = file.stream.read(attachments.LONGEST + 1)
        file.close()
        if not content:
            continue
        try:
            with transaction(runtime().sessions) as session:
                attachments.attach(session, runtime().context, number, content, actor())
            added += 1
        except InvalidInput as error:
            refused.append(_("第 %(at)s 个文件：%(why)s", at=at, why=refusal(error.message)))
        except Conflict as error:
            refused.append(refusal(str(error)))
    if added:
        flash(_("已添加 %(added)s 个附件。", added=added), "success")
    if refused:
        flash("；".join(refused), "danger")
    if not added and not refused:
        flash(_("请选择文件。"), "warning")
    response: Response = redirect(url_for(".ticket", number=number, _anchor="attachments"))
    return response


@bp.get("/tickets/<number>/attachments/<int:attachment_id>")
@requires(Permission.READ_TICKETS)
def attachment(number: str, attachment_id: int) -> Response:
    """The file itself."""
    with transaction(runtime().sessions) as session:
        media, content = attachments.content_of(session, runtime().context, number, attachment_id, actor())
    return file_response(number, attachment_id, media, content)
