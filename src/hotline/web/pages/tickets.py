"""Tickets as pages: log a call, see one's queue, read a ticket and take the next step."""

from collections.abc import Mapping
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from pydantic import ValidationError
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug import Response

from hotline.domain.people import Permission, Role
from hotline.domain.ticket import OPEN_STATES, Action, State
from hotline.domain.transitions import TransitionRefused
from hotline.services.access import find_ticket, scope_of
from hotline.services.allowed import actions_for
from hotline.services.errors import Forbidden, InvalidInput
from hotline.services.masking import mask_for
from hotline.services.privacy import RevealCaller, reveal
from hotline.services.search import ListTickets, list_tickets
from hotline.storage.engine import transaction
from hotline.storage.tables import Department, District, Ticket
from hotline.web.api.representation import caller_out, prediction_out
from hotline.web.auth import requires
from hotline.web.pages.again import shows_again
from hotline.web.pages.blueprint import bp
from hotline.web.pages.calls import field_messages
from hotline.web.pages.session import View
from hotline.web.runtime import actor, runtime
from hotline.web.steps import STEPS

# The steps that the ticket page has a form for; the API has all of them.
ON_PAGE = frozenset(
    {
        *(Action.DISPATCH, Action.SIGN, Action.REPLY, Action.APPROVE, Action.SEND_BACK, Action.FOLLOW_UP),
        *(Action.ANSWER, Action.MERGE, Action.UNMERGE, Action.DECLINE, Action.TRANSFER, Action.WITHDRAW),
        *(Action.TAKE_BACK, Action.URGE, Action.REJECT_RETURN, Action.ACCEPT_RETURN, Action.REWORK, Action.RESUME),
        *(Action.APPROVE_EXTENSION, Action.REFUSE_EXTENSION, Action.APPROVE_SUSPENSION, Action.REFUSE_SUSPENSION),
        *(Action.APPROVE_EXCLUSION, Action.REFUSE_EXCLUSION),
    }
)

# What each role is there to move, in the order of the tabs; everything open comes after.
QUEUES: Mapping[Role, tuple[State, ...]] = {
    Role.AGENT: (State.AWAITING_DISPATCH,),
    Role.DISPATCHER: (State.AWAITING_DISPATCH,),
    Role.HANDLER: (State.AWAITING_SIGN, State.HANDLING),
    Role.LEAD: (State.REPLIED, State.AWAITING_SIGN, State.HANDLING),
    Role.FOLLOWUP: (State.AWAITING_FOLLOWUP,),
    Role.SUPERVISOR: (State.AWAITING_DISPATCH, State.AWAITING_SIGN, State.HANDLING),
}

PAGE = 50


@bp.get("/tickets")
@requires(Permission.READ_TICKETS)
def ticket_list() -> View:
    """The queue of one's role, what falls due first on top; ``?state=`` shows another state, ``all`` everything."""
    queue = QUEUES.get(actor().role, ())
    chosen = request.args.get("state") or (queue[0] if queue else "all")
    states = tuple(State) if chosen == "all" else tuple(state for state in State if state == chosen)
    command = ListTickets(states=states, by_due=chosen in OPEN_STATES, before=request.args.get("before"), limit=PAGE)
    with transaction(runtime().sessions) as session:
        found = list_tickets(session, command, actor()) if states else []
        counts = _counts(session)
        scope = scope_of(session, actor())
    more = found[-1].number if len(found) == PAGE and not command.by_due else None
    return render_template("tickets.html", tickets=found, chosen=chosen, counts=counts, more=more, scope=scope)


def _counts(session: Session) -> dict[str, int]:
    query = select(Ticket.state, func.count()).where(Ticket.state.in_(OPEN_STATES)).group_by(Ticket.state)
    rows = session.execute(scope_of(session, actor()).narrow(query))
    return {row[0]: row[1] for row in rows}


@bp.get("/tickets/<number>")
@requires(Permission.READ_TICKETS)
def ticket(number: str) -> View:
    """A ticket with its history and the steps that are possible now."""
    return _show(number)


@shows_again("pages.act", "pages.reveal_caller")
def _step_again(values: Mapping[str, Any], fields: Mapping[str, str]) -> str:
    return _show(values["number"], typed={"action": values.get("action", "reveal"), "fields": fields})


def _show(number: str, revealed: Any = None, typed: Mapping[str, Any] | None = None) -> str:
    context = runtime().context
    with transaction(runtime().sessions) as session:
        found = find_ticket(session, actor(), number)
        leads = scope_of(session, actor()).leads(found)
        steps = tuple(action for action in actions_for(session, found, actor()) if action in ON_PAGE)
        districts = {row.code: row.name for row in session.scalars(select(District))}
        departments = session.scalars(select(Department).where(Department.active).order_by(Department.id)).all()
        mask = mask_for(found, context, actor())
        return render_template(
            "ticket.html",
            ticket=found,
            mask=mask,
            place=(mask.place(found.address) if mask.hidden else mask.maybe(found.address)) or "",
            prediction=prediction_out(session, found, context),
            caller=caller_out(found, mask),
            steps=steps,
            helps=not leads,
            districts=districts,
            departments=departments if Action.DISPATCH in steps else [],
            boundaries=_boundaries(session, found),
            revealed=revealed,
            typed=typed,
        )


def _boundaries(session: Session, found: Ticket) -> list[str]:
    """Return the taxonomy's rules for the close calls among the model's candidates."""
    prediction = prediction_out(session, found, runtime().context)
    codes = tuple(candidate.matter for candidate in prediction.top) if prediction else ()
    return runtime().context.taxonomy.boundary_notes(codes)


@bp.post("/tickets/<number>/reveal")
@requires(Permission.REVEAL_CALLER)
def reveal_caller(number: str) -> View:
    """Show the caller once; the reason is recorded."""
    reason = request.form.get("reason", "").strip()[:200].replace("\x00", "")
    if not reason:
        flash("查看诉求人信息需要填写理由", "danger")
        return redirect(url_for(".ticket", number=number))
    with transaction(runtime().sessions) as session:
        revealed = reveal(session, runtime().context, RevealCaller(number, reason), actor())
    return _show(number, revealed)


YES_NO = ("valid", "contacted", "resolved")


@bp.post("/tickets/<number>/<action>")
@requires(Permission.ACT_ON_TICKETS)
def act(number: str, action: str) -> View:
    """Take one step and show the ticket; a refused step says why and loses nothing."""
    step = STEPS.get(Action(action)) if action in list(Action) else None
    if step is None:
        return redirect(url_for(".ticket", number=number))
    given: dict[str, Any] = {
        name: value for name, value in request.form.items() if name != "csrf_token" and value.strip()
    }
    given |= {name: given[name] == "yes" for name in YES_NO if name in given}
    try:
        body = step.schema.model_validate(given)
        with transaction(runtime().sessions) as session:
            step.take(session, runtime().context, number, body, actor())
    except ValidationError as error:
        flash("；".join(field_messages(error, {}).values()), "danger")
        return _show(number, typed={"action": action, "fields": request.form}), 422
    except InvalidInput as error:
        flash(str(error), "danger")
        return _show(number, typed={"action": action, "fields": request.form}), 422
    except Forbidden as error:
        flash(str(error), "danger")
    except TransitionRefused:
        flash("工单状态已变化，该操作现在不可用；以下是最新状态。", "warning")
    response: Response = redirect(url_for(".ticket", number=number))
    return response
