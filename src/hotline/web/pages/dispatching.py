"""The dispatcher's desk: one ticket after the other, one key for each decision."""

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.domain.people import Permission
from hotline.domain.ticket import Action
from hotline.reference import load_pinyin
from hotline.services import desk, repeats
from hotline.services.access import find_ticket
from hotline.services.allowed import actions_for
from hotline.services.masking import mask_for
from hotline.services.matter_search import find_matters
from hotline.services.queues import Key
from hotline.storage.engine import transaction
from hotline.storage.tables import District, Ticket
from hotline.web import presence
from hotline.web.api.representation import caller_out, prediction_out
from hotline.web.auth import requires
from hotline.web.pages import keys
from hotline.web.pages.blueprint import bp
from hotline.web.pages.choices import choices_for
from hotline.web.pages.session import View
from hotline.web.pages.step_fields import FIELDS, arranged
from hotline.web.pages.step_forms import MOST_PARTS
from hotline.web.runtime import actor, runtime


@bp.get("/dispatch")
@requires(Permission.DISPATCH)
def dispatch_desk() -> View:
    """The next ticket that a person has to dispatch; ``?after=`` skips, ``?queue=conflict`` is the supervisor's."""
    conflicts = desk.decides_conflicts(actor()) and request.args.get("queue") != "ordinary"
    after = keys.read(request.args.get("after", ""))
    account_id = actor().account_id
    assert account_id is not None
    with transaction(runtime().sessions) as session:
        waiting = {row.id: row for row in desk.waiting(session, conflicts=conflicts, after=after)}
        chosen = presence.claim(list(waiting), account_id, leave=after.id if after else None)
        if chosen is None and after is not None:
            flash(_("已到队尾，从头开始。"), "success")
            return redirect(url_for(".dispatch_desk", queue="conflict" if conflicts else "ordinary"))
        return _page(session, waiting[chosen] if chosen is not None else None, conflicts=conflicts)


def _page(session: Session, ticket: Ticket | None, *, conflicts: bool) -> str:
    context = runtime().context
    queue = "conflict" if conflicts else "ordinary"
    shared = {
        "ticket": ticket,
        "conflicts": conflicts,
        "lengths": {
            "ordinary": desk.length(session, conflicts=False),
            "conflict": desk.length(session, conflicts=True) if desk.decides_conflicts(actor()) else None,
        },
        "undo": desk.last_dispatch(session, context, actor()),
        "next_url": url_for(".dispatch_desk", queue=queue),
        "districts": {row.code: row.name for row in session.scalars(select(District))},
    }
    if ticket is None:
        return render_template("dispatch.html", **shared)
    prediction = prediction_out(session, ticket, context)
    codes = tuple(candidate.matter for candidate in prediction.top) if prediction else ()
    matters, now = context.taxonomy.matters, context.now()
    mask = mask_for(ticket, context, actor())
    steps = arranged(actions_for(session, ticket, actor()))
    return render_template(
        "dispatch.html",
        **shared,
        mask=mask,
        caller=caller_out(ticket, mask),
        prediction=prediction,
        candidates=[
            (candidate, desk.owner_preview(session, ticket, matters[candidate.matter], now))
            for candidate in (prediction.top if prediction else [])[:3]
        ],
        boundaries=context.taxonomy.boundary_notes(codes),
        notes=[(code, matters[code].note) for code in codes if matters[code].note],
        skip=keys.written(Key(ticket.dispatch_due, ticket.id)),
        steps=steps,
        open_step=None,
        typed=None,
        seen=repeats.last_event(session, ticket),
        fields=FIELDS,
        choices=choices_for(session, ticket, prediction, steps),
        most_parts=MOST_PARTS,
        tell_every=presence.TELL_EVERY_SECONDS,
    )


@bp.get("/dispatch/<number>/matters")
@requires(Permission.DISPATCH)
def find_matter(number: str) -> View:
    """The matters that ``?asked=`` may mean, with who would get the ticket, as a part of the page."""
    asked, context = request.args.get("asked", "")[:40], runtime().context
    with transaction(runtime().sessions) as session:
        ticket = find_ticket(session, actor(), number)
        now = context.now()
        found = [
            (matter, desk.owner_preview(session, ticket, matter, now))
            for matter in find_matters(context.taxonomy, load_pinyin(), asked)
        ]
        may = Action.DISPATCH in actions_for(session, ticket, actor())
        return render_template("dispatch_matters.html", found=found if may else [], asked=asked)
