"""The pages of the workplaces, rendered on the server."""

from flask import Flask
from flask_wtf.csrf import CSRFError

from hotline.web.pages import (
    account,
    accounts,
    again,
    attachments,
    audit,
    blueprint,
    board,
    bulletins,
    calendar,
    call_assist,
    call_list,
    call_similar,
    calls,
    catalogue,
    deadlines,
    departments,
    dispatching,
    filters,
    integrity,
    knowledge,
    limits,
    lists,
    models,
    navigation,
    queue,
    reports,
    requests,
    search,
    session,
    similar,
    tickets,
    topics,
)

__all__ = [
    "account",
    "accounts",
    "attachments",
    "audit",
    "board",
    "bulletins",
    "calendar",
    "call_assist",
    "call_list",
    "call_similar",
    "calls",
    "catalogue",
    "deadlines",
    "departments",
    "dispatching",
    "integrity",
    "knowledge",
    "limits",
    "lists",
    "models",
    "navigation",
    "queue",
    "register",
    "reports",
    "requests",
    "search",
    "session",
    "similar",
    "tickets",
    "topics",
]


def register(app: Flask) -> None:
    """Add the pages and what their templates need to ``app``."""
    app.register_blueprint(blueprint.bp)
    filters.register(app)
    app.register_error_handler(CSRFError, again.stale_form)
