"""``hotline sla due`` as the outside sees it: JSON lines in, JSON lines out, nothing breaks it."""

import json
import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from hotline.cli import main
from hotline.cli.sla import LONGEST_LINE

SHARED = Path(os.environ.get("HOTLINE_SHARED") or Path(__file__).parents[4] / "shared")
VECTORS = SHARED / "domain" / "sla_vectors.jsonl"
GOOD = {"id": "a", "calendar": "cn", "start": "2026-02-13T16:30:00+08:00", "limit": "2h", "pauses": []}
INLINE = {"timezone": "Europe/Berlin", "windows": {"mon": [["09:00", "17:00"]]}, "holidays": [], "makeup_days": []}


def run(*lines: object) -> tuple[list[dict[str, Any]], int]:
    """Send ``lines`` (bytes as they are, anything else as JSON) and return the answers and the exit code."""
    sent = b"".join((line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n" for line in lines)
    result = CliRunner().invoke(main, ["sla", "due"], input=sent)
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return [json.loads(line) for line in result.stdout.splitlines()], result.exit_code


def test_one_line() -> None:
    answers, code = run(GOOD)
    assert code == 0
    assert answers == [
        {
            "id": "a",
            "due": "2026-02-14T09:30:00+08:00",
            "segments": [
                ["2026-02-13T16:30:00+08:00", "2026-02-13T17:30:00+08:00", 3600],
                ["2026-02-14T08:30:00+08:00", "2026-02-14T09:30:00+08:00", 3600],
            ],
            "seconds": 7200,
        }
    ]


@pytest.mark.skipif(not VECTORS.is_file(), reason=f"the shared vectors are not at {VECTORS}; set HOTLINE_SHARED")
def test_shared_vectors() -> None:
    vectors = [json.loads(line) for line in VECTORS.read_text(encoding="utf-8").splitlines() if line.strip()]
    answers, code = run(*vectors)
    assert code == 0
    assert [answer["due"] for answer in answers] == [vector["due"] for vector in vectors]
    for answer in answers:
        assert answer["seconds"] == sum(seconds for _, _, seconds in answer["segments"])


def test_an_inline_calendar_and_times_in_the_offset_of_the_start() -> None:
    for start, expected in (
        ("2024-03-04T08:00:00Z", "2024-03-04T10:00:00Z"),
        ("2024-03-04T08:00:00+00:00", "2024-03-04T10:00:00+00:00"),
        ("2024-03-04T03:00:00-05:00", "2024-03-04T05:00:00-05:00"),
        ("2024-03-04T08:00:00.5z", "2024-03-04T10:00:00.500000Z"),
    ):
        answers, code = run(GOOD | {"calendar": INLINE, "start": start})
        assert (answers[0]["due"], answers[0]["seconds"], code) == (expected, 7200, 0)


def test_pauses_are_listed_with_what_they_held_back() -> None:
    pauses = [["2026-02-14T08:00:00+08:00", "2026-02-14T09:00:00+08:00"]]
    answers, _ = run(GOOD | {"pauses": pauses})
    assert answers[0]["due"] == "2026-02-14T10:00:00+08:00"
    assert answers[0]["pauses"] == [[*pauses[0], 1800]]
    answers, code = run(GOOD | {"pauses": [["2026-02-13T17:00:00+08:00", None]]})
    assert (answers[0]["due"], answers[0]["seconds"], code) == (None, 1800, 0)


def test_provisional_is_said_only_when_it_is() -> None:
    answers, code = run(GOOD, GOOD | {"start": "2041-02-13T16:30:00+08:00"})
    assert ("provisional" in answers[0], answers[1]["provisional"], code) == (False, True, 0)


def test_bad_lines_name_themselves_and_the_others_still_run() -> None:
    answers, code = run(GOOD, b"{broken", GOOD | {"id": 2, "limit": "soon"}, b"", b"  \r", GOOD | {"id": 3})
    assert code == 1
    assert [answer.get("id", answer.get("line")) for answer in answers] == ["a", 2, 2, 3]
    assert "line" in answers[1]
    assert "not JSON" in answers[1]["error"]
    assert "limit: 'soon'" in answers[2]["error"]
    assert answers[3]["due"] == answers[0]["due"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"start": None}, "start: expected a time"),
        ({"start": 1771000000}, "start: expected a time"),
        ({"start": "2026-02-13T16:30:00"}, "has no offset"),
        ({"start": "tomorrow"}, "not a time"),
        ({"start": "2026-02-13T16:30:00\0Z"}, "not a time"),
        ({"start": "2026-02-13T16:30:00+99:00"}, "not a time"),
        ({"start": "9999-12-31T23:59:59Z"}, "supported years"),
        ({"limit": None}, "limit: NoneType"),
        ({"limit": 24}, "limit: int"),
        ({"limit": "0h"}, "positive"),
        ({"limit": "999999999h"}, "ten years"),
        ({"calendar": None}, "calendar: expected a name or an object, got nothing"),
        ({"calendar": []}, "calendar: expected a name or an object, got list"),
        ({"calendar": "xx"}, "known are cn"),
        ({"calendar": "../cn"}, "known are cn"),
        ({"calendar": INLINE | {"timezone": "Mars/Olympus"}}, "timezone"),
        ({"calendar": INLINE | {"windows": {}}}, "no weekday has any working time"),
        ({"calendar": INLINE | {"windows": {"mon": [["17:00", "09:00"]]}}}, "before it begins"),
        ({"pauses": None}, "pauses: expected a list"),
        ({"pauses": {}}, "pauses: expected a list"),
        ({"pauses": [["2026-02-13T16:30:00Z"]]}, r"pauses\[0\]: a pause is a pair"),
        ({"pauses": [[None, None]]}, r"pauses\[0\]: expected a time"),
        ({"pauses": [["2026-02-14T00:00:00Z", "2026-02-13T00:00:00Z"]]}, "before it begins"),
    ],
)
def test_what_is_wrong_is_named(change: dict[str, Any], message: str) -> None:
    answers, code = run(GOOD | change)
    assert (answers[0]["id"], code) == ("a", 1)
    assert answers[0]["error"]
    with pytest.raises(ValueError, match=message):
        raise ValueError(answers[0]["error"])


@pytest.mark.parametrize(
    "line",
    [
        b"null",
        b"[]",
        b'"text"',
        b"1",
        b"\xff\xfe",
        b"\0",
        b"{" * 100_000,
        b"[" * 100_000,
        b'{"id":' * 50_000,
        b'{"id": ' + b"9" * 10_000 + b"}",
        b'{"id": NaN}',
        b'{"id": 1.5}',
        b'{"id": true}',
        b'{"id": {}}',
        b'{"pad": "' + b"x" * LONGEST_LINE + b'"}',
    ],
    ids=lambda line: line[:12].decode(errors="replace").replace("\0", "NUL"),
)
def test_hostile_lines_get_their_number(line: bytes) -> None:
    answers, code = run(line, GOOD)
    assert code == 1
    assert answers[0]["line"] == 1
    assert answers[0]["error"]
    assert answers[1]["due"] == "2026-02-14T09:30:00+08:00"


@pytest.mark.parametrize("name", ["2\0", "\ud800", "街道", 2**80, -1, None, ""])
def test_any_text_or_whole_number_is_an_id(name: object) -> None:
    answers, code = run(GOOD | {"id": name})
    assert (answers[0]["id"], code) == (name, 0)


def test_a_deep_calendar_does_not_crash() -> None:
    for depth in (400, 900, 2000):
        deep = (
            b'{"id": 1, "start": "2026-02-13T16:30:00Z", "limit": "1h", "calendar": '
            + b'{"a":' * depth
            + b"1"
            + b"}" * depth
        )
        answers, code = run(deep + b"}", GOOD)
        assert ("error" in answers[0], "due" in answers[1], code) == (True, True, 1)


anything = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.sampled_from(["cn", "1h"])),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=6,
)


@settings(deadline=None, max_examples=300)
@given(st.dictionaries(st.sampled_from([*GOOD, "windows"]), anything), st.booleans(), anything)
def test_whatever_comes_gets_one_answer(change: dict[str, Any], inline: bool, value: object) -> None:
    line = GOOD | change
    if inline:
        line["calendar"] = INLINE | {"windows": value}
    answers, code = run(line)
    assert len(answers) == 1
    assert ("error" in answers[0]) is (code == 1)


def test_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "requests.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(GOOD).encode())  # With a byte order mark and no last line break.
    result = CliRunner().invoke(main, ["sla", "due", str(path)])
    assert datetime.fromisoformat(json.loads(result.stdout)["due"]).minute == 30


def test_help_shows_examples() -> None:
    result = CliRunner().invoke(main, ["sla", "due", "--help"])
    assert "Examples:" in result.output
    assert "segments" in result.output


def test_no_database_and_no_server_is_loaded() -> None:
    script = (
        "import sys; from hotline.cli.sla import command; command(['due'], standalone_mode=False);"
        "print(sorted({'sqlalchemy', 'flask', 'celery', 'numpy', 'pydantic'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], input=json.dumps(GOOD).encode(), capture_output=True, check=True
    )
    assert done.stderr.strip() == b"[]"
    assert json.loads(done.stdout)["due"] == "2026-02-14T09:30:00+08:00"
