"""Rotation of the keys that personal data is sealed with (密钥轮换): count values by key, and seal old ones anew."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from hotline.services.context import Context
from hotline.storage.tables import Account, AnnouncedCall, Base, Caller, Draft

# Every sealed column there is; a test compares this with the tables.
SEALED: tuple[tuple[type[Base], tuple[str, ...]], ...] = (
    (Caller, ("name_sealed", "phone_sealed")),
    (Account, ("totp_sealed",)),
    (Draft, ("fields_sealed",)),
    (AnnouncedCall, ("phone_sealed",)),
)

BATCH = 1000


@dataclass(frozen=True, slots=True)
class Batch:
    """How many rows a batch read, how many values it sealed anew, and the id to go on after (None: it was the last)."""

    rows: int
    resealed: int
    last_id: int | None


def rows_with_values(session: Session) -> int:
    """Return how many rows hold sealed values, for a progress bar."""
    counts = (select(func.count()).select_from(table).where(_filled(table, columns)) for table, columns in SEALED)
    return sum(session.scalar(query) or 0 for query in counts)


def newest_id(session: Session, table: Any) -> int:
    """Return the highest id in ``table``, 0 for an empty one."""
    return session.scalar(select(func.max(table.id))) or 0


def count(session: Session, context: Context) -> Iterator[Counter[int | None]]:
    """Yield, a row at a time, how many values each key opens (0 is the newest; None: no key does)."""
    for table, columns in SEALED:
        query = select(*(getattr(table, name) for name in columns)).where(_filled(table, columns))
        for row in session.execute(query.execution_options(yield_per=BATCH)):
            yield Counter(context.vault.key_of(value) for value in row if value is not None)


def rotate(session: Session, context: Context, table: Any, columns: tuple[str, ...], *, after_id: int) -> Batch:
    """Seal the next rows of ``table`` with the newest key, in the caller's transaction.

    The rows are locked meanwhile, so that what retention empties or a person changes is not written back.  What the
    newest key opens is left alone: a run that is interrupted is simply started again.  Raises ``VaultError`` for a
    value that no key opens.
    """
    query = select(table.id, *(getattr(table, name) for name in columns)).where(_filled(table, columns))
    rows = session.execute(query.where(table.id > after_id).order_by(table.id).limit(BATCH).with_for_update()).all()
    changes, resealed = [], 0
    for key, *values in rows:
        old = {
            name: value
            for name, value in zip(columns, values, strict=True)
            if value is not None and context.vault.key_of(value) != 0
        }
        if old:
            fresh = {name: context.vault.reseal(value) for name, value in old.items()}
            changes.append({"id": key, **dict(zip(columns, values, strict=True)), **fresh})
            resealed += len(fresh)
    if changes:
        session.execute(update(table), changes)
    return Batch(len(rows), resealed, rows[-1][0] if len(rows) == BATCH else None)


def _filled(table: Any, columns: tuple[str, ...]) -> Any:
    return or_(*(getattr(table, name).is_not(None) for name in columns))
