"""What is similar to a ticket, or to words while they are typed, over the API."""

from datetime import datetime
from typing import Annotated

from apiflask import APIBlueprint
from pydantic import BaseModel, Field

from hotline.domain.people import Actor, Permission
from hotline.services import similar
from hotline.services.access import scope_of
from hotline.services.context import Context
from hotline.services.masking import mask_for
from hotline.storage.engine import transaction
from hotline.web.api.fields import Content, Input, ShortText
from hotline.web.api.representation import local
from hotline.web.auth import requires
from hotline.web.runtime import actor, runtime

bp = APIBlueprint("similar", __name__, url_prefix="/api/v1", tag="Similar tickets")

Days = Annotated[int, Field(ge=1, le=3650)]
Limit = Annotated[int, Field(ge=1, le=20)]


class SimilarQuery(Input):
    """How far around the ticket's time to look, and how many to give."""

    days: Days = similar.WINDOW_DAYS
    limit: Limit = similar.LIMIT


class SimilarIn(Input):
    """Words as they are typed; they are compared and kept nowhere."""

    content: Content
    title: ShortText | None = None
    place: ShortText | None = None
    days: Days = similar.WINDOW_DAYS
    limit: Limit = similar.LIMIT


class SimilarTicketOut(BaseModel):
    """An open ticket: ``score`` is the probability of the same event, ``same`` that a merge may be proposed."""

    number: str
    state: str
    title: str
    content: str
    address: str | None
    district: str | None
    matter: str | None
    received_at: datetime | None
    lead_department: str | None
    score: float
    same: bool


class SolvedTicketOut(BaseModel):
    """A precedent: the approved reply without personal data.  ``number`` is null when the account may not see it."""

    number: str | None
    matter: str | None
    completed_at: datetime | None
    reply: str
    likeness: float


class SimilarOut(BaseModel):
    """Open tickets that may report the same event."""

    tickets: list[SimilarTicketOut]


class SimilarAndSolvedOut(SimilarOut):
    """And how similar tickets were solved."""

    solved: list[SolvedTicketOut]


@bp.get("/tickets/<number>/similar")
@bp.input(SimilarQuery, location="query", arg_name="query")
@bp.output(SimilarAndSolvedOut)
@bp.doc(
    summary="Find open tickets of the same event, and how similar ones were solved", responses={404: "No such ticket"}
)
@requires(Permission.READ_TICKETS)
def similar_to_ticket(number: str, query: SimilarQuery) -> SimilarAndSolvedOut:
    """Find what is similar to a ticket."""
    context, who = runtime().context, actor()
    with transaction(runtime().sessions) as session:
        found = similar.similar_to_ticket(session, context, number, who, days=query.days, limit=query.limit)
        solved = similar.similar_solved(session, context, number, who, limit=query.limit)
        scope = scope_of(session, who)
        return SimilarAndSolvedOut(
            tickets=[_ticket_out(each, context, who) for each in found],
            solved=[_solved_out(each, shown=scope.sees(each.ticket)) for each in solved],
        )


@bp.post("/similar")
@bp.input(SimilarIn, arg_name="body")
@bp.output(SimilarOut)
@bp.doc(summary="Find open tickets of the same event while a call is written down", responses={422: "A field is wrong"})
@requires(Permission.INTAKE)
def similar_to_words(body: SimilarIn) -> SimilarOut:
    """Find what is similar to words."""
    context, who = runtime().context, actor()
    command = similar.SimilarTo(
        content=body.content, title=body.title or "", place=body.place, days=body.days, limit=body.limit
    )
    with transaction(runtime().sessions) as session:
        found = similar.similar_open(session, context, who, command)
        return SimilarOut(tickets=[_ticket_out(each, context, who) for each in found])


def _ticket_out(found: similar.SimilarTicket, context: Context, who: Actor) -> SimilarTicketOut:
    ticket = found.ticket
    mask = mask_for(ticket, context, who)
    return SimilarTicketOut(
        number=ticket.number,
        state=ticket.state,
        title=mask.text(ticket.title),
        content=mask.text(ticket.content),
        address=mask.place(ticket.address),
        district=ticket.district,
        matter=ticket.matter,
        received_at=local(ticket.received_at),
        lead_department=ticket.lead_department.name if ticket.lead_department else None,
        score=round(found.score, 4),
        same=found.same,
    )


def _solved_out(found: similar.SolvedTicket, *, shown: bool) -> SolvedTicketOut:
    return SolvedTicketOut(
        number=found.ticket.number if shown else None,
        matter=found.ticket.matter,
        completed_at=local(found.ticket.completed_at),
        reply=found.reply,
        likeness=round(found.likeness, 4),
    )
