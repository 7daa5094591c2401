"""The web application, put together."""

from datetime import timedelta

import apiflask
from apiflask import APIFlask
from flask import Flask, Response
from flask_babel import Babel
from flask_wtf.csrf import CSRFProtect

from hotline import __version__
from hotline.bootstrap import Runtime
from hotline.domain.masking import mask_text
from hotline.domain.people import Permission
from hotline.web import health, pages, problems
from hotline.web.api import reports, tickets
from hotline.web.auth import check_routes, guard, requires
from hotline.web.problems import FieldError, Problem
from hotline.web.requests import MAX_BODY_BYTES, StrictRequest, refuse_nul
from hotline.web.runtime import EXTENSION, WebRuntime

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "frame-ancestors 'none'; form-action 'self'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class HotlineApp(APIFlask):
    """APIFlask with our strict requests."""

    request_class = StrictRequest


def create_app(parts: Runtime) -> Flask:
    """Return the application over ``parts``.  Raises ``RuntimeError`` when a route names no permission."""
    app = HotlineApp(
        "hotline.web",
        title="Hotline",
        version=__version__,
        docs_path=None,
        json_errors=False,
        spec_path="/openapi.json",
    )
    settings = parts.settings
    app.config.update(
        SECRET_KEY=settings.secret_key.get_secret_value(),
        MAX_CONTENT_LENGTH=MAX_BODY_BYTES,
        MAX_FORM_MEMORY_SIZE=MAX_BODY_BYTES,
        PERMANENT_SESSION_LIFETIME=timedelta(hours=settings.session_hours),
        SESSION_COOKIE_NAME="hotline",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.environment == "production",
        WTF_CSRF_TIME_LIMIT=None,
        BABEL_DEFAULT_LOCALE="zh_Hans_CN",
        BABEL_DEFAULT_TIMEZONE="Asia/Shanghai",
        OPENAPI_VERSION="3.1.0",
        VALIDATION_ERROR_STATUS_CODE=422,
    )
    app.security_schemes = {"bearer": {"type": "http", "scheme": "bearer"}}
    app.extensions[EXTENSION] = WebRuntime(app, parts)
    Babel(app)
    csrf = CSRFProtect(app)
    app.before_request(guard)
    app.before_request(refuse_nul)
    app.after_request(_harden)
    for blueprint in (tickets.bp, reports.bp):
        # The API is called with tokens, never with cookies, so a foreign page cannot ride on a session there.
        csrf.exempt(blueprint)
        app.register_blueprint(blueprint)
    app.register_blueprint(health.bp)
    pages.register(app)
    problems.register(app)
    app.register_error_handler(apiflask.HTTPError, _validation_problem)
    for endpoint in ("static", "openapi.spec"):
        requires(Permission.PUBLIC)(app.view_functions[endpoint])
    check_routes(app)
    return app


def _harden(response: Response) -> Response:
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    if not response.headers.get("Cache-Control"):
        response.headers["Cache-Control"] = "no-store"
    return response


def _validation_problem(error: apiflask.HTTPError) -> Response:
    """Turn APIFlask's own errors into ours; field names are the client's words."""
    errors = [
        FieldError(_field_name(field), message.removeprefix("Value error, "))
        for fields in (error.detail or {}).values()
        for field, messages in fields.items()
        for message in messages
    ]
    detail = "; ".join(f"{item.field}: {item.message}" for item in errors) or error.message or ""
    return problems.respond(Problem(error.status_code, detail, errors))


def _field_name(given: str) -> str:
    """Return a field's name as an answer may repeat it: its beginning, masked, since the client chose it.

    The framework's name for the whole input is ours for it.
    """
    return "body" if given == "_schema" else mask_text(given[:80].encode("utf-8", "replace").decode())
