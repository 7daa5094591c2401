"""``hotline report``: write a bulletin to files."""

from datetime import date, datetime
from pathlib import Path

import click

from hotline.cli.runtime import open_runtime
from hotline.domain.city_time import CITY_ZONE
from hotline.services.bulletin_files import document, workbook
from hotline.services.bulletins import Kind, bulletin, days_of, latest
from hotline.services.topics import ensure_topics
from hotline.storage.engine import transaction


@click.command()
@click.argument("kind", type=click.Choice([kind.value for kind in Kind]))
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="A day of it; the last one that is over unless given.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Where to: a name ending in .xlsx or .pdf.")
def command(kind: str, day: datetime | None, out: Path) -> None:
    """Write the daily, weekly or monthly bulletin to a workbook or a document.

    \b
    Examples:
      hotline report daily --out today.xlsx
      hotline report monthly --day 2026-10-15 --out october.pdf
    """
    made = {".xlsx": workbook, ".pdf": document}.get(out.suffix)
    if made is None:
        raise click.UsageError("--out must end in .xlsx or .pdf")
    with open_runtime() as parts:
        today: date = parts.context.now().astimezone(CITY_ZONE).date()
        chosen = day.date() if day else latest(Kind(kind), today)
        with transaction(parts.sessions) as session:
            if days_of(Kind(kind), chosen)[1] < today:
                ensure_topics(session, parts.context, *days_of(Kind(kind), chosen))
            found = bulletin(session, parts.context, Kind(kind), chosen)
        try:
            out.write_bytes(made(found))
        except OSError as error:
            raise click.ClickException(f"cannot write {out}: {error.strerror or error}") from None
    click.echo(f"{out}: {found.headline}")
