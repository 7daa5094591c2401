"""Time-based one-time passwords, against the vectors of RFC 6238, appendix B (the last six of their eight digits)."""

import base64
from datetime import UTC, datetime

import pytest

from hotline.domain import totp

RFC_SECRET = base64.b32encode(b"12345678901234567890").decode()


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_the_codes_are_those_of_the_rfc(seconds: int, code: str) -> None:
    at = datetime.fromtimestamp(seconds, UTC)
    assert totp.code(RFC_SECRET, totp.step_at(at)) == code
    assert totp.accepted_step(RFC_SECRET, code, at, None) == seconds // 30


def test_a_code_is_accepted_as_people_type_it_and_refused_when_it_was_used() -> None:
    at = datetime.fromtimestamp(59, UTC)
    assert totp.accepted_step(RFC_SECRET, " 287 082 ", at, 0) == 1
    assert totp.accepted_step(RFC_SECRET, "287082", at, 1) is None
    assert totp.accepted_step(RFC_SECRET, "287082", at, 2) is None


@pytest.mark.parametrize("given", ["", "28708", "2870820", "２８７０８２", "-87082", "28708a", "²⁸⁷⁰⁸²"])
def test_what_is_no_code_is_refused(given: str) -> None:
    assert totp.accepted_step(RFC_SECRET, given, datetime.fromtimestamp(59, UTC), None) is None


def test_secrets_are_long_and_never_the_same() -> None:
    secrets = {totp.new_secret() for _ in range(100)}
    assert len(secrets) == 100
    assert {len(base64.b32decode(secret)) for secret in secrets} == {20}


def test_the_address_is_what_authenticator_apps_read() -> None:
    uri = totp.enrolment_uri("ABC", "li.na", "Hotline 12345")
    assert uri == "otpauth://totp/Hotline%2012345%3Ali.na?secret=ABC&issuer=Hotline%2012345&digits=6&period=30"
