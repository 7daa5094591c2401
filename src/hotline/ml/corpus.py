"""Labelled texts: what training and measurement read.

One JSON object a line: ``title, content, matter`` and, where known, ``alt`` (a second matter that a careful colleague
could defend), ``type`` (诉求类型), ``urgent`` (0 or 1), ``src`` and ``split``.  Rows with ``split`` = "test" and files
that end in ``_dev`` or ``_test`` are for measuring and are never trained on.
"""

import hashlib
import json
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hotline.domain.successors import Successors
from hotline.reference import load_successors

HELD_OUT_FILES = ("_dev", "_test")

GLOSSARY = "glossary"
"""The source of rows that come from a glossary; they teach words and are not measured on."""

GLOSSARY_PASSES = 3
GLOSSARY_CHARS = 12


class CorpusError(ValueError):
    """A data file cannot be used; the message names the file and the line."""


@dataclass(frozen=True, slots=True)
class Row:
    """A labelled text.  ``weight`` says how much it counts in training, 1 being a letter's."""

    title: str
    content: str
    matter: str
    alt: str | None = None
    type: str | None = None
    urgent: bool | None = None
    source: str = ""
    held_out: bool = False
    weight: float = 1.0

    @property
    def text(self) -> tuple[str, str]:
        """The pair that the model reads."""
        return self.title, self.content


@dataclass(frozen=True, slots=True)
class DataFile:
    """Provenance for the manifest: the file's name without its folder, its rows used and the hash of its bytes."""

    name: str
    rows: int
    sha256: str


def read_training(paths: Iterable[Path], tickets: Sequence[Row] = ()) -> tuple[list[Row], list[DataFile]]:
    """Read every training row once, in a fixed order: the tickets, then the files.  A folder stands for its labelled
    files.  Raises ``CorpusError``.
    """
    rows = {row.text: row for row in tickets}
    files = [_tickets_file(tickets)] if tickets else []
    for path in dict.fromkeys(_expand(paths)):
        if path.stem.endswith(HELD_OUT_FILES):
            raise CorpusError(f"{path.name} is held out for measuring; train on other files")
        found = read_glossary(path) if path.suffix == ".txt" else read_rows(path)
        fresh = [row for row in found if not row.held_out and row.text not in rows]
        rows.update((row.text, row) for row in fresh)
        if fresh:
            files.append(DataFile(path.name, len(fresh), hashlib.sha256(path.read_bytes()).hexdigest()))
    if not rows:
        raise CorpusError("no labelled texts found; name JSON-lines files with title, content and matter")
    return list(rows.values()), files


def _tickets_file(tickets: Sequence[Row]) -> DataFile:
    """Describe tickets as if they were a file; their words are hashed and stand nowhere else."""
    digest = hashlib.sha256()
    for row in tickets:
        digest.update(json.dumps([row.title, row.content, row.matter, row.weight]).encode())
    return DataFile("confirmed tickets", len(tickets), digest.hexdigest())


def read_rows(path: Path, successors: Successors | None = None) -> list[Row]:
    """Read all rows of one file, held-out ones included, with their matters of today.  Raises ``CorpusError``."""
    rows = (_row(record, f"{path.name}:{number}") for number, record in _records(path))
    return [row for old in rows if (row := of_today(old, successors or load_successors())) is not None]


def of_today(row: Row, successors: Successors) -> Row | None:
    """Return the row with the matters that took over from those it names; None when nothing took over."""
    if row.matter not in successors.parts and row.alt not in successors.parts:
        return row
    text = f"{row.title}\n{row.content}"
    matter, alt = successors.follow(row.matter, text), successors.follow(row.alt, text) if row.alt else None
    return None if matter is None else replace(row, matter=matter, alt=None if alt == matter else alt)


def read_glossary(path: Path) -> list[Row]:
    """Turn a glossary into short texts.  A line is a matter's code, a blank, and phrases separated by 、; # starts a
    comment.

    Each phrase appears in ``GLOSSARY_PASSES`` texts, each time beside other phrases of its matter, always in the same
    order.  Raises ``CorpusError``.
    """
    rows: list[Row] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        matter, _, phrases = line.strip().partition(" ")
        if not phrases:
            raise CorpusError(f"{path.name}:{number}: expected a matter's code, a blank and phrases")
        for turn in range(GLOSSARY_PASSES):
            shuffled = phrases.split("、")
            random.Random(f"{line}{turn}").shuffle(shuffled)  # noqa: S311 - an order, not a secret
            rows += [Row("", text, matter, source=GLOSSARY) for text in _joined(shuffled)]
    return [row for old in rows if (row := of_today(old, load_successors())) is not None]


def _joined(phrases: Iterable[str]) -> Iterator[str]:
    """Put phrases together until they are as long as the core of a call."""
    text = ""
    for phrase in phrases:
        text = f"{text}，{phrase}" if text else phrase
        if len(text) >= GLOSSARY_CHARS:
            yield text
            text = ""
    if text:
        yield text


def _expand(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from (file for file in sorted(path.glob("*.jsonl")) if _is_labelled(file))
            yield from sorted(path.glob("glossary*.txt"))
        elif path.is_file():
            yield path
        else:
            raise CorpusError(f"{path} does not exist")


def _is_labelled(path: Path) -> bool:
    """A folder may hold other files; a training file has a matter in its first row and is not held out by its name."""
    first = next(_records(path), (0, {}))[1]
    return "matter" in first and "content" in first and not path.stem.endswith(HELD_OUT_FILES)


def _records(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                record = json.loads(line)
            except ValueError as error:
                raise CorpusError(f"{path.name}:{number}: not JSON: {error}") from error
            if not isinstance(record, dict):
                raise CorpusError(f"{path.name}:{number}: not a JSON object")
            yield number, record


def _row(record: dict[str, Any], place: str) -> Row:
    content, matter = record.get("content"), record.get("matter")
    if not isinstance(content, str) or not isinstance(matter, str):
        raise CorpusError(f"{place}: content and matter must be texts")
    urgent = record.get("urgent")
    return Row(
        title=record.get("title") or "",
        content=content,
        matter=matter,
        alt=record.get("alt"),
        type=record.get("type"),
        urgent=None if urgent is None else bool(urgent),
        source=str(record.get("src", "")),
        held_out=record.get("split") == "test",
        weight=float(record.get("weight", 1.0)),
    )
