"""Drafts (草稿): what an agent has typed about a call, kept on the server until it becomes a ticket.

A draft belongs to the account that types it and is sealed as a whole, since it holds phone and words as they were said.
It survives a reload, signing out and a crash of the server.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from hotline.domain.masking import mask_text
from hotline.domain.people import Actor
from hotline.services.context import Context
from hotline.services.intake import stored_key
from hotline.storage.tables import Draft, IdempotencyKey
from hotline.storage.vault import VaultError

# Whoever leaves more behind has stopped looking at them.
MOST = 20
KEEP = timedelta(days=7)
_PREVIEW = 24


@dataclass(frozen=True, slots=True)
class DraftLine:
    """A draft in a list: when it was saved last, and the beginning of its words, masked."""

    key: str
    saved_at: datetime
    beginning: str


def save(session: Session, context: Context, key: str, fields: Mapping[str, str], actor: Actor) -> bool:
    """Keep ``fields`` as the draft ``key``; return False when there is nothing to keep.

    That is so when nothing was typed, and when the form was sent in the meantime: a late save must not bring the draft
    of a ticket back.
    """
    account = _account(actor)
    _wait_for_the_other(session, account, key)
    if not any(value.strip() for value in fields.values()) or _was_sent(session, context, key, account):
        discard(session, key, actor)
        return False
    sealed = context.vault.seal(json.dumps(dict(fields), ensure_ascii=False))
    row = {"fields_sealed": sealed, "saved_at": context.now()}
    written = insert(Draft).values(account_id=account, key=key, **row)
    session.execute(written.on_conflict_do_update(index_elements=["account_id", "key"], set_=row))
    newest = select(Draft.id).where(Draft.account_id == account).order_by(Draft.saved_at.desc()).limit(MOST)
    session.execute(delete(Draft).where(Draft.account_id == account, Draft.id.not_in(newest)))
    return True


def find(session: Session, context: Context, key: str, actor: Actor) -> Mapping[str, str] | None:
    """Return what was typed into the actor's draft ``key``, None when there is no such draft or no key opens it."""
    query = select(Draft.fields_sealed).where(Draft.account_id == actor.account_id, Draft.key == key)
    sealed = session.scalars(query).one_or_none()
    return _opened(context, sealed) if sealed is not None else None


def listed(session: Session, context: Context, actor: Actor) -> list[DraftLine]:
    """Return the actor's drafts, the newest first."""
    rows = session.scalars(select(Draft).where(Draft.account_id == actor.account_id).order_by(Draft.saved_at.desc()))
    return [
        DraftLine(row.key, row.saved_at, mask_text(fields.get("content", ""))[:_PREVIEW])
        for row in rows
        if (fields := _opened(context, row.fields_sealed)) is not None
    ]


def discard(session: Session, key: str, actor: Actor) -> None:
    """Throw the actor's draft ``key`` away, if there is one.  Intake calls this when the draft becomes a ticket."""
    session.execute(delete(Draft).where(Draft.account_id == actor.account_id, Draft.key == key))


def settle(session: Session, key: str, actor: Actor) -> None:
    """Throw the draft away for good: its form is being sent in this transaction, and a late save waits for it."""
    _wait_for_the_other(session, _account(actor), key)
    discard(session, key, actor)


def prune(session: Session, *, keep: timedelta = KEEP) -> int:
    """Delete drafts that nobody has typed into for ``keep``; return how many."""
    return len(session.scalars(delete(Draft).where(Draft.saved_at < func.now() - keep).returning(Draft.id)).all())


def _account(actor: Actor) -> int:
    assert actor.account_id is not None, "only people type"
    return actor.account_id


def _wait_for_the_other(session: Session, account: int, key: str) -> None:
    """Let saving and sending of one form go one after the other."""
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"draft:{account}:{key}", 0))))


def _was_sent(session: Session, context: Context, key: str, account: int) -> bool:
    return session.get(IdempotencyKey, (account, stored_key(context, key))) is not None


def _opened(context: Context, sealed: str) -> dict[str, str] | None:
    try:
        fields: dict[str, str] = json.loads(context.vault.open(sealed) or "{}")
    except VaultError:
        return None
    return fields
