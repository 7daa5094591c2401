"""The bulk road (重新分类): let the present model read tickets it has not read, without moving any of them."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import Select, exists, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from hotline.domain.people import SYSTEM
from hotline.ml.classifier import TriageModel
from hotline.services.context import Context
from hotline.services.masking import mask_for
from hotline.storage.engine import SessionFactory, transaction
from hotline.storage.tables import Prediction, Ticket

BATCH = 500


def unread(version: str, since: datetime, until: datetime) -> Select[int]:
    """Select the ids of tickets received in ``[since, until)`` that ``version`` has not read."""
    read = exists().where(Prediction.ticket_id == Ticket.id, Prediction.model_version == version)
    return select(Ticket.id).where(
        Ticket.received_at >= since, Ticket.received_at < until, Ticket.anonymised_at.is_(None), ~read
    )


def count_unread(session: Session, version: str, since: datetime, until: datetime) -> int:
    """Count them, for a progress bar."""
    return session.scalar(select(func.count()).select_from(unread(version, since, until).subquery())) or 0


def retriage(
    sessions: SessionFactory, context: Context, model: TriageModel, since: datetime, until: datetime
) -> Iterator[int]:
    """Read them in batches, each in a transaction of its own; yield how many each batch held.

    It can be stopped at any time and goes on where it was, since what has been read is not asked for again.
    """
    last = 0
    while True:
        with transaction(sessions) as session:
            query = unread(model.version, since, until).where(Ticket.id > last).order_by(Ticket.id).limit(BATCH)
            tickets = session.scalars(select(Ticket).where(Ticket.id.in_(query)).order_by(Ticket.id)).all()
            if not tickets:
                return
            _read(session, context, model, list(tickets))
            last = tickets[-1].id
        yield len(tickets)


def _read(session: Session, context: Context, model: TriageModel, tickets: list[Ticket]) -> None:
    readings = model.predict_many([(ticket.title, ticket.content) for ticket in tickets])
    rows = [
        {
            "ticket_id": ticket.id,
            "model_version": model.version,
            "matter": reading.matter,
            "confidence": reading.confidence,
            "auto": reading.auto,
            "top": [{"matter": candidate.matter, "p": candidate.p} for candidate in reading.top],
            "evidence": mask_for(ticket, context, SYSTEM).words(list(reading.evidence), ticket.title, ticket.content),
            "type": reading.type,
            "urgency": reading.urgency,
        }
        for ticket, reading in zip(tickets, readings, strict=True)
    ]
    session.execute(insert(Prediction).values(rows).on_conflict_do_nothing())
