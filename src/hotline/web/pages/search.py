"""The search box's page.

What is asked travels in a form, never in an address: it may be a citizen's phone or words.
"""

from collections.abc import Mapping
from typing import Any

from flask import redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug import Response

from hotline.domain.people import Permission
from hotline.services import search_box
from hotline.services.access import scope_of
from hotline.storage.engine import transaction
from hotline.storage.tables import District
from hotline.web.auth import SMALL_BODY, requires
from hotline.web.pages.again import shows_again
from hotline.web.pages.blueprint import bp
from hotline.web.pages.session import View
from hotline.web.runtime import actor, runtime

PAGE = 20


@bp.get("/search")
@requires(Permission.READ_TICKETS)
def search_page() -> View:
    """What can be asked for."""
    return render_template("search.html", asked="", question=None, found=[], more=None)


@bp.post("/search")
@requires(Permission.READ_TICKETS, longest_body=SMALL_BODY)
def search() -> str | Response:
    """Show what was asked for; a number leads to its ticket at once."""
    asked = request.form.get("q", "")[: search_box.LONGEST].replace("\x00", "")
    before = request.form.get("before", "")
    return _results(asked, int(before) if before.isascii() and before.isdecimal() and len(before) < 18 else None)


@shows_again("pages.search")
def _search_again(_values: Mapping[str, Any], fields: Mapping[str, str]) -> str | Response:
    return _results(fields.get("q", "")[: search_box.LONGEST], None)


def _results(asked: str, before: int | None) -> str | Response:
    context = runtime().context
    with transaction(runtime().sessions) as session:
        question = search_box.understand(session, context, asked)
        found = search_box.search(session, context, question, actor(), before=before, limit=PAGE + 1)
        if question.number and len(found) == 1:
            to_ticket: Response = redirect(url_for(".ticket", number=found[0].number))
            return to_ticket
        districts = {district.code: district.name for district in session.scalars(select(District))}
        return render_template(
            "search.html",
            asked=asked,
            question=question,
            found=found[:PAGE],
            more=found[PAGE - 1].id if len(found) > PAGE else None,
            scope=scope_of(session, actor()),
            districts=districts,
        )
