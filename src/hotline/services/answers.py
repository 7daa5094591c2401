"""Answering at once (直接答复): an inquiry that the knowledge base settles needs no department.

A share of the answered ones, by risk, is followed up like any other; the rest close by themselves.
"""

from sqlalchemy.orm import Session

from hotline.domain.limits import Kind
from hotline.domain.people import Actor
from hotline.domain.ticket import Action
from hotline.services import clock
from hotline.services.context import Context
from hotline.services.errors import InvalidInput
from hotline.services.followup import add_followup
from hotline.services.moves import move, require
from hotline.services.sampling import draw
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
    now, drawn = context.now(), draw(session, context, ticket)
    ticket.answer, ticket.ended_early_at, ticket.queue_reason = answer, now, None
    if drawn.drawn:
        ticket.followup_due = clock.due_from(context, ticket, Kind.FOLLOW_UP, now)
    data = {"knowledge_entry": knowledge_entry, "risk": drawn.risk, "drawn": drawn.drawn}
    move(session, context, ticket, Action.ANSWER, actor, now, data=data)
    if drawn.drawn:
        add_followup(session, ticket, ticket, now)
