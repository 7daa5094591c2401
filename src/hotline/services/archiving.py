"""Closing and archiving (归档): what needs nobody any more is put away by the calendar."""

from datetime import timedelta

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from hotline.domain.people import SYSTEM
from hotline.domain.ticket import Action, State
from hotline.services.context import Context
from hotline.services.moves import move
from hotline.storage.tables import Followup, Ticket

BATCH = 500
# An inquiry answered on the spot may be corrected until the next day; then it closes unless it is to be followed up.
ANSWERED_STAYS = timedelta(days=1)
# A repeat complaint within thirty days still counts against a closed ticket (一次办结率); then its figures are final.
CLOSED_STAYS = timedelta(days=30)


def archive(session: Session, context: Context) -> int:
    """Close what was answered and archive what was closed long enough ago; return how many tickets moved."""
    return _close_answered(session, context) + _archive_closed(session, context)


def _close_answered(session: Session, context: Context) -> int:
    now = context.now()
    waits = exists().where(Followup.ticket_id == Ticket.id, Followup.result.is_(None))
    query = select(Ticket).where(Ticket.state == State.ANSWERED, Ticket.ended_early_at < now - ANSWERED_STAYS, ~waits)
    tickets = session.scalars(
        query.order_by(Ticket.ended_early_at, Ticket.id).limit(BATCH).with_for_update(of=Ticket, skip_locked=True)
    ).all()
    for ticket in tickets:
        ticket.closed_at = now
        move(session, context, ticket, Action.CLOSE, SYSTEM, now)
    return len(tickets)


def _archive_closed(session: Session, context: Context) -> int:
    now = context.now()
    query = select(Ticket).where(Ticket.state == State.CLOSED, Ticket.closed_at < now - CLOSED_STAYS)
    tickets = session.scalars(
        query.order_by(Ticket.closed_at, Ticket.id).limit(BATCH).with_for_update(of=Ticket, skip_locked=True)
    ).all()
    for ticket in tickets:
        ticket.archived_at = now
        move(session, context, ticket, Action.ARCHIVE, SYSTEM, now)
    return len(tickets)
