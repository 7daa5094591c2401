"""``hotline knowledge``: bring the knowledge base in from a table and write it out as one."""

import csv
import io
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from hotline.services.knowledge import EntryText

COLUMNS = ("question", "answer", "matter", "source", "owner", "valid_from", "valid_to")


@click.group()
def command() -> None:
    """Bring the knowledge base in from a CSV table and write it out as one."""


@command.command("import")
@click.argument("table", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--dry-run", is_flag=True, help="Say what would change and change nothing.")
def import_(table: Path, dry_run: bool) -> None:
    """Read a CSV TABLE in UTF-8 with the columns question, answer, matter, source, owner, valid_from, valid_to.

    Question and answer are needed; owner is a department's code, dates look like 2027-06-30.  An entry with the same
    question is changed, another one added, none is removed; a row that cannot be used stops all of it.

    \b
    Examples:
      hotline knowledge import entries.csv --dry-run
      hotline knowledge import entries.csv
    """
    from hotline.cli.operator import operator, refusals
    from hotline.cli.runtime import open_runtime
    from hotline.services import knowledge
    from hotline.storage.engine import transaction

    texts = list(_rows(table))
    with refusals(), open_runtime() as parts, transaction(parts.sessions) as session:
        changes = knowledge.load(session, parts.context, texts, operator(), dry_run=dry_run)
    would = "would be " if dry_run else ""
    click.echo(f"{changes.added} {would}added, {changes.changed} {would}changed, {changes.unchanged} as before")


@command.command()
@click.argument("table", type=click.Path(path_type=Path, dir_okay=False), required=False)
def export(table: Path | None) -> None:
    """Write all entries in use as a CSV TABLE that `import` reads back; to standard output without a name.

    \b
    Example:
      hotline knowledge export entries.csv
    """
    from hotline.cli.runtime import open_runtime
    from hotline.services import knowledge
    from hotline.storage.engine import transaction

    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, COLUMNS)
    writer.writeheader()
    with open_runtime() as parts, transaction(parts.sessions) as session:
        found = knowledge.entries(session)
        writer.writerows({name: _plain(getattr(text, name)) for name in COLUMNS} for _, text in found)
    if table is None:
        click.echo(out.getvalue(), nl=False)
        return
    # The mark at the beginning lets spreadsheet programs read the characters right.
    table.write_text(out.getvalue(), encoding="utf-8-sig", newline="")
    click.echo(f"{len(found)} entries written to {table}", err=True)


def _plain(value: object) -> str:
    """A cell that no spreadsheet program takes for a formula."""
    written = "" if value is None else str(value)
    return f"'{written}" if written.startswith(("=", "+", "-", "@", "\t")) else written


def _rows(table: Path) -> "Iterator[EntryText]":
    from hotline.services.knowledge import EntryText

    try:
        rows = list(csv.DictReader(table.read_text(encoding="utf-8-sig").splitlines(keepends=True), strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise click.ClickException(f"{table.name} cannot be read as CSV in UTF-8: {error}") from error
    for number, row in enumerate(rows, 1):
        if None in row:
            raise click.ClickException(f"{table.name}: row {number}: has more cells than there are columns")
        strange = [name for name in row if name not in COLUMNS]
        if strange:
            raise click.ClickException(f"{table.name}: unknown column {strange[0]}; columns are {', '.join(COLUMNS)}")
        cells = {name: (row.get(name) or "").strip() for name in COLUMNS}
        try:
            first, last = (date.fromisoformat(cells[n]) if cells[n] else None for n in ("valid_from", "valid_to"))
        except ValueError as error:
            raise click.ClickException(f"{table.name}: row {number}: dates look like 2027-06-30 ({error})") from error
        question, answer = (_without_mark(cells[name]) for name in ("question", "answer"))
        yield EntryText(
            question=question,
            answer=answer,
            matter=cells["matter"] or None,
            source=_without_mark(cells["source"]) or None,
            owner=cells["owner"] or None,
            valid_from=first,
            valid_to=last,
        )


def _without_mark(cell: str) -> str:
    """Undo what ``_plain`` put before a cell."""
    return cell[1:] if cell.startswith(("'=", "'+", "'-", "'@")) else cell
