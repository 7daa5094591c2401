"""``hotline model``: train, measure, promote and list triage models."""

import os
import sys
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from hotline.domain.audit import AuditAction
from hotline.ml.errors import ModelError

if TYPE_CHECKING:
    from hotline.domain.kpi import Rate
    from hotline.ml.corpus import Row
    from hotline.ml.promotion import Comparison
    from hotline.services.learning import LiveFigures

Step = TypeVar("Step")


@click.group()
def command() -> None:
    """Train, measure, promote and list triage models."""


def _models_option(function: click.decorators.FC) -> click.decorators.FC:
    return click.option(
        "--models",
        "folder",
        type=click.Path(path_type=Path, file_okay=False),
        help="Models folder.  [default: the one that ships]",
    )(function)


@command.command()
@click.option(
    "--data",
    multiple=True,
    type=click.Path(path_type=Path, exists=True),
    help="File or folder of labelled JSON lines; may repeat.",
)
@_models_option
@click.option("--seed", default=12345, show_default=True, help="Equal seed and data give an equal model.")
@click.option("--version", "version", help="Name of the new version.  [default: date and hash of the weights]")
@click.option("--from-database", is_flag=True, help="Also learn from the tickets whose matter people have confirmed.")
def train(data: tuple[Path, ...], folder: Path | None, seed: int, version: str | None, from_database: bool) -> None:
    """Train a new version and write it with its manifest and card.

    Without --data it learns from the texts that ship with the source tree.  Files whose names end in _dev or _test and
    rows with split "test" are held out, and so is a tenth of the tickets.  Corrections and accepted returns count
    twice.  The version that serves goes on serving until the new one is promoted.

    \b
    Examples:
      hotline model train
      hotline model train --data letters.jsonl --from-database
    """
    from hotline.ml.build import build
    from hotline.ml.corpus import CorpusError
    from hotline.ml.promotion import pin
    from hotline.ml.registry import default_corpus_folder, default_models_folder

    folder = folder or default_models_folder()
    tickets = [row for row in _confirmed_tickets() if not row.held_out] if from_database else []
    try:
        pin(folder)
        paths = (default_corpus_folder(), *data)
        written = build(paths, folder, seed=seed, version=version, tickets=tickets, progress=_progress)
    except (CorpusError, ModelError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(written)
    click.echo(f"let it serve with: hotline model promote {written.name}", err=True)


@command.command()
@click.option(
    "--data", type=click.Path(path_type=Path, exists=True, file_okay=False), help="Folder with the held-out files."
)
@_models_option
@click.option("--version", "version", help="Version to measure.  [default: the active one]")
@click.option(
    "--benchmark/--no-benchmark",
    default=False,
    help="Also train and measure on the public taidi7 benchmark, when its files are there.",
)
@click.option("--check", is_flag=True, help="Exit with 1 when a floor is missed.")
def evaluate(data: Path | None, folder: Path | None, version: str | None, benchmark: bool, check: bool) -> None:
    """Measure a version on texts it has not seen, against floor and aim.

    \b
    Examples:
      hotline model evaluate
      hotline model evaluate --data ../shared/data --benchmark
    """
    from hotline.ml import evaluate as measuring
    from hotline.ml.benchmark import measure_taidi7
    from hotline.ml.classifier import TriageModel
    from hotline.ml.registry import active_version, default_corpus_folder, default_models_folder

    folder = folder or default_models_folder()
    data = data or default_corpus_folder()
    try:
        model = TriageModel.load(folder / (version or active_version(folder)))
    except ModelError as error:
        raise click.ClickException(str(error)) from error
    worlds = measuring.worlds(data)
    if not worlds:
        raise click.ClickException(
            f"{data} holds nothing to measure on: no complaints_dev.jsonl, no phone_style.jsonl with test rows"
        )
    table = measuring.figures({name: measuring.answer(model, rows) for name, rows in worlds.items()})
    if benchmark:
        table += measure_taidi7(data)
    click.echo(f"model {model.version}\n{measuring.format_table(table)}")
    if check and not all(figure.holds for figure in table):
        sys.exit(1)


@command.command("list")
@_models_option
def list_versions(folder: Path | None) -> None:
    """List the versions, the active one marked with a star.

    \b
    Example:
      hotline model list
    """
    from hotline.ml.registry import active_version, default_models_folder, read_manifest, versions

    folder = folder or default_models_folder()
    known = versions(folder)
    if not known:
        raise click.ClickException(f"no model in {folder}; run: hotline model train")
    try:
        active = active_version(folder)
    except ModelError as error:
        active = None
        click.echo(f"warning: {error}", err=True)
    for version in known:
        try:
            manifest = read_manifest(folder / version)
            texts = sum(file["rows"] for file in manifest["data"])
            note = f"{manifest['created']}  {manifest['features']:,} features  {texts:,} texts"
        except (ModelError, KeyError) as error:
            note = f"unusable: {error}"
        click.echo(f"{'*' if version == active else ' '} {version}  {note}")


@command.command()
@click.argument("version")
@click.option(
    "--data", type=click.Path(path_type=Path, exists=True, file_okay=False), help="Folder with held-out texts."
)
@_models_option
@click.option("--from-database", is_flag=True, help="Compare on the tickets held out as well.")
@click.option("--force", is_flag=True, help="Promote although it is worse; needs --reason.")
@click.option("--reason", default="", help="Why; kept in the audit log.")
def promote(
    version: str, data: Path | None, folder: Path | None, from_database: bool, force: bool, reason: str
) -> None:
    """Let VERSION serve, unless it is worse than the one that serves now on the same held-out texts.

    Refused when macro-F1 falls by more than one point or any task by more than five.  Workers and web pick the new
    version up within seconds.

    \b
    Examples:
      hotline model promote 20261201-1a2b3c4d
      hotline model promote 20261201-1a2b3c4d --force --reason "the old one was trained on a faulty export"
    """
    from hotline.ml import promotion
    from hotline.ml.evaluate import worlds
    from hotline.ml.registry import default_corpus_folder, default_models_folder

    if force and not reason.strip():
        raise click.UsageError("--force needs --reason")
    folder = folder or default_models_folder()
    rows = [row for held in worlds(data or default_corpus_folder()).values() for row in held]
    rows += [row for row in _confirmed_tickets() if row.held_out] if from_database else []
    try:
        compared = promotion.compare(folder, version, rows)
        click.echo(_comparison(compared))
        if compared.objections and not force:
            raise click.ClickException("not promoted: " + "; ".join(compared.objections))
        # Written first: a forced promotion that nobody can find in the audit log must not happen.
        _audit(AuditAction.MODEL_PROMOTED, version, reason, {"objections": list(compared.objections)}, required=force)
        before = promotion.promote(folder, version, reason)
    except ModelError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{version} serves now, {before} did before; go back with: hotline model rollback")


def _confirmed_tickets() -> "list[Row]":
    from hotline.cli.runtime import open_runtime
    from hotline.services.learning import confirmed_tickets
    from hotline.storage.engine import transaction

    with open_runtime() as parts, transaction(parts.sessions) as session:
        return confirmed_tickets(session)


def _comparison(compared: "Comparison") -> str:
    lines = [f"on {compared.texts:,} held-out texts        serving  candidate"]
    lines.append(f"  macro-F1 over the matters   {compared.serving.macro:>8.3f}  {compared.candidate.macro:>9.3f}")
    for task, before in compared.serving.tasks.items():
        lines.append(f"  task {task} F1                   {before:>8.3f}  {compared.candidate.tasks[task]:>9.3f}")
    return "\n".join(lines)


@command.command()
@_models_option
@click.option("--reason", default="", help="Why; kept in the audit log.")
def rollback(folder: Path | None, reason: str) -> None:
    """Let the version before the last promotion serve again.

    \b
    Example:
      hotline model rollback --reason "too many overrides in task D"
    """
    from hotline.ml import promotion
    from hotline.ml.registry import default_models_folder

    try:
        stopped, serving = promotion.roll_back(folder or default_models_folder(), reason)
    except ModelError as error:
        raise click.ClickException(str(error)) from error
    _audit(AuditAction.MODEL_ROLLED_BACK, serving, reason, {"stopped": stopped}, required=False)
    click.echo(f"{serving} serves again, {stopped} no more")


def _audit(action: AuditAction, version: str, reason: str, detail: dict[str, object], *, required: bool) -> None:
    """Write to the audit log of the installation that the environment names; without one only when it must be there."""
    from hotline.cli.operator import operator
    from hotline.cli.runtime import open_runtime
    from hotline.services.audit import append
    from hotline.storage.engine import transaction

    if not os.environ.get("HOTLINE_DATABASE_URL") and not required:
        return
    with open_runtime() as parts, transaction(parts.sessions) as session:
        append(
            session, parts.context, operator(), action, subject=f"model:{version}", reason=reason or None, detail=detail
        )


@command.command()
@click.option("--days", type=click.IntRange(1, 3650), default=30, show_default=True, help="How far to look back.")
def report(days: int) -> None:
    """Tell how the model does on living tickets: coverage, accuracy on blind checks, overrides, drift.

    \b
    Example:
      hotline model report --days 7
    """
    from hotline.bootstrap import utc_now
    from hotline.cli.runtime import open_runtime
    from hotline.services.learning import DRIFT_ALARM, live_report
    from hotline.storage.engine import transaction

    now = utc_now()
    start = now - timedelta(days=days)
    with open_runtime() as parts, transaction(parts.sessions) as session:
        found = live_report(session, start, now, start - timedelta(days=days))
    if not found.versions:
        click.echo(f"no ticket was read by a model in the last {days} days")
    for version in found.versions:
        drift = found.drift[version.model_version]
        alarm = "  (look into it: what people call about has shifted)" if drift > DRIFT_ALARM else ""
        click.echo(f"{version.model_version}\n{_live_line(version)}\n  drift {drift:.3f}{alarm}")
        for line in found.matters:
            if line.model_version == version.model_version:
                click.echo(_live_line(line))


def _live_line(line: "LiveFigures") -> str:
    def shown(rate: "Rate") -> str:
        value = "—" if rate.value is None else f"{rate.value:.1%}"
        return f"{value:>7} {f'{rate.numerator}/{rate.denominator}':>11}"

    name = line.matter or "all"
    checked, overridden = shown(line.accuracy), shown(line.overridden)
    return f"  {name:<4} sure {shown(line.coverage)}  right when checked blind {checked}  overridden {overridden}"


def _progress(steps: Iterable[Step], name: str) -> Iterable[Step]:
    """A bar on stderr, so that stdout holds the result only."""
    from tqdm import tqdm

    bar: Iterable[Step] = tqdm(steps, desc=name, file=sys.stderr)
    return bar
