"""``hotline limits``: how long everything may take."""

from datetime import datetime
from pathlib import Path

import click

from hotline.cli.files import DRY_RUN, FILE, YES, one_of, read_parsed, show_shifts, write_yaml
from hotline.cli.installation import data_option, on_installation
from hotline.cli.operator import operator, refusals
from hotline.cli.runtime import open_runtime
from hotline.domain.city_time import CITY_ZONE
from hotline.domain.limits import rules_to_mapping
from hotline.services import dues, limit_sets
from hotline.storage.engine import transaction


@click.group()
def command() -> None:
    """Time limits (时限), in sets that are added and never changed.

    A set holds for what starts at its day or later: for a handling limit that is the day of the first dispatch.

    \b
    Examples:
      hotline limits list
      hotline limits export > limits.yaml             the set in force, to be changed in an editor
      hotline limits import limits.yaml --dry-run     which rules change, which open tickets' dues move
      hotline limits import limits.yaml --valid-from 2027-01-01 --yes
    """


@command.command("list")
@data_option
def list_(data: Path | None) -> None:
    """List the sets, the one that came into force last first, and the rules in force.

    \b
    Examples:
      hotline limits list
    """
    with on_installation(data), open_runtime() as parts:
        sets, present = parts.context.timekeeping().limit_sets, parts.context.limits
    for each in sets:
        mark = "*" if each.rules is present else " "
        click.echo(f"{mark} {each.rules.version:<24} from {each.valid_from.astimezone(CITY_ZONE):%Y-%m-%d %H:%M}")
    for rule in present.rules:
        click.echo(f"    {rule}" + (f"  ({rule.source})" if rule.source else ""))


@command.command("import")
@click.argument("file", type=FILE)
@click.option("--valid-from", type=click.DateTime(["%Y-%m-%d"]), help="First day [default: as the file says, or now].")
@DRY_RUN
@YES
@data_option
def import_(file: Path, valid_from: datetime | None, dry_run: bool, yes: bool, data: Path | None) -> None:
    """Import a whole set of limits from a YAML or JSON FILE.

    \b
    Examples:
      hotline limits import limits.yaml --dry-run
      hotline limits import limits.yaml --valid-from 2027-01-01 --yes
    """
    one_of(dry_run, yes)
    since = valid_from.replace(tzinfo=CITY_ZONE) if valid_from else None
    given = read_parsed(file)
    with on_installation(data), open_runtime() as parts, refusals(), transaction(parts.sessions) as session:
        plan = limit_sets.plan_import(session, parts.context, given, since)
        click.echo(f"version {plan.rules.version}, from {plan.valid_from.astimezone(CITY_ZONE):%Y-%m-%d %H:%M}")
        for line in plan.changes or ("no rule changes",):
            click.echo(f"  {line}")
        if dry_run:
            show_shifts(dues.shifts(session, limit_sets.in_force(parts.context, plan)))
        else:
            limit_sets.import_limits(session, parts.context, plan, operator())
    click.echo(
        "nothing was changed; --yes imports it" if dry_run else "imported; open tickets' dues follow in a moment"
    )


@command.command()
@data_option
def export(data: Path | None) -> None:
    """Print the set in force as YAML that `hotline limits import` reads, once it has another version.

    \b
    Examples:
      hotline limits export > limits.yaml
    """
    with on_installation(data), open_runtime() as parts:
        write_yaml(rules_to_mapping(parts.context.limits))
