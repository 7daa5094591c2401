"""``hotline backup``: the whole database in one file, and what is attached to tickets in another beside it."""

import json
import os
from pathlib import Path

import click
from sqlalchemy import text
from sqlalchemy.orm import Session

from hotline.bootstrap import Runtime
from hotline.cli.installation import SECRETS, data_option, on_installation
from hotline.cli.runtime import open_runtime
from hotline.domain.audit import AuditAction
from hotline.domain.people import SYSTEM
from hotline.embedded import EmbeddedError
from hotline.embedded.postgres import postgres_programs
from hotline.services import audit, backup
from hotline.services.backup import Holdings
from hotline.storage import dump, migrate
from hotline.storage.engine import transaction
from hotline.storage.file_archive import Archived, ArchiveError, write_archive
from hotline.storage.files import FileStore


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--with-secrets", is_flag=True, help="Write the keys, too, into FILE.secrets.json.")
@click.option("--without-attachments", is_flag=True, help="Leave FILE.attachments.tar out: you copy their folder.")
@data_option
def command(file: Path, with_secrets: bool, without_attachments: bool, data: Path | None) -> None:
    """Write the whole database to FILE, as of one moment, while the system runs.

    Attachments go to FILE.attachments.tar, where there are any.  FILE holds citizens' words in clear and their names
    and phones sealed: keep it as safe as the database.  Without the keys (HOTLINE_ENCRYPTION_KEYS, HOTLINE_INDEX_KEY,
    HOTLINE_SECRET_KEY, or DATA/secrets.json) nobody will ever open the sealed values again; keep them apart from FILE,
    since both together open everything.

    \b
    Examples:
      hotline backup /backup/hotline-20261125.dump
      hotline backup --data .hotline --with-secrets demo.dump
    """
    with on_installation(data), open_runtime() as parts:
        files = None if without_attachments else parts.context.files
        try:
            held, archived = _write(parts, file.absolute(), files)
        except (dump.DumpError, ArchiveError) as error:
            raise click.ClickException(str(error)) from None
        with transaction(parts.sessions) as session:
            audit.append(session, parts.context, SYSTEM, AuditAction.BACKED_UP, detail={"tickets": held.tickets})
        if with_secrets:
            _write_secrets(secrets_file(file))
    click.echo(f"{file}: {held.tickets} tickets, {file.stat().st_size / 1e6:.1f} MB, migration {migrate.head()}")
    click.echo(f"audit log in it: {held.audit_entries} entries, newest seal {held.last_seal}")
    click.echo(_about_attachments(file, archived))
    if with_secrets:
        click.echo(f"keys: {secrets_file(file)} (keep it apart from the backup)")
    else:
        keys = data / "secrets.json" if data else "HOTLINE_ENCRYPTION_KEYS, HOTLINE_INDEX_KEY and HOTLINE_SECRET_KEY"
        click.echo(f"keep a copy of the keys elsewhere: {keys}; the backup is of no use without them")


def programs() -> dump.Programs:
    """Return PostgreSQL's programs: those that `make install` brings, else those on PATH."""
    try:
        folder: Path | None = postgres_programs()
    except EmbeddedError:
        folder = None
    return dump.find_programs(folder)


def secrets_file(file: Path) -> Path:
    """Return where the keys of the backup ``file`` are written."""
    return file.with_name(file.name + ".secrets.json")


def attachments_file(file: Path) -> Path:
    """Return where the attachments of the backup ``file`` are written."""
    return file.with_name(file.name + ".attachments.tar")


def _write(parts: Runtime, file: Path, files: FileStore | None) -> tuple[Holdings, Archived | int]:
    """Dump what one snapshot sees; return what that was, and the attachments' archive or how many were left out."""
    with parts.engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection, connection.begin():
        # The snapshot lives as long as this transaction, which does nothing while pg_dump works.
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        snapshot = connection.scalar(text("SELECT pg_export_snapshot()"))
        session = Session(connection)
        held, digests = backup.holdings(session), backup.attached_files(session)
        if digests and files is not None and attachments_file(file).exists():
            raise ArchiveError(f"{attachments_file(file)} exists already: choose another name")
        dump.dump(programs(), parts.settings.database_url, file, str(snapshot))
    if not digests or files is None:
        return held, len(digests)
    try:
        return held, write_archive(files, digests, attachments_file(file))
    except ArchiveError as error:
        raise ArchiveError(f"{file} is written, but not what is attached to its tickets: {error}") from None


def _about_attachments(file: Path, archived: Archived | int) -> str:
    if isinstance(archived, int):
        return f"{archived} attachments are NOT in it: copy their folder" if archived else "there are no attachments"
    gone = f"; {archived.missing} were no longer there" if archived.missing else ""
    return f"{attachments_file(file)}: {archived.files} attachments, {archived.size / 1e6:.1f} MB{gone}"


def _write_secrets(path: Path) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise click.ClickException(f"the backup is written, but not {path} ({error.strerror})") from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump({name: os.environ[variable] for name, variable in SECRETS.items()}, file, indent=2)
