"""Replay a draft catalogue (权责清单草案): which of the last tickets it would have sent elsewhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session, aliased

from hotline.services.catalogue import Draft
from hotline.storage.tables import Assignment, Department, ReturnRequest, Ticket

STREET = "street"


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A ticket that would have gone elsewhere: where it went first, where it would have gone, and whether it came back.

    ``would`` is None when the draft names no owner, or one that the matter must not be pushed down to.
    """

    number: str
    matter: str
    district: str | None
    went: str
    would: str | None
    returned: bool


@dataclass(frozen=True, slots=True)
class Replay:
    """The outcome over ``tickets`` dispatched tickets."""

    tickets: int
    elsewhere: tuple[Elsewhere, ...]


def replay(session: Session, draft: Draft, last: int) -> Replay:
    """Ask the draft for the owner of each of the ``last`` dispatched tickets, by the matter that they have now."""
    owners = {line.place: line.lead for line in draft.lines}
    streets = set(session.scalars(select(Department.code).where(Department.kind == STREET)))
    rows = _dispatched(session, last)
    found = []
    for row in rows:
        would = owners.get((row.matter, row.district)) or owners.get((row.matter, None))
        if would in streets and row.matter in draft.bans:
            would = None
        if would != row.went:
            found.append(Elsewhere(row.number, row.matter, row.district, row.went, would, row.returned))
    return Replay(len(rows), tuple(found))


def _dispatched(session: Session, last: int) -> Sequence[Any]:
    """Return the newest dispatched tickets with the department that each went to first."""
    earlier = aliased(Assignment)
    first = select(func.min(earlier.id)).where(earlier.ticket_id == Ticket.id).correlate(Ticket).scalar_subquery()
    returned = exists().where(ReturnRequest.assignment_id == Assignment.id, ReturnRequest.state == "accepted")
    query = (
        select(Ticket.number, Ticket.matter, Ticket.district, Department.code.label("went"), returned.label("returned"))
        .select_from(Ticket)
        .join(Assignment, Assignment.id == first)
        .join(Department, Department.id == Assignment.department_id)
        .where(Ticket.dispatched_at.is_not(None), Ticket.matter.is_not(None))
        .order_by(Ticket.id.desc())
        .limit(last)
    )
    return session.execute(query).all()


def by_change(replayed: Replay) -> Mapping[tuple[str, str, str | None], int]:
    """Count the changes by (matter, where they went, where they would go), the most frequent first."""
    counts: dict[tuple[str, str, str | None], int] = {}
    for each in replayed.elsewhere:
        change = (each.matter, each.went, each.would)
        counts[change] = counts.get(change, 0) + 1
    return dict(sorted(counts.items(), key=lambda item: -item[1]))
