"""The demo's accounts and tokens, in ``demo.json`` in the data folder: demo only, readable by its owner only."""

import json
import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.demo.city import DEMO_PASSWORD
from hotline.domain.people import Role
from hotline.services.tokens import account_of_token, issue_token
from hotline.storage.tables import Account, Department

# The department whose people the demo shows first: it leads street lights, and its districts and streets lie below it.
FIRST_DEPARTMENT = "CGJ"
TOKEN_LIFE = timedelta(days=365)

Credentials = dict[str, Any]


def demo_credentials(session: Session, url: str, now: datetime, earlier: Credentials | None) -> Credentials:
    """Return what ``demo.json`` holds, keeping the tokens of ``earlier`` while they are valid.

    ``accounts`` and ``tokens`` have one account a role; ``departments`` has handler and lead of each department.
    """
    accounts = _first_accounts(session)
    kept = earlier.get("tokens", {}) if earlier else {}
    tokens = {}
    for role, account in accounts.items():
        token = kept.get(role, "")
        holder = account_of_token(session, token, now)
        usable = holder is not None and holder.id == account.id
        tokens[role] = token if usable else issue_token(session, account, "demo", now + TOKEN_LIFE)
    return {
        "url": url,
        "accounts": {role: _shown(account) for role, account in accounts.items()},
        "tokens": tokens,
        "departments": _departments(session),
    }


def _shown(account: Account) -> dict[str, str]:
    return {"username": account.username, "password": DEMO_PASSWORD}


def _first_accounts(session: Session) -> dict[str, Account]:
    """Return one account a role, those of departments from ``FIRST_DEPARTMENT``."""
    found: dict[str, Account] = {}
    for account in session.scalars(select(Account).order_by(Account.id)):
        in_department = account.role in (Role.HANDLER, Role.LEAD)
        if in_department and (account.department is None or account.department.code != FIRST_DEPARTMENT):
            continue
        found.setdefault(account.role, account)
    return found


def _departments(session: Session) -> dict[str, dict[str, dict[str, str]]]:
    rows = session.execute(
        select(Department.code, Account)
        .join(Account, Account.department_id == Department.id)
        .where(Account.role.in_((Role.HANDLER, Role.LEAD)))
        .order_by(Account.id)
    )
    departments: dict[str, dict[str, dict[str, str]]] = {}
    for code, account in rows:
        departments.setdefault(code, {}).setdefault(account.role, _shown(account))
    return departments


def read_credentials(path: Path) -> Credentials | None:
    """Return the file's content, None when it is missing or damaged."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return data if isinstance(data, dict) and isinstance(data.get("tokens"), dict) else None


def write_credentials(path: Path, credentials: Credentials) -> None:
    """Write the file in one piece, readable by its owner only."""
    fresh = path.with_suffix(".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(credentials, file, ensure_ascii=False, indent=2)
    fresh.replace(path)
