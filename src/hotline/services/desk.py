"""The dispatcher's desk: the tickets that a person has to dispatch, one after the other.

A complaint about a department that would own it waits for the supervisor; the dispatchers have everything else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, or_, select, tuple_
from sqlalchemy.orm import Session

from hotline.domain.people import Actor, Role
from hotline.domain.taxonomy import Matter
from hotline.domain.ticket import QueueReason, State
from hotline.services.context import Context
from hotline.services.ownership import is_judge_of_itself, owner_of, push_down_basis
from hotline.services.queues import Key
from hotline.storage.tables import Assignment, Department, Ticket

# As many tickets are looked at to find one that no colleague has on the screen.
CANDIDATES = 20
# A dispatch can be undone from the desk for so long; later from the ticket's page.
UNDO_WITHIN = timedelta(hours=1)


def _waits(*, conflicts: bool) -> ColumnElement[bool]:
    is_conflict = Ticket.queue_reason == QueueReason.CONFLICT
    other = or_(Ticket.queue_reason.is_(None), Ticket.queue_reason != QueueReason.CONFLICT)
    return and_(Ticket.state == State.AWAITING_DISPATCH, is_conflict if conflicts else other)


def decides_conflicts(actor: Actor) -> bool:
    """Tell whether the conflict queue is this actor's."""
    return actor.role is Role.SUPERVISOR


def waiting(session: Session, *, conflicts: bool, after: Key | None = None) -> Sequence[Ticket]:
    """Return the next tickets of the queue, what has to be dispatched first on top."""
    query = select(Ticket).where(_waits(conflicts=conflicts))
    if after is not None:
        query = query.where(tuple_(Ticket.dispatch_due, Ticket.id) > tuple_(after.due, after.id))
    return session.scalars(query.order_by(Ticket.dispatch_due, Ticket.id).limit(CANDIDATES)).all()


def length(session: Session, *, conflicts: bool) -> int:
    """Return how many tickets wait."""
    return session.scalar(select(func.count()).select_from(Ticket).where(_waits(conflicts=conflicts))) or 0


def last_dispatch(session: Session, context: Context, actor: Actor) -> Ticket | None:
    """Return the ticket that ``actor`` dispatched last, while it can still be taken back."""
    since = context.now() - UNDO_WITHIN
    query = select(Assignment).where(Assignment.by == actor.account_id, Assignment.at >= since)
    newest = session.scalars(query.order_by(Assignment.at.desc(), Assignment.id.desc()).limit(1)).one_or_none()
    if newest is None or newest.ended_at is not None or newest.signed_at is not None:
        return None
    ticket = session.get_one(Ticket, newest.ticket_id)
    return ticket if ticket.state == State.AWAITING_SIGN and not ticket.overlays else None


@dataclass(frozen=True, slots=True)
class Owner:
    """Who would get a ticket with a matter, and what speaks against it."""

    department: Department | None
    accused: bool = False
    ban: str | None = None


def owner_preview(session: Session, ticket: Ticket, matter: Matter, at: datetime) -> Owner:
    """Say whom the catalogue names for ``matter`` where the ticket is."""
    entry = owner_of(session, matter.code, ticket.district, at)
    if entry is None:
        return Owner(None)
    lead = entry.lead_department
    return Owner(lead, is_judge_of_itself(session, ticket, lead), push_down_basis(session, matter.code, lead, at))
