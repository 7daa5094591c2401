"""Tickets with something wrong in one field: the answer names the field, repeats nothing, and nothing is stored."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from tests.factories import ApiClient, row_counts

from hotline.bootstrap import Runtime, utc_now

TICKETS = "/api/v1/tickets"
GOOD: dict[str, Any] = {"channel": "phone", "content": "路灯不亮"}

# These stand in what is sent and must stand in no answer.
SECRETS = ("13912345678", "王小明", "幸福里小区")

# Every member, with the kinds of values it does not take.
TEXTS = ("content", "title", "wish", "address", "district", "matter", "merge_into", "answer", "channel", "disposition")
NOT_TEXTS: tuple[Any, ...] = (7, 1.5, True, [], ["x"], {}, {"a": 1}, 10**400, 1e308)
NOT_BOOLEANS: tuple[Any, ...] = (1, 0, "true", "yes", "", [], {}, None, 1.0)
NOT_TIMES: tuple[Any, ...] = (
    *(1764000000, 1.5, True, [], {}, ""),
    *("yesterday", "1764000000", "20251101", "1764000000.5", "2026", "2026-11", "25.11.2026", "11/25/2026"),
    *("2026-13-01", "2026-02-30", "2026-11-25T25:00:00", "2026-11-25T08:61:00+08:00", "2026-11-25T08:00:00+25:00"),
    *("0001-01-01T00:00:00+08:00", "0001-01-01", "1899-12-31T23:59:59", "0000-01-01", "-2026-11-25"),
    *("9999-12-31T23:59:59-12:00", "9999-12-31", "99999-01-01", "2026-11-25T08:00:00\x00", "２０２６-１１-２５"),
)
NOT_CALLERS: tuple[Any, ...] = (1, True, "王小明", [], ["13912345678"], [{}])
CONTROLS = ("\x00", "\x01", "\x08", "\x0b", "\x0c", "\x1b", "\x1f", "\x7f", "\ufffe", "\uffff")
SURROGATES = ("\ud800", "\udfff", "王小明\udc80", "\ude00\ud83d")


@pytest.fixture
def agent(standing_api: Callable[[str], ApiClient]) -> ApiClient:
    return standing_api("agent01")


@pytest.fixture(autouse=True)
def _nothing_is_stored(agent: ApiClient, standing_parts: Runtime) -> Iterator[None]:
    before = row_counts(standing_parts)
    yield
    assert row_counts(standing_parts) == before


def refused(agent: ApiClient, body: dict[str, Any], *fields: str) -> str:
    answer = agent.post(TICKETS, body, idempotency_key="the same for all, and never kept")
    text = answer.get_data(as_text=True)
    assert answer.status_code == 422, text
    assert answer.content_type == "application/problem+json"
    assert [error["field"] for error in answer.json["errors"]] == list(fields)
    assert all(error["message"] for error in answer.json["errors"])
    assert not [secret for secret in SECRETS if secret in text]
    return text


@pytest.mark.parametrize("field", ["channel", "content"])
def test_what_a_ticket_needs_is_asked_for(agent: ApiClient, field: str) -> None:
    refused(agent, {name: value for name, value in GOOD.items() if name != field}, field)
    refused(agent, GOOD | {field: None}, field)


def test_an_empty_object_lacks_both_channel_and_content(agent: ApiClient) -> None:
    refused(agent, {}, "channel", "content")


@pytest.mark.parametrize("blank", ["", " ", "\t\n\r ", "\u3000\u3000", "\u00a0", "\u2003\u2028"])
@pytest.mark.parametrize("field", ["content", "title", "wish", "address", "district", "answer"])
def test_a_blank_text_is_not_given(agent: ApiClient, field: str, blank: str) -> None:
    refused(agent, GOOD | {field: blank}, field)


@pytest.mark.parametrize(
    ("field", "length"),
    [
        *(("content", length) for length in (20_001, 200_000, 600_000)),
        *(("title", 201), ("wish", 2001), ("address", 201), ("district", 201), ("answer", 2001)),
        *(("matter", 41), ("merge_into", 21), ("channel", 5000)),
    ],
)
def test_a_text_that_is_too_long_is_named(agent: ApiClient, field: str, length: int) -> None:
    refused(agent, GOOD | {field: ("王小明" * length)[:length]}, field)


@pytest.mark.parametrize("value", NOT_TEXTS, ids=lambda value: repr(value)[:12])
@pytest.mark.parametrize("field", TEXTS)
def test_a_text_of_another_type_is_named(agent: ApiClient, field: str, value: object) -> None:
    refused(agent, GOOD | {field: value}, field)


@pytest.mark.parametrize("value", NOT_BOOLEANS, ids=repr)
@pytest.mark.parametrize("field", ["anonymous", "confidential"])
def test_yes_or_no_is_said_by_true_or_false_only(agent: ApiClient, field: str, value: object) -> None:
    refused(agent, GOOD | {field: value}, field)


@pytest.mark.parametrize("value", ["fax", "PHONE", "phone ", "电话", "王小明", ""])
def test_an_unknown_channel_is_named(agent: ApiClient, value: str) -> None:
    refused(agent, GOOD | {"channel": value}, "channel")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("type", value) for value in ("complaint", "投诉 ", "王小明", "", 1, [], {}, True)),
        *(("urgency", value) for value in ("high", "URGENT", "紧急", "", 2, [], {}, True)),
        *(("disposition", value) for value in ("close", "TRIAGE", "", None)),
        *(("matter", value) for value in ("Z99", "e03", "E3", "E03\n", "路灯", "", "A'--")),
        *(("district", value) for value in ("XX", "王小明区", "ld", "LD;")),
        *(("merge_into", value) for value in ("13912345678", "20261125-1", "20261125-000001x", "")),
        ("merge_into", "20991231-999999\n"),
    ],
)
def test_a_code_that_is_not_known_is_named(agent: ApiClient, field: str, value: object) -> None:
    refused(agent, GOOD | {field: value}, field)


@pytest.mark.parametrize("value", NOT_TIMES, ids=lambda value: repr(value)[:30])
def test_a_time_that_cannot_be_or_cannot_be_read_is_named(agent: ApiClient, value: object) -> None:
    refused(agent, GOOD | {"occurred_at": value}, "occurred_at")


@pytest.mark.parametrize("hours", [1, 24, 24 * 365])
@pytest.mark.parametrize("aware", [True, False])
def test_what_has_not_happened_yet_cannot_be_reported(agent: ApiClient, hours: int, aware: bool) -> None:
    later = utc_now() + timedelta(hours=hours + 8)
    refused(agent, GOOD | {"occurred_at": (later if aware else later.replace(tzinfo=None)).isoformat()}, "occurred_at")


@pytest.mark.parametrize("value", NOT_CALLERS, ids=repr)
def test_a_caller_is_an_object(agent: ApiClient, value: object) -> None:
    refused(agent, GOOD | {"caller": value}, "caller")


@pytest.mark.parametrize("value", [*NOT_TEXTS, "", "  ", "王" * 61], ids=lambda value: repr(value)[:12])
def test_a_callers_name_is_a_short_text(agent: ApiClient, value: object) -> None:
    refused(agent, GOOD | {"caller": {"name": value, "phone": "13912345678"}}, "caller.name")


@pytest.mark.parametrize("bad", CONTROLS, ids=ascii)
@pytest.mark.parametrize("field", ["content", "title", "wish", "address", "district", "answer"])
def test_control_characters_are_refused_in_every_text(agent: ApiClient, field: str, bad: str) -> None:
    refused(agent, GOOD | {field: f"王小明{bad}13912345678"}, field)
    refused(agent, GOOD | {field: f"{bad}王小明"}, field)


@pytest.mark.parametrize("bad", [*CONTROLS, *SURROGATES], ids=ascii)
@pytest.mark.parametrize("field", ["name", "phone"])
def test_control_characters_are_refused_in_the_caller(agent: ApiClient, field: str, bad: str) -> None:
    refused(agent, GOOD | {"caller": {field: f"139{bad}12345678"}}, f"caller.{field}")


@pytest.mark.parametrize("bad", SURROGATES, ids=ascii)
@pytest.mark.parametrize("field", [*TEXTS, "occurred_at", "type", "urgency"])
def test_lone_surrogates_are_refused_in_every_value(agent: ApiClient, field: str, bad: str) -> None:
    refused(agent, GOOD | {field: f"路灯{bad}"}, field)


@pytest.mark.parametrize("key", ["\ud800", "content\udc80", "\udfff\udfff"], ids=ascii)
def test_lone_surrogates_in_names_do_no_harm(agent: ApiClient, key: str) -> None:
    answer = agent.post(TICKETS, GOOD | {key: "x"})
    assert (answer.status_code, answer.content_type) == (422, "application/problem+json")
    assert answer.json["errors"]


@pytest.mark.parametrize("name", ["contents", "Content", "content ", "__class__", "number", "state", "id", "\x00"])
def test_a_member_that_is_not_known_is_named(agent: ApiClient, name: str) -> None:
    refused(agent, GOOD | {name: "王小明 13912345678"}, name)


def test_a_member_without_a_name_is_a_fault_of_the_body(agent: ApiClient) -> None:
    refused(agent, GOOD | {"": "王小明"}, "body")


def test_of_a_name_that_is_not_known_only_the_beginning_is_repeated(agent: ApiClient) -> None:
    assert len(refused(agent, GOOD | {"x" * 100_000: 1}, "x" * 80)) < 1000


def test_members_of_the_caller_that_are_not_known_are_named(agent: ApiClient) -> None:
    refused(agent, GOOD | {"caller": {"idnumber": "王小明"}}, "caller.idnumber")


@pytest.mark.parametrize("caller", [{"name": "王小明"}, {"phone": "13912345678"}])
def test_an_anonymous_caller_gives_neither_name_nor_phone(agent: ApiClient, caller: dict[str, str]) -> None:
    refused(agent, GOOD | {"anonymous": True, "caller": caller}, "anonymous")


@pytest.mark.parametrize(("disposition", "field"), [("answered", "answer"), ("merge", "merge_into")])
def test_a_disposition_asks_for_what_it_needs(agent: ApiClient, disposition: str, field: str) -> None:
    refused(agent, GOOD | {"disposition": disposition}, field)


def test_merging_into_a_ticket_that_does_not_exist_is_refused(agent: ApiClient) -> None:
    refused(agent, GOOD | {"disposition": "merge", "merge_into": "20991231-999999"}, "merge_into")


def test_everything_that_is_wrong_is_named_at_once(agent: ApiClient) -> None:
    body = {"channel": "fax", "content": "", "caller": {"phone": "王小明"}, "anonymous": "no", "surprise": 1}
    refused(agent, body, "channel", "content", "caller.phone", "anonymous", "surprise")
