"""``hotline restore``: bring a backup back, and check that it is whole."""

import json
from pathlib import Path

import click

from hotline.bootstrap import Runtime
from hotline.cli.backup import attachments_file, programs
from hotline.cli.installation import SECRETS, data_option, on_installation
from hotline.cli.runtime import open_runtime
from hotline.domain.audit import AuditAction
from hotline.domain.people import SYSTEM
from hotline.services import audit, backup
from hotline.storage import dump, migrate
from hotline.storage.engine import transaction
from hotline.storage.file_archive import Archived, ArchiveError, read_archive


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--replace", is_flag=True, help="Replace a database that holds tickets.")
@click.option("--yes", is_flag=True, help="With --replace: do not ask.")
@click.option("--online", is_flag=True, help="Restore although web servers or workers are connected.")
@click.option(
    "--secrets",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The backup's FILE.secrets.json.  With --data its keys replace the folder's; otherwise it serves the checks.",
)
@data_option
def command(file: Path, replace: bool, yes: bool, online: bool, secrets: Path | None, data: Path | None) -> None:
    """Put the backup FILE in the place of the whole database, and check what came back.

    Attachments come from FILE.attachments.tar, where that lies beside it.  All of it or nothing: when something fails,
    the database is as it was.  A database that holds tickets is refused without --replace.  Afterwards the migration,
    the audit chain, the sealed values and the attachments are checked.

    \b
    Examples:
      hotline restore /backup/hotline-20261125.dump
      hotline restore demo.dump --data .hotline --secrets demo.dump.secrets.json
      hotline restore /backup/hotline-20261125.dump --replace
    """
    keys = _read_secrets(secrets) if secrets else None
    try:
        tools = programs()
        revision = dump.revision_in(tools, file)
        if not migrate.is_known(revision):
            raise click.ClickException(f"{file} was made by a newer Hotline (migration {revision}): install that first")
        with on_installation(data, create=True, secrets=keys), open_runtime() as parts:
            _may_replace(parts, replace, yes, online)
            parts.engine.dispose()
            # First, since a file that no ticket knows does no harm and a ticket whose file is missing does.
            archived = _restore_files(parts, attachments_file(file))
            dump.load(tools, parts.settings.database_url, file)
            _report(parts, file, revision)
            _report_files(parts, archived, attachments_file(file))
    except (dump.DumpError, ArchiveError) as error:
        raise click.ClickException(str(error)) from None


def _read_secrets(path: Path) -> dict[str, str]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {name: str(found[name]) for name in SECRETS}
    except (OSError, ValueError, KeyError, TypeError):
        raise click.ClickException(f"{path} holds no keys of a backup ({', '.join(SECRETS)})") from None


def _may_replace(parts: Runtime, replace: bool, yes: bool, online: bool) -> None:
    """Refuse, or ask, before anything is replaced."""
    with parts.engine.connect() as connection:
        tickets, others = backup.tickets_in(connection), backup.others_connected(connection)
    if tickets and not replace:
        raise click.ClickException(
            f"the database holds {tickets} tickets, which a restore would replace: say --replace if that is meant"
        )
    if others and not online:
        raise click.ClickException(
            f"{others} connections of web servers or workers are open: stop them first, or say --online to have them "
            "wait and go on with the restored data"
        )
    if tickets and not yes:
        click.confirm(f"Replace {tickets} tickets, and with them all that happened since the backup?", abort=True)


def _restore_files(parts: Runtime, path: Path) -> Archived | None:
    if not path.exists():
        return None
    if parts.context.files is None:
        raise ArchiveError(f"there is no folder to put {path} into: set HOTLINE_ATTACHMENTS_FOLDER, or move it away")
    return read_archive(parts.context.files, path)


def _report_files(parts: Runtime, archived: Archived | None, path: Path) -> None:
    """Say how many attachments came back; end with status 1 when a ticket's are missing."""
    if archived is not None:
        click.echo(f"{path}: {archived.files} attachments are back")
    with transaction(parts.sessions) as session:
        missing = backup.missing_files(session, parts.context)
    if missing:
        raise click.ClickException(
            f"{missing} attachments' files are missing: put {path.name} beside the backup and restore again, or copy "
            "the attachments' folder back; everything else is restored"
        )


def _report(parts: Runtime, file: Path, revision: str) -> None:
    """Say what came back, and end with status 1 when something of it is not whole."""
    if revision != migrate.head():
        click.echo(f"{file} is restored at migration {revision}; this program needs {migrate.head()}")
        raise click.ClickException("run `hotline db upgrade`, then `hotline audit verify` and `hotline keys status`")
    with transaction(parts.sessions) as session:
        held, found = backup.holdings(session), backup.check(session, parts.context)
    click.echo(f"{file} is restored: {held.tickets} tickets, migration {revision}")
    if found.audit.broken_at is not None or found.unopened:
        raise click.ClickException(_what_is_wrong(found))
    click.echo(f"the audit log holds: {held.audit_entries} entries, newest seal {held.last_seal}")
    click.echo(f"sealed values open: {found.sampled} tried; `hotline keys status` tries all")
    click.echo(f"the next {dump.NUMBERS_LEFT_OUT} ticket numbers are left out, since citizens may have been told some")
    with transaction(parts.sessions) as session:
        audit.append(session, parts.context, SYSTEM, AuditAction.RESTORED, detail={"tickets": held.tickets})


def _what_is_wrong(found: backup.Soundness) -> str:
    wrong = []
    if found.unopened:
        wrong.append(f"{found.unopened} of {found.sampled} sealed values do not open")
    if found.audit.broken_at is not None:
        wrong.append(f"the audit log does not verify from entry {found.audit.broken_at} on")
    advice = "the keys are not those of the backup: give its secrets with --secrets, or set the HOTLINE_… keys, and"
    return f"{' and '.join(wrong)}; probably {advice} restore again with --replace"
