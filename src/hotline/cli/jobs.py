"""``hotline jobs``: see, replay and prune background jobs."""

from datetime import timedelta

import click

from hotline.cli.runtime import open_runtime
from hotline.jobs import queue
from hotline.jobs.registry import KINDS
from hotline.storage.engine import transaction

STATES = ("queued", "running", "done", "dead")


@click.group()
def command() -> None:
    """See, replay and prune background jobs.

    A job that failed at every try is dead: it stays, with its error, until somebody replays it.

    \b
    Examples:
      hotline jobs counts                     how many of each kind in each state
      hotline jobs list --state dead          what could not be done, and why
      hotline jobs replay 1201 1202           try these again
      hotline jobs replay --all --kind triage try all dead triage jobs again
    """


@command.command()
def counts() -> None:
    """Count jobs by kind and state."""
    with open_runtime() as parts, transaction(parts.sessions) as session:
        found = queue.counts(session)
    if not found:
        click.echo("there are no jobs")
    for (kind, state), number in sorted(found.items()):
        click.echo(f"{kind:<12} {state:<8} {number:>8}")


@command.command("list")
@click.option("--state", type=click.Choice(STATES), help="Only jobs in this state.")
@click.option("--kind", type=click.Choice(sorted(KINDS)), help="Only jobs of this kind.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
def list_(state: str | None, kind: str | None, limit: int) -> None:
    """List jobs, newest first."""
    with open_runtime() as parts, transaction(parts.sessions) as session:
        found = queue.listed(session, state=state, kind=kind, limit=limit)
    if not found:
        click.echo("no jobs match")
    for job in found:
        tries = f"{job.attempts}/{job.max_attempts}"
        click.echo(
            f"{job.id:>10}  {job.kind:<12} {job.state:<8} {tries:>6}  {job.args}  {job.last_error or ''}".rstrip()
        )


@command.command()
@click.argument("job_ids", nargs=-1, type=int)
@click.option("--all", "everything", is_flag=True, help="All dead jobs (of --kind, when given).")
@click.option("--kind", type=click.Choice(sorted(KINDS)), help="With --all: only this kind.")
def replay(job_ids: tuple[int, ...], everything: bool, kind: str | None) -> None:
    """Queue dead jobs anew: those with JOB_IDS, or --all."""
    if bool(job_ids) == everything:
        raise click.UsageError("name the jobs by their ids, or say --all")
    with open_runtime() as parts, transaction(parts.sessions) as session:
        number = queue.replay(session, job_ids=list(job_ids) or None, kind=kind)
    click.echo(f"{number} dead {'job' if number == 1 else 'jobs'} queued anew")


@command.command()
@click.option("--days", type=click.IntRange(0, 3650), default=7, show_default=True, help="Keep what finished since.")
def prune(days: int) -> None:
    """Delete done jobs that finished long ago.  Dead ones stay."""
    with open_runtime() as parts, transaction(parts.sessions) as session:
        number = queue.prune(session, keep=timedelta(days=days))
    click.echo(f"{number} done {'job' if number == 1 else 'jobs'} deleted")
