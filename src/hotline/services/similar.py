"""What is similar to a ticket or to words just typed: open tickets of the same event, and solved ones with replies."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, FromClause, Select, exists, select, text, union
from sqlalchemy.orm import Session, selectinload

from hotline.domain.masking import mask_text
from hotline.domain.people import HOTLINE_STAFF, SYSTEM, Actor, Role
from hotline.domain.ticket import OPEN_STATES
from hotline.ml.similar import SimilarModel
from hotline.ml.similar_text import Message
from hotline.services.access import Query, find_ticket, scope_of
from hotline.services.context import Context
from hotline.services.masking import mask_for
from hotline.services.vectors import masked_message
from hotline.storage.tables import OpenVector, Reply, Ticket, TicketCohandler, TicketVector

CANDIDATES = 50
"""How many open tickets get a closer look; the partner of an event is among them in 98 of 100 cases."""

WINDOW_DAYS = 90
SOLVED_DAYS = 730
LIMIT = 5

WORTH_A_LOOK = 0.2
"""Less likely ones are not shown beside a button that merges; the model says itself from where on it is sure."""


@dataclass(frozen=True, slots=True)
class SimilarTicket:
    """A ticket with the probability that it reports the same event; ``same`` from the model's threshold on."""

    ticket: Ticket
    score: float
    same: bool


@dataclass(frozen=True, slots=True)
class SolvedTicket:
    """A solved precedent: its approved reply, with personal data removed, and how near it lies (0–1)."""

    ticket: Ticket
    reply: str
    likeness: float


def worth_a_look(found: Sequence[SimilarTicket]) -> list[SimilarTicket]:
    """Return those that a person should be asked about."""
    return [similar for similar in found if similar.score >= WORTH_A_LOOK]


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilarTo:
    """Words as they are typed, with the place if it is known, and how far back to look."""

    content: str
    title: str = ""
    place: str | None = None
    days: int = WINDOW_DAYS
    limit: int = LIMIT


def similar_to_ticket(
    session: Session, context: Context, number: str, actor: Actor, *, days: int = WINDOW_DAYS, limit: int = LIMIT
) -> list[SimilarTicket]:
    """Return open tickets of the same event as a ticket that the actor sees.  Raises ``NotFound``."""
    ticket = find_ticket(session, actor, number)
    message = masked_message(ticket, context)
    return _open(session, context, actor, message, ticket.received_at, days, limit, leave_out=ticket.id)


def similar_open(session: Session, context: Context, actor: Actor, command: SimilarTo) -> list[SimilarTicket]:
    """Return open tickets that may report the same event as the words, the likeliest first.

    Departments see their own only; confidential ones are shown by the hotline to its own staff alone.
    """
    now = context.now()
    content = f"{command.content} {command.place}" if command.place else command.content
    message = Message(mask_text(command.title), mask_text(content), now.timestamp())
    return _open(session, context, actor, message, now, command.days, command.limit)


def similar_solved(
    session: Session, context: Context, number: str, actor: Actor, *, limit: int = LIMIT
) -> list[SolvedTicket]:
    """Return how similar tickets were solved, for whoever handles this one.  Raises ``NotFound``.

    Approved replies of the actor's own scope, and those of others too: personal data is removed from all of them, and
    confidential tickets are never among them.
    """
    model = context.similar()
    ticket = find_ticket(session, actor, number)
    if model is None:
        return []
    approved = exists().where(Reply.ticket_id == Ticket.id, Reply.approved_at.is_not(None))
    since = ticket.received_at - timedelta(days=SOLVED_DAYS)
    vector = _vector(model, masked_message(ticket, context))
    distance = TicketVector.embedding.cosine_distance(vector)
    query = _near(select(Ticket, distance), model, vector, since, context.now()).where(
        approved, Ticket.id != ticket.id, Ticket.confidential.is_(False), Ticket.anonymised_at.is_(None)
    )
    _walk_index(session, CANDIDATES)
    found = session.execute(query.limit(limit).options(selectinload(Ticket.replies), selectinload(Ticket.caller)))
    solved = [
        SolvedTicket(near, _approved_reply(near, context), max(0.0, 1 - float(apart))) for near, apart in found.all()
    ]
    return sorted(solved, key=lambda precedent: -precedent.likeness)


def _open(
    session: Session,
    context: Context,
    actor: Actor,
    message: Message,
    at: datetime,
    days: int,
    limit: int,
    leave_out: int | None = None,
) -> list[SimilarTicket]:
    model = context.similar()
    if model is None:
        return []
    window, vector = timedelta(days=days), _vector(model, message)
    inside = [OpenVector.version == model.version, OpenVector.received_at.between(at - window, at + window)]
    if leave_out is not None:
        inside.append(OpenVector.ticket_id != leave_out)
    vectors = _visible(session, actor, select(OpenVector.ticket_id, OpenVector.embedding).where(*inside))
    near = select(vectors.c.ticket_id).order_by(vectors.c.embedding.cosine_distance(vector)).limit(CANDIDATES)
    _walk_index(session, 2 * CANDIDATES)
    query = select(Ticket).where(Ticket.id.in_(near), *_is_open())
    loaded = selectinload(Ticket.caller), selectinload(Ticket.lead_department), selectinload(Ticket.cohandlers)
    tickets = session.scalars(query.options(*loaded)).all()
    return _rescored(model, context, message, tickets)[:limit]


def _rescored(
    model: SimilarModel, context: Context, message: Message, tickets: Sequence[Ticket]
) -> list[SimilarTicket]:
    """Read the candidates in full and judge each of them."""
    if not tickets:
        return []
    scores = model.compare(model.read(message), [model.read(masked_message(ticket, context)) for ticket in tickets])
    judged = [
        SimilarTicket(ticket, float(score), bool(score >= model.threshold))
        for ticket, score in zip(tickets, scores, strict=True)
    ]
    return sorted(judged, key=lambda similar: (-similar.score, -similar.ticket.id))


def _vector(model: SimilarModel, message: Message) -> list[float]:
    vector: list[float] = model.vectors([model.read(message)])[0].tolist()
    return vector


def _near(query: Query, model: SimilarModel, vector: list[float], since: datetime, until: datetime) -> Query:
    """Order tickets by their distance from the vector, within a time window and by vectors of the served version."""
    near = query.join(TicketVector, TicketVector.ticket_id == Ticket.id)
    near = near.where(TicketVector.version == model.version, TicketVector.received_at.between(since, until))
    return near.order_by(TicketVector.embedding.cosine_distance(vector))


def _walk_index(session: Session, width: int) -> None:
    """Let the index be walked on until enough rows pass the filters, ``width`` neighbours in view at once: fewer are
    faster and miss more.
    """
    settings = "set_config('hnsw.iterative_scan', 'relaxed_order', true), set_config('hnsw.ef_search', :width, true)"
    session.execute(text(f"SELECT {settings}"), {"width": str(width)})


def _is_open() -> tuple[ColumnElement[bool], ...]:
    return Ticket.state.in_(OPEN_STATES), Ticket.merged_into_id.is_(None)


def _visible(session: Session, actor: Actor, vectors: Select[int, list[float]]) -> FromClause:
    """Narrow a choice of open tickets' vectors to what the actor sees.

    A department has few of them, each of which is compared; the index would walk past everybody else's.
    """
    if actor.role is Role.SYSTEM or actor.role in HOTLINE_STAFF:
        return vectors.subquery()
    departments = scope_of(session, actor).departments or frozenset()
    led = select(Ticket.id).where(Ticket.lead_department_id.in_(departments), *_is_open())
    helped = select(Ticket.id).join(TicketCohandler, TicketCohandler.ticket_id == Ticket.id)
    helped = helped.where(TicketCohandler.department_id.in_(departments), *_is_open())
    own = union(*(tickets.where(Ticket.confidential.is_(False)) for tickets in (led, helped)))
    return vectors.where(OpenVector.ticket_id.in_(own)).cte("own").prefix_with("MATERIALIZED")


def _approved_reply(ticket: Ticket, context: Context) -> str:
    """The last approved reply, without personal data."""
    approved = [reply for reply in ticket.replies if reply.approved_at is not None]
    return mask_for(ticket, context, SYSTEM).text(approved[-1].text)
