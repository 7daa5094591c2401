"""A ticket's deadlines explained, as a page; the ticket's own page includes the same part."""

from flask import render_template

from hotline.domain.people import Permission
from hotline.services.explaining import explain
from hotline.storage.engine import transaction
from hotline.web.auth import requires
from hotline.web.pages.blueprint import bp
from hotline.web.pages.session import View
from hotline.web.runtime import actor, runtime


@bp.get("/tickets/<number>/deadline")
@requires(Permission.READ_TICKETS)
def deadlines(number: str) -> View:
    """Show how each due of the ticket comes about."""
    with transaction(runtime().sessions) as session:
        found = explain(session, runtime().context, number, actor())
    return render_template("deadlines.html", number=number, deadlines=found)
