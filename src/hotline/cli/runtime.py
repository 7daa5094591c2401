"""What commands share: the settings or a clear refusal, and the runtime over them."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click
from alembic.util import CommandError
from sqlalchemy.exc import OperationalError, ProgrammingError

from hotline.bootstrap import Runtime, start
from hotline.settings import Settings, SettingsError, load_settings


def settings_or_exit() -> Settings:
    """Return the settings; print what is missing and end with status 2 when they cannot be used."""
    try:
        return load_settings()
    except SettingsError as error:
        click.echo(str(error), err=True)
        sys.exit(2)


# What the database means when it refuses (SQLSTATE).
_LOCK_NOT_AVAILABLE = "55P03"
_NO_SUCH_TABLE, _NO_SUCH_COLUMN = "42P01", "42703"


@contextmanager
def plain_refusals() -> Iterator[None]:
    """Turn what a database refuses for a known reason into one line that says what to do, and end with status 1."""
    try:
        yield
    except CommandError as error:
        raise click.ClickException(str(error)) from None
    except (OperationalError, ProgrammingError) as error:
        state = getattr(error.orig, "sqlstate", None)
        if state in (_NO_SUCH_TABLE, _NO_SUCH_COLUMN):
            raise click.ClickException("the database is older than this program: run `hotline db upgrade`") from None
        if state == _LOCK_NOT_AVAILABLE:
            raise click.ClickException("the database is busy and nothing was changed: try again shortly") from None
        if isinstance(error, OperationalError):
            advice = "check that it runs and that HOTLINE_DATABASE_URL is right"
            raise click.ClickException(f"the database cannot be reached: {advice}") from None
        raise


@contextmanager
def open_runtime() -> Iterator[Runtime]:
    """Open the runtime for one command."""
    parts = start(settings_or_exit())
    try:
        with plain_refusals():
            yield parts
    finally:
        parts.close()
