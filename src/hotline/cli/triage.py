"""``hotline triage``: run the model on texts without a database, or anew on the tickets of one."""

import json
import math
import sys
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import click

from hotline.ml.classifier import Prediction, TriageModel
from hotline.ml.errors import ModelError

BATCH = 512
MAX_LINE_BYTES = 8 * 2**20


@click.group()
def command() -> None:
    """Run the triage model on texts."""


@command.command()
@click.argument("source", type=click.File("rb"), default="-")
@click.option(
    "--models",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Models folder.  [default: the one that ships]",
)
@click.option("--version", "version", help="Version to use.  [default: the active one]")
def predict(source: BinaryIO, folder: Path | None, version: str | None) -> None:
    """Read JSON lines with id, title and content; write a JSON line with the prediction for each, in the same order.

    A line that cannot be used is answered with {"id", "error"}, or {"line", "error"} when it cannot even be read; the
    others go on and the exit
    code is 1 at the end.

    \b
    Examples:
      echo '{"id": 1, "content": "路灯坏了三天了"}' | hotline triage predict
      hotline triage predict calls.jsonl > predictions.jsonl
    """
    from hotline.ml.registry import active_version, default_models_folder

    folder = folder or default_models_folder()
    try:
        model = TriageModel.load(folder / (version or active_version(folder)))
    except ModelError as error:
        raise click.ClickException(str(error)) from error
    failed = False
    lines = enumerate(source, 1)
    while batch := list(islice(lines, BATCH)):
        for answer in _answers(model, batch):
            failed |= "error" in answer
            click.echo(json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace"))
    sys.exit(1 if failed else 0)


@command.command()
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="First day of receipt.  [default: the first ticket]")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="Day after the last.  [default: now]")
def backfill(since: datetime | None, until: datetime | None) -> None:
    """Let the present model read tickets it has not read yet; no ticket moves and no label changes.

    It works in batches and may be stopped at any time: started again, it goes on where it was.

    \b
    Examples:
      hotline triage backfill
      hotline triage backfill --since 2026-01-01 --until 2026-07-01
    """
    from tqdm import tqdm

    from hotline.cli.runtime import open_runtime
    from hotline.domain.city_time import CITY_ZONE
    from hotline.services.retriage import count_unread, retriage
    from hotline.storage.engine import transaction

    first = since.replace(tzinfo=CITY_ZONE) if since else datetime(1970, 1, 1, tzinfo=CITY_ZONE)
    last = until.replace(tzinfo=CITY_ZONE) if until else datetime.now(CITY_ZONE)
    with open_runtime() as parts:
        model = parts.models.current()
        if model is None:
            raise click.ClickException("no usable model; see: hotline model list")
        with transaction(parts.sessions) as session:
            total = count_unread(session, model.version, first, last)
        with tqdm(total=total, unit="ticket", desc=model.version, file=sys.stderr) as bar:
            for number in retriage(parts.sessions, parts.context, model, first, last):
                bar.update(number)
    click.echo(f"{model.version} has read {total:,} {'ticket' if total == 1 else 'tickets'}")


def _answers(model: TriageModel, batch: Iterable[tuple[int, bytes]]) -> Iterator[dict[str, Any]]:
    """Answer each line, the good ones in one call of the model."""
    read = [_read(number, line) for number, line in batch if line.strip()]
    predictions = iter(model.predict_many([text for _, text in read if text is not None]))
    for head, text in read:
        yield head if text is None else head | as_json(next(predictions))


def _read(number: int, line: bytes) -> tuple[dict[str, Any], tuple[str, str] | None]:
    """Return what the answer starts with and the text, or None instead of the text when the answer is an error."""
    if len(line) > MAX_LINE_BYTES:
        return {"line": number, "error": f"longer than {MAX_LINE_BYTES >> 20} MB"}, None
    try:
        record = json.loads(line, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        return {"line": number, "error": f"not JSON: {error}"}, None
    if not isinstance(record, dict):
        return {"line": number, "error": "not a JSON object"}, None
    head: dict[str, Any] = {"id": record["id"]} if _is_id(record.get("id", {})) else {"line": number}
    title, content = record.get("title"), record.get("content")
    if "id" in record and "id" not in head:
        return head | {"error": "id must be a string or a number"}, None
    if title is not None and not isinstance(title, str):
        return head | {"error": "title must be a string"}, None
    if not isinstance(content, str):
        return head | {"error": "content must be a string"}, None
    if not content.strip() and not (title or "").strip():
        return head | {"error": "content is empty"}, None
    return head, (title or "", content)


def _is_id(value: object) -> bool:
    """An id comes back as it was given; only what has one obvious writing is one."""
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or (isinstance(value, str | int) and not isinstance(value, bool))


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def as_json(prediction: Prediction) -> dict[str, Any]:
    """The prediction as the contract's JSON object, without its id."""
    return {
        "task": prediction.task,
        "matter": prediction.matter,
        "confidence": round(prediction.confidence, 4),
        "auto": prediction.auto,
        "top": [{"matter": candidate.matter, "p": round(candidate.p, 4)} for candidate in prediction.top],
        "type": prediction.type,
        "urgency": prediction.urgency,
        "evidence": list(prediction.evidence),
        "signals": list(prediction.signals),
    }
