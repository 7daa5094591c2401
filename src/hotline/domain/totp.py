"""Time-based one-time passwords (动态口令): six digits, a new one every thirty seconds.

Source: RFC 6238 over RFC 4226, with SHA-1, which is what authenticator apps implement.
"""

import base64
import hmac
import secrets
from datetime import datetime
from urllib.parse import quote, urlencode

STEP_SECONDS = 30
DIGITS = 6

# A phone's clock may be wrong by one step either way.
_DRIFT = (0, -1, 1)


def new_secret() -> str:
    """Return a fresh secret of 160 bits, in Base32."""
    return base64.b32encode(secrets.token_bytes(20)).decode()


def step_at(instant: datetime) -> int:
    """Return the number of the time step that ``instant`` lies in."""
    return int(instant.timestamp()) // STEP_SECONDS


def code(secret: str, step: int) -> str:
    """Return the code of ``secret`` at a time step."""
    digest = hmac.new(base64.b32decode(secret), step.to_bytes(8, "big"), "sha1").digest()
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFF_FFFF
    return str(number % 10**DIGITS).zfill(DIGITS)


def accepted_step(secret: str, given: str, at: datetime, used: int | None) -> int | None:
    """Return the time step whose code ``given`` is, None when it is wrong.

    ``used`` is the last step that was accepted: its code and earlier ones are refused, so that a code that somebody
    looked at or recorded opens nothing (RFC 6238, 5.2).
    """
    digits = "".join(given.split())
    if len(digits) != DIGITS or not (digits.isascii() and digits.isdigit()):
        return None
    now = step_at(at)
    for step in (now + drift for drift in _DRIFT):
        if hmac.compare_digest(code(secret, step), digits) and (used is None or step > used):
            return step
    return None


def enrolment_uri(secret: str, username: str, issuer: str) -> str:
    """Return the ``otpauth://`` address that authenticator apps take (as text or as a QR code)."""
    label = quote(f"{issuer}:{username}", safe="")
    query = urlencode({"secret": secret, "issuer": issuer, "digits": DIGITS, "period": STEP_SECONDS}, quote_via=quote)
    return f"otpauth://totp/{label}?{query}"
