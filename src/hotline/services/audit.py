"""The audit log: append an entry, and verify that none was changed, deleted or reordered.

Each entry's seal is an HMAC over the entry and the seal before it.  Its key is not in the database, so that whoever can
write there cannot forge a chain.  Source: MLPS 2.0 level 3, security audit (protection of audit records).
"""

import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from hashlib import sha256
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hotline.domain.people import Actor
from hotline.services.context import Context
from hotline.storage.tables import AuditEntry

FIRST_SEAL = "0" * 64

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
    """Append an entry in the caller's transaction; call it last, since others wait until that transaction ends."""
    session.execute(select(func.pg_advisory_xact_lock(_CHAIN_LOCK)))
    before = session.scalar(select(AuditEntry.seal).order_by(AuditEntry.id.desc()).limit(1)) or FIRST_SEAL
    entry = AuditEntry(
        at=context.now(),
        account_id=actor.account_id,
        role=actor.role,
        action=action,
        subject=subject,
        address=address,
        reason=reason,
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
    """The outcome: how many entries hold, the newest seal, and the id of the first entry that does not hold."""

    entries: int
    last_seal: str
    broken_at: int | None


def verify(session: Session, context: Context, expected_last_seal: str | None = None) -> Verification:
    """Walk the chain from its beginning.

    A changed, deleted or reordered entry breaks it.  Entries cut off at its end leave no trace in the chain itself, so
    ``expected_last_seal``, noted elsewhere at an earlier time, must still be in it.
    """
    before, number, found = FIRST_SEAL, 0, expected_last_seal in (None, FIRST_SEAL)
    for entry in _entries(session):
        seal = _seal(context, before, entry)
        if not hmac.compare_digest(seal, entry.seal):
            return Verification(number, before, entry.id)
        before, number = seal, number + 1
        found = found or seal == expected_last_seal
    return Verification(number, before, None if found else -1)


def _entries(session: Session) -> Iterator[AuditEntry]:
    query = select(AuditEntry).order_by(AuditEntry.id).execution_options(yield_per=1000)
    yield from session.scalars(query)
