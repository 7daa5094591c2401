"""The web application, put together."""

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
from hotline.web.api import attachments, calls, catalogue, deadlines, knowledge, reports, similar, tickets
from hotline.web.auth import check_routes, guard, note_refusal, requires
from hotline.web.counters import Counters
from hotline.web.hardening import harden
from hotline.web.pages import navigation
from hotline.web.problems import FieldError, Problem
from hotline.web.requests import MAX_BODY_BYTES, StrictRequest, refuse_nul
from hotline.web.runtime import EXTENSION, WebRuntime
from hotline.web.sessions import COOKIE_LIFE


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
    production = settings.environment == "production"
    app.config.update(
        SECRET_KEY=settings.secret_key.get_secret_value(),
        MAX_CONTENT_LENGTH=MAX_BODY_BYTES,
        MAX_FORM_MEMORY_SIZE=MAX_BODY_BYTES,
        PERMANENT_SESSION_LIFETIME=COOKIE_LIFE,
        # Parts of pages are asked for in the background; an answer that is late must not bring an older cookie back and
        # take a notice away with it.  Whoever is at work gets a fresh cookie once a minute.
        SESSION_REFRESH_EACH_REQUEST=False,
        # The prefix makes browsers refuse a cookie of this name that is not bound to this very host and to TLS.
        SESSION_COOKIE_NAME="__Host-hotline" if production else "hotline",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=production,
        WTF_CSRF_TIME_LIMIT=None,
        # The guard checks forms itself, after it knows whether their session still lives.
        WTF_CSRF_CHECK_DEFAULT=False,
        BABEL_DEFAULT_LOCALE="zh_Hans_CN",
        BABEL_DEFAULT_TIMEZONE="Asia/Shanghai",
        OPENAPI_VERSION="3.1.0",
        VALIDATION_ERROR_STATUS_CODE=422,
    )
    app.security_schemes = {"bearer": {"type": "http", "scheme": "bearer"}}
    app.extensions[EXTENSION] = WebRuntime(app, parts, Counters(settings.redis_url, parts.context.now))
    Babel(app, locale_selector=navigation.locale)
    CSRFProtect(app)
    harden(app, settings)
    app.before_request(guard)
    app.before_request(refuse_nul)
    app.after_request(note_refusal)
    for blueprint in (
        tickets.bp,
        attachments.bp,
        deadlines.bp,
        catalogue.bp,
        calls.bp,
        reports.bp,
        similar.bp,
        knowledge.bp,
        health.bp,
    ):
        app.register_blueprint(blueprint)
    pages.register(app)
    problems.register(app)
    app.register_error_handler(apiflask.HTTPError, _validation_problem)
    for endpoint in ("static", "openapi.spec"):
        requires(Permission.PUBLIC)(app.view_functions[endpoint])
    check_routes(app)
    return app


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
