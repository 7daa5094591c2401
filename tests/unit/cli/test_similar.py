"""``hotline similar find``: the contract, and what it does with lines that cannot be used."""

import json

import pytest
from click.testing import CliRunner

from hotline.cli.similar import command

LIFT = "金茂小区3栋的电梯坏了三天，老人上下楼很不方便"


def find(*lines: object) -> tuple[int, list[dict]]:
    written = "\n".join(line if isinstance(line, str) else json.dumps(line, ensure_ascii=False) for line in lines)
    done = CliRunner().invoke(command, ["find"], input=written.encode("utf-8", "surrogatepass"))
    return done.exit_code, [json.loads(line) for line in done.stdout.splitlines()]


def test_partners_come_back_by_id_in_the_order_of_the_messages() -> None:
    status, answers = find(
        {"id": "a", "time": "2026/5/27 10:50:37", "title": "", "content": LIFT},
        {"id": 7, "time": "2026-05-28T08:00:00+08:00", "title": None, "content": LIFT + "，请尽快修"},
        {"id": "c", "content": "公交702路等了一小时也不来"},
    )
    assert status == 0
    assert [answer["id"] for answer in answers] == ["a", 7, "c"]
    assert answers[0]["neighbours"][0]["id"] == 7
    assert answers[0]["same"] == [7]
    assert answers[1]["same"] == ["a"]
    assert answers[2]["same"] == []
    assert all(0 <= neighbour["score"] <= 1 for answer in answers for neighbour in answer["neighbours"])


def test_never_more_than_five_neighbours() -> None:
    _, answers = find(*({"id": number, "content": f"{LIFT}第{number}次"} for number in range(9)))
    assert {len(answer["neighbours"]) for answer in answers} == {5}


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{", "not JSON"),
        ("[1]", "not a JSON object"),
        ('{"id": NaN, "content": "x"}', "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('{"content": "路灯坏了"}', "id must be"),
        ('{"id": true, "content": "路灯坏了"}', "id must be"),
        ('{"id": 1, "content": 5}', "content must be a string"),
        ('{"id": 1, "content": "  "}', "content is empty"),
        ('{"id": 1, "content": "路灯坏了", "time": "yesterday"}', "time must look like"),
        ('{"id": 1, "content": "路灯坏了", "time": "2026-13-45"}', "time must look like"),
        ('{"id": "a", "content": "路灯坏了"}', "stands there twice"),
    ],
)
def test_a_line_that_cannot_be_used_says_which_and_why_and_the_others_go_on(line: str, problem: str) -> None:
    status, answers = find({"id": "a", "content": LIFT}, line, {"id": "b", "content": LIFT})
    assert status == 1
    assert answers[1]["line"] == 2
    assert problem in answers[1]["error"]
    assert answers[0]["same"] == ["b"]


@pytest.mark.parametrize("content", ["\ud800路灯", "\x00路灯坏了", "灯" * 300_000, "😀", "路\u202e灯", "a"])
def test_strange_texts_are_answered(content: str) -> None:
    status, answers = find(json.dumps({"id": 1, "content": content}), {"id": 2, "content": LIFT})
    assert (status, len(answers)) == (0, 2)


def test_nothing_in_nothing_out() -> None:
    assert find("") == (0, [])
