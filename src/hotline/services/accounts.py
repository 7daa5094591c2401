"""Accounts and their API tokens: passwords as argon2 hashes, tokens as digests."""

import hashlib
import secrets
from datetime import datetime

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from hotline.storage.tables import Account, ApiToken

# People and secret scanners recognise our tokens by it.
TOKEN_PREFIX = "hl_"  # noqa: S105 - no secret

_HASHER = PasswordHasher()

# A password is compared with this hash when the account does not exist, so that both answers take equally long.
_NOBODY = _HASHER.hash(secrets.token_urlsafe(16))


def hash_password(password: str) -> str:
    """Return the argon2id hash of ``password``."""
    return _HASHER.hash(password)


def check_credentials(session: Session, username: str, password: str) -> Account | None:
    """Return the active account with this name and password, or None."""
    account = session.scalars(select(Account).where(Account.username == username)).one_or_none()
    try:
        _HASHER.verify(account.password_hash if account else _NOBODY, password)
    except (VerificationError, InvalidHashError):
        return None
    return account if account is not None and account.active else None


def issue_token(session: Session, account: Account, name: str, expires_at: datetime) -> str:
    """Give the account a bearer token and return it; only its digest is kept, so it is shown this once."""
    token = TOKEN_PREFIX + secrets.token_urlsafe(32)
    session.add(ApiToken(account_id=account.id, name=name, digest=_digest(token), expires_at=expires_at))
    return token


def account_of_token(session: Session, token: str, at: datetime) -> Account | None:
    """Return the active account that holds ``token``, None when it is unknown, revoked or expired at ``at``."""
    if not token.startswith(TOKEN_PREFIX):
        return None
    query = (
        select(ApiToken)
        .where(ApiToken.digest == _digest(token), ApiToken.revoked_at.is_(None), ApiToken.expires_at > at)
        .options(joinedload(ApiToken.account))
    )
    found = session.scalars(query).one_or_none()
    return found.account if found is not None and found.account.active else None


def _digest(token: str) -> str:
    """A token is random and long, so a plain SHA-256 cannot be searched."""
    return hashlib.sha256(token.encode()).hexdigest()
