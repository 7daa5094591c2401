"""Errors of the API as ``application/problem+json`` (RFC 9457), naming the field that is wrong.

A problem never repeats what the client sent: it may be a citizen's name, phone or words.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson
import structlog
from flask import Flask, Response, g, render_template, request
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from hotline.domain.transitions import TransitionRefused
from hotline.jobs.runner import describe
from hotline.services.errors import Conflict, Forbidden, InvalidInput, NotFound

log = structlog.get_logger()

TITLES = {
    400: "Bad request",
    401: "Not signed in",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    413: "Too large",
    415: "Unsupported media type",
    422: "Invalid input",
    429: "Too many requests",
    500: "Internal error",
    503: "Temporarily unavailable",
}


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing that is wrong: ``field`` as the client knows it ("body" for the request as a whole)."""

    field: str
    message: str


class Problem(Exception):
    """An answer other than success.  ``extra`` members stand beside the standard ones."""

    def __init__(
        self,
        status: int,
        detail: str,
        errors: Iterable[FieldError] = (),
        *,
        headers: dict[str, str] | None = None,
        **extra: Any,
    ) -> None:
        self.status, self.detail, self.errors = status, detail, tuple(errors)
        self.headers, self.extra = headers or {}, extra
        super().__init__(detail)

    def body(self) -> dict[str, Any]:
        """The members of the problem document."""
        members: dict[str, Any] = {
            "type": "about:blank",
            "title": TITLES.get(self.status, "Error"),
            "status": self.status,
            "detail": self.detail,
        }
        if self.errors:
            members["errors"] = [{"field": error.field, "message": error.message} for error in self.errors]
        return members | self.extra


def invalid(field: str, message: str, status: int = 422) -> Problem:
    """A problem with one field."""
    return Problem(status, f"{field}: {message}", [FieldError(field, message)])


def as_problem(error: Exception) -> Problem:
    """Translate what a service, the framework or the database raised."""
    match error:
        case Problem():
            return error
        case InvalidInput():
            return invalid(error.field, error.message)
        case TransitionRefused():
            status = 403 if error.is_role_matter else 409
            return Problem(status, str(error), state=error.state, allowed_actions=list(error.allowed))
        case NotFound():
            return Problem(404, str(error))
        case Forbidden():
            return Problem(403, str(error))
        case Conflict():
            return Problem(409, str(error))
        case DBAPIError() | PoolTimeout():
            return _database_problem(error)
        case HTTPException():
            return _http_problem(error)
        case _:
            log.error("unexpected_error", error=describe(error), endpoint=request.endpoint)
            return Problem(500, "something went wrong on our side; it has been logged")


def _database_problem(error: DBAPIError | PoolTimeout) -> Problem:
    """Tell an unreachable or overloaded database, which passes, from an error in the program, which does not."""
    state = getattr(getattr(error, "orig", None), "sqlstate", None) or ""
    passing_state = state[:2] in ("", "08", "40", "53", "55", "57")
    passing = isinstance(error, PoolTimeout) or error.connection_invalidated or passing_state
    log.error("database_error", error=type(error).__name__, sqlstate=state, endpoint=request.endpoint)
    if passing:
        return Problem(503, "the database cannot be reached; try again shortly", headers={"Retry-After": "2"})
    return Problem(500, "something went wrong on our side; it has been logged")


def _http_problem(error: HTTPException) -> Problem:
    code = error.code or 500
    headers = {name: value for name, value in error.get_headers() if name in ("Allow", "Retry-After")}
    if code == 413:
        return Problem(413, "body: the request is too large", [FieldError("body", "the request is too large")])
    return Problem(code, error.description or TITLES.get(code, "Error"), headers=headers)


def respond(problem: Problem) -> Response:
    """Write the problem as the API does, or as a page for a person's browser."""
    if request.path.startswith("/api/") or request.accept_mimetypes.best == "application/json":
        response = Response(orjson.dumps(problem.body()), problem.status, content_type="application/problem+json")
    else:
        html = render_template("error.html", problem=problem, actor=g.get("actor"))
        response = Response(html, problem.status)
    response.headers.update(problem.headers)
    return response


def register(app: Flask) -> None:
    """Answer every error of ``app`` with a problem."""

    def handle(error: Exception) -> Response:
        return respond(as_problem(error))

    app.register_error_handler(Exception, handle)
    app.register_error_handler(HTTPException, handle)
