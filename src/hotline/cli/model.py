"""``hotline model``: train, measure and list triage models."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

import click

from hotline.ml.errors import ModelError

Step = TypeVar("Step")


@click.group()
def command() -> None:
    """Train, measure and list triage models."""


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
def train(data: tuple[Path, ...], folder: Path | None, seed: int, version: str | None) -> None:
    """Train a new version and write it with its manifest and card.

    Without --data it learns from the texts that ship with the source tree.  Files whose names end in _dev or _test and
    rows with split "test"
    are held out.

    \b
    Examples:
      hotline model train
      hotline model train --data models/corpus --data letters.jsonl
    """
    from hotline.ml.build import build
    from hotline.ml.corpus import CorpusError
    from hotline.ml.registry import default_models_folder

    folder = folder or default_models_folder()
    corpus = [default_models_folder().parent / "corpus"]
    try:
        written = build((*corpus, *data), folder, seed=seed, version=version, progress=_progress)
    except (CorpusError, ModelError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(written)


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
    from hotline.ml.registry import active_version, default_models_folder

    folder = folder or default_models_folder()
    data = data or folder.parent / "corpus"
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


def _progress(steps: Iterable[Step], name: str) -> Iterable[Step]:
    """A bar on stderr, so that stdout holds the result only."""
    from tqdm import tqdm

    bar: Iterable[Step] = tqdm(steps, desc=name, file=sys.stderr)
    return bar
