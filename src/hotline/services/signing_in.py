"""Signing in: name and password, then a second factor; failures are counted and lock the account.

Whoever guesses learns nothing: an unknown name, a wrong password, a closed and a locked account get the same answer
after the same work.  Source: MLPS 2.0 level 3, identification; PIPL Article 51.
"""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.domain import totp
from hotline.domain.audit import AuditAction, account_subject
from hotline.domain.people import SYSTEM, Actor, Role
from hotline.domain.sign_in import lock_after
from hotline.services import audit
from hotline.services.accounts import password_matches
from hotline.services.context import Context
from hotline.storage.tables import Account

# How an authenticator app names the account's home.
ISSUER = "Hotline 12345"


@dataclass(frozen=True, slots=True)
class Credentials:
    """What somebody typed, and the network address it came from."""

    username: str
    password: str
    address: str | None = None


def check_password(session: Session, context: Context, given: Credentials) -> Account | None:
    """Return the account when name and password are right and it is neither closed nor locked; else count a failure.

    The account's row stays locked until the transaction ends: of many guesses at once no more are tried than one after
    another.  The caller commits in either case, and calls ``complete`` when no second factor is asked for.
    """
    # NUL cannot be stored, so no account can have it in its name.
    wanted = select(Account).where(Account.username == given.username.replace("\x00", ""))
    account = session.scalars(wanted.with_for_update(of=Account)).one_or_none()
    open_to = account if account is not None and account.active and not _is_locked(account, context) else None
    if password_matches(open_to.password_hash if open_to else None, given.password) and open_to is not None:
        return open_to
    _fail(session, context, given.username, account, open_to, given.address, "password")
    return None


def check_code(
    session: Session, context: Context, account_id: int, given: str, address: str | None = None
) -> Account | None:
    """Return the account when the code of its second factor is right and was not used before; else count a failure."""
    account = session.get(Account, account_id, with_for_update=True, populate_existing=True)
    if account is None or account.totp_sealed is None:
        return None
    open_to = account if account.active and not _is_locked(account, context) else None
    secret = context.vault.open(account.totp_sealed) or ""
    step = totp.accepted_step(secret, given, context.now(), account.totp_step) if open_to else None
    if step is None:
        _fail(session, context, account.username, account, open_to, address, "code")
        return None
    account.totp_step = step
    return account


def enrol(
    session: Session, context: Context, account_id: int, secret: str, given: str, address: str | None = None
) -> Account | None:
    """Make ``secret`` the account's second factor when ``given`` is its present code; None when it is not.

    An account that has a second factor keeps it: losing a phone needs ``reset_second_factor`` by somebody else.
    """
    account = session.get(Account, account_id, with_for_update=True, populate_existing=True)
    if account is None or not account.active or account.totp_sealed is not None:
        return None
    step = totp.accepted_step(secret, given, context.now(), None)
    if step is None:
        return None
    account.totp_sealed, account.totp_step = context.vault.seal(secret), step
    subject = account_subject(account.username)
    audit.append(session, context, _acting(account, address), AuditAction.TOTP_ENROLLED, subject=subject)
    return account


def complete(session: Session, context: Context, account: Account, address: str | None, *, factors: int) -> None:
    """Record a login that needs nothing more, and forget earlier failures."""
    account.failed_logins, account.locked_until = 0, None
    subject, detail = account_subject(account.username), {"factors": factors}
    audit.append(session, context, _acting(account, address), AuditAction.LOGIN, subject=subject, detail=detail)


def _acting(account: Account, address: str | None) -> Actor:
    return Actor(Role(account.role), account.id, account.department_id, address=address)


def _is_locked(account: Account, context: Context) -> bool:
    return account.locked_until is not None and account.locked_until > context.now()


def _fail(
    session: Session,
    context: Context,
    username: str,
    account: Account | None,
    open_to: Account | None,
    address: str | None,
    factor: str,
) -> None:
    """Count a failure against an account that could have been opened, and record it.

    A locked account's lock does not grow by further tries, or anybody could keep its owner out.  Of an unknown name
    only a keyed digest is kept: people type passwords into the field for the name.
    """
    action, detail = AuditAction.LOGIN_FAILED, {"factor": factor}
    if open_to is not None:
        open_to.failed_logins += 1
        lock = lock_after(open_to.failed_logins)
        if lock is not None:
            open_to.locked_until = context.now() + lock
            action, detail["locked_minutes"] = AuditAction.LOGIN_LOCKED, str(int(lock.total_seconds() // 60))
    elif account is not None:
        detail["state"] = "locked" if account.active else "disabled"
    else:
        detail["name_digest"] = context.vault.index(f"login:{username}")[:16]
    subject = account_subject(account.username) if account is not None else None
    # Nobody has proved who they are, so the entry names the account as what was tried and not as who did it.
    audit.append(session, context, SYSTEM, action, subject=subject, address=address, detail=detail)
