"""The accounts as a table (账号); whoever is new gets a password that is told once."""

from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.domain.mail_address import is_mail_address
from hotline.domain.people import (
    DEPARTMENT_STAFF,
    ROLE_NAMES,
    Actor,
    Permission,
    Role,
    kept_apart,
    role_change_refusal,
)
from hotline.services import accounts
from hotline.services.accounts import AddAccount, EditAccount
from hotline.services.context import Context
from hotline.services.lists.changes import Change
from hotline.services.lists.columns import Column, Kind, Row
from hotline.services.lists.departments import ACTIVE
from hotline.services.lists.listing import Draft, ImportList, Missing
from hotline.services.lists.workbook import CellError
from hotline.storage.tables import Account, Department

# Each new password is hashed, which takes its time on purpose.
MOST_NEW = 100

COLUMNS = (
    Column(
        name="username",
        title="用户名",
        kind=Kind.CODE,
        required=True,
        longest=64,
        hint="3 至 64 个小写字母、数字、点、连字符和下划线；定下后不能更改。",
    ),
    Column(name="display_name", title="姓名", required=True, longest=accounts.NAME_CHARS),
    Column(
        name="role",
        title="角色",
        kind=Kind.CHOICE,
        required=True,
        choices={role.value: name for role, name in ROLE_NAMES.items() if role is not Role.SYSTEM},
        hint="系统管理员和安全审计员的账号不能改角色，两者不得是同一人。",
    ),
    Column(name="department", title="单位编码", kind=Kind.CODE, hint="经办人和承办单位负责人必填。"),
    Column(name="email", title="邮箱", kind=Kind.CODE, longest=254, hint="通知发往此处；可不填。"),
    Column(name="active", title="状态", kind=Kind.CHOICE, required=True, choices=ACTIVE),
)
_COLUMN = {column.name: column for column in COLUMNS}


def _present(session: Session, context: Context, options: Mapping[str, str]) -> Sequence[Row]:
    query = select(Account, Department.code).outerjoin(Department, Department.id == Account.department_id)
    return [
        {
            "username": account.username,
            "display_name": account.display_name,
            "role": account.role,
            "department": code,
            "email": account.email,
            "active": "yes" if account.active else "no",
        }
        for account, code in session.execute(query.order_by(Account.username))
    ]


def _check(session: Session, context: Context, draft: Draft) -> Sequence[CellError]:
    active = set(session.scalars(select(Department.code).where(Department.active)))
    roles: dict[str | None, set[Role]] = {}
    for row in _after(session, context, draft):
        roles.setdefault(row["display_name"], set()).add(Role(row["role"] or ""))
    errors = [
        CellError(change.number or 1, _COLUMN[name], message)
        for change in draft.plan.changes
        for name, message in _wrong(change, active, roles[change.row["display_name"]])
    ]
    if len(draft.plan.added) > MOST_NEW:
        late = draft.plan.added[MOST_NEW].number or 1
        errors.append(CellError(late, _COLUMN["username"], f"is beyond the {MOST_NEW} new accounts that one file adds"))
    return errors


def _after(session: Session, context: Context, draft: Draft) -> list[Row]:
    """Return every account as it would be."""
    wanted = {row.cells["username"]: row.cells for row in draft.rows}
    present = {row["username"]: row for row in _present(session, context, {})}
    return list((present | wanted).values())


def _wrong(change: Change, active: set[str], roles: set[Role]) -> Iterator[tuple[str, str]]:
    row, before = change.row, change.before or {}
    role = Role(row["role"] or "")
    if change.before is None and not accounts.is_username(row["username"] or ""):
        yield "username", "use 3 to 64 small letters, digits, dots, hyphens and underscores"
    if change.before is None and row["active"] == "no":
        yield "active", "is out of use and new; leave the row out"
    if before and role != before["role"] and role_change_refusal(Role(before["role"] or ""), role):
        yield "role", "is of an administrator or auditor, whose role never changes; retire it and add another account"
    if any(kept_apart(role, other) for other in roles):
        yield "display_name", "is the name of both an administrator and an auditor, who must not be the same person"
    if row["department"] is None and role in DEPARTMENT_STAFF:
        yield "department", "is empty"
    elif row["department"] is not None and row["department"] not in active and row["active"] == "yes":
        yield "department", "there is no active department with this code"
    if row["email"] and not is_mail_address(row["email"]):
        yield "email", "is no mail address; give one like li.na@city.example"


def _apply(session: Session, context: Context, draft: Draft, actor: Actor) -> Mapping[str, str]:
    for change in draft.plan.changed:
        row = change.row
        command = EditAccount(
            row["username"] or "",
            row["display_name"] or "",
            Role(row["role"] or ""),
            row["department"],
            row["email"],
            row["active"] == "yes",
        )
        accounts.edit(session, context, command, actor)
    passwords = {}
    for change in draft.plan.added:
        row, password = change.row, accounts.new_password()
        added = AddAccount(
            row["username"] or "",
            row["display_name"] or "",
            Role(row["role"] or ""),
            password,
            row["department"],
            email=row["email"],
        )
        accounts.add(session, context, added, actor)
        passwords[added.username] = password
    return passwords


ACCOUNTS = ImportList(
    name="accounts",
    title="账号",
    columns=COLUMNS,
    key=("username",),
    missing=Missing.LEFT,
    present=_present,
    check=_check,
    apply=_apply,
    permission=Permission.MANAGE_ACCOUNTS,
)
