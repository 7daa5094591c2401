"""Calls (来电): what the telephone system announces, and what is known of who calls.

The telephone posts the number and gets a link to open, so that no address and no log holds a number.
"""

import hashlib
import secrets
from datetime import timedelta

from sqlalchemy import delete as delete_rows
from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from hotline.domain.people import Actor
from hotline.services.access import scope_of
from hotline.services.context import Context
from hotline.storage.tables import AnnouncedCall, Caller, Ticket

# A shift is over by then, and so is the call.
OPEN_FOR = timedelta(hours=12)
KEEP = timedelta(days=1)

EARLIER = 8


def announce(session: Session, context: Context, phone: str) -> str:
    """Note that ``phone`` (in the one spelling of `clean_phone`) is calling; return the random part of the link."""
    token = secrets.token_urlsafe(18)
    sealed = context.vault.seal(phone)
    assert sealed is not None
    session.add(AnnouncedCall(digest=_digest(token), phone_sealed=sealed, announced_at=context.now()))
    return token


def announced_phone(session: Session, context: Context, token: str) -> str | None:
    """Return who is calling on the link, None when it is unknown or older than a shift."""
    call = session.scalars(select(AnnouncedCall).where(AnnouncedCall.digest == _digest(token))).one_or_none()
    if call is None or call.announced_at < context.now() - OPEN_FOR:
        return None
    return context.vault.open(call.phone_sealed)


def earlier_tickets(session: Session, context: Context, phone: str, actor: Actor) -> list[Ticket]:
    """Return the caller's latest tickets that the actor may see, the newest first."""
    index = context.vault.index(phone)
    query = select(Ticket).join(Caller, Caller.ticket_id == Ticket.id).where(Caller.phone_index == index)
    query = query.options(selectinload(Ticket.caller), selectinload(Ticket.lead_department))
    query = scope_of(session, actor).narrow(query).order_by(Ticket.id.desc()).limit(EARLIER)
    return list(session.scalars(query))


def prune(session: Session, *, keep: timedelta = KEEP) -> int:
    """Delete calls that were announced longer than ``keep`` ago; return how many."""
    old = delete_rows(AnnouncedCall).where(AnnouncedCall.announced_at < func.now() - keep)
    return len(session.scalars(old.returning(AnnouncedCall.id)).all())


def _digest(token: str) -> str:
    """A link is random and long, so a plain SHA-256 cannot be searched."""
    return hashlib.sha256(token.encode()).hexdigest()
