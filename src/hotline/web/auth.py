"""Who is asking, and may they: sessions for pages, bearer tokens for the API, one permission on every route.

A route without a permission is an error at start-up, so nothing is open by accident.
"""

import re
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

import structlog
from flask import Flask, Response, current_app, g, redirect, request, url_for
from sqlalchemy.exc import SQLAlchemyError

from hotline.domain.audit import AuditAction
from hotline.domain.people import Actor, Permission, Role
from hotline.jobs.runner import describe
from hotline.services import audit
from hotline.services.tokens import holder_at, note_use
from hotline.storage.engine import looking_up, transaction
from hotline.storage.tables import Account
from hotline.web import sessions
from hotline.web.hardening import UNNOTED
from hotline.web.problems import Problem
from hotline.web.runtime import address, runtime

View = TypeVar("View", bound=Callable[..., Any])

log = structlog.get_logger()

_NUMBER = re.compile(r"\d{8}-\d{6}")

# No form outside the tickets needs more; the login form may carry a kept ticket.
SMALL_BODY = 64 * 1024


def requires(
    permission: Permission,
    *,
    longest_body: int | None = None,
    takes_foreign_forms: bool = False,
    in_background: bool = False,
) -> Callable[[View], View]:
    """Name the permission that a route asks for, and the size in bytes of the largest body it takes.

    A form needs this session's anti-forgery token unless ``takes_foreign_forms``, for a route that changes nothing.
    ``in_background`` says that pages ask it by themselves, which is no activity of who is signed in.
    """

    def mark(view: View) -> View:
        view._takes_foreign_forms = takes_foreign_forms  # type: ignore[attr-defined]
        view._permission = permission  # type: ignore[attr-defined]
        view._longest_body = longest_body  # type: ignore[attr-defined]
        view._in_background = in_background  # type: ignore[attr-defined]
        return view

    return mark


def permission_of(view: Callable[..., Any]) -> Permission | None:
    """Return the permission a view names, None when it names none."""
    found: Permission | None = getattr(view, "_permission", None)
    return found


def check_routes(app: Flask) -> None:
    """Raise ``RuntimeError`` when a route names no permission."""
    open_routes = [
        rule.rule for rule in app.url_map.iter_rules() if permission_of(app.view_functions[rule.endpoint]) is None
    ]
    if open_routes:
        raise RuntimeError(f"these routes name no permission: {', '.join(sorted(open_routes))}")


def guard() -> Response | None:
    """Before every request: find out who asks and refuse, or send to the login page, when they may not."""
    g.actor, g.account = None, None
    if request.endpoint is None:
        return None
    view = runtime().app.view_functions[request.endpoint]
    needed = permission_of(view)
    if request.endpoint not in UNNOTED:
        _count("address", address() or "unknown", runtime().settings.rate_limits.address)
    longest_body: int | None = getattr(view, "_longest_body", None)
    if longest_body is not None:
        request.max_content_length = longest_body
    is_api = request.path.startswith("/api/")
    if needed is None or needed is Permission.PUBLIC:
        if not is_api and not getattr(view, "_takes_foreign_forms", False):
            _check_forgery()
        return None
    if is_api:
        _token_signs_in()
    else:
        account = sessions.present_account(active=not getattr(view, "_in_background", False))
        if account is None:
            return _to_login()
        become(account)
    _count("account", str(g.actor.account_id), runtime().settings.rate_limits.account)
    if not is_api:
        # The API is called with tokens, never with cookies, so a foreign page cannot ride on a session there.
        _check_forgery()
    if not g.actor.may(needed):
        limited = "" if g.actor.scopes is None else ", or the token's scopes do"
        raise Problem(403, f"the role '{g.actor.role}' lacks the permission '{needed}'{limited}")
    return None


def become(account: Account) -> None:
    """Let the rest of the request act as ``account``."""
    g.account = account
    g.actor = Actor(Role(account.role), account.id, account.department_id, None, address())


def _count(kind: str, who: str, limit: int) -> None:
    seconds = runtime().counters.wait(kind, who, limit)
    if seconds is not None:
        detail = f"too many requests from this {kind}; try again in {seconds} s"
        raise Problem(429, detail, headers={"Retry-After": str(seconds)})


def _check_forgery() -> None:
    """Raise ``CSRFError`` when a form carries no token of this session."""
    current_app.extensions["csrf"].protect()


def _token_signs_in() -> None:
    """Sign in the holder of the request's token.  Raises ``Problem`` 401 when there is none that opens anything."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        now = runtime().context.now()
        with looking_up(runtime().sessions) as db:
            found = holder_at(db, token.strip(), now)
            if found is not None:
                note_use(db, found, now)
                scopes = None if found.scopes is None else frozenset(found.scopes)
                g.actor = Actor(Role(found.role), found.account_id, found.department_id, scopes, address())
                return
    raise Problem(
        401,
        "send a valid token: Authorization: Bearer …",
        headers={"WWW-Authenticate": 'Bearer realm="hotline"'},
    )


def _to_login() -> Response:
    """Send to the login page; a part of a page is refused instead, so that it does not take the page's place."""
    if request.headers.get("HX-Request"):
        raise Problem(401, "the session has ended; what was typed on the page can still be sent")
    if request.method == "POST":
        # 307 makes the browser send the form once more, to a page that keeps it until its sender has signed in again.
        response: Any = redirect(url_for("pages.login_and_keep", to=request.path), 307)
    else:
        response = redirect(url_for("pages.login", next=request.full_path.rstrip("?")))
    return response  # type: ignore[no-any-return]


def safe_next(target: str | None) -> str | None:
    """Return ``target`` when it is a path of this site, else None: a login page must not send people elsewhere."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")):
        return None
    parts = urlsplit(target)
    return target if not parts.scheme and not parts.netloc else None


def note_refusal(response: Response) -> Response:
    """After every request: record in the audit log that somebody who is signed in was refused."""
    actor: Actor | None = g.get("actor")
    if response.status_code != 403 or actor is None:
        return response
    view = runtime().app.view_functions.get(request.endpoint or "")
    detail = {"route": request.endpoint, "method": request.method, "permission": view and permission_of(view)}
    try:
        with transaction(runtime().sessions) as db:
            number = (request.view_args or {}).get("number", "")
            # Only what is a ticket's number: a client may have put anything in its place.
            subject = number if _NUMBER.fullmatch(number) else None
            audit.append(db, runtime().context, actor, AuditAction.ACCESS_REFUSED, subject=subject, detail=detail)
    except SQLAlchemyError as error:
        # The refusal stands; that it could not be written down must not be lost as well.
        log.error("refusal_not_recorded", error=describe(error), account=actor.account_id, endpoint=request.endpoint)
    return response
