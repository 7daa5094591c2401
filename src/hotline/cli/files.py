"""Files that commands read and write: YAML or JSON of a modest size, and how changed dues are shown."""

from datetime import datetime
from pathlib import Path
from typing import Any

import click
import yaml

from hotline.domain.city_time import CITY_ZONE
from hotline.services.dues import Shift

LARGEST_FILE = 1 << 20
SHOWN = 20

# What a command says at the end, after a dry run and after the import.
OUTCOME = {
    True: "nothing was changed; --yes imports it",
    False: "imported; every process takes it up within seconds, and open tickets' dues follow",
}

FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
DRY_RUN = click.option("--dry-run", is_flag=True, help="Say what would change and change nothing.")
YES = click.option("--yes", is_flag=True, help="Import it.")


def one_of(dry_run: bool, yes: bool) -> None:
    """Refuse a command that was told neither to look nor to do it, or both."""
    if dry_run == yes:
        raise click.UsageError("say --dry-run to see what would change, or --yes to import it")


def read_parsed(path: Path) -> Any:
    """Return the content of a YAML or JSON file.  Raises ``ClickException`` when it cannot be read."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise click.ClickException(f"{path.name} is larger than {LARGEST_FILE} bytes")
        return yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise click.ClickException(f"{path.name} is neither YAML nor JSON: {type(error).__name__}") from None
    except OSError as error:
        raise click.ClickException(f"{path.name} cannot be read: {error.strerror}") from None


def write_yaml(value: Any) -> None:
    """Print ``value`` as YAML."""
    click.echo(yaml.safe_dump(value, allow_unicode=True, sort_keys=False, width=120), nl=False)


def show_shifts(shifts: list[Shift]) -> None:
    """Say which dues of open tickets would move."""
    tickets = len({shift.number for shift in shifts})
    click.echo(f"dues of open tickets that would move: {len(shifts)} (of {tickets} tickets)")
    for shift in shifts[:SHOWN]:
        before, after = (
            f"{due.astimezone(CITY_ZONE):%Y-%m-%d %H:%M}" if due else "—" for due in (shift.before, shift.after)
        )
        click.echo(f"  {shift.number}  {shift.due:<12}  {before} → {after}")
    if len(shifts) > SHOWN:
        click.echo(f"  … and {len(shifts) - SHOWN} more")


def _moment(due: datetime | None) -> str:
    return f"{due.astimezone(CITY_ZONE):%Y-%m-%d %H:%M}" if due else "—"
