"""Show a form again with everything that was typed into it, after its session had ended or its page was out of date."""

from collections.abc import Callable, Mapping
from typing import Any

from flask import g, render_template, request
from flask_wtf.csrf import CSRFError
from werkzeug import Response
from werkzeug.exceptions import HTTPException

from hotline.domain.people import Permission
from hotline.services.errors import NotFound
from hotline.web import kept
from hotline.web.auth import permission_of, safe_next
from hotline.web.problems import Problem, respond
from hotline.web.runtime import actor, runtime

Shown = str | Response

# How each form is shown again, by the endpoint it is sent to: from the parts of its address and its fields.
_FORMS: dict[str, Callable[[Mapping[str, Any], Mapping[str, str]], Shown]] = {}

Again = Callable[[Mapping[str, Any], Mapping[str, str]], Shown]

NOTICE = "刚才填写的内容都在下面，尚未提交，请核对后再次提交。"


def shows_again(*endpoints: str) -> Callable[[Again], Again]:
    """Name the endpoints whose form a function shows again."""

    def mark(function: Again) -> Again:
        _FORMS.update(dict.fromkeys(endpoints, function))
        return function

    return mark


def show(form: kept.KeptForm) -> Shown | None:
    """Show ``form`` to who is signed in; None when there is nothing to show or they may not send it.

    A form that nobody has said how to show is listed field by field, with a button that sends it.
    """
    try:
        endpoint, values = runtime().app.url_map.bind("").match(form.path, method="POST")
    except HTTPException:
        return None
    needed = permission_of(runtime().app.view_functions[endpoint])
    if needed is None or needed is Permission.PUBLIC or not actor().may(needed) or endpoint == "pages.log_out":
        return None
    g.notice = NOTICE
    try:
        if endpoint in _FORMS:
            return _FORMS[endpoint](values, form.fields)
    except NotFound:
        return None
    return render_template("restore.html", path=form.path, fields=form.fields)


def stale_form(error: CSRFError) -> Response | tuple[Shown, int]:
    """Answer a form whose anti-forgery token is not this session's: show it again rather than throw it away.

    That happens to people who signed in anew in another tab.  A foreign page's form is refused.
    """
    if kept.is_from_our_page():
        if request.endpoint in ("pages.log_in", "pages.log_in_with_code", "pages.enrol_at_login"):
            return _login_again(), 401
        form = kept.opened(kept.keep(request.path)) if g.get("account") is not None else None
        shown = show(form) if form is not None else None
        if shown is not None:
            return shown, 409
    return respond(Problem(400, "页面已过期，请返回上一页刷新后重试。"))


def _login_again() -> str:
    return render_template(
        "login.html",
        next=safe_next(request.form.get("next")),
        kept=request.form.get(kept.FIELD),
        username=request.form.get("username", "")[:100],
        expired=True,
    )
