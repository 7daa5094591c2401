"""Similar open tickets and standard answers beside the form of a call; nothing is saved by it."""

from flask import render_template, request

from hotline.domain.people import Permission
from hotline.services import knowledge
from hotline.services.similar import SimilarTo, similar_open, worth_a_look
from hotline.storage.engine import transaction
from hotline.web.auth import requires
from hotline.web.pages.blueprint import bp
from hotline.web.pages.session import View
from hotline.web.runtime import actor, runtime

# What fits beside the form.
TICKETS, ANSWERS = 3, 2

# A text that has only begun is like everything.
_BEGUN = 6


@bp.post("/calls/similar")
@requires(Permission.INTAKE)
def similar() -> View:
    """Open tickets that may be about the same event, and what the knowledge base answers, as a part of the page."""
    content = request.form.get("content", "")[:20_000].replace("\x00", "")
    if len(content.strip()) < _BEGUN:
        return render_template("call_similar.html", tickets=[], answers=[])
    place = request.form.get("address", "").strip()[:200].replace("\x00", "") or None
    context = runtime().context
    with transaction(runtime().sessions) as session:
        title = request.form.get("title", "")[:200].replace("\x00", "")
        asked = SimilarTo(content=content, title=title, place=place, limit=TICKETS)
        tickets = worth_a_look(similar_open(session, context, actor(), asked))
        return render_template(
            "call_similar.html",
            tickets=tickets,
            answers=knowledge.search(session, context, content, limit=ANSWERS),
        )
