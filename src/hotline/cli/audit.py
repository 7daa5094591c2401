"""``hotline audit``: read the audit log and verify that none of it was changed."""

import sys
from datetime import datetime, time, timedelta

import click
import orjson

from hotline.cli.runtime import open_runtime
from hotline.domain.city_time import CITY_ZONE
from hotline.services import audit
from hotline.services.audit import FindEntries
from hotline.storage.engine import transaction

DAY = click.DateTime(["%Y-%m-%d"])


@click.group()
def command() -> None:
    """The audit log: read it, and verify that no entry was changed, deleted or reordered.

    Note the seal from time to time where the database's keepers cannot write; it proves later that the end was not cut.

    \b
    Examples:
      hotline audit verify                          0: it holds; 1: it does not
      hotline audit seal                            the newest seal, to be noted elsewhere
      hotline audit verify --expect 3f9a…           is the seal noted earlier still in it?
      hotline audit list --account agent01 --since 2026-11-01
    """


@command.command()
@click.option("--expect", metavar="SEAL", help="A seal noted earlier, which must still be in the log.")
def verify(expect: str | None) -> None:
    """Walk the chain of seals from its beginning.  Ends with status 0 when it holds and with 1 when it does not.

    \b
    Examples:
      hotline audit verify
      hotline audit verify --expect "$(cat /mnt/safe/audit-seal)"
    """
    with open_runtime() as parts, transaction(parts.sessions) as session:
        found = audit.verify(session, parts.context, expect.strip().lower() if expect else None)
    if found.broken_at is None:
        click.echo(f"the audit log holds: {found.entries} entries, newest seal {found.last_seal}")
        return
    if found.broken_at == audit.SEAL_MISSING:
        click.echo(
            f"the {found.entries} entries hold together, but the expected seal is not among them: the end of the log "
            "was cut off, or the seal is another log's",
            err=True,
        )
    else:
        click.echo(
            f"the audit log is broken at entry {found.broken_at}: it or an entry before it was changed, deleted or "
            f"reordered; the {found.entries} entries before it hold",
            err=True,
        )
    sys.exit(1)


@command.command()
def seal() -> None:
    """Print the newest seal, to be noted where the database's keepers cannot write.

    \b
    Example:
      hotline audit seal > /mnt/safe/audit-seal
    """
    with open_runtime() as parts, transaction(parts.sessions) as session:
        entries, newest = audit.last_seal(session)
    click.echo(newest)
    click.echo(f"{entries} entries", err=True)


@command.command("list")
@click.option("--account", help="Only entries by or about this account.")
@click.option("--action", help="Only this action, such as login.failed.")
@click.option("--since", type=DAY, help="From this day on (the city's time).")
@click.option("--until", type=DAY, help="Up to and with this day.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True)
def list_(account: str | None, action: str | None, since: datetime | None, until: datetime | None, limit: int) -> None:
    """List entries, the newest first, as one line of JSON each.

    \b
    Examples:
      hotline audit list --action caller.revealed --since 2026-11-01 --until 2026-11-30
      hotline audit list --account admin --limit 1000
    """
    wanted = FindEntries(
        account=account,
        action=action,
        since=_midnight(since) if since else None,
        until=_midnight(until) + timedelta(days=1) if until else None,
        limit=limit,
    )
    with open_runtime() as parts, transaction(parts.sessions) as session:
        for found in audit.find(session, wanted):
            entry = found.entry
            line = {
                "id": entry.id,
                "at": entry.at.astimezone(CITY_ZONE).isoformat(timespec="seconds"),
                "account": found.account.username if found.account else None,
                "role": entry.role,
                "action": entry.action,
                "subject": entry.subject,
                "address": entry.address,
                "reason": entry.reason,
                "detail": entry.detail,
                "seal": entry.seal,
            }
            click.echo(orjson.dumps(line).decode())


def _midnight(day: datetime) -> datetime:
    return datetime.combine(day.date(), time(), CITY_ZONE)
