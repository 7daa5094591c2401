"""``hotline catalogue``: who owns which matter where."""

import csv
import io
from datetime import datetime
from pathlib import Path
from typing import Any

import click
import orjson

from hotline.cli.files import DRY_RUN, FILE, YES, one_of, read_parsed
from hotline.cli.installation import data_option, on_installation
from hotline.cli.operator import operator, refusals
from hotline.cli.runtime import open_runtime
from hotline.domain.city_time import CITY_ZONE
from hotline.services import catalogue
from hotline.services.replaying import by_change, replay
from hotline.storage.engine import transaction

COLUMNS = ("kind", "matter", "district", "lead", "cohandlers", "note")
ENTRY, BAN = "entry", "must_not_push_down"


@click.group()
def command() -> None:
    """The responsibility catalogue (权责清单): who leads a matter in a district, and who helps.

    Entries are effective-dated: an import closes what it changes and opens its own lines at one instant.

    \b
    Examples:
      hotline catalogue list --matter E03               with how often each entry was dispatched by and returned
      hotline catalogue export > catalogue.csv          (--format json for the other form)
      hotline catalogue replay draft.csv --last 5000    which tickets would have gone elsewhere
      hotline catalogue import draft.csv --dry-run
      hotline catalogue import draft.csv --from 2027-01-01 --yes
    """


@command.command("list")
@click.option("--matter", help="Only this matter.")
@data_option
def list_(matter: str | None, data: Path | None) -> None:
    """List the entries in force: matter, district, lead, co-handlers, dispatches, returns, returns accepted.

    \b
    Examples:
      hotline catalogue list
      hotline catalogue list --matter E03
    """
    with on_installation(data), open_runtime() as parts, transaction(parts.sessions) as session:
        rows = [row for row in catalogue.entries_at(session, parts.context.now()) if matter in (None, row.matter)]
        counts = catalogue.fared(session, [row.id for row in rows])
        for row in rows:
            met = counts.get(row.id, catalogue.Fared())
            helpers = ",".join(helper.code for helper in row.cohandlers) or "-"
            click.echo(
                f"{row.matter}  {row.district or '*':<6} {row.lead_department.code:<10} {helpers:<24} "
                f"{met.dispatches:>7} {met.returns:>6} {met.accepted:>6}"
            )
    if not rows:
        click.echo("no entries match")


@command.command()
@click.option("--format", "form", type=click.Choice(["csv", "json"]), default="csv", show_default=True)
@data_option
def export(form: str, data: Path | None) -> None:
    """Print the catalogue in force, in a form that `hotline catalogue import` reads.

    \b
    Examples:
      hotline catalogue export > catalogue.csv
      hotline catalogue export --format json > catalogue.json
    """
    with on_installation(data), open_runtime() as parts, transaction(parts.sessions) as session:
        draft = catalogue.draft_of(session, parts.context.now())
    if form == "json":
        click.echo(orjson.dumps(draft, option=orjson.OPT_INDENT_2).decode())
    else:
        click.echo(_csv(draft), nl=False)


def _csv(draft: dict[str, Any]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for entry in draft["entries"]:
        helpers = " ".join(entry["cohandlers"])
        writer.writerow({**entry, "kind": ENTRY, "district": entry["district"] or "", "cohandlers": helpers})
    for ban in draft[BAN]:
        writer.writerow({"kind": BAN, "matter": ban["matter"], "note": ban["reason"]})
    return out.getvalue()


def _read(path: Path) -> object:
    """Return a draft from CSV, by its name, or from JSON or YAML."""
    if path.suffix.lower() != ".csv":
        return read_parsed(path)
    try:
        lines = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
    except (csv.Error, UnicodeDecodeError) as error:
        raise click.ClickException(f"{path.name} is no CSV in UTF-8: {type(error).__name__}") from None
    entries, bans = [], []
    for number, line in enumerate(lines, start=2):
        if set(line) != set(COLUMNS) or line["kind"] not in (ENTRY, BAN):
            wanted = ",".join(COLUMNS)
            raise click.ClickException(f"line {number}: the columns are {wanted}; kind is {ENTRY} or {BAN}")
        if line["kind"] == BAN:
            bans.append({"matter": line["matter"], "reason": line["note"]})
        else:
            members = {name: line[name] or None for name in ("matter", "district", "lead", "note")}
            entries.append(members | {"cohandlers": line["cohandlers"].split()})
    return {"entries": entries, BAN: bans}


@command.command("import")
@click.argument("file", type=FILE)
@click.option("--from", "since", type=click.DateTime(["%Y-%m-%d"]), help="First day it holds [default: now].")
@DRY_RUN
@YES
@data_option
def import_(file: Path, since: datetime | None, dry_run: bool, yes: bool, data: Path | None) -> None:
    """Import a whole catalogue from a CSV, JSON or YAML FILE; what it does not name is closed.

    \b
    Examples:
      hotline catalogue import draft.csv --dry-run
      hotline catalogue import draft.csv --from 2027-01-01 --yes
    """
    one_of(dry_run, yes)
    given = _read(file)
    with on_installation(data), open_runtime() as parts, refusals(), transaction(parts.sessions) as session:
        at = since.replace(tzinfo=CITY_ZONE) if since else None
        draft = catalogue.read_draft(session, parts.context, given)
        plan = catalogue.plan_import(session, parts.context, draft, at)
        _show(plan)
        if yes:
            catalogue.import_catalogue(session, parts.context, plan, operator())
    click.echo("nothing was changed; --yes imports it" if dry_run else "imported")


def _show(plan: catalogue.CataloguePlan) -> None:
    click.echo(f"from {plan.since.astimezone(CITY_ZONE):%Y-%m-%d %H:%M}")
    for row in plan.closed:
        click.echo(f"  - {row.matter} {row.district or '*'} {row.lead_department.code}")
    for line in plan.opened:
        click.echo(f"  + {line.matter} {line.district or '*'} {' '.join((line.lead, *line.cohandlers))}")
    for ban in plan.bans_closed:
        click.echo(f"  - must not be pushed down: {ban.matter}")
    for matter in plan.bans_opened:
        click.echo(f"  + must not be pushed down: {matter}")
    if plan.ownerless:
        click.echo(f"matters without an entry for the whole city: {', '.join(plan.ownerless)}")


@command.command()
@click.option("--yes", is_flag=True, help="Do it.")
@data_option
def drop(yes: bool, data: Path | None) -> None:
    """Take back an import for a day to come.

    \b
    Examples:
      hotline catalogue drop --yes
    """
    if not yes:
        raise click.UsageError("say --yes to take back what was imported for a day to come")
    with on_installation(data), open_runtime() as parts, refusals(), transaction(parts.sessions) as session:
        dropped = catalogue.drop_coming(session, parts.context, operator())
    click.echo(f"{dropped} entries to come dropped")


@command.command("replay")
@click.argument("file", type=FILE)
@click.option("--last", type=click.IntRange(1, 1_000_000), default=1000, show_default=True, help="How many tickets.")
@click.option("--tickets", is_flag=True, help="List the tickets too.")
@data_option
def replay_(file: Path, last: int, tickets: bool, data: Path | None) -> None:
    """Say which of the last dispatched tickets a draft would have sent elsewhere.

    \b
    Examples:
      hotline catalogue replay draft.csv
      hotline catalogue replay draft.csv --last 5000 --tickets
    """
    given = _read(file)
    with on_installation(data), open_runtime() as parts, refusals(), transaction(parts.sessions) as session:
        draft = catalogue.read_draft(session, parts.context, given)
        replayed = replay(session, draft, last)
    returned = sum(each.returned for each in replayed.elsewhere)
    click.echo(f"of {replayed.tickets} tickets {len(replayed.elsewhere)} would have gone elsewhere; ", nl=False)
    click.echo(f"{returned} of these were returned by the department they went to")
    for (matter, went, would), number in by_change(replayed).items():
        click.echo(f"  {number:>6}  {matter}  {went} → {would or 'nobody'}")
    if tickets:
        for each in replayed.elsewhere:
            mark = "  returned" if each.returned else ""
            click.echo(
                f"{each.number}  {each.matter} {each.district or '*'}  {each.went} → {each.would or 'nobody'}{mark}"
            )
