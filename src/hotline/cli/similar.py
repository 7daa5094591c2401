"""``hotline similar``: find messages of the same event without a database, and measure how well that goes."""

import hashlib
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

import click

from hotline.ml.errors import ModelError

if TYPE_CHECKING:
    from hotline.ml.similar import Neighbour
    from hotline.ml.similar_data import Record

NEIGHBOURS = 5

Step = TypeVar("Step")


@click.group()
def command() -> None:
    """Find tickets of the same event, and measure how well that goes."""


def _version_option(function: click.decorators.FC) -> click.decorators.FC:
    return click.option(
        "--model",
        "folder",
        type=click.Path(path_type=Path, file_okay=False),
        help="Folder of a similarity version.  [default: the one that ships]",
    )(function)


@command.command()
@click.argument("source", type=click.File("rb"), default="-")
@_version_option
def find(source: BinaryIO, folder: Path | None) -> None:
    """Read JSON lines with id, time, title and content, compare all with one another, and write a JSON line for each.

    "neighbours" holds the five likeliest partners with the probability that they report the same event, "same" the ids
    that are taken for the same event.  All is read before anything is written.  A time without a zone is the city's; a
    message without a time is compared by its words alone.

    A line that cannot be used is answered with {"line", "error"}; the others go on and the exit code is 1 at the end.

    \b
    Examples:
      hotline similar find messages.jsonl > partners.jsonl
      printf '%s\\n' '{"id": 1, "time": "2026/5/27 10:50", "content": "金茂小区3栋电梯坏了"}' \\
        '{"id": 2, "time": "2026-05-28T08:00:00+08:00", "content": "金茂小区三栋的电梯又停了"}' | hotline similar find
    """
    from hotline.ml.similar import SimilarModel
    from hotline.ml.similar_data import LineError, read_record

    model = _load(SimilarModel, folder)
    records: list[Record] = []
    answers: list[dict[str, Any] | int] = []
    seen: set[str | int | float] = set()
    for number, line in enumerate(source, 1):
        if not line.strip():
            continue
        try:
            record = read_record(line)
            if record.id in seen:
                raise LineError("the id stands there twice", record.id)
        except LineError as error:
            answers.append({"line": number} | ({} if error.id is None else {"id": error.id}) | {"error": str(error)})
            continue
        seen.add(record.id)
        answers.append(len(records))
        records.append(record)
    found = model.find([record.message for record in records])
    for answer in answers:
        line_out = answer if isinstance(answer, dict) else _partners(records, answer, found[answer], model.threshold)
        click.echo(json.dumps(line_out, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace"))
    sys.exit(1 if any(isinstance(answer, dict) for answer in answers) else 0)


@command.command()
@click.argument("data", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--negatives",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Pairs that look alike but are not one event.  [default: DATA with _negatives.tsv for .jsonl, where it is]",
)
@click.option("--check", is_flag=True, help="Exit with 1 when a floor is missed.")
@_version_option
def evaluate(data: Path, negatives: Path | None, check: bool, folder: Path | None) -> None:
    """Measure on DATA: JSON lines with id, time, title, content and group; messages of one event have the same group.

    A version that learned from DATA is measured out of fold: each pair is judged by one that has seen neither of its
    messages nor their events.

    \b
    Examples:
      hotline similar evaluate ../shared/data/similar_dev.jsonl
      hotline similar evaluate ours.jsonl --negatives look-alikes.tsv --check
    """
    from hotline.ml.corpus import CorpusError
    from hotline.ml.similar import SimilarModel
    from hotline.ml.similar_data import read_events, read_look_alikes
    from hotline.ml.similar_evaluate import answer, figures, format_table

    model = _load(SimilarModel, folder)
    negatives = negatives or _beside(data)
    try:
        records = read_events(data)
        look_alikes = read_look_alikes(negatives, records) if negatives else []
    except CorpusError as error:
        raise click.ClickException(str(error)) from error
    learned = hashlib.sha256(data.read_bytes()).hexdigest() == model.manifest["events"]["sha256"]
    answers = answer(model, records, look_alikes, out_of_fold=learned, progress=_progress)
    table = figures(answers, [record.event for record in records], look_alikes, model.threshold)
    how = "out of fold, as this version learned from these events" if learned else "by the version as it is"
    click.echo(f"similarity {model.version}, {len(records):,} messages, {how}\n{format_table(table)}")
    if check and not all(figure.holds for figure in table):
        sys.exit(1)


@command.command()
def backfill() -> None:
    """Give vectors of the present version to tickets and knowledge entries that have none.

    It works in batches and may be stopped at any time: started again, it goes on where it was.

    \b
    Example:
      hotline similar backfill
    """
    from tqdm import tqdm

    from hotline.cli.runtime import open_runtime
    from hotline.services import vectors
    from hotline.storage.engine import transaction

    with open_runtime() as parts:
        model = parts.context.similar()
        if model is None:
            raise click.ClickException("no usable similarity version; see: hotline similar train --help")
        with transaction(parts.sessions) as session:
            total = vectors.count_without_vector(session, model.version)
        with tqdm(total=total, unit="ticket", desc=model.version, file=sys.stderr) as bar:
            for number in vectors.backfill(parts.sessions, parts.context, model):
                bar.update(number)
    click.echo(f"{total:,} {'ticket' if total == 1 else 'tickets'} can be found by {model.version} now")


@command.command()
@click.option(
    "--corpus",
    multiple=True,
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="JSON lines with title and content to learn words from; may repeat.",
)
@click.option(
    "--events",
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Messages with known events, as `evaluate` reads them.",
)
@click.option("--negatives", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="As for `evaluate`.")
@click.option(
    "--models",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where versions lie.  [default: where those lie that ship]",
)
@click.option("--seed", default=12345, show_default=True, help="Equal seed and data give an equal version.")
@click.option("--version", "version", help="Name of the new version.  [default: date and hash of the weights]")
def train(
    corpus: tuple[Path, ...], events: Path, negatives: Path | None, folder: Path | None, seed: int, version: str | None
) -> None:
    """Make a new version, measured out of fold.  The newest version serves, unless the file ACTIVE names another;
    tickets then need `hotline similar backfill`.

    \b
    Example:
      hotline similar train --corpus models/corpus/phone_style.jsonl --corpus letters.jsonl --events events.jsonl
    """
    from hotline.ml.corpus import CorpusError
    from hotline.ml.similar_store import default_similar_folder
    from hotline.ml.similar_train import build_similar

    folder = folder or default_similar_folder()
    negatives = negatives or _beside(events)
    try:
        written = build_similar(corpus, events, negatives, folder, seed=seed, version=version, progress=_progress)
    except (CorpusError, ModelError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(written)


def _partners(records: "list[Record]", row: int, near: "list[Neighbour]", threshold: float) -> dict[str, Any]:
    """The contract's JSON object for one message."""
    ids = [records[neighbour.row].id for neighbour in near]
    return {
        "id": records[row].id,
        "neighbours": [{"id": i, "score": round(n.score, 4)} for i, n in zip(ids[:NEIGHBOURS], near, strict=False)],
        "same": [i for i, n in zip(ids, near, strict=True) if n.score >= threshold],
    }


def _load(kind: type[Any], folder: Path | None) -> Any:
    try:
        return kind.load(folder)
    except ModelError as error:
        raise click.ClickException(str(error)) from error


def _beside(data: Path) -> Path | None:
    negatives = data.with_name(f"{data.stem}_negatives.tsv")
    return negatives if negatives.is_file() else None


def _progress(steps: Iterable[Step], name: str) -> Iterable[Step]:
    from tqdm import tqdm

    bar: Iterable[Step] = tqdm(list(steps), desc=name, file=sys.stderr)
    return bar
