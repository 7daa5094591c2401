"""Write what happened to a ticket into its append-only list of events."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from hotline.domain.people import Actor
from hotline.domain.ticket import State
from hotline.services.context import Context
from hotline.services.masking import masked_reason
from hotline.storage.tables import Ticket, TicketEvent


def record(
    session: Session,
    context: Context,
    ticket: Ticket,
    kind: str,
    actor: Actor,
    at: datetime,
    *,
    from_state: State | None = None,
    reason: str | None = None,
    data: dict[str, Any] | None = None,
) -> TicketEvent:
    """Write an event about ``ticket``; one that moves nothing has no ``from_state`` and no ``to_state``.

    ``reason`` is masked before it is written: an event can never be changed.
    """
    event = TicketEvent(
        ticket_id=ticket.id,
        kind=kind,
        from_state=from_state,
        to_state=ticket.state if from_state else None,
        at=at,
        account_id=actor.account_id,
        role=actor.role,
        reason=masked_reason(ticket, context, reason),
        data=data or {},
    )
    session.add(event)
    return event
