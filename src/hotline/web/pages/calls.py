"""The agent's workplace: one page from the phone's ringing to the saved ticket.

Everything that is typed travels in forms, never in an address, and lies on the server as a sealed draft until it is
saved.
"""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from flask import Response as FlaskResponse
from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from pydantic import ValidationError
from sqlalchemy import select
from werkzeug import Response

from hotline.domain.people import Permission
from hotline.domain.phones import clean_phone
from hotline.services import calls, drafts, intake
from hotline.services.errors import Conflict, InvalidInput, NotFound
from hotline.storage.engine import transaction
from hotline.storage.tables import District
from hotline.web.api import schemas
from hotline.web.auth import SMALL_BODY, requires
from hotline.web.pages.again import shows_again
from hotline.web.pages.blueprint import bp
from hotline.web.pages.session import View
from hotline.web.runtime import actor, runtime

# What the form holds beside the call itself.
_NOT_OF_THE_CALL = ("csrf_token", "key")

# Without any of these nobody has begun to type.
_TYPED = ("content", "caller_phone", "caller_name", "title", "wish", "address")

_LONGEST_KEY = 64


@bp.get("/tickets/new")
@requires(Permission.INTAKE)
def new_ticket() -> View:
    """The form of a call, empty or with a draft's words in it."""
    key = request.args.get("draft", "")[:_LONGEST_KEY]
    if not key:
        return _form({}, {})
    with transaction(runtime().sessions) as session:
        fields = drafts.find(session, runtime().context, key, actor())
    if fields is None:
        flash(_("这份草稿已提交、已删除或已过期。"), "warning")
        return redirect(url_for(".new_ticket"))
    return _form(fields, {}, key=key)


@bp.get("/calls/<token>")
@requires(Permission.INTAKE)
def announced_call(token: str) -> View:
    """The form of a call that the telephone system has announced, with the number in it."""
    with transaction(runtime().sessions) as session:
        phone = calls.announced_phone(session, runtime().context, token)
    if phone is None:
        raise NotFound(_("这个来电链接不存在或已过期"))
    return _form({"caller_phone": phone}, {})


@bp.post("/tickets/new")
@requires(Permission.INTAKE)
def create_ticket() -> View:
    """Log the call.  The form carries a key of its own, so that a double click makes one ticket."""
    given = _given()
    try:
        body = schemas.TicketIn.model_validate(_nested(given))
    except ValidationError as error:
        return _form(given, _messages(error), key=_key()), 422
    key = _key()
    context = runtime().context
    retry = intake.Retry(key, context.vault.index(body.model_dump_json())) if key else None
    try:
        with transaction(runtime().sessions) as session:
            drafts.settle(session, key, actor())
            number = intake.receive(session, context, intake_command(body), actor(), retry).ticket.number
    except InvalidInput as error:
        return _form(given, {error.field: error.message}, key=key), 422
    except Conflict:
        # The form was sent once, then changed and sent again: that is a new ticket with a new key.
        return _form(given, {"content": _("该表单已提交过一次；如需另建工单，请再次提交。")}), 409
    flash(_("工单 %(number)s 已受理", number=number), "success")
    return redirect(url_for(".ticket", number=number))


def intake_command(body: schemas.TicketIn) -> intake.ReceiveTicket:
    """Return the service's command for a checked form or request."""
    members = body.model_dump(exclude={"caller", "title"})
    caller = body.caller or schemas.CallerIn()
    return intake.ReceiveTicket(**members, title=body.title or "", caller_name=caller.name, caller_phone=caller.phone)


@bp.post("/calls/caller")
@requires(Permission.INTAKE, longest_body=SMALL_BODY)
def caller() -> View:
    """Who calls: the number's earlier and open tickets, as a part of the page."""
    try:
        phone = clean_phone(request.form.get("caller_phone", "")[:30])
    except ValueError:
        return render_template("call_caller.html", tickets=None)
    with transaction(runtime().sessions) as session:
        tickets = calls.earlier_tickets(session, runtime().context, phone, actor())
        return render_template("call_caller.html", tickets=tickets)


@bp.post("/drafts")
@requires(Permission.INTAKE)
def save_draft() -> View:
    """Keep what has been typed so far; the answer says when, and gives the page an address that brings it back."""
    key, given = _key(), _given()
    if not key:
        return "", 422
    with transaction(runtime().sessions) as session:
        typed = given if any(given.get(name, "").strip() for name in _TYPED) else {}
        kept = drafts.save(session, runtime().context, key, typed, actor())
    answer = FlaskResponse(render_template("call_draft.html", saved_at=runtime().context.now() if kept else None))
    answer.headers["HX-Replace-Url"] = url_for(".new_ticket", draft=key) if kept else "false"
    return answer


@bp.post("/drafts/<key>/discard")
@requires(Permission.INTAKE, longest_body=SMALL_BODY)
def discard_draft(key: str) -> Response:
    """Throw a draft away."""
    with transaction(runtime().sessions) as session:
        drafts.discard(session, key, actor())
    flash(_("草稿已删除"), "success")
    response: Response = redirect(url_for(".new_ticket"))
    return response


def _given() -> dict[str, str]:
    return {name: value for name, value in request.form.items() if name not in _NOT_OF_THE_CALL}


def _key() -> str:
    return request.form.get("key", "")[:_LONGEST_KEY].replace("\x00", "")


def _nested(given: Mapping[str, str]) -> dict[str, Any]:
    """Turn the flat form into what the API takes; a field left empty was not given."""
    filled: dict[str, Any] = {name: value for name, value in given.items() if value.strip()}
    caller = {name: filled.pop(f"caller_{name}") for name in ("name", "phone") if f"caller_{name}" in filled}
    flags = {name: True for name in ("anonymous", "confidential") if filled.pop(name, None)}
    filled |= flags
    if caller:
        filled["caller"] = caller
    # What the agent did with it says what becomes of it; a form has no field for that.  An answer that was taken over
    # and deleted again leaves its entry's number behind.
    entry = filled.pop("knowledge_entry", "")
    if "merge_into" in filled:
        filled["disposition"] = "merge"
    elif "answer" in filled:
        filled["disposition"] = "answered"
        if entry.isascii() and entry.isdecimal():
            filled["knowledge_entry"] = int(entry)
    filled.setdefault("channel", "phone")
    filled.setdefault("content", "")
    return filled


def _messages(error: ValidationError) -> dict[str, str]:
    """Return what to tell the agent, by field."""
    words = {
        "content": _("请填写诉求内容（不超过 20000 字，不含控制字符）"),
        "phone": _("电话号码格式不对，例如 13800001234 或 010-12345678"),
        "name": _("姓名不超过 60 字"),
        "occurred_at": _("时间格式不对"),
    }
    return field_messages(error, words)


def field_messages(error: ValidationError, words: Mapping[str, str]) -> dict[str, str]:
    """Return what is wrong by field, in ``words`` where there are any for it."""
    found: dict[str, str] = {}
    for problem in error.errors(include_input=False, include_url=False):
        path = [str(part) for part in problem["loc"]]
        found["_".join(path)] = words.get(path[-1], problem["msg"])
    return found


def _form(given: Mapping[str, str], errors: Mapping[str, str], *, key: str = "") -> str:
    key = key or str(uuid4())
    with transaction(runtime().sessions) as session:
        districts = session.scalars(select(District).order_by(District.code)).all()
        others = [line for line in drafts.listed(session, runtime().context, actor()) if line.key != key]
    return render_template("call.html", given=given, errors=errors, districts=districts, key=key, drafts=others)


@shows_again("pages.create_ticket", "pages.save_draft")
def _call_again(_values: Mapping[str, Any], fields: Mapping[str, str]) -> str:
    return _form(fields, {}, key=fields.get("key", "")[:_LONGEST_KEY])
