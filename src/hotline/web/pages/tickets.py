"""The page of one ticket: the citizen's words, the clock, what may be done now, and all that has happened."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from pydantic import ValidationError
from sqlalchemy import select
from werkzeug import Response

from hotline.domain.people import Permission
from hotline.domain.ticket import OPEN_STATES, Action
from hotline.domain.transitions import TransitionRefused
from hotline.services import attachments, repeats, requests
from hotline.services.access import find_ticket, scope_of
from hotline.services.allowed import actions_for
from hotline.services.dossier import dossier
from hotline.services.errors import Conflict, Forbidden, InvalidInput, NotFound
from hotline.services.masking import mask_for
from hotline.services.privacy import RevealCaller, reveal
from hotline.storage.engine import transaction
from hotline.storage.tables import District
from hotline.web import presence
from hotline.web.api.representation import caller_out, prediction_out
from hotline.web.auth import SMALL_BODY, requires, safe_next
from hotline.web.pages.again import shows_again
from hotline.web.pages.blueprint import bp
from hotline.web.pages.choices import choices_for
from hotline.web.pages.refusals import refusal
from hotline.web.pages.session import View
from hotline.web.pages.step_fields import FIELDS, NEXT, arranged
from hotline.web.pages.step_forms import MOST_PARTS, body_of, messages
from hotline.web.pages.timeline import timeline
from hotline.web.problems import as_problem
from hotline.web.runtime import actor, runtime
from hotline.web.steps import STEPS

_NOT_TYPED = frozenset({"csrf_token", "seen", "next"})


@dataclass(frozen=True, slots=True)
class Typed:
    """A form that was filled in and not taken: which, with what, and what is wrong by field."""

    action: str
    fields: Mapping[str, str]
    errors: Mapping[str, str] = field(default_factory=dict)

    @property
    def words(self) -> dict[str, str]:
        """What a person has typed or chosen, by field."""
        return {name: value for name, value in self.fields.items() if name not in _NOT_TYPED and value.strip()}


@bp.get("/tickets/<number>")
@requires(Permission.READ_TICKETS)
def ticket(number: str) -> View:
    """A ticket with its history and the steps that are possible now."""
    return _show(number)


@shows_again("pages.act", "pages.reveal_caller")
def _step_again(values: Mapping[str, Any], fields: Mapping[str, str]) -> str:
    return _show(values["number"], typed=Typed(values.get("action", "reveal"), fields))


def _show(number: str, revealed: Any = None, typed: Typed | None = None) -> str:
    context = runtime().context
    with transaction(runtime().sessions) as session:
        found = find_ticket(session, actor(), number)
        scope = scope_of(session, actor())
        steps = arranged(actions_for(session, found, actor()))
        prediction = prediction_out(session, found, context)
        mask = mask_for(found, context, actor())
        return render_template(
            "ticket.html",
            ticket=found,
            mask=mask,
            place=(mask.place(found.address) if mask.hidden else mask.maybe(found.address)) or "",
            prediction=prediction,
            caller=caller_out(found, mask),
            dossier=dossier(session, found),
            timeline=timeline(session, found),
            attached=attachments.attached(session, found, actor()),
            may_attach=context.files is not None and found.state in OPEN_STATES,
            seen=repeats.last_event(session, found),
            steps=steps,
            open_step=_open_step(steps, typed),
            fields=FIELDS,
            choices=choices_for(session, found, prediction, steps),
            most_parts=MOST_PARTS,
            scope=scope,
            helps=not scope.leads(found),
            districts={row.code: row.name for row in session.scalars(select(District))},
            boundaries=context.taxonomy.boundary_notes(tuple(c.matter for c in prediction.top)) if prediction else [],
            revealed=revealed,
            typed=typed,
            next_url=safe_next(request.values.get("next")),
            chosen_caller=request.args.get("caller", "")[:20],
            grounds=requests.grounds(session, context, found) if _is_to_be_judged(steps) else None,
            tell_every=presence.TELL_EVERY_SECONDS,
        )


def _is_to_be_judged(steps: tuple[Action, ...]) -> bool:
    return bool({Action.ACCEPT_RETURN, Action.ADJUDICATE} & set(steps))


def _open_step(steps: tuple[Action, ...], typed: Typed | None) -> str | None:
    """Return the step whose form is open: the one that was being filled in, else the likeliest."""
    if typed is not None and typed.action in steps:
        return typed.action
    return next((step for step in steps if step in NEXT), None)


@bp.post("/tickets/<number>/reveal")
@requires(Permission.REVEAL_CALLER)
def reveal_caller(number: str) -> View:
    """Show the caller once; the reason is recorded."""
    reason = request.form.get("reason", "").strip()[:200].replace("\x00", "")
    if not reason:
        flash(_("查看诉求人信息需要填写理由"), "danger")
        return redirect(url_for(".ticket", number=number))
    with transaction(runtime().sessions) as session:
        revealed = reveal(session, runtime().context, RevealCaller(number, reason), actor())
    return _show(number, revealed)


@bp.post("/tickets/<number>/presence")
@requires(Permission.READ_TICKETS, longest_body=SMALL_BODY, in_background=True)
def tell_presence(number: str) -> View:
    """Who else has the ticket open, and whether it has moved on since the page was made, as a part of the page."""
    seen, account_id = _seen(request.form), actor().account_id
    with transaction(runtime().sessions) as session:
        newest = repeats.last_event(session, find_ticket(session, actor(), number))
    assert account_id is not None
    name, is_editing = g.account.display_name, request.form.get("editing") == "yes"
    others = presence.tell(number, account_id, name, is_editing=is_editing)
    return render_template("ticket_presence.html", number=number, others=others, moved_on=newest > seen)


@bp.post("/tickets/<number>/<action>")
@requires(Permission.ACT_ON_TICKETS)
def act(number: str, action: str) -> View:
    """Take one step and show the ticket, or go where the form says; a refused step says why and loses nothing."""
    step = STEPS.get(Action(action)) if action in list(Action) else None
    if step is None:
        return redirect(url_for(".ticket", number=number))
    try:
        body = body_of(step, request.form)
        with transaction(runtime().sessions) as session:
            if not repeats.was_done_since(session, number, step.action, actor(), _seen(request.form)):
                step.take(session, runtime().context, number, body, actor())
    except (ValidationError, InvalidInput) as error:
        return _refused(number, Typed(action, request.form, messages(error))), 422
    except TransitionRefused as error:
        g.notice = _("工单状态已变化，该操作现在不可用；以下是最新状态。")
        return _refused(number, Typed(action, request.form)), as_problem(error).status
    except (Forbidden, Conflict) as error:
        g.notice = refusal(str(error))
        return _refused(number, Typed(action, request.form)), as_problem(error).status
    except NotFound:
        return render_template("ticket_gone.html", number=number, typed=Typed(action, request.form)), 404
    response: Response = redirect(safe_next(request.form.get("next")) or url_for(".ticket", number=number))
    return response


def _refused(number: str, typed: Typed) -> str:
    try:
        return _show(number, typed=typed)
    except NotFound:
        return render_template("ticket_gone.html", number=number, typed=typed)


def _seen(form: Mapping[str, str]) -> int:
    """Return the newest event that the form's page has shown; a form that does not say has seen everything."""
    seen = form.get("seen", "")
    return int(seen) if seen.isascii() and seen.isdecimal() and len(seen) < 19 else 2**62
