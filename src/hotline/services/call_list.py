"""The follow-up agent's call list (回访清单): each caller once, who has to be called first on top."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session, aliased, selectinload

from hotline.services.queues import Key
from hotline.storage.tables import Followup, Ticket


@dataclass(frozen=True, slots=True)
class Call:
    """A caller to be reached: ``ticket`` is in hand, ``member`` is the one that this caller called about."""

    followup: Followup
    ticket: Ticket
    member: Ticket


def calls(session: Session, after: Key | None, limit: int) -> tuple[list[Call], Key | None]:
    """Return the next calls, and the key of the following page when there is one.

    A caller of several merged tickets has one line, as the follow-ups are opened once for each caller.
    """
    ticket, member = aliased(Ticket), aliased(Ticket)
    query = select(Followup, ticket, member)
    query = query.join(ticket, ticket.id == Followup.ticket_id).join(member, member.id == Followup.caller_ticket_id)
    query = query.where(Followup.result.is_(None), Followup.round == ticket.reworks)
    if after is not None and after.due is not None:
        query = query.where(tuple_(Followup.due, Followup.id) > tuple_(after.due, after.id))
    query = query.options(selectinload(ticket.lead_department), selectinload(member.caller))
    rows = session.execute(query.order_by(Followup.due, Followup.id).limit(limit + 1)).all()
    found = [Call(row[0], row[1], row[2]) for row in rows]
    last = found[limit - 1].followup if len(found) > limit else None
    return found[:limit], Key(last.due, last.id) if last else None


def lengths(session: Session, now: datetime) -> Sequence[int]:
    """Return how many callers are to be reached, how many of these are late, and how many were tried in vain."""
    late, tried = func.count().filter(Followup.due < now), func.count().filter(Followup.tries > 0)
    row = session.execute(select(func.count(), late, tried).where(Followup.result.is_(None))).one()
    return (row[0], row[1], row[2])
