"""``hotline reports``: make anew what the reports are computed from, and hold it against the raw events."""

import sys
from itertools import islice

import click
from sqlalchemy import select
from tqdm import tqdm

from hotline.cli.runtime import open_runtime
from hotline.services import countings
from hotline.storage.engine import transaction
from hotline.storage.tables import Ticket

# Reading events takes memory; a batch of this size is some megabytes.
VERIFIED_AT_ONCE = 500


@click.group()
def command() -> None:
    """Look after the figures of the reports.

    \b
    Examples:
      hotline reports verify            recompute every counting from the raw events and compare
      hotline reports rebuild           make them anew, for instance after a new version's definitions
    """


@command.command()
def rebuild() -> None:
    """Make all countings anew from what the tickets went through.  Reports can be read meanwhile, in parts."""
    with open_runtime() as parts:
        with transaction(parts.sessions) as session:
            total = countings.number_of_tickets(session)
        done = 0
        with tqdm(total=total, unit=" tickets", disable=not sys.stderr.isatty()) as progress:
            for number in countings.rebuild(parts.sessions):
                done += number
                progress.update(number)
    click.echo(f"{done} tickets counted")


@command.command()
@click.option("--newest", type=click.IntRange(1), help="Only so many of the newest tickets.")
def verify(newest: int | None) -> None:
    """Recompute the countings of tickets from their raw events; end with status 1 when any differs."""
    verified = countings.Verified()
    with open_runtime() as parts:
        with transaction(parts.sessions) as session:
            while countings.catch_up(session):
                pass
            query = select(Ticket.id).where(Ticket.anonymised_at.is_(None)).order_by(Ticket.id.desc()).limit(newest)
            ids = list(session.scalars(query))
        with tqdm(total=len(ids), unit=" tickets", disable=not sys.stderr.isatty()) as progress:
            remaining = iter(ids)
            while batch := list(islice(remaining, VERIFIED_AT_ONCE)):
                with transaction(parts.sessions) as session:
                    countings.verify(session, batch, verified)
                progress.update(len(batch))
    click.echo(f"{verified.tickets} tickets with {verified.countings} countings recomputed from their events")
    if verified.differing:
        shown = ", ".join(verified.differing[:20])
        raise click.ClickException(f"{len(verified.differing)} tickets differ: {shown}; see `hotline reports rebuild`")
    click.echo("every figure is what the events say")
