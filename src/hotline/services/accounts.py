"""Accounts: add, list, close, open, give a password or another role.  Each change is recorded in the audit log."""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload

from hotline.domain.audit import AuditAction, account_subject
from hotline.domain.mail_address import is_mail_address
from hotline.domain.people import DEPARTMENT_STAFF, Actor, Role, kept_apart, role_change_refusal
from hotline.domain.sign_in import SHORTEST_PASSWORD, password_refusal
from hotline.services import audit, tokens
from hotline.services.context import Context
from hotline.services.errors import Conflict, Forbidden, InvalidInput, NotFound
from hotline.storage.tables import Account, Department

_HASHER = PasswordHasher()

# A password is compared with this hash when there is none to compare with, so that both answers take equally long.
_NOBODY = _HASHER.hash(secrets.token_urlsafe(16))

NAME_CHARS = 60
_USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,62}[a-z0-9]")


def hash_password(password: str) -> str:
    """Return the argon2id hash of ``password``."""
    return _HASHER.hash(password)


def password_matches(password_hash: str | None, password: str) -> bool:
    """Tell whether the hash was made from ``password``; without a hash say no, but take as long."""
    try:
        return _HASHER.verify(password_hash or _NOBODY, password)
    except (VerificationError, InvalidHashError):
        return False


def new_password() -> str:
    """Return a random password that can be read out: five groups of four letters and digits, about 100 bits."""
    alphabet = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(alphabet) for _ in range(4)) for _ in range(5))


@dataclass(frozen=True, slots=True)
class AddAccount:
    """A person who shall sign in.  ``department`` is a code; the departments' own people need one."""

    username: str
    display_name: str
    role: Role
    password: str
    department: str | None = None
    shortest_password: int = SHORTEST_PASSWORD
    email: str | None = None


def is_username(text: str) -> bool:
    """Tell whether an account may be called ``text``."""
    return _USERNAME.fullmatch(text) is not None


def add(session: Session, context: Context, command: AddAccount, actor: Actor) -> Account:
    """Add an account.  Raises ``InvalidInput`` naming what is wrong, ``Conflict`` when the name is taken."""
    if not is_username(command.username):
        raise InvalidInput("username", "use 3 to 64 small letters, digits, dots, hyphens and underscores")
    _check_name(command.display_name)
    _check_password(command.password, command.username, command.shortest_password)
    department = _department(session, command.role, command.department)
    if session.scalar(select(Account.id).where(Account.username == command.username)) is not None:
        raise Conflict(f"there is an account '{command.username}' already")
    _refuse_both_at_once(session, command.display_name, command.role)
    account = Account(
        username=command.username,
        display_name=command.display_name.strip(),
        role=command.role,
        department_id=department.id if department else None,
        email=_email(command.email),
        password_hash=hash_password(command.password),
    )
    session.add(account)
    session.flush()
    detail = {"role": account.role, "department": command.department}
    _record(session, context, actor, AuditAction.ACCOUNT_ADDED, account, **detail)
    return account


def _check_password(password: str, username: str, shortest: int) -> None:
    refusal = password_refusal(password, username, shortest=shortest)
    if refusal:
        raise InvalidInput("password", refusal)


def _department(session: Session, role: Role, code: str | None) -> Department | None:
    if role is Role.SYSTEM:
        raise InvalidInput("role", "'system' is the program itself and signs in nowhere")
    if code is None:
        if role in DEPARTMENT_STAFF:
            raise InvalidInput("department", f"the role '{role}' belongs to a department; name it by its code")
        return None
    found = session.scalars(select(Department).where(Department.code == code)).one_or_none()
    if found is None:
        raise InvalidInput("department", "there is no department with this code")
    return found


def _check_name(display_name: str) -> None:
    if not display_name.strip() or len(display_name) > NAME_CHARS or not display_name.isprintable():
        raise InvalidInput("name", f"give it 1 to {NAME_CHARS} printable characters")


def _refuse_both_at_once(session: Session, display_name: str, role: Role) -> None:
    namesakes = select(Account).where(Account.display_name == display_name.strip())
    for namesake in session.scalars(namesakes):
        if kept_apart(Role(namesake.role), role):
            raise InvalidInput(
                "name",
                f"the account '{namesake.username}' has this name and is '{namesake.role}'; administrator and auditor "
                "must not be the same person (for a namesake, add something that tells them apart)",
            )


def find(session: Session, username: str, *, lock: bool = False) -> Account:
    """Return the account, locked against other changes when ``lock`` is set.  Raises ``NotFound``."""
    query = select(Account).where(Account.username == username)
    if lock:
        query = query.with_for_update(of=Account).execution_options(populate_existing=True)
    account = session.scalars(query).one_or_none()
    if account is None:
        raise NotFound("there is no such account")
    return account


def listed(session: Session, *, text: str = "", role: Role | None = None, limit: int = 1000) -> Sequence[Account]:
    """Return accounts by name, those whose user name or name contains ``text`` and that have ``role``."""
    query = select(Account).options(joinedload(Account.department)).order_by(Account.username).limit(limit)
    if text:
        contains = [column.contains(text, autoescape=True) for column in (Account.username, Account.display_name)]
        query = query.where(or_(*contains))
    if role is not None:
        query = query.where(Account.role == role)
    return session.scalars(query).all()


def set_password(
    session: Session,
    context: Context,
    account: Account,
    password: str,
    actor: Actor,
    *,
    shortest: int = SHORTEST_PASSWORD,
) -> None:
    """Give an account, whose row the caller has locked, another password.  Raises ``InvalidInput``.

    Its sessions end, and a lock-out is lifted.
    """
    _check_password(password, account.username, shortest)
    if password_matches(account.password_hash, password):
        raise InvalidInput("password", "this is the password that the account has already")
    account.password_hash = hash_password(password)
    account.failed_logins, account.locked_until = 0, None
    account.session_epoch += 1
    _record(session, context, actor, AuditAction.PASSWORD_CHANGED, account)


def _email(given: str | None) -> str | None:
    if given and not is_mail_address(given):
        raise InvalidInput("email", "is no mail address; give one like li.na@city.example")
    return given or None


def set_email(session: Session, context: Context, username: str, email: str | None, actor: Actor) -> Account:
    """Say where notifications for the account go, None for nowhere.  Raises ``InvalidInput`` and ``NotFound``."""
    account = find(session, username, lock=True)
    email = _email(email)
    if account.email != email:
        account.email = email
        # The log says that it changed; the address itself is in the account, and may be taken out of it again.
        _record(session, context, actor, AuditAction.EMAIL_CHANGED, account, given=email is not None)
    return account


def disable(session: Session, context: Context, username: str, actor: Actor) -> Account:
    """Close an account: its sessions and tokens end at once.

    Raises ``NotFound``, and ``Forbidden`` for one's own account and for the last administrator's.
    """
    account = find(session, username, lock=True)
    if account.id == actor.account_id:
        raise Forbidden("nobody closes their own account")
    if account.role == Role.ADMIN and account.active and _active_admins(session) <= 1:
        raise Forbidden("this is the last active administrator; add another one first")
    if account.active:
        account.active = False
        account.session_epoch += 1
        ended = tokens.revoke_all(session, account, context.now())
        _record(session, context, actor, AuditAction.ACCOUNT_DISABLED, account, tokens_revoked=ended)
    return account


def _active_admins(session: Session) -> int:
    # Locked together, so that two administrators who close each other at once do not both succeed.
    query = select(Account.id).where(Account.role == Role.ADMIN, Account.active).order_by(Account.id).with_for_update()
    return len(session.scalars(query).all())


def enable(session: Session, context: Context, username: str, actor: Actor) -> Account:
    """Open an account again, and lift a lock-out.  Raises ``NotFound``."""
    account = find(session, username, lock=True)
    if not account.active or account.failed_logins or account.locked_until:
        account.active = True
        account.failed_logins, account.locked_until = 0, None
        _record(session, context, actor, AuditAction.ACCOUNT_ENABLED, account)
    return account


def reset_second_factor(session: Session, context: Context, username: str, actor: Actor) -> Account:
    """Forget the account's second factor; the next login enrols another one where it is required."""
    account = find(session, username, lock=True)
    account.totp_sealed, account.totp_step = None, None
    account.session_epoch += 1
    _record(session, context, actor, AuditAction.TOTP_RESET, account)
    return account


def change_role(
    session: Session, context: Context, username: str, role: Role, department: str | None, actor: Actor
) -> Account:
    """Give an account another role, and another department when one is named; its sessions end.

    Raises ``Forbidden`` for an administrator's or auditor's account, which keeps its role, and ``InvalidInput``.
    """
    account = find(session, username, lock=True)
    before = Role(account.role)
    refusal = role_change_refusal(before, role)
    if refusal:
        raise Forbidden(refusal)
    code = department or (account.department.code if account.department else None)
    found = _department(session, role, code)
    account.role, account.department_id = role, found.id if found else None
    account.session_epoch += 1
    _record(session, context, actor, AuditAction.ROLE_CHANGED, account, before=before, after=role, department=code)
    return account


@dataclass(frozen=True, slots=True)
class EditAccount:
    """How an account shall be.  ``department`` is a code."""

    username: str
    display_name: str
    role: Role
    department: str | None
    email: str | None
    active: bool


def edit(session: Session, context: Context, command: EditAccount, actor: Actor) -> None:
    """Make an account as it is wanted; its sessions end when its role or department is another one.

    Raises ``InvalidInput``, and ``Forbidden`` as ``change_role`` and ``disable`` do.
    """
    account = find(session, command.username, lock=True)
    before, department = Role(account.role), _department(session, command.role, command.department)
    _check_name(command.display_name)
    if before is not command.role:
        refusal = role_change_refusal(before, command.role)
        if refusal:
            raise Forbidden(refusal)
    renamed = account.display_name != command.display_name.strip()
    if renamed or before is not command.role:
        _refuse_both_at_once(session, command.display_name, command.role)
    moved = account.department_id != (department.id if department else None)
    account.display_name, account.role = command.display_name.strip(), command.role
    account.department_id = department.id if department else None
    session.flush()
    if before is not command.role or moved:
        account.session_epoch += 1
        detail = {"before": before, "after": command.role, "department": command.department}
        _record(session, context, actor, AuditAction.ROLE_CHANGED, account, **detail)
    if renamed:
        # The log says that it changed; the name itself is in the account.
        _record(session, context, actor, AuditAction.ACCOUNT_CHANGED, account, renamed=True)
    set_email(session, context, command.username, command.email, actor)
    if account.active and not command.active:
        disable(session, context, command.username, actor)
    elif command.active and not account.active:
        enable(session, context, command.username, actor)


def _record(
    session: Session, context: Context, actor: Actor, action: AuditAction, account: Account, **detail: object
) -> None:
    audit.append(session, context, actor, action, subject=account_subject(account.username), detail=detail)
