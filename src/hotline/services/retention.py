"""Retention (保存期限): close out the personal data of tickets that ended long ago; every figure stays as it was.

What goes: the caller with the blind index, the words of the request and of every reply, answer, reason and comment,
what departments and the hotline wrote to one another about it, and the words that a prediction names as evidence.  What
stays: number, states, dates, matter, district, departments and rating.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, and_, case, delete, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from hotline.domain.audit import AuditAction
from hotline.domain.city_time import CITY_ZONE
from hotline.domain.people import Actor, Role
from hotline.domain.retention import CLOSED_OUT
from hotline.domain.ticket import OPEN_STATES
from hotline.services import audit
from hotline.services.attachments import remove_all
from hotline.services.context import Context
from hotline.storage.tables import (
    Caller,
    CohandlingTask,
    Exclusion,
    Extension,
    IdempotencyKey,
    Prediction,
    Reply,
    ReturnRequest,
    Suspension,
    Ticket,
    TicketEvent,
    TicketVector,
    TicketWords,
)

# What departments and the hotline wrote to one another about a ticket.
WORDS_BETWEEN_DESKS: dict[Any, tuple[str, ...]] = {
    ReturnRequest: ("basis", "note", "decision"),
    Extension: ("reason", "decision"),
    Suspension: ("reason", "plan", "decision"),
    Exclusion: ("evidence", "decision"),
    CohandlingTask: ("request", "report"),
}

Query = TypeVar("Query", bound=Select[*tuple[Any, ...]])

# One transaction's worth: short enough to be done within a worker's lease and to hold no lock for long.
BATCH = 500


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would close out: tickets by the year in which they ended, and when the first and last of them did."""

    by_year: dict[int, int]
    oldest: datetime | None
    newest: datetime | None

    @property
    def total(self) -> int:
        """How many tickets."""
        return sum(self.by_year.values())


@dataclass(frozen=True, slots=True)
class Batch:
    """How many tickets one batch closed out, and the id to go on after; None when nothing is left."""

    tickets: int
    last_id: int | None


def plan(session: Session, before: datetime) -> Plan:
    """Say what ``close_out`` would close out for ``before``, changing nothing."""
    year = func.extract("year", func.timezone(str(CITY_ZONE), _ended(Ticket)))
    query = select(year, func.count(), func.min(_ended(Ticket)), func.max(_ended(Ticket)))
    rows = session.execute(_overdue(query, before).group_by(year).order_by(year)).all()
    return Plan(
        by_year={int(row[0]): row[1] for row in rows},
        oldest=min((row[2] for row in rows), default=None),
        newest=max((row[3] for row in rows), default=None),
    )


def close_out(
    session: Session, context: Context, actor: Actor, before: datetime, *, after_id: int = 0, limit: int = BATCH
) -> Batch:
    """Close out the next ``limit`` tickets that ended before ``before``, in the caller's transaction.

    A run that is interrupted is simply started again: what is closed out is marked, and the audit entry of each batch
    commits with it.
    """
    query = _overdue(select(Ticket.id), before).where(Ticket.id > after_id).order_by(Ticket.id).limit(limit)
    ids = session.scalars(query.with_for_update(of=Ticket)).all()
    if not ids:
        return Batch(0, None)
    remove_all(session, context, ids)
    _empty(session, ids, context.now())
    detail = {"tickets": len(ids), "ended_before": before.isoformat(), "first_id": ids[0], "last_id": ids[-1]}
    audit.append(session, context, actor, AuditAction.CLOSED_OUT, detail=detail)
    return Batch(len(ids), ids[-1])


def prune_keys(session: Session, *, keep: timedelta) -> int:
    """Delete idempotency keys that were made longer than ``keep`` ago; return how many."""
    old = delete(IdempotencyKey).where(IdempotencyKey.created_at < func.now() - keep)
    return len(session.execute(old.returning(IdempotencyKey.account_id)).all())


def _ended(ticket: Any) -> ColumnElement[datetime]:
    """When a ticket came to its end, whichever way."""
    return func.coalesce(ticket.closed_at, ticket.ended_early_at)


def _over(ticket: Any, before: datetime) -> ColumnElement[bool]:
    return and_(ticket.state.not_in(OPEN_STATES), _ended(ticket) < before)


def _overdue(query: Query, before: datetime) -> Query:
    """Narrow ``query`` to tickets that are due.  One that was merged waits for the ticket that carries it on."""
    target = aliased(Ticket)
    carried = select(target.id).where(target.id == Ticket.merged_into_id, ~func.coalesce(_over(target, before), False))
    return query.where(Ticket.anonymised_at.is_(None), _over(Ticket, before), ~carried.exists())


def _empty(session: Session, ids: Sequence[int], now: datetime) -> None:
    """Put the marker in the place of every word, and nothing in the place of the caller."""
    ours = update(Ticket).where(Ticket.id.in_(ids))
    words = {name: _marker(getattr(Ticket, name)) for name in ("title", "content", "wish", "address", "answer")}
    caller = update(Caller).where(Caller.ticket_id.in_(ids))
    reply = update(Reply).where(Reply.ticket_id.in_(ids))
    asked = [
        update(table).where(table.ticket_id.in_(ids)).values({name: _marker(getattr(table, name)) for name in names})
        for table, names in WORDS_BETWEEN_DESKS.items()
    ]
    # The system's own reasons are codes, and told apart from people's words by who gave them.
    event = update(TicketEvent).where(
        TicketEvent.ticket_id.in_(ids),
        TicketEvent.reason.is_not(None),
        TicketEvent.reason != CLOSED_OUT,
        TicketEvent.role != Role.SYSTEM,
    )
    for statement in (
        ours.values(**words, anonymised_at=now),
        caller.values(name_sealed=None, phone_sealed=None, phone_index=None),
        reply.values(text=CLOSED_OUT, unresolved_reason=_marker(Reply.unresolved_reason)),
        event.values(reason=CLOSED_OUT),
        update(Prediction).where(Prediction.ticket_id.in_(ids)).values(evidence=[]),
        delete(IdempotencyKey).where(IdempotencyKey.ticket_id.in_(ids)),
        *asked,
        delete(TicketWords).where(TicketWords.ticket_id.in_(ids)),
        delete(TicketVector).where(TicketVector.ticket_id.in_(ids)),
    ):
        session.execute(statement.execution_options(synchronize_session=False))
    session.expire_all()


def _marker(column: Any) -> ColumnElement[str]:
    """What was never written stays so."""
    return case((or_(column.is_(None), column == ""), column), else_=CLOSED_OUT)
