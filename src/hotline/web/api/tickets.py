"""Tickets over the API: log, list, read, act."""

import orjson
from apiflask import APIBlueprint
from flask import Response, request, url_for

from hotline.domain.people import Permission
from hotline.domain.ticket import State
from hotline.services import intake
from hotline.services.access import find_ticket
from hotline.services.privacy import RevealCaller, reveal
from hotline.services.search import ListTickets, list_tickets
from hotline.storage.engine import transaction
from hotline.web.api import schemas
from hotline.web.api.fields import Input
from hotline.web.api.representation import ticket_detail, ticket_out
from hotline.web.auth import requires
from hotline.web.problems import Problem, invalid
from hotline.web.requests import header
from hotline.web.runtime import actor, runtime
from hotline.web.steps import STEPS, Step

bp = APIBlueprint("tickets", __name__, url_prefix="/api/v1/tickets", tag="Tickets")


@bp.post("")
@bp.input(schemas.TicketIn, arg_name="body")
@bp.output(schemas.TicketOut, status_code=201)
@bp.doc(
    summary="Log a citizen's request",
    description="Send an Idempotency-Key header to make retries harmless: the same key gives the same ticket.",
    responses={
        400: "Broken JSON",
        409: "The key was used for something else",
        415: "Not JSON",
        422: "A field is wrong",
    },
)
@requires(Permission.INTAKE)
def log_ticket(body: schemas.TicketIn) -> Response:
    """Log a citizen's request; triage follows within a second."""
    key = header(request, "Idempotency-Key")
    retry = intake.Retry(key, _fingerprint(body)) if key else None
    context = runtime().context
    with transaction(runtime().sessions) as session:
        received = intake.receive(session, context, _command(body), actor(), retry)
        shown = ticket_out(session, received.ticket, context, actor()).model_dump(mode="json")
    response = Response(orjson.dumps(shown), 201, content_type="application/json")
    response.headers["Location"] = url_for(".read_ticket", number=received.ticket.number)
    if received.replayed:
        response.headers["Idempotency-Replayed"] = "true"
    return response


def _fingerprint(body: schemas.TicketIn) -> str:
    """Digest the request with a key, so that the stored value tells nothing about the citizen."""
    return runtime().context.vault.index(body.model_dump_json())


def _command(body: schemas.TicketIn) -> intake.ReceiveTicket:
    members = body.model_dump(exclude={"caller", "title"})
    caller = body.caller or schemas.CallerIn()
    return intake.ReceiveTicket(**members, title=body.title or "", caller_name=caller.name, caller_phone=caller.phone)


@bp.get("")
@bp.input(schemas.TicketQuery, location="query", arg_name="query")
@bp.output(schemas.TicketListOut)
@bp.doc(summary="List tickets, newest first, as far as the account may see them")
@requires(Permission.READ_TICKETS)
def tickets(query: schemas.TicketQuery) -> schemas.TicketListOut:
    """List tickets."""
    context = runtime().context
    command = ListTickets(
        states=_states(query.state),
        matter=query.matter,
        department=query.department,
        before=query.before,
        limit=query.limit,
    )
    with transaction(runtime().sessions) as session:
        found = list_tickets(session, command, actor())
        shown = [ticket_out(session, ticket, context, actor()) for ticket in found]
    more = found[-1].number if len(found) == query.limit else None
    return schemas.TicketListOut(tickets=shown, next=more)


def _states(given: str | None) -> tuple[State, ...]:
    try:
        return tuple(State(part) for part in given.split(",")) if given else ()
    except ValueError:
        raise invalid("state", f"is not one of {', '.join(State)}") from None


@bp.get("/<number>")
@bp.output(schemas.TicketDetailOut)
@bp.doc(summary="Read a ticket with its prediction, replies and events", responses={404: "No such ticket"})
@requires(Permission.READ_TICKETS)
def read_ticket(number: str) -> schemas.TicketDetailOut:
    """Read one ticket."""
    with transaction(runtime().sessions) as session:
        ticket = find_ticket(session, actor(), number)
        return ticket_detail(session, ticket, runtime().context, actor())


def _register(step: Step) -> None:
    """Give the step a route of its own, so that the OpenAPI document tells what it needs."""

    def view(number: str, body: Input) -> schemas.TicketDetailOut:
        context = runtime().context
        with transaction(runtime().sessions) as session:
            ticket = step.take(session, context, number, body, actor())
            session.flush()
            session.expire(ticket, ["events", "replies"])
            return ticket_detail(session, ticket, context, actor())

    view.__name__, view.__doc__ = f"{step.action}_ticket", step.summary
    described = bp.doc(
        summary=step.summary,
        responses={
            403: "Not a step of this role or department",
            404: "No such ticket",
            409: "Not possible in this state",
            422: "A field is wrong",
        },
    )(requires(Permission.ACT_ON_TICKETS)(view))
    shaped = bp.input(step.schema, arg_name="body")(bp.output(schemas.TicketDetailOut)(described))
    bp.post(f"/<number>/actions/{step.action}")(shaped)


for _step in STEPS.values():
    _register(_step)


@bp.post("/<number>/actions/<action>")
@bp.doc(hide=True)
@requires(Permission.ACT_ON_TICKETS)
def unknown_action(number: str, action: str) -> Response:
    """Answer for an action that does not exist, listing those that do."""
    raise Problem(404, f"there is no such action; actions are {', '.join(STEPS)}")


@bp.post("/<number>/reveal")
@bp.input(schemas.RevealIn, arg_name="body")
@bp.output(schemas.RevealedOut)
@bp.doc(
    summary="Show the caller's name and phone; the reason is recorded",
    responses={403: "Confidential", 404: "No such ticket"},
)
@requires(Permission.REVEAL_CALLER)
def reveal_caller(number: str, body: schemas.RevealIn) -> schemas.RevealedOut:
    """Reveal the caller."""
    with transaction(runtime().sessions) as session:
        shown = reveal(session, runtime().context, RevealCaller(number, body.reason), actor())
    return schemas.RevealedOut(name=shown.name, phone=shown.phone, content=shown.content)
