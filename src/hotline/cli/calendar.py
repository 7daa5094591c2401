"""``hotline calendar``: the working calendars that dues are computed with."""

from datetime import date
from pathlib import Path

import click

from hotline.cli.files import DRY_RUN, FILE, YES, one_of, read_parsed, show_shifts, write_yaml
from hotline.cli.installation import data_option, on_installation
from hotline.cli.operator import operator, refusals
from hotline.cli.runtime import open_runtime
from hotline.domain.calendar import Calendar
from hotline.services import calendars, dues
from hotline.services.timekeeping import calendar_parts, editions
from hotline.storage.engine import transaction


@click.group()
def command() -> None:
    """The working calendar: holidays, make-up working days (调休) and the hours of the week.

    A year whose notice is not known yet is computed as provisional; import the notice when it is published, and the
    dues of open tickets follow.  Editions are added and never changed, so that closed results stay what they were.

    \b
    Examples:
      hotline calendar list
      hotline calendar import 2027.yaml --dry-run     which days change, which open tickets' dues move
      hotline calendar import 2027.yaml --yes
      hotline calendar export > calendar.yaml
    """


@command.command("list")
@data_option
def list_(data: Path | None) -> None:
    """List the years that are known, and where each comes from.

    \b
    Examples:
      hotline calendar list
      hotline calendar list --data .hotline
    """
    with on_installation(data), open_runtime() as parts, transaction(parts.sessions) as session:
        imported = editions(session)
        week, years = calendar_parts(imported)
    newest = {edition.year: edition for edition in imported}
    click.echo(f"version {week['version']}, {week['timezone']}")
    for year in sorted(years):
        edition = newest.get(year)
        came = f"imported {edition.imported_at:%Y-%m-%d} by {edition.imported_by}" if edition else "ships with hotline"
        click.echo(f"{year}  {years[year].get('notice') or '-'}  ({came})")
    if None in newest:
        click.echo(f"hours of the week: imported {newest[None].imported_at:%Y-%m-%d} by {newest[None].imported_by}")
    click.echo("any other year is provisional")


@command.command("import")
@click.argument("file", type=FILE)
@DRY_RUN
@YES
@data_option
def import_(file: Path, dry_run: bool, yes: bool, data: Path | None) -> None:
    """Import a year's notice, or hours of the week, from a YAML or JSON FILE.

    \b
    The file, in the form of `hotline calendar export` or for one year alone:
      year: 2027
      notice: 国办发明电〔2026〕…号
      holidays:
        - {name: 元旦, from: 2027-01-01, to: 2027-01-03}
      makeup_days: [2027-02-14]

    \b
    Examples:
      hotline calendar import 2027.yaml --dry-run
      hotline calendar import 2027.yaml --yes
    """
    one_of(dry_run, yes)
    given = read_parsed(file)
    with on_installation(data), open_runtime() as parts, refusals(), transaction(parts.sessions) as session:
        before = parts.context.calendar
        plan = calendars.plan_import(session, parts.context, given, operator())
        _show(before, plan)
        if dry_run:
            show_shifts(dues.shifts(session, calendars.in_force(parts.context, plan.calendar)))
        else:
            calendars.import_calendar(session, parts.context, plan, operator())
    click.echo(
        "nothing was changed; --yes imports it" if dry_run else "imported; open tickets' dues follow in a moment"
    )


def _show(before: Calendar, plan: calendars.CalendarPlan) -> None:
    for year in plan.newly_published:
        click.echo(f"{year}: published now, no longer provisional")
    for year, days in plan.changed.items():
        click.echo(f"{year}: other hours on {len(days)} days")
        for day in days[:40]:
            click.echo(f"  {day:%Y-%m-%d %a}  {_hours(before, day)} → {_hours(plan.calendar, day)}")
        if len(days) > 40:
            click.echo(f"  … and {len(days) - 40} more")


def _hours(calendar: Calendar, day: date) -> str:
    windows = calendar.windows_on(day)
    return " ".join(f"{_clock(opens)}–{_clock(closes)}" for opens, closes in windows) or "off"


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}"


@command.command()
@data_option
def export(data: Path | None) -> None:
    """Print the whole calendar as YAML that `hotline calendar import` reads.

    \b
    Examples:
      hotline calendar export > calendar.yaml
    """
    with on_installation(data), open_runtime() as parts, transaction(parts.sessions) as session:
        week, years = calendar_parts(editions(session))
    write_yaml({**week, "years": years})
