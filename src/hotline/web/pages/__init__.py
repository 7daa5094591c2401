"""The pages of the workplaces, rendered on the server."""

from flask import Flask

from hotline.web.pages import blueprint, filters, reports, session, tickets

__all__ = ["register", "reports", "session", "tickets"]


def register(app: Flask) -> None:
    """Add the pages and what their templates need to ``app``."""
    app.register_blueprint(blueprint.bp)
    filters.register(app)
