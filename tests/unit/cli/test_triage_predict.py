"""``hotline triage predict``: JSON lines in, JSON lines out; a bad line costs only itself."""

import json

import pytest
from click.testing import CliRunner, Result

from hotline.cli import main


def run(*lines: str | bytes, args: tuple[str, ...] = ()) -> Result:
    joined = b"\n".join(line if isinstance(line, bytes) else line.encode("utf-8", "surrogatepass") for line in lines)
    return CliRunner().invoke(main, ["triage", "predict", *args], input=joined)


def answers(result: Result) -> list[dict[str, object]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_the_contract() -> None:
    result = run('{"id": "a-1", "title": "", "content": "XX路与YY街交叉口的路灯坏了三天了"}')
    assert result.exit_code == 0
    (answer,) = answers(result)
    assert list(answer)[:9] == ["id", "task", "matter", "confidence", "auto", "top", "type", "urgency", "evidence"]
    assert (answer["id"], answer["task"], answer["matter"]) == ("a-1", "E", "E03")
    assert len(answer["top"]) >= 3  # type: ignore[arg-type]
    assert answer["top"][0] == {"matter": "E03", "p": answer["confidence"]}  # type: ignore[index]


def test_order_is_kept_and_ids_come_back_as_they_were() -> None:
    result = run(*(json.dumps({"id": i, "content": "小区停水"}) for i in range(1200)))
    assert [answer["id"] for answer in answers(result)] == list(range(1200))


@pytest.mark.parametrize(
    ("line", "head"),
    [
        ("{broken", {"line": 1}),
        ("[]", {"line": 1}),
        ("null", {"line": 1}),
        ("3", {"line": 1}),
        ('"路灯"', {"line": 1}),
        (b"\xff\xfe\x00", {"line": 1}),
        ("[" * 100_000, {"line": 1}),
        ('{"id": 1}', {"id": 1}),
        ('{"id": 1, "content": null}', {"id": 1}),
        ('{"id": 1, "content": 5}', {"id": 1}),
        ('{"id": 1, "content": ["路灯"]}', {"id": 1}),
        ('{"id": 1, "content": ""}', {"id": 1}),
        ('{"id": 1, "content": "  "}', {"id": 1}),
        ('{"id": 1, "title": 7, "content": "路灯坏了"}', {"id": 1}),
        ('{"id": {}, "content": "路灯坏了"}', {"line": 1}),
        ('{"id": true, "content": "路灯坏了"}', {"line": 1}),
        ('{"id": NaN, "content": "路灯坏了"}', {"line": 1}),
    ],
)
def test_a_bad_line_costs_only_itself(line: str | bytes, head: dict[str, object]) -> None:
    result = run(line, '{"id": "next", "content": "路灯坏了"}')
    bad, good = answers(result)
    assert result.exit_code == 1
    assert {key: value for key, value in bad.items() if key != "error"} == head
    assert bad["error"]
    assert good["matter"] == "E03"


@pytest.mark.parametrize(
    "line",
    [
        '{"id": 1, "content": "路灯\\u0000坏了"}',
        '{"id": 1, "content": "路灯坏了\\ud800"}',
        '{"id": "\\ud800", "content": "路灯坏了"}',
        json.dumps({"id": 1, "content": "路灯坏了" * 250_000}),
        '{"id": 1, "title": null, "content": "路灯坏了"}',
        '{"id": 1, "title": "路灯坏了", "content": ""}',
        '{"content": "路灯坏了"}',
        '{"id": null, "content": "路灯坏了"}',
        '{"id": 12345678901234567890123, "content": "路灯坏了", "extra": {"a": 1}}',
        '\ufeff{"id": 1, "content": "路灯坏了"}',
    ],
)
def test_strange_but_usable_lines_are_answered(line: str) -> None:
    result = run(line)
    assert result.exit_code == 0, result.output
    assert answers(result)[0]["task"] == "E"


def test_empty_lines_are_skipped_and_no_lines_are_no_error() -> None:
    assert answers(run("", '{"id": 1, "content": "路灯坏了"}', ""))[0]["id"] == 1
    assert run("").exit_code == 0


def test_no_model_is_one_clear_line(tmp_path: object) -> None:
    result = run('{"id": 1, "content": "路灯坏了"}', args=("--models", f"{tmp_path}/none"))
    assert result.exit_code == 1
    assert "hotline model train" in result.stderr
    assert "Traceback" not in result.output


def test_help_shows_examples() -> None:
    assert "Examples:" in CliRunner().invoke(main, ["triage", "predict", "--help"]).output


def test_a_large_number_is_not_rounded() -> None:
    assert answers(run('{"id": 12345678901234567890123, "content": "路灯坏了"}'))[0]["id"] == 12345678901234567890123
