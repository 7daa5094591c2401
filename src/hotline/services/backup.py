"""What a backup holds, and whether a restored database is whole: counts, audit chain, sealed values."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select, text
from sqlalchemy.orm import Session

from hotline.services import audit
from hotline.services.context import Context
from hotline.storage.tables import Attachment, Caller, Ticket

# So many of the oldest and of the newest callers are opened to see whether the keys fit.
SAMPLE = 200


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a database holds at one moment."""

    tickets: int
    audit_entries: int
    last_seal: str


@dataclass(frozen=True, slots=True)
class Soundness:
    """What a check found: the audit log's verification, and how many of the sampled sealed values do not open."""

    audit: audit.Verification
    sampled: int
    unopened: int


def holdings(session: Session) -> Holdings:
    """Count what there is, as the session's snapshot sees it."""
    entries, seal = audit.last_seal(session)
    return Holdings(session.scalar(select(func.count()).select_from(Ticket)) or 0, entries, seal)


def attached_files(session: Session) -> Sequence[str]:
    """Return the digests of all attachments, as the session's snapshot sees them."""
    return session.scalars(select(Attachment.digest).distinct().order_by(Attachment.digest)).all()


def missing_files(session: Session, context: Context) -> int:
    """Count the attachments' files that are not where this installation keeps them."""
    files = context.files
    return sum(files is None or not files.has(digest) for digest in attached_files(session))


def check(session: Session, context: Context) -> Soundness:
    """Verify the audit chain and open a sample of sealed values."""
    values: set[str] = set()
    for order in (Caller.id, Caller.id.desc()):
        query = select(Caller.phone_sealed).where(Caller.phone_sealed.is_not(None)).order_by(order).limit(SAMPLE)
        values |= {value for value in session.scalars(query) if value is not None}
    unopened = sum(context.vault.key_of(value) is None for value in values)
    return Soundness(audit.verify(session, context), len(values), unopened)


def tickets_in(connection: Connection) -> int:
    """Return how many tickets a database holds that may have no tables at all."""
    if connection.scalar(text("SELECT to_regclass('public.ticket')")) is None:
        return 0
    return connection.scalar(select(func.count()).select_from(Ticket)) or 0


def others_connected(connection: Connection) -> int:
    """Return how many connections of web servers and workers there are besides this one."""
    query = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'hotline' "
        "AND pid <> pg_backend_pid()"
    )
    return connection.scalar(query) or 0
