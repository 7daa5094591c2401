"""Bearer tokens of the API: issued to an account, limited in time and, if wanted, in what they may do.

Only a digest is kept, so a token is shown once.
"""

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import bindparam, or_, select, update
from sqlalchemy.orm import Session, joinedload

from hotline.domain.audit import AuditAction, token_subject
from hotline.domain.people import PERMISSIONS, Actor, Permission, Role
from hotline.services import audit
from hotline.services.context import Context
from hotline.services.errors import InvalidInput, NotFound
from hotline.storage.tables import Account, ApiToken

# People and secret scanners recognise our tokens by it.
TOKEN_PREFIX = "hl_"  # noqa: S105 - no secret

LONGEST_LIFE = timedelta(days=366)

# When a token was last used is worth a write a minute, not one a request.
_NOTE_USE_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class IssueToken:
    """Whose token, what it is called, how long it lives and the permissions it is limited to (None: the role's)."""

    account: Account
    name: str
    life: timedelta
    scopes: tuple[Permission, ...] | None = None


def issue(session: Session, context: Context, command: IssueToken, actor: Actor) -> str:
    """Issue a token, record it and return it.  Raises ``InvalidInput`` naming what is wrong."""
    account, now = command.account, context.now()
    if not account.active:
        raise InvalidInput("username", "the account is disabled")
    if not 1 <= len(command.name) <= 100 or not command.name.isprintable():
        raise InvalidInput("name", "give it 1 to 100 printable characters")
    if not timedelta(0) < command.life <= LONGEST_LIFE:
        raise InvalidInput("days", f"a token lives 1 to {LONGEST_LIFE.days} days")
    beyond = sorted(set(command.scopes or ()) - PERMISSIONS[Role(account.role)])
    if beyond:
        raise InvalidInput("scope", f"the role '{account.role}' lacks {', '.join(beyond)}")
    token = issue_token(session, account, command.name, now + command.life, command.scopes)
    session.flush()
    token_id = session.scalars(select(ApiToken.id).where(ApiToken.digest == _digest(token))).one()
    detail = {
        "username": account.username,
        "name": command.name,
        "expires_at": (now + command.life).isoformat(timespec="seconds"),
        "scopes": sorted(command.scopes) if command.scopes is not None else None,
    }
    audit.append(session, context, actor, AuditAction.TOKEN_ISSUED, subject=token_subject(token_id), detail=detail)
    return token


def issue_token(
    session: Session, account: Account, name: str, expires_at: datetime, scopes: Iterable[Permission] | None = None
) -> str:
    """Write a token for the account and return it, without a trace in the audit log; the demo's are made so."""
    token = TOKEN_PREFIX + secrets.token_urlsafe(32)
    limited = sorted(scopes) if scopes is not None else None
    session.add(
        ApiToken(account_id=account.id, name=name, digest=_digest(token), expires_at=expires_at, scopes=limited)
    )
    return token


# A token opens something unless it is unknown, revoked, expired at ``at`` or its account closed.
_OPENS = (
    ApiToken.digest == bindparam("digest"),
    ApiToken.revoked_at.is_(None),
    ApiToken.expires_at > bindparam("at"),
    Account.active,
)

# Every request asks this, so it is put together once and reads no more than `Holder` tells.
_HOLDER = (
    select(
        *(ApiToken.id, ApiToken.last_used_at, ApiToken.scopes),
        *(Account.id.label("account_id"), Account.role, Account.department_id),
    )
    .join(ApiToken.account)
    .where(*_OPENS)
)
_ACCOUNT = select(Account).join(ApiToken, ApiToken.account_id == Account.id).where(*_OPENS)


class Holder(NamedTuple):
    """Who holds a token, and the token's own limits; ``scopes`` None gives all that the role may."""

    token_id: int
    last_used_at: datetime | None
    scopes: list[str] | None
    account_id: int
    role: str
    department_id: int | None


def holder_at(session: Session, token: str, at: datetime) -> Holder | None:
    """Return who holds ``token``, None when it opens nothing at ``at``."""
    if not token.startswith(TOKEN_PREFIX):
        return None
    found = session.execute(_HOLDER, {"digest": _digest(token), "at": at}).one_or_none()
    return None if found is None else Holder(*found)


def account_of_token(session: Session, token: str, at: datetime) -> Account | None:
    """Return the active account that holds ``token``, None when it opens nothing at ``at``."""
    if not token.startswith(TOKEN_PREFIX):
        return None
    return session.scalars(_ACCOUNT, {"digest": _digest(token), "at": at}).one_or_none()


def note_use(session: Session, holder: Holder, at: datetime) -> None:
    """Note that the token was used at ``at``, at most once a minute."""
    before = at - _NOTE_USE_EVERY
    if holder.last_used_at is None or holder.last_used_at <= before:
        # Of many requests at once the first writes; the others find that its note is fresh.
        stale = or_(ApiToken.last_used_at.is_(None), ApiToken.last_used_at <= before)
        session.execute(update(ApiToken).where(ApiToken.id == holder.token_id, stale).values(last_used_at=at))


def listed(session: Session, username: str | None = None) -> Sequence[ApiToken]:
    """Return all tokens, or an account's, the newest first."""
    query = select(ApiToken).options(joinedload(ApiToken.account)).order_by(ApiToken.id.desc())
    if username is not None:
        query = query.join(ApiToken.account).where(Account.username == username)
    return session.scalars(query).all()


def revoke(session: Session, context: Context, token_id: int, actor: Actor) -> ApiToken:
    """End a token at once.  Raises ``NotFound``; one that is revoked already stays as it is."""
    token = session.get(ApiToken, token_id, with_for_update=True)
    if token is None:
        raise NotFound(f"there is no token {token_id}")
    if token.revoked_at is None:
        token.revoked_at = context.now()
        detail = {"username": token.account.username, "name": token.name}
        audit.append(session, context, actor, AuditAction.TOKEN_REVOKED, subject=token_subject(token.id), detail=detail)
    return token


def revoke_all(session: Session, account: Account, at: datetime) -> int:
    """End every token of the account that still lives, as a part of something that is recorded; return how many."""
    living = select(ApiToken).where(
        ApiToken.account_id == account.id, ApiToken.revoked_at.is_(None), ApiToken.expires_at > at
    )
    tokens = session.scalars(living.with_for_update()).all()
    for token in tokens:
        token.revoked_at = at
    return len(tokens)


def _digest(token: str) -> str:
    """A token is random and long, so a plain SHA-256 cannot be searched."""
    return hashlib.sha256(token.encode()).hexdigest()
