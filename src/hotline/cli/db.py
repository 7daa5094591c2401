"""``hotline db``: migrate the database and tell its version."""

import click

from hotline.cli.runtime import open_runtime, plain_refusals, settings_or_exit
from hotline.storage import migrate


@click.group()
def command() -> None:
    """Create, migrate and inspect the database that HOTLINE_DATABASE_URL names.

    \b
    Examples:
      hotline db upgrade              bring it to the newest version
      hotline db downgrade 0001       go back to a version
      hotline db current              tell the version
    """


@command.command()
@click.argument("revision", default="head")
def upgrade(revision: str) -> None:
    """Migrate up to REVISION (the newest unless told otherwise)."""
    with plain_refusals():
        migrate.upgrade(settings_or_exit().database_url, revision)
    click.echo(f"the database is at {migrate.head() if revision == 'head' else revision}")


@command.command()
@click.argument("revision")
@click.confirmation_option(prompt="Tables above this version are dropped with their data. Go on?")
def downgrade(revision: str) -> None:
    """Migrate down to REVISION ("base" removes every table)."""
    with plain_refusals():
        migrate.downgrade(settings_or_exit().database_url, revision)
    click.echo(f"the database is at {revision}")


@command.command()
def current() -> None:
    """Tell the database's version and the program's."""
    with open_runtime() as parts:
        found = migrate.current(parts.engine)
    click.echo(f"database: {found or 'empty or unreachable'}\nprogram:  {migrate.head()}")
