"""The tickets behind a hot topic."""

from flask import render_template, request
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from hotline.domain.people import Permission
from hotline.services.reporting import PAGE
from hotline.services.topics import topic_tickets
from hotline.storage.engine import transaction
from hotline.storage.tables import Ticket
from hotline.web.auth import requires
from hotline.web.pages.blueprint import bp
from hotline.web.pages.session import View
from hotline.web.problems import Problem
from hotline.web.runtime import runtime


@bp.get("/reports/topics/<int:topic>")
@requires(Permission.READ_REPORTS)
def topic_page(topic: int) -> View:
    """A kept topic and its tickets, the newest first."""
    page = min(int(request.args["page"]), 1_000_000) if request.args.get("page", "").isdecimal() else 0
    with transaction(runtime().sessions) as session:
        found = topic_tickets(session, topic) if topic < 2**63 else None
        if found is None:
            raise Problem(404, "there is no such topic; topics of the last days are found anew each night")
        told, ids = found
        query = select(Ticket).where(Ticket.id.in_(ids[page * PAGE : (page + 1) * PAGE])).order_by(Ticket.id.desc())
        loaded = selectinload(Ticket.lead_department), selectinload(Ticket.caller), selectinload(Ticket.cohandlers)
        tickets = session.scalars(query.options(*loaded)).all()
        pages = max((len(ids) + PAGE - 1) // PAGE, 1)
        return render_template("topic.html", topic=told, tickets=tickets, page=page, pages=pages)
