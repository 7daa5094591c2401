"""``hotline sla``: deadlines from the command line, without a database and without a server."""

import json
import re
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, tzinfo
from functools import lru_cache
from typing import Any, BinaryIO

import click

from hotline.domain.working_time import (
    Calendar,
    CalendarError,
    Due,
    Limit,
    LimitError,
    Pause,
    Segment,
    calendar_from_mapping,
    due,
)

# The parser of Python 3.11 overlooks some strange characters, NUL among them.
_LOOKS_LIKE_A_TIME = re.compile(r"[0-9TWZ:.,+ -]{1,40}")
LONGEST_LINE = 1 << 20  # Bytes.  A longer line is no request, and reading it whole would let it fill the memory.


class LineError(ValueError):
    """A line of input that cannot be answered; the message is for whoever wrote the line."""


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Compute deadlines from a calendar."""


@command.command("due")
@click.argument("source", metavar="[FILE]", type=click.File("rb"), default="-")
@click.pass_context
def due_command(context: click.Context, source: BinaryIO) -> None:
    """Read JSON lines and answer each with its deadline and the segments that counted.

    \b
    In:   {"id", "calendar", "start", "limit", "pauses"}
          calendar  "cn", or {"timezone", "windows": {"mon": [["08:30", "12:00"], …], …},
                    "holidays": ["2026-10-01", …], "makeup_days": […]}
          limit     180m and 24h in working time, 5wd whole working days, "2h clock" day and night
          pauses    [[from, to], …]; null as the second one is a pause that is still open
    Out:  {"id", "due", "segments": [[from, to, seconds], …], "seconds"}
          due is null while an open pause holds it back; "provisional": true when a year on the way
          has no published holidays yet; "pauses" lists what each pause held back.

    \b
    Times are ISO 8601 with an offset and come back in the offset of the start.
    A line that cannot be answered gives {"id", "error"}, or {"line", "error"} when it cannot be read;
    the others still run and the exit code is 1.

    \b
    Examples:
      hotline sla due < requests.jsonl > dues.jsonl
      echo '{"id": 1, "calendar": "cn", "start": "2026-02-13T16:30:00+08:00", "limit": "2h"}' | hotline sla due
    """
    out = sys.stdout.buffer
    failed = total = 0
    for number, line in _lines(source):
        answer = _answer(number, line)
        failed += "error" in answer
        total += 1
        out.write(_encoded(answer))
        out.flush()  # Whoever writes one line and waits for its answer gets it.
    if failed:
        click.echo(f'{failed} of {total} lines could not be answered; see "error" in the output.', err=True)
        context.exit(1)


def _lines(source: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """Yield (number from 1, line) for each line that is not blank; None stands for one that is too long."""
    number = 0
    while line := source.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE:
            while line and not line.endswith(b"\n"):
                line = source.readline(LONGEST_LINE)
            yield number, None
        elif line.strip():
            yield number, line


def _answer(number: int, line: bytes | None) -> dict[str, Any]:
    """Return the answer to one line; never raises for what the line says."""
    who: dict[str, Any] = {"line": number}
    try:
        request = _parsed(line)
        who = {"id": _id(request.get("id"))}
        return who | _explained(_due(request), str(request["start"]).strip())
    except (LineError, CalendarError, LimitError) as error:
        return who | {"error": str(error)}
    except RecursionError:
        return who | {"error": "nested too deeply"}


def _parsed(line: bytes | None) -> dict[str, Any]:
    if line is None:
        raise LineError(f"the line is longer than {LONGEST_LINE} bytes")
    try:
        request = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise LineError(f"not UTF-8 at byte {error.start}") from error
    except json.JSONDecodeError as error:
        raise LineError(f"not JSON: {error.msg} at column {error.colno}") from error
    except ValueError as error:  # A number of thousands of digits.
        raise LineError("a number has too many digits") from error
    if not isinstance(request, dict):
        raise LineError(f"expected an object, got {type(request).__name__}")
    return request


def _id(value: object) -> str | int | None:
    if value is None or (isinstance(value, str | int) and not isinstance(value, bool)):
        return value
    raise LineError(f"id: expected a text or a whole number, got {type(value).__name__}")


def _due(request: dict[str, Any]) -> Due:
    start = _instant(request.get("start"), "start")
    limit = Limit.parse(request.get("limit"))
    return due(_calendar(request.get("calendar")), start, limit, _pauses(request.get("pauses", [])))


def _calendar(value: object) -> Calendar:
    if isinstance(value, str):
        # PyYAML is loaded only when a line asks for a calendar that ships with the program.
        from hotline.reference.calendars import load_calendar

        return load_calendar(value)
    if isinstance(value, dict):
        return _inline_calendar(json.dumps(value, sort_keys=True))
    raise LineError(f"calendar: expected a name or an object, got {_kind(value)}")


@lru_cache(maxsize=16)
def _inline_calendar(text: str) -> Calendar:
    """Return the calendar that ``text`` describes; lines of one batch mostly repeat the same one."""
    return calendar_from_mapping(json.loads(text))


def _pauses(value: object) -> list[Pause]:
    if not isinstance(value, list):
        raise LineError(f"pauses: expected a list, got {_kind(value)}")
    return [_pause(item, f"pauses[{index}]") for index, item in enumerate(value)]


def _pause(value: object, where: str) -> Pause:
    if not isinstance(value, list) or len(value) != 2:
        raise LineError(f"{where}: a pause is a pair [from, to]")
    return _instant(value[0], where), None if value[1] is None else _instant(value[1], where)


def _instant(value: object, where: str) -> datetime:
    if not isinstance(value, str):
        raise LineError(f"{where}: expected a time in ISO 8601, got {_kind(value)}")
    text = value.strip().upper()
    try:
        if not _LOOKS_LIKE_A_TIME.fullmatch(text):
            raise ValueError
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise LineError(f"{where}: {value[:40]!r} is not a time in ISO 8601") from error
    if instant.tzinfo is None:
        raise LineError(f"{where}: {value[:40]!r} has no offset; end it with Z or +08:00")
    return instant


def _kind(value: object) -> str:
    return "nothing" if value is None else type(value).__name__


def _explained(result: Due, start: str) -> dict[str, Any]:
    """Return ``result`` as JSON, all times written in the offset of the start (``Z`` when that was written so)."""
    show = _writer(result.start.tzinfo, start.upper().endswith("Z"))
    segments = result.segments
    answer: dict[str, Any] = {
        "due": None if result.instant is None else show(result.instant),
        "segments": [_shown(segment, show) for segment in segments],
        "seconds": _number(sum(segment.counted.total_seconds() for segment in segments)),
    }
    if held_back := result.held_back:
        answer["pauses"] = [_shown(pause, show) for pause in held_back]
    if result.provisional:
        answer["provisional"] = True
    return answer


def _writer(zone: tzinfo | None, zulu: bool) -> Callable[[datetime], str]:
    def write(instant: datetime) -> str:
        text = instant.astimezone(zone).isoformat()
        return text.replace("+00:00", "Z") if zulu else text

    return write


def _shown(segment: Segment, show: Callable[[datetime], str]) -> list[Any]:
    return [show(segment.start), show(segment.end), _number(segment.counted.total_seconds())]


def _number(seconds: float) -> int | float:
    return int(seconds) if seconds == int(seconds) else round(seconds, 6)


def _encoded(answer: dict[str, Any]) -> bytes:
    try:
        return json.dumps(answer, ensure_ascii=False).encode() + b"\n"
    except UnicodeEncodeError:  # An id with half of a surrogate pair goes back as it came, escaped.
        return json.dumps(answer).encode() + b"\n"
