"""The follow-up agent's call list; the call itself is made from the ticket's page."""

from flask import render_template, request, url_for

from hotline.domain.people import Permission
from hotline.services import call_list as listing
from hotline.services.followup import TRIES
from hotline.storage.engine import transaction
from hotline.web.auth import requires
from hotline.web.pages import keys
from hotline.web.pages.blueprint import bp
from hotline.web.pages.session import View
from hotline.web.runtime import runtime

PAGE = 50


@bp.get("/calls")
@requires(Permission.FOLLOW_UP)
def call_list() -> View:
    """Who is to be called next."""
    after = keys.read(request.args.get("after", ""))
    with transaction(runtime().sessions) as session:
        calls, following = listing.calls(session, after, PAGE)
        return render_template(
            "calls.html",
            calls=calls,
            lengths=listing.lengths(session, runtime().context.now()),
            most_tries=TRIES,
            next_page=url_for(".call_list", after=keys.written(following)) if following else None,
        )
