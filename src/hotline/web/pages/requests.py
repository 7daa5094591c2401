"""What waits for a decision of the hotline: returns and adjudications, extensions, suspensions, exclusions."""

from flask import render_template, request, url_for
from sqlalchemy import select

from hotline.domain.people import Permission
from hotline.services import requests
from hotline.storage.engine import transaction
from hotline.storage.tables import District
from hotline.web.auth import requires
from hotline.web.pages.blueprint import bp
from hotline.web.pages.session import View
from hotline.web.runtime import actor, runtime


@bp.get("/requests")
@requires(Permission.DISPATCH)
def request_list() -> View:
    """All of them, or one kind (``?kind=``), the oldest first; the decision is taken on the ticket's page."""
    kinds = requests.kinds_of(actor().role)
    chosen = next((kind for kind in kinds if kind == request.args.get("kind")), None)
    with transaction(runtime().sessions) as session:
        found = requests.pending(session, actor())
        counts = {kind: sum(one.kind == kind for one in found) for kind in kinds}
        return render_template(
            "requests.html",
            found=[one for one in found if chosen in (None, one.kind)],
            counts=counts,
            total=len(found),
            chosen=chosen,
            names=requests.KIND_NAMES,
            here=url_for(".request_list", kind=chosen),
            districts={row.code: row.name for row in session.scalars(select(District))},
        )
