"""The auditor's page: read, verify and export the audit log."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import orjson
from flask import Response, render_template, request
from sqlalchemy.orm import Session

from hotline.domain.audit import AUDIT_NAMES, AuditAction
from hotline.domain.city_time import CITY_ZONE
from hotline.domain.people import ROLE_NAMES, Permission, Role
from hotline.services import audit
from hotline.services.audit import FindEntries, FoundEntry
from hotline.storage.engine import transaction
from hotline.web.api.periods import parse_period
from hotline.web.auth import SMALL_BODY, requires
from hotline.web.pages.blueprint import bp
from hotline.web.pages.session import View
from hotline.web.problems import Problem
from hotline.web.runtime import actor, runtime

PAGE = 50
EXPORT_PAGE = 2_000
LARGEST_EXPORT = 100_000

COLUMNS = ("编号", "时间", "账号", "姓名", "角色", "动作", "对象", "地址", "理由", "详情", "封印")


@bp.get("/audit")
@requires(Permission.READ_AUDIT)
def audit_log() -> View:
    """The entries that match the form, the newest first."""
    try:
        command = _command()
    except Problem:
        return _page(FindEntries(), [], wrong_period=True), 422
    with transaction(runtime().sessions) as session:
        found = audit.find(session, replace(command, limit=PAGE))
    return _page(command, found)


def _command() -> FindEntries:
    """Read the form.  Raises ``Problem`` when a date cannot be read or the period is empty."""
    given = {name: request.args.get(name, "").strip()[:100] for name in ("account", "action", "from", "to", "before")}
    period = None
    if given["from"] or given["to"]:
        today = runtime().context.now().astimezone(CITY_ZONE).date().isoformat()
        start = given["from"] or "2000-01-01"
        period = parse_period(start, given["to"] or today, runtime().context.now(), longest=None)
    return FindEntries(
        account=given["account"] or None,
        action=given["action"] or None,
        since=period.start if period else None,
        until=period.end if period else None,
        before=int(given["before"]) if given["before"].isdecimal() and len(given["before"]) < 18 else None,
    )


def _page(command: FindEntries, found: Sequence[FoundEntry], **more: Any) -> str:
    with transaction(runtime().sessions) as session:
        actions = audit.actions(session)
    shown = {name: value for name in ("account", "action", "from", "to") if (value := request.args.get(name, "")[:100])}
    older = found[-1].entry.id if len(found) == PAGE else None
    return render_template(
        "audit.html", found=found, actions=actions, names=AUDIT_NAMES, shown=shown, older=older, command=command, **more
    )


@bp.post("/audit/verify")
@requires(Permission.READ_AUDIT, longest_body=SMALL_BODY)
def verify_audit_log() -> View:
    """Walk the whole chain and say whether it holds; with a seal noted earlier, whether it is still in it."""
    expected = request.form.get("seal", "").strip()[:100] or None
    with transaction(runtime().sessions) as session:
        verified = audit.verify(session, runtime().context, expected)
        detail = {"entries": verified.entries, "holds": verified.broken_at is None}
        audit.append(session, runtime().context, actor(), AuditAction.AUDIT_VERIFIED, detail=detail)
        found = audit.find(session, FindEntries(limit=PAGE))
    return _page(FindEntries(), found, verified=verified)


@bp.get("/audit/export")
@requires(Permission.READ_AUDIT)
def export_audit_log() -> Response:
    """The matching entries as CSV, the newest first; the export itself is recorded."""
    command = _command()
    with transaction(runtime().sessions) as session:
        detail = {
            "account": command.account,
            "action": command.action,
            "since": command.since.isoformat() if command.since else None,
            "until": command.until.isoformat() if command.until else None,
        }
        audit.append(session, runtime().context, actor(), AuditAction.AUDIT_EXPORTED, detail=detail)
    parts = runtime()

    def lines() -> Iterator[str]:
        # Spreadsheets take a file for UTF-8 only when it begins with this mark.
        yield "\ufeff" + _line(COLUMNS)
        with transaction(parts.sessions) as session:
            for found in _all(session, command):
                yield _line(_cells(found))

    response = Response(lines(), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = "attachment; filename=audit.csv"
    return response


def _all(session: Session, command: FindEntries) -> Iterator[FoundEntry]:
    for _ in range(LARGEST_EXPORT // EXPORT_PAGE):
        found = audit.find(session, replace(command, limit=EXPORT_PAGE))
        yield from found
        session.expunge_all()
        if len(found) < EXPORT_PAGE:
            return
        command = replace(command, before=found[-1].entry.id)


def _cells(found: FoundEntry) -> tuple[object, ...]:
    entry, account = found.entry, found.account
    return (
        entry.id,
        entry.at.astimezone(CITY_ZONE).isoformat(timespec="seconds"),
        account.username if account else "",
        account.display_name if account else "",
        ROLE_NAMES[Role(entry.role)],
        AUDIT_NAMES.get(entry.action, entry.action),
        entry.subject or "",
        entry.address or "",
        entry.reason or "",
        orjson.dumps(entry.detail).decode() if entry.detail else "",
        entry.seal,
    )


def _line(cells: Sequence[object]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow([_harmless(str(cell)) for cell in cells])
    return text.getvalue()


def _harmless(cell: str) -> str:
    """Keep a spreadsheet from running a cell as a formula: people's own words stand in some."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
