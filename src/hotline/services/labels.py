"""Labels: what people said a ticket is about, kept beside what the model had said."""

from datetime import datetime
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.domain.people import Actor
from hotline.storage.tables import Label, Prediction, Ticket

LabelSource = Literal["agent", "dispatcher", "blind", "return"]


def keep_label(session: Session, ticket: Ticket, matter: str, source: LabelSource, actor: Actor, at: datetime) -> Label:
    """Write that ``actor`` said ``ticket`` is about ``matter``."""
    query = (
        select(Prediction.matter, Prediction.model_version)
        .where(Prediction.ticket_id == ticket.id)
        .order_by(Prediction.id.desc())
        .limit(1)
    )
    predicted = session.execute(query).one_or_none()
    label = Label(
        ticket_id=ticket.id,
        matter=matter,
        source=source,
        predicted=predicted[0] if predicted else None,
        model_version=predicted[1] if predicted else None,
        account_id=actor.account_id,
        at=at,
    )
    session.add(label)
    return label
