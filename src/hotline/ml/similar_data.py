"""Reading messages from JSON lines: ``id, time, title, content`` and, where events are known, ``group``."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from hotline.domain.city_time import CITY_ZONE
from hotline.ml.corpus import CorpusError
from hotline.ml.similar_text import Message

MAX_LINE_BYTES = 8 * 2**20
_PLAIN_TIME = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[ T]+(\d{1,2}):(\d{2})(?::(\d{2}))?)?")


class LineError(ValueError):
    """A line cannot be used; ``id`` is the message's where it could be read."""

    def __init__(self, problem: str, record_id: str | int | float | None = None) -> None:
        super().__init__(problem)
        self.id = record_id


@dataclass(frozen=True, slots=True)
class Record:
    """A message of a file with its id and its event (None: an event of its own)."""

    id: str | int | float
    message: Message
    event: int | None = None


def read_record(line: bytes) -> Record:
    """Read one line.  Raises ``LineError``."""
    if len(line) > MAX_LINE_BYTES:
        raise LineError(f"longer than {MAX_LINE_BYTES >> 20} MB")
    try:
        record = json.loads(line, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise LineError(f"not JSON: {error}") from error
    if not isinstance(record, dict):
        raise LineError("not a JSON object")
    key = record.get("id")
    if not isinstance(key, str | int | float) or isinstance(key, bool):
        raise LineError("id must be a string or a number")
    title, content, event = record.get("title"), record.get("content"), record.get("group")
    if title is not None and not isinstance(title, str):
        raise LineError("title must be a string", key)
    if not isinstance(content, str):
        raise LineError("content must be a string", key)
    if not content.strip() and not (title or "").strip():
        raise LineError("content is empty", key)
    if event is not None and (not isinstance(event, int) or isinstance(event, bool)):
        raise LineError("group must be a whole number or null", key)
    try:
        at = read_time(record.get("time"))
    except ValueError as error:
        raise LineError(str(error), key) from error
    return Record(key, Message(title or "", content, at), event)


def read_time(value: Any) -> float | None:
    """Return Unix seconds for ISO 8601 or 2019/5/27 10:50:37; a time without a zone is the city's.  None stays None.

    Raises ``ValueError``.
    """
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise ValueError("time must be a string")
    try:
        found = _PLAIN_TIME.fullmatch(value.strip())
        if found:
            moment = datetime(*(int(part) for part in found.groups("0")), tzinfo=CITY_ZONE)  # type: ignore[misc,arg-type]
        else:
            moment = datetime.fromisoformat(value.strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=CITY_ZONE)).timestamp()
    except (ValueError, OverflowError) as error:
        raise ValueError("time must look like 2026-05-27T10:50:37+08:00 or 2026/5/27 10:50:37") from error


def read_events(path: Path) -> list[Record]:
    """Read a whole file.  Raises ``CorpusError`` with file and line, also when an id stands there twice."""
    records: list[Record] = []
    seen: set[str | int | float] = set()
    for number, line in _lines(path):
        try:
            record = read_record(line)
        except LineError as error:
            raise CorpusError(f"{path.name}:{number}: {error}") from error
        if record.id in seen:
            raise CorpusError(f"{path.name}:{number}: the id stands there twice")
        seen.add(record.id)
        records.append(record)
    if not any(record.event is not None for record in records):
        raise CorpusError(f"{path.name} names no events: give messages of one event the same whole number as group")
    return records


def read_look_alikes(path: Path, records: Iterable[Record]) -> list[tuple[int, int]]:
    """Read pairs of ids, separated by tabs, that look alike but are not one event, as rows of ``records``.

    Raises ``CorpusError``.
    """
    row_of = {str(record.id): row for row, record in enumerate(records)}
    pairs = []
    for number, line in _lines(path):
        ids = line.decode("utf-8", "replace").rstrip("\n").split("\t")[:2]
        try:
            one, other = sorted(row_of[key.strip()] for key in ids)
        except (KeyError, ValueError) as error:
            raise CorpusError(f"{path.name}:{number}: expected two ids of the data, separated by a tab") from error
        pairs.append((one, other))
    return pairs


def read_corpus(paths: Iterable[Path], without: Iterable[Message]) -> dict[Message, str | None]:
    """Read texts to learn words from, each with its matter if it is known: JSON lines with title, content and matter;
    rows with split "test" and the texts ``without`` are left out.  Raises ``CorpusError``.
    """
    known = {message.content.strip() for message in without}
    found: dict[Message, str | None] = {}
    for path in paths:
        for number, line in _lines(path):
            try:
                record = json.loads(line)
                title, content = record.get("title") or "", record["content"]
                if record.get("split") != "test" and content.strip() not in known:
                    found[Message(title, content)] = record.get("matter")
            except (ValueError, KeyError, AttributeError) as error:
                raise CorpusError(f"{path.name}:{number}: expected title and content") from error
    return found


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        with path.open("rb") as lines:
            yield from ((number, line) for number, line in enumerate(lines, 1) if line.strip())
    except OSError as error:
        raise CorpusError(f"cannot read {path}: {error.strerror}") from error


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
