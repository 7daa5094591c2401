"""Decisions (审批): what a department has asked for about a ticket, and what the hotline says to it.

Returns, extensions, suspensions and exclusions are asked for and decided alike; what follows from them is their own.
"""

from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.domain.people import Actor
from hotline.services.context import Context
from hotline.services.masking import masked_reason
from hotline.storage.tables import Exclusion, Extension, ReturnRequest, Suspension, Ticket

Asked = TypeVar("Asked", ReturnRequest, Extension, Suspension, Exclusion)


def pending(session: Session, table: type[Asked], ticket: Ticket) -> Asked:
    """Return what is being asked for about a ticket that has the overlay which says so."""
    return session.scalars(select(table).where(table.ticket_id == ticket.id, table.state == "pending")).one()


def decide(context: Context, ticket: Ticket, asked: Asked, actor: Actor, state: str, words: str | None) -> None:
    """Write the decision on what was asked for: its new ``state``, who took it when, and their words, masked."""
    asked.state, asked.decision = state, masked_reason(ticket, context, words)
    asked.decided_at, asked.decided_by = context.now(), actor.account_id
