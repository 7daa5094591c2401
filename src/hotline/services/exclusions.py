"""Exclusion (剔除): an unreasonable demand is left out of a department's figures when two people agree.

Every figure is published with and without excluded tickets.
"""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from hotline.domain.people import Actor
from hotline.domain.ticket import Action, ExclusionReason, Overlay
from hotline.services.access import require_lead
from hotline.services.context import Context
from hotline.services.decisions import decide, pending
from hotline.services.errors import Forbidden
from hotline.services.locking import lock_ticket
from hotline.services.masking import masked
from hotline.services.moves import lay, lift, move, require
from hotline.storage.tables import Exclusion, Ticket


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestExclusion:
    """Why the demand cannot count, with the evidence."""

    number: str
    reason_code: ExclusionReason
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideExclusion:
    """One person's decision, with its reason."""

    number: str
    reason: str


def request_exclusion(session: Session, context: Context, command: RequestExclusion, actor: Actor) -> Ticket:
    """Ask for it."""
    ticket = lock_ticket(session, context, actor, command.number)
    require_lead(session, actor, ticket)
    require(ticket, Action.REQUEST_EXCLUSION, actor)
    now = context.now()
    session.add(
        Exclusion(
            ticket_id=ticket.id,
            department_id=ticket.lead_department_id,
            asked_by=actor.account_id,
            asked_at=now,
            reason_code=command.reason_code,
            evidence=masked(ticket, context, command.evidence),
        )
    )
    data = {"reason_code": command.reason_code}
    move(session, context, ticket, Action.REQUEST_EXCLUSION, actor, now, reason=command.evidence, data=data)
    lay(ticket, Overlay.EXCLUSION_PENDING)
    return ticket


def approve_exclusion(session: Session, context: Context, command: DecideExclusion, actor: Actor) -> Ticket:
    """Approve it; the second person's approval takes effect.

    Raises ``Forbidden`` for whoever asked for it or has approved it already.
    """
    ticket = lock_ticket(session, context, actor, command.number)
    require(ticket, Action.APPROVE_EXCLUSION, actor)
    asked, now = pending(session, Exclusion, ticket), context.now()
    if actor.account_id is None or actor.account_id in (asked.asked_by, asked.first_approved_by):
        raise Forbidden("an exclusion is approved by two people, neither of whom asked for it")
    final = asked.first_approved_by is not None
    move(
        session,
        context,
        ticket,
        Action.APPROVE_EXCLUSION,
        actor,
        now,
        reason=command.reason,
        data={"approval": 2 if final else 1},
    )
    if not final:
        asked.first_approved_by, asked.first_approved_at = actor.account_id, now
        return ticket
    decide(context, ticket, asked, actor, "approved", command.reason)
    ticket.excluded_at = now
    lift(ticket, Overlay.EXCLUSION_PENDING)
    lay(ticket, Overlay.EXCLUDED)
    return ticket


def refuse_exclusion(session: Session, context: Context, command: DecideExclusion, actor: Actor) -> Ticket:
    """Refuse it; one person is enough for that."""
    ticket = lock_ticket(session, context, actor, command.number)
    move(session, context, ticket, Action.REFUSE_EXCLUSION, actor, context.now(), reason=command.reason)
    decide(context, ticket, pending(session, Exclusion, ticket), actor, "refused", command.reason)
    lift(ticket, Overlay.EXCLUSION_PENDING)
    return ticket
