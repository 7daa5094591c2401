"""The audit log: append an entry, and verify that none was changed, deleted or reordered.

Each entry's seal is an HMAC over the entry and the seal before it.  Its key is not in the database, so that whoever can
write there cannot forge a chain.  Source: MLPS 2.0 level 3, security audit (protection of audit records).
"""

import hmac
import json
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from hotline.domain.audit import account_subject
from hotline.domain.masking import mask_text
from hotline.domain.people import Actor
from hotline.services.context import Context
from hotline.storage.tables import Account, AuditEntry

FIRST_SEAL = "0" * 64

# Ids begin at 1.
SEAL_MISSING = -1

# Entries are chained one after another; who appends waits for who is appending.  The number only has to be the same.
_CHAIN_LOCK = 12345_003


def append(
    session: Session,
    context: Context,
    actor: Actor,
    action: str,
    *,
    subject: str | None = None,
    reason: str | None = None,
    address: str | None = None,
    detail: dict[str, Any] | None = None,
) -> AuditEntry:
    """Append an entry in the caller's transaction; call it last, since others wait until that transaction ends.

    ``reason`` holds people's own words.  It is masked, since what stands here can never be closed out.
    """
    session.execute(select(func.pg_advisory_xact_lock(_CHAIN_LOCK)))
    before = session.scalar(select(AuditEntry.seal).order_by(AuditEntry.id.desc()).limit(1)) or FIRST_SEAL
    entry = AuditEntry(
        at=context.now(),
        account_id=actor.account_id,
        role=actor.role,
        action=action,
        subject=subject,
        address=address or actor.address,
        reason=mask_text(reason) if reason else None,
        detail=detail or {},
    )
    entry.seal = _seal(context, before, entry)
    session.add(entry)
    session.flush()
    return entry


def _seal(context: Context, before: str, entry: AuditEntry) -> str:
    """Digest what the entry says.  Its id is left out: the chain gives the order, and a restore may renumber."""
    said = [
        before,
        entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        entry.account_id,
        entry.role,
        entry.action,
        entry.subject,
        entry.address,
        entry.reason,
        entry.detail,
    ]
    text = json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hmac.new(context.vault.derived_key("audit"), text.encode(), sha256).hexdigest()


@dataclass(frozen=True, slots=True)
class Verification:
    """The outcome: how many entries hold, the newest seal, and the id of the first entry that does not hold.

    ``broken_at`` is None when all hold, and ``SEAL_MISSING`` when they do but the expected seal is not among them.
    """

    entries: int
    last_seal: str
    broken_at: int | None


def verify(session: Session, context: Context, expected_last_seal: str | None = None) -> Verification:
    """Walk the chain from its beginning.

    A changed, deleted or reordered entry breaks it.  Entries cut off at its end leave no trace in the chain itself, so
    ``expected_last_seal``, noted elsewhere at an earlier time, must still be in it.
    """
    before, number, found = FIRST_SEAL, 0, expected_last_seal in (None, FIRST_SEAL)
    with closing(_entries(session)) as entries:
        for entry in entries:
            seal = _seal(context, before, entry)
            if not hmac.compare_digest(seal, entry.seal):
                return Verification(number, before, entry.id)
            before, number = seal, number + 1
            found = found or seal == expected_last_seal
    return Verification(number, before, None if found else SEAL_MISSING)


def _entries(session: Session) -> Generator[AuditEntry, None, None]:
    """Yield all entries in order, a thousand at a time; close it to give the database's cursor back early."""
    query = select(AuditEntry).order_by(AuditEntry.id).execution_options(yield_per=1000)
    with closing(session.scalars(query)) as rows:
        yield from rows


def last_seal(session: Session) -> tuple[int, str]:
    """Return how many entries there are and the newest seal, to be noted where the database's keepers cannot write."""
    newest = session.scalar(select(AuditEntry.seal).order_by(AuditEntry.id.desc()).limit(1))
    return session.scalar(select(func.count()).select_from(AuditEntry)) or 0, newest or FIRST_SEAL


@dataclass(frozen=True, slots=True)
class FindEntries:
    """Which entries: by or about an account, of an action, from ``since`` until before ``until``, older than an id."""

    account: str | None = None
    action: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class FoundEntry:
    """An entry, and the account that acted (None: the system, or somebody who was not signed in)."""

    entry: AuditEntry
    account: Account | None


def find(session: Session, command: FindEntries) -> Sequence[FoundEntry]:
    """Return entries, the newest first."""
    query = select(AuditEntry, Account).outerjoin(Account, Account.id == AuditEntry.account_id)
    query = _narrowed(query, command).order_by(AuditEntry.id.desc()).limit(command.limit)
    return [FoundEntry(entry, account) for entry, account in session.execute(query)]


def _narrowed(query: Select[AuditEntry, Account], command: FindEntries) -> Select[AuditEntry, Account]:
    if command.account:
        about = AuditEntry.subject == account_subject(command.account)
        query = query.where(or_(Account.username == command.account, about))
    if command.action:
        query = query.where(AuditEntry.action == command.action)
    if command.since:
        query = query.where(AuditEntry.at >= command.since)
    if command.until:
        query = query.where(AuditEntry.at < command.until)
    if command.before:
        query = query.where(AuditEntry.id < command.before)
    return query


def actions(session: Session) -> Sequence[str]:
    """Return the kinds of entries that the log holds."""
    return session.scalars(select(AuditEntry.action).distinct().order_by(AuditEntry.action)).all()
