"""What lies with a ticket beside its own row: what was asked for and decided, who else is part of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, selectinload

from hotline.services.followup import merged_into
from hotline.storage.tables import (
    CohandlingTask,
    Exclusion,
    Extension,
    Followup,
    ReturnRequest,
    Suspension,
    Ticket,
)

Row = TypeVar("Row", ReturnRequest, Extension, Suspension, Exclusion, CohandlingTask)


@dataclass(frozen=True, slots=True)
class CallerFollowup:
    """One caller's follow-up, with the ticket that they called about."""

    followup: Followup
    member: Ticket


@dataclass(frozen=True, slots=True)
class Dossier:
    """All of it, the oldest first; follow-ups of the present round only."""

    returns: Sequence[ReturnRequest]
    extensions: Sequence[Extension]
    suspensions: Sequence[Suspension]
    exclusions: Sequence[Exclusion]
    tasks: Sequence[CohandlingTask]
    followups: Sequence[CallerFollowup]
    merged: Sequence[Ticket]
    children: Sequence[Ticket]


def dossier(session: Session, ticket: Ticket) -> Dossier:
    """Read what lies with ``ticket``."""
    returns = select(ReturnRequest).options(
        selectinload(ReturnRequest.department), selectinload(ReturnRequest.suggested_department)
    )
    tasks = select(CohandlingTask).options(selectinload(CohandlingTask.department))
    return Dossier(
        returns=_of(session, returns, ReturnRequest, ticket),
        extensions=_of(session, select(Extension), Extension, ticket),
        suspensions=_of(session, select(Suspension), Suspension, ticket),
        exclusions=_of(session, select(Exclusion), Exclusion, ticket),
        tasks=_of(session, tasks, CohandlingTask, ticket),
        followups=_followups(session, ticket),
        merged=merged_into(session, ticket),
        children=session.scalars(select(Ticket).where(Ticket.parent_id == ticket.id).order_by(Ticket.id)).all(),
    )


def _of(session: Session, query: Select[Row], table: type[Row], ticket: Ticket) -> Sequence[Row]:
    return session.scalars(query.where(table.ticket_id == ticket.id).order_by(table.id)).all()


def _followups(session: Session, ticket: Ticket) -> list[CallerFollowup]:
    query = select(Followup, Ticket).join(Ticket, Ticket.id == Followup.caller_ticket_id)
    query = query.where(Followup.ticket_id == ticket.id, Followup.round == ticket.reworks)
    return [CallerFollowup(row[0], row[1]) for row in session.execute(query.order_by(Followup.id))]
