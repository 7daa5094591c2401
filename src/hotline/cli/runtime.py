"""What commands share: the settings or a clear refusal, and the runtime over them."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from hotline.bootstrap import Runtime, start
from hotline.settings import Settings, SettingsError, load_settings


def settings_or_exit() -> Settings:
    """Return the settings; print what is missing and end with status 2 when they cannot be used."""
    try:
        return load_settings()
    except SettingsError as error:
        click.echo(str(error), err=True)
        sys.exit(2)


@contextmanager
def open_runtime() -> Iterator[Runtime]:
    """Open the runtime for one command."""
    parts = start(settings_or_exit())
    try:
        yield parts
    finally:
        parts.close()
