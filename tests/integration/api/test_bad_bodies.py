"""Bodies that are no ticket at all: every one is answered by a problem that says so, and nothing is stored."""

from collections.abc import Callable, Iterator

import pytest
from tests.factories import ApiClient, row_counts
from werkzeug.test import TestResponse

from hotline.bootstrap import Runtime

TICKETS = "/api/v1/tickets"
JSON = "application/json"
PHONE = "13912345678"

# Somebody's phone stands in each, so that an answer which repeats its input is caught.
DEEP_LIST = b"[" * 200_000 + PHONE.encode() + b"]" * 200_000
DEEP_OBJECT = b'{"content":' * 100_000 + b'"' + PHONE.encode() + b'"' + b"}" * 100_000

BROKEN = {
    "empty": b"",
    "white space": b"  \n ",
    "half an object": b'{"channel": "phone", "content": "13912345678',
    "trailing comma": b'{"channel": "phone", "content": "13912345678",}',
    "two objects": b'{"channel": "phone", "content": "13912345678"} {}',
    "single quotes": b"{'channel': 'phone', 'content': '13912345678'}",
    "a word": b"13912345678x",
    "a form": b"channel=phone&content=13912345678",
    "raw line break in a text": b'{"channel": "phone", "content": "13912345678\n"}',
    "NaN": b'{"channel": "phone", "content": NaN, "title": "13912345678"}',
    "Infinity": b'{"channel": "phone", "content": Infinity}',
    "minus Infinity": b'{"channel": "phone", "content": -Infinity}',
    "an integer of 5,000 digits": b'{"channel": "phone", "content": ' + b"9" * 5000 + b"}",
    "byte order mark": b'\xef\xbb\xbf{"channel": "phone", "content": "13912345678"}',
    "UTF-16": '{"channel": "phone", "content": "13912345678"}'.encode("utf-16"),
    "GBK": '{"channel": "phone", "content": "路灯不亮 13912345678"}'.encode("gbk"),
    "a surrogate in bytes": b'{"channel": "phone", "content": "\xed\xa0\x80 13912345678"}',
    "half a character": b'{"channel": "phone", "content": "13912345678 \xe8\xb7"}',
    "an overlong NUL": b'{"channel": "phone", "content": "13912345678 \xc0\x80"}',
    "a deep list": DEEP_LIST,
    "a deep object": DEEP_OBJECT,
    "a deep list inside a field": b'{"channel": "phone", "content": ' + DEEP_LIST + b"}",
    "a deep list inside the caller": b'{"channel": "phone", "content": "x", "caller": {"name": ' + DEEP_LIST + b"}}",
    "a member twice": b'{"channel": "phone", "content": "13912345678", "content": "x"}',
    "a member of the caller twice": b'{"channel": "phone", "content": "x", "caller": {"name": "a", "name": "b"}}',
}

NO_OBJECT = {
    "null": b"null",
    "true": b"true",
    "a number": b"13912345678",
    "an infinite number": b"1e999",
    "a text": b'"13912345678"',
    "an empty list": b"[]",
    "a list of tickets": b'[{"channel": "phone", "content": "13912345678"}]',
}


@pytest.fixture
def agent(standing_api: Callable[[str], ApiClient]) -> ApiClient:
    return standing_api("agent01")


@pytest.fixture(autouse=True)
def _nothing_is_stored(agent: ApiClient, standing_parts: Runtime) -> Iterator[None]:
    before = row_counts(standing_parts)
    yield
    assert row_counts(standing_parts) == before


def refused(answer: TestResponse, status: int, field: str = "body") -> None:
    assert answer.status_code == status, answer.get_data(as_text=True)
    assert answer.content_type == "application/problem+json"
    assert answer.json["status"] == status
    assert [error["field"] for error in answer.json["errors"]] == [field]
    assert PHONE not in answer.get_data(as_text=True)


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
def test_a_body_that_is_not_json_is_refused(agent: ApiClient, body: bytes) -> None:
    refused(agent.post_raw(TICKETS, body, **{"Content-Type": JSON}), 400)


@pytest.mark.parametrize("body", NO_OBJECT.values(), ids=NO_OBJECT)
def test_json_that_is_not_an_object_is_refused(agent: ApiClient, body: bytes) -> None:
    refused(agent.post_raw(TICKETS, body, **{"Content-Type": JSON}), 422)


@pytest.mark.parametrize(
    "kind", [None, "", "text/plain", "application/x-www-form-urlencoded", "text/json", "application/xml", "json"]
)
def test_a_body_sent_as_anything_but_json_is_refused(agent: ApiClient, kind: str | None) -> None:
    headers = {} if kind is None else {"Content-Type": kind}
    refused(agent.post_raw(TICKETS, b'{"channel": "phone", "content": "13912345678"}', **headers), 415)


@pytest.mark.parametrize("path", ["/actions/dispatch", "/actions/sign", "/reveal"])
@pytest.mark.parametrize("body", [b"null", b"[]", b"1"], ids=["null", "list", "number"])
def test_every_route_with_a_body_takes_an_object_and_nothing_else(agent: ApiClient, path: str, body: bytes) -> None:
    refused(agent.post_raw(f"{TICKETS}/20261125-000001{path}", body, **{"Content-Type": JSON}), 422)


def test_a_step_without_a_body_says_that_json_is_needed(agent: ApiClient) -> None:
    refused(agent.post_raw(f"{TICKETS}/20261125-000001/actions/sign", b""), 415)


def test_a_body_beyond_four_megabytes_is_refused_unread(agent: ApiClient) -> None:
    body = b'{"channel": "phone", "content": "13912345678' + b"x" * (4 * 1024 * 1024) + b'"}'
    refused(agent.post_raw(TICKETS, body, **{"Content-Type": JSON}), 413)


@pytest.mark.parametrize("key", ["", "k" * 256, "ключ", "a\tb", "é"])
def test_an_idempotency_key_that_cannot_be_kept_is_refused(agent: ApiClient, key: str) -> None:
    body = b'{"channel": "phone", "content": "13912345678"}'
    refused(agent.post_raw(TICKETS, body, **{"Content-Type": JSON, "Idempotency-Key": key}), 400, "Idempotency-Key")


@pytest.mark.parametrize("number", ["%00", "2026%001125", PHONE, "x" * 3000, "%ed%a0%80", "..%2f..", "%E8%B7%AF"])
@pytest.mark.parametrize("rest", ["", "/actions/sign", "/reveal"])
def test_a_ticket_number_that_cannot_exist_is_not_found(agent: ApiClient, number: str, rest: str) -> None:
    path = f"{TICKETS}/{number}{rest}"
    answer = agent.post(path, {"reason": "查证"} if rest == "/reveal" else {}) if rest else agent.get(path)
    assert answer.status_code == 404
    assert answer.content_type == "application/problem+json"
    assert PHONE not in answer.get_data(as_text=True)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "101"}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"limit": "9" * 5000}, "limit"),
        ({"state": "lost"}, "state"),
        ({"state": "closed,"}, "state"),
        ({"state": "\x00"}, "state"),
        ({"matter": "'; DROP TABLE ticket"}, "matter"),
        ({"department": "城管局"}, "department"),
        ({"before": "yesterday"}, "before"),
        ({"before": "\x00"}, "before"),
        ({"phone": PHONE}, "phone"),
    ],
)
def test_a_filter_that_means_nothing_is_named(agent: ApiClient, query: dict[str, str], field: str) -> None:
    answer = agent.get(TICKETS, **query)
    refused(answer, 400 if "\x00" in query[field] else 422, field)
