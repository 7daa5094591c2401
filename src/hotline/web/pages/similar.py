"""What is similar to a ticket, as a part of its page: open ones that it may join, and how others were solved."""

from flask import render_template

from hotline.domain.people import Permission
from hotline.domain.ticket import Action
from hotline.services import similar
from hotline.services.access import find_ticket, scope_of
from hotline.services.allowed import actions_for
from hotline.storage.engine import transaction
from hotline.web.auth import requires
from hotline.web.pages.blueprint import bp
from hotline.web.pages.session import View
from hotline.web.runtime import actor, runtime


@bp.get("/tickets/<number>/similar")
@requires(Permission.READ_TICKETS)
def similar_tickets(number: str) -> View:
    """Whoever may merge is shown open tickets, whoever may reply or answer how others were solved."""
    context = runtime().context
    with transaction(runtime().sessions) as session:
        steps = actions_for(session, find_ticket(session, actor(), number), actor())
        may_quote = bool({Action.REPLY, Action.ANSWER} & set(steps))
        may_merge = Action.MERGE in steps
        alike = similar.similar_to_ticket(session, context, number, actor()) if may_merge else []
        return render_template(
            "ticket_similar.html",
            number=number,
            may_merge=may_merge,
            may_quote=may_quote,
            found=similar.worth_a_look(alike),
            solved=similar.similar_solved(session, context, number, actor()) if may_quote else [],
            scope=scope_of(session, actor()),
        )
