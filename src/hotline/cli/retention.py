"""``hotline retention``: close out personal data that has been kept long enough."""

import sys
from datetime import datetime
from pathlib import Path

import click

from hotline.bootstrap import KEEP_IDEMPOTENCY_KEYS, Runtime
from hotline.cli.installation import data_option, on_installation
from hotline.cli.runtime import open_runtime
from hotline.domain.city_time import CITY_ZONE
from hotline.domain.people import SYSTEM
from hotline.domain.retention import closes_before
from hotline.services import retention
from hotline.storage.engine import transaction


@click.group()
def command() -> None:
    """Close out the personal data of tickets that ended long ago.

    The caller goes, and every word that somebody wrote; numbers, states, dates, matters and departments stay, so that
    every figure is the same afterwards.  What is closed out does not come back: keep a backup as long as the law says.

    \b
    Examples:
      hotline retention run --dry-run              what would be closed out, by year
      hotline retention run --yes                  close it out (three years, or HOTLINE_RETENTION_DAYS)
      hotline retention run --dry-run --days 365 --data .hotline
    """


@command.command()
@click.option("--dry-run", is_flag=True, help="Say what would be closed out and change nothing.")
@click.option("--yes", is_flag=True, help="Close it out.")
@click.option("--days", type=click.IntRange(30, 36_500), help="Days after the end [default: HOTLINE_RETENTION_DAYS].")
@data_option
def run(dry_run: bool, yes: bool, days: int | None, data: Path | None) -> None:
    """Close out tickets that ended longer ago than --days.  A run that is interrupted is simply started again.

    \b
    Examples:
      hotline retention run --dry-run
      hotline retention run --yes --days 730
    """
    if dry_run == yes:
        raise click.UsageError("say --dry-run to see what would be closed out, or --yes to do it")
    with on_installation(data), open_runtime() as parts:
        before = closes_before(parts.context.now(), days or parts.settings.retention_days)
        with transaction(parts.sessions) as session:
            found = retention.plan(session, before)
        _tell(found, before)
        if dry_run:
            click.echo("nothing was changed; --yes closes them out")
        elif found.total:
            click.echo(f"{_close_out(parts, before, found.total)} tickets closed out")
        if yes:
            with transaction(parts.sessions) as session:
                pruned = retention.prune_keys(session, keep=KEEP_IDEMPOTENCY_KEYS)
            click.echo(f"{pruned} idempotency keys deleted")


def _tell(found: retention.Plan, before: datetime) -> None:
    click.echo(f"tickets that ended before {_moment(before)} and still hold personal data: {found.total}")
    for year, number in found.by_year.items():
        click.echo(f"  ended in {year}  {number:>8}")
    if found.oldest is not None and found.newest is not None:
        click.echo(f"  oldest {_moment(found.oldest)}, newest {_moment(found.newest)}")


def _moment(instant: datetime) -> str:
    return f"{instant.astimezone(CITY_ZONE):%Y-%m-%d %H:%M}"


def _close_out(parts: Runtime, before: datetime, total: int) -> int:
    from tqdm import tqdm

    done, last = 0, 0
    with tqdm(total=total, unit="ticket", desc="closing out", file=sys.stderr, disable=None) as progress:
        while True:
            with transaction(parts.sessions) as session:
                batch = retention.close_out(session, parts.context, SYSTEM, before, after_id=last)
            if batch.last_id is None:
                return done
            done, last = done + batch.tickets, batch.last_id
            progress.update(batch.tickets)
