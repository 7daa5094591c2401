"""``hotline keys``: make, count and rotate the keys that personal data is sealed with."""

import sys
from collections import Counter
from pathlib import Path

import click

from hotline.bootstrap import Runtime
from hotline.cli.installation import data_option, on_installation
from hotline.cli.runtime import open_runtime
from hotline.domain.audit import AuditAction
from hotline.domain.people import SYSTEM
from hotline.embedded import is_in_use
from hotline.services import audit, keys
from hotline.storage.engine import transaction
from hotline.storage.vault import VaultError

HOW_TO_ROTATE = """
This key is shown once.  To put it into use while the system runs:
  1. add it at the END of HOTLINE_ENCRYPTION_KEYS of every web, worker and beat, and restart them:
     from now on all of them can open what it seals;
  2. move it to the FRONT everywhere and restart: new values are sealed with it;
  3. hotline keys rotate     seals the old values anew;
  4. hotline keys status     must show 0 values for the old key; then take that one out and restart.
Keep the old key with the backups that were made before: they open with nothing else.
With `hotline up` the keys are "encryption_key" in the data folder's secrets.json, separated by commas; it restarts as
a whole, so that the new key can go to the front at once."""


@click.group()
def command() -> None:
    """Make, count and rotate the keys that personal data is sealed with.

    \b
    Examples:
      hotline keys new                   a fresh key, and what to do with it
      hotline keys status                how many values each key opens
      hotline keys rotate                seal everything with the newest key
      hotline keys status --data .hotline
    """


@command.command()
def new() -> None:
    """Print a fresh key to standard output, and what to do with it to standard error.  Nothing is changed.

    \b
    Examples:
      hotline keys new
      hotline keys new > /run/secrets/new-key
    """
    from cryptography.fernet import Fernet

    click.echo(Fernet.generate_key().decode())
    click.echo(HOW_TO_ROTATE, err=True)


@command.command()
@data_option
def status(data: Path | None) -> None:
    """Say how many sealed values each key opens.  Ends with status 1 when some open with none.

    \b
    Examples:
      hotline keys status
      hotline keys status --data .hotline
    """
    from tqdm import tqdm

    with on_installation(data), open_runtime() as parts, transaction(parts.sessions) as session:
        found: Counter[int | None] = Counter()
        total = keys.rows_with_values(session)
        counted = keys.count(session, parts.context)
        for one in tqdm(counted, total=total, unit="row", desc="counting", file=sys.stderr, disable=None):
            found.update(one)
    for number, mark in enumerate(parts.context.vault.marks):
        role = "newest, seals" if number == 0 else "old; may go once nothing needs it" if not found[number] else "old"
        click.echo(f"key {number + 1}  {mark}  {found[number]:>9} values  ({role})")
    if found[None]:
        raise click.ClickException(
            f"{found[None]} values open with no key: add the key that they were sealed with to HOTLINE_ENCRYPTION_KEYS"
        )


@command.command()
@data_option
def rotate(data: Path | None) -> None:
    """Seal every value with the newest key, in batches and while the system runs.

    A run that is interrupted is simply started again.

    Ends with status 1 when some process still seals with an old key.

    \b
    Examples:
      hotline keys rotate
      hotline keys rotate --data .hotline
    """
    if data is not None and is_in_use(data) and _keys_changed_since_start(data):
        raise click.ClickException(
            f"the keys were changed after Hotline was started in {data}: restart it first, or it cannot open what the "
            "new key seals"
        )
    with on_installation(data), open_runtime() as parts:
        try:
            resealed, since = _one_pass(parts), _one_pass(parts)
        except VaultError as error:
            raise click.ClickException(f"{error}; `hotline keys status` counts them") from None
        mark = parts.context.vault.marks[0]
        if resealed + since:
            with transaction(parts.sessions) as session:
                detail = {"values": resealed + since, "key": mark}
                audit.append(session, parts.context, SYSTEM, AuditAction.KEYS_ROTATED, detail=detail)
    if since:
        raise click.ClickException(
            f"{resealed + since} values sealed anew, {since} of them while this ran: some process still seals with an "
            "old key; put the new one in front everywhere, restart, and run this again"
        )
    click.echo(f"{resealed} values sealed anew; everything is sealed with key {mark}")
    if len(parts.context.vault.marks) > 1:
        click.echo("check with `hotline keys status`, then take the old keys out of HOTLINE_ENCRYPTION_KEYS")


def _keys_changed_since_start(data: Path) -> bool:
    """Tell whether secrets.json is younger than the running processes, which read it when they started."""
    started = data / "run" / "pids.json"
    return started.exists() and (data / "secrets.json").stat().st_mtime > started.stat().st_mtime


def _one_pass(parts: Runtime) -> int:
    """Seal anew what the rows of this moment hold, and return how many values; later rows are the next pass's.

    So a pass ends however fast calls come in.
    """
    from tqdm import tqdm

    with transaction(parts.sessions) as session:
        total = keys.rows_with_values(session)
    resealed = 0
    with tqdm(total=total, unit="row", desc="sealing", file=sys.stderr, disable=None) as progress:
        for table, columns in keys.SEALED:
            with transaction(parts.sessions) as session:
                end = keys.newest_id(session, table)
            last: int | None = 0
            while last is not None and last < end:
                with transaction(parts.sessions) as session:
                    batch = keys.rotate(session, parts.context, table, columns, after_id=last)
                resealed += batch.resealed
                progress.update(batch.rows)
                last = batch.last_id
    return resealed
