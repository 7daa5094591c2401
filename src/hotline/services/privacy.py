"""Revealing a caller (查看诉求人信息): needs a reason and leaves an event and an audit entry."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from hotline.domain.audit import AuditAction
from hotline.domain.people import DEPARTMENT_STAFF, Actor
from hotline.services import audit
from hotline.services.context import Context
from hotline.services.errors import Forbidden
from hotline.services.events import record
from hotline.services.locking import lock_ticket


@dataclass(frozen=True, slots=True)
class RevealCaller:
    """Whose caller, and why."""

    number: str
    reason: str


@dataclass(frozen=True, slots=True)
class RevealedCaller:
    """The caller and their words, readable."""

    name: str | None
    phone: str | None
    content: str


def reveal(session: Session, context: Context, command: RevealCaller, actor: Actor) -> RevealedCaller:
    """Return the readable caller.  Raises ``Forbidden`` for departments on confidential tickets (举报人保密)."""
    ticket = lock_ticket(session, context, actor, command.number)
    if ticket.confidential and actor.role in DEPARTMENT_STAFF:
        raise Forbidden("this ticket is confidential; only the hotline knows the caller and relays messages")
    event = record(session, context, ticket, "caller_revealed", actor, context.now(), reason=command.reason)
    caller = ticket.caller
    revealed = RevealedCaller(
        name=context.vault.open(caller.name_sealed) if caller else None,
        phone=context.vault.open(caller.phone_sealed) if caller else None,
        content=ticket.content,
    )
    audit.append(session, context, actor, AuditAction.CALLER_REVEALED, subject=ticket.number, reason=event.reason)
    return revealed
