"""Phone numbers in one spelling, so that the same number is the same however it was typed."""

import re

# Mobile, landline with or without area code, service numbers (400, 800), and foreign numbers in E.164.
_PHONE = re.compile(r"1[3-9]\d{9}|0\d{2,3}[2-9]\d{6,7}|[2-8]\d{6,7}|[48]00\d{7}|\+\d{7,15}", re.ASCII)
_NATIONAL = re.compile(r"1[3-9]\d{9}|[48]00\d{7}|0\d+", re.ASCII)


def clean_phone(value: str) -> str:
    """Return the phone number's digits in one spelling: a Chinese country code is dropped, an area code has its 0.

    Raises ``ValueError`` when ``value`` is no phone number.
    """
    compact = re.sub(r"[\s\-()（）]", "", value)
    compact = re.sub(r"^00(?=[1-9])", "+", compact)
    if compact.startswith("+86"):
        national = compact.removeprefix("+86")
        compact = national if _NATIONAL.fullmatch(national) else "0" + national
    if not _PHONE.fullmatch(compact):
        raise ValueError("is not a phone number; use digits such as 13800001234 or 010-12345678")
    return compact
