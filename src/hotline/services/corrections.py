"""What of one matter wants correcting: tickets whose matter people changed, and catalogue entries that came back."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session, selectinload

from hotline.domain.kpi import Period
from hotline.services.context import Context
from hotline.services.errors import NotFound
from hotline.storage.tables import Assignment, CatalogueEntryRow, Department, Label, Prediction, ReturnRequest, Ticket

LISTED = 100
# Sources whose people had seen what the model said; blind ones judge it and override nothing.
OVERRIDING = ("agent", "dispatcher", "return")


@dataclass(frozen=True, slots=True)
class Override:
    """A ticket that the model filed under the matter and somebody under ``chosen``."""

    ticket: Ticket
    chosen: str
    source: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ReturnedEntry:
    """An entry of the catalogue whose dispatches were returned in the period, and whom departments named instead."""

    entry: CatalogueEntryRow
    dispatches: int
    returns: int
    accepted: int
    suggested: tuple[tuple[str, int], ...]
    in_force: bool


@dataclass(frozen=True)
class Corrections:
    """All of it for one matter; ``instead`` counts the overrides by what people chose."""

    matter: str
    instead: Sequence[tuple[str, int]]
    overrides: Sequence[Override]
    entries: Sequence[ReturnedEntry]


def corrections(session: Session, context: Context, period: Period, matter: str) -> Corrections:
    """Gather what happened in the period.  Raises ``NotFound`` for an unknown matter."""
    if matter not in context.taxonomy.matters:
        raise NotFound("there is no such matter")
    found = _overrides(session, period, matter)
    instead = Counter(override.chosen for override in found).most_common()
    return Corrections(matter, instead, found[:LISTED], _entries(session, context, period, matter))


def _overrides(session: Session, period: Period, matter: str) -> list[Override]:
    """The same tickets as the rate of overrides counts: the last label of each differs from the prediction."""
    last = select(func.max(Label.id)).group_by(Label.ticket_id)
    query = (
        select(Ticket, Label.matter, Label.source, Label.at)
        .join(Prediction, Prediction.ticket_id == Ticket.id)
        .join(Label, Label.ticket_id == Ticket.id)
        .where(Label.id.in_(last), Label.matter != matter, Label.source.in_(OVERRIDING))
        .where(Prediction.matter == matter)
        .where(Prediction.created_at >= period.start, Prediction.created_at < period.end)
        .order_by(Label.at.desc(), Ticket.id.desc())
        .options(selectinload(Ticket.caller), selectinload(Ticket.cohandlers))
    )
    return [Override(*row) for row in session.execute(query)]


def _entries(session: Session, context: Context, period: Period, matter: str) -> list[ReturnedEntry]:
    """Entries of the matter by which tickets were dispatched in the period that came back, most of them first."""
    came_back = and_(ReturnRequest.assignment_id == Assignment.id, ReturnRequest.state != "cancelled")
    query = (
        select(
            CatalogueEntryRow,
            func.count(Assignment.id.distinct()),
            func.count(ReturnRequest.id.distinct()),
            func.count(ReturnRequest.id.distinct()).filter(ReturnRequest.state == "accepted"),
        )
        .join(Assignment, Assignment.catalogue_entry_id == CatalogueEntryRow.id)
        .outerjoin(ReturnRequest, came_back)
        .where(CatalogueEntryRow.matter == matter, Assignment.at >= period.start, Assignment.at < period.end)
        .group_by(CatalogueEntryRow.id)
        .having(func.count(ReturnRequest.id) > 0)
        .order_by(func.count(ReturnRequest.id.distinct()).desc(), CatalogueEntryRow.id)
    )
    now = context.now()
    return [
        ReturnedEntry(
            *row,
            suggested=_suggested(session, period, row[0].id),
            in_force=row[0].valid_from <= now and (row[0].valid_to is None or row[0].valid_to > now),
        )
        for row in session.execute(query)
    ]


def _suggested(session: Session, period: Period, entry_id: int) -> tuple[tuple[str, int], ...]:
    query = (
        select(Department.name, func.count())
        .join(ReturnRequest, ReturnRequest.suggested_department_id == Department.id)
        .join(Assignment, Assignment.id == ReturnRequest.assignment_id)
        .where(Assignment.catalogue_entry_id == entry_id, ReturnRequest.state != "cancelled")
        .where(Assignment.at >= period.start, Assignment.at < period.end)
        .group_by(Department.name)
        .order_by(func.count().desc(), Department.name)
    )
    return tuple((name, number) for name, number in session.execute(query))
