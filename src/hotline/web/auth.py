"""Who is asking, and may they: sessions for pages, bearer tokens for the API, one permission on every route.

A route without a permission is an error at start-up, so nothing is open by accident.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import Flask, Response, g, redirect, request, session, url_for

from hotline.domain.people import Actor, Permission, Role
from hotline.services.accounts import account_of_token
from hotline.storage.engine import transaction
from hotline.storage.tables import Account
from hotline.web.problems import Problem
from hotline.web.runtime import runtime

View = TypeVar("View", bound=Callable[..., Any])


def requires(permission: Permission) -> Callable[[View], View]:
    """Name the permission that a route asks for."""

    def mark(view: View) -> View:
        view._permission = permission  # type: ignore[attr-defined]
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


def sign_in(account: Account) -> None:
    """Start a session for the account; what an earlier session held is dropped."""
    session.clear()
    session["account"] = account.id
    session["since"] = runtime().context.now().timestamp()
    session.permanent = True


def sign_out() -> None:
    """End the session."""
    session.clear()


def guard() -> Response | None:
    """Before every request: find out who asks and refuse, or send to the login page, when they may not."""
    g.actor, g.account = None, None
    if request.endpoint is None:
        return None
    needed = permission_of(runtime().app.view_functions[request.endpoint])
    if needed is None or needed is Permission.PUBLIC:
        return None
    is_api = request.path.startswith("/api/")
    account = _token_account() if is_api else _session_account()
    if account is None:
        if is_api:
            raise Problem(
                401,
                "send a valid token: Authorization: Bearer …",
                headers={"WWW-Authenticate": 'Bearer realm="hotline"'},
            )
        return _to_login()
    g.account = account
    g.actor = Actor(Role(account.role), account.id, account.department_id)
    if not g.actor.may(needed):
        raise Problem(403, f"the role '{account.role}' lacks the permission '{needed}'")
    return None


def _token_account() -> Account | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return None
    with transaction(runtime().sessions) as db:
        return account_of_token(db, token.strip(), runtime().context.now())


def _session_account() -> Account | None:
    account_id, since = session.get("account"), session.get("since")
    if not isinstance(account_id, int) or not isinstance(since, float):
        return None
    age = runtime().context.now().timestamp() - since
    if age > timedelta(hours=runtime().settings.session_hours).total_seconds():
        return None
    with transaction(runtime().sessions) as db:
        account = db.get(Account, account_id)
        return account if account is not None and account.active else None


def _to_login() -> Response:
    target = request.full_path.rstrip("?") if request.method == "GET" else None
    response: Any = redirect(url_for("pages.login", next=target))
    return response  # type: ignore[no-any-return]


def safe_next(target: str | None) -> str | None:
    """Return ``target`` when it is a path of this site, else None: a login page must not send people elsewhere."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")):
        return None
    parts = urlsplit(target)
    return target if not parts.scheme and not parts.netloc else None
