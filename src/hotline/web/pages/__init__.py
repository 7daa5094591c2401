"""The pages of the workplaces, rendered on the server."""

from flask import Flask
from flask_wtf.csrf import CSRFError

from hotline.web.pages import (
    account,
    accounts,
    again,
    audit,
    blueprint,
    call_assist,
    call_similar,
    calls,
    deadlines,
    filters,
    models,
    navigation,
    reports,
    search,
    session,
    tickets,
)

__all__ = [
    "account",
    "accounts",
    "audit",
    "call_assist",
    "call_similar",
    "calls",
    "deadlines",
    "models",
    "navigation",
    "register",
    "reports",
    "search",
    "session",
    "tickets",
]


def register(app: Flask) -> None:
    """Add the pages and what their templates need to ``app``."""
    app.register_blueprint(blueprint.bp)
    filters.register(app)
    app.register_error_handler(CSRFError, again.stale_form)
