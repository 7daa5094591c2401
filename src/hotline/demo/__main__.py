"""Prepare the demo in a process of its own, which gives back the memory that a city's history takes."""

import sys
from pathlib import Path

import click

from hotline.demo.build import prepare_demo
from hotline.settings import SettingsError, load_settings


def main() -> None:
    """Prepare the demo whose ``demo.json``, address and number of calls the command line names."""
    file, url, calls = sys.argv[1:]
    try:
        settings = load_settings()
    except SettingsError as error:
        click.echo(str(error), err=True)
        sys.exit(2)
    prepare_demo(settings, Path(file), url, lambda line: click.echo(line, err=True), int(calls))


if __name__ == "__main__":
    main()
