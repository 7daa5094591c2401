"""Callers' phone numbers: as people write them, kept in one spelling, masked in every answer, never repeated."""

from collections.abc import Callable

import pytest
from sqlalchemy import select
from tests.factories import ApiClient

from hotline.bootstrap import Runtime
from hotline.storage.engine import transaction
from hotline.storage.tables import Caller, Ticket

SPELLINGS = [
    ("13912345678", "13912345678", "139****5678"),
    (" 139 1234 5678 ", "13912345678", "139****5678"),
    ("139-1234-5678", "13912345678", "139****5678"),
    ("+8613912345678", "13912345678", "139****5678"),
    ("+86 139 1234 5678", "13912345678", "139****5678"),
    ("(+86)139-1234-5678", "13912345678", "139****5678"),
    ("008613912345678", "13912345678", "139****5678"),
    ("0086 139 1234 5678", "13912345678", "139****5678"),
    ("19912345678", "19912345678", "199****5678"),
    ("010-62345678", "01062345678", "010-****5678"),
    ("(010) 6234 5678", "01062345678", "010-****5678"),
    ("（010）62345678", "01062345678", "010-****5678"),
    ("0731-82345678", "073182345678", "0731-****5678"),
    ("0912-3234567", "09123234567", "0912-****4567"),
    ("+86 10 6234 5678", "01062345678", "010-****5678"),
    ("+86 (010) 6234 5678", "01062345678", "010-****5678"),
    ("+86 731 8234 5678", "073182345678", "0731-****5678"),
    ("0086-21-62345678", "02162345678", "021-****5678"),
    ("62345678", "62345678", "****5678"),
    ("6234567", "6234567", "****4567"),
    ("400-800-1234", "4008001234", "****1234"),
    ("800 810 1234", "8008101234", "****1234"),
    ("+86 400 800 1234", "4008001234", "****1234"),
    ("+44 20 7946 0958", "+442079460958", "****0958"),
    ("0044 20 7946 0958", "+442079460958", "****0958"),
    ("+1 (212) 555-0100", "+12125550100", "****0100"),
]

EXAMPLES = "13800001234 or 010-12345678"

WRONG = [
    *("1", "12", "110", "12345", "123456", "12345678", "1391234567", "139123456789", "139123456780000"),
    *("12012345678", "10012345678", "23912345678", "+8613912", "+86", "+", "00", "0086", "++8613912345678"),
    *("+861391234567a", "139l2345678", "139.1234.5678", "139_1234_5678", "139/12345678", "139,12345678"),
    *("13912345678;13912345679", "13912345678 转 8001", "电话13912345678", "王小明", "phone", "x" * 30),
    *("１３９１２３４５６７８", "١٣٩١٢٣٤٥٦٧٨", "+1234567890123456", "010-1234567", "-", "()", "' OR 1=1"),
    *("13912345678\x00", "1391234\x005678", "9" * 31, "9" * 5000, "9000000", "1000000", "40080012345", "0" * 11),
]


@pytest.mark.parametrize(("written", "kept", "shown"), SPELLINGS)
def test_a_phone_number_is_understood_in_every_spelling(
    standing_api: Callable[[str], ApiClient], standing_parts: Runtime, written: str, kept: str, shown: str
) -> None:
    body = {"channel": "phone", "content": "路灯不亮", "caller": {"phone": written}}
    answer = standing_api("agent01").post("/api/v1/tickets", body)
    assert answer.status_code == 201, answer.json
    assert answer.json["caller"] == {"name": None, "phone": shown, "anonymous": False}
    vault = standing_parts.context.vault
    with transaction(standing_parts.sessions) as session:
        ticket = session.scalars(select(Ticket).where(Ticket.number == answer.json["number"])).one()
        caller = session.scalars(select(Caller).where(Caller.ticket_id == ticket.id)).one()
    assert vault.open(caller.phone_sealed) == kept
    assert caller.phone_index == vault.index(kept)
    assert kept not in caller.phone_sealed


@pytest.mark.parametrize("written", WRONG, ids=lambda written: ascii(written)[:30])
def test_what_is_no_phone_number_is_refused_and_not_repeated(
    standing_api: Callable[[str], ApiClient], written: str
) -> None:
    body = {"channel": "phone", "content": "路灯不亮", "caller": {"phone": written}}
    answer = standing_api("agent01").post("/api/v1/tickets", body)
    assert answer.status_code == 422, answer.json
    assert answer.content_type == "application/problem+json"
    assert [error["field"] for error in answer.json["errors"]] == ["caller.phone"]
    said = answer.get_data(as_text=True).replace(EXAMPLES, "")
    assert len(written) < 7 or written not in said


@pytest.mark.parametrize(
    "value", [13912345678, 1.39e10, True, [], ["13912345678"], {"number": "13912345678"}], ids=repr
)
def test_a_phone_number_is_a_text(standing_api: Callable[[str], ApiClient], value: object) -> None:
    answer = standing_api("agent01").post(
        "/api/v1/tickets", {"channel": "phone", "content": "x", "caller": {"phone": value}}
    )
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json["errors"]] == ["caller.phone"]
    assert "13912345678" not in answer.get_data(as_text=True)


def test_the_caller_may_give_no_phone(standing_api: Callable[[str], ApiClient]) -> None:
    for caller in (None, {}, {"phone": None}, {"name": None, "phone": None}):
        answer = standing_api("agent01").post(
            "/api/v1/tickets", {"channel": "phone", "content": "路灯不亮", "caller": caller}
        )
        assert answer.status_code == 201
        assert answer.json["caller"]["phone"] is None
