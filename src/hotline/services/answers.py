"""Answering at once (直接答复): an inquiry that the knowledge base settles needs no department.

A share of the answered ones is followed up like any other; the rest close by themselves.
"""

import hmac
from hashlib import sha256

from sqlalchemy.orm import Session

from hotline.domain.limits import Kind
from hotline.domain.people import Actor
from hotline.domain.ticket import Action
from hotline.services import clock
from hotline.services.context import Context
from hotline.services.errors import InvalidInput
from hotline.services.followup import add_followup
from hotline.services.moves import move, require
from hotline.storage.tables import KnowledgeEntry, Ticket


def answer_ticket(
    session: Session, context: Context, ticket: Ticket, answer: str, knowledge_entry: int | None, actor: Actor
) -> None:
    """Answer the locked ticket and keep which entry of the knowledge base the answer came from.

    Raises ``InvalidInput`` when there is no such entry.
    """
    require(ticket, Action.ANSWER, actor)
    if knowledge_entry is not None:
        entry = session.get(KnowledgeEntry, knowledge_entry)
        if entry is None:
            raise InvalidInput("knowledge_entry", "there is no such entry in the knowledge base")
        entry.used += 1
        ticket.knowledge_entry_id = entry.id
    now, sampled = context.now(), _is_sampled(context, ticket)
    ticket.answer, ticket.ended_early_at, ticket.queue_reason = answer, now, None
    if sampled:
        ticket.followup_due = clock.due_from(context, ticket, Kind.FOLLOW_UP, now)
    move(session, context, ticket, Action.ANSWER, actor, now, data={"knowledge_entry": knowledge_entry})
    if sampled:
        add_followup(session, ticket, ticket, now)


def _is_sampled(context: Context, ticket: Ticket) -> bool:
    """Draw the sample by a keyed digest of the number, so that nobody can choose; who cannot be called is not drawn."""
    caller = ticket.caller
    if caller is None or caller.anonymous or caller.phone_index is None:
        return False
    digest = hmac.new(context.vault.derived_key("answer_sample"), ticket.number.encode(), sha256).digest()
    return int.from_bytes(digest[:8], "big") < context.answer_followup_share * 2**64
