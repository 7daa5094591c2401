"""The fields that what the API takes is made of: texts, instants, codes and numbers, each hostile until parsed."""

import re
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from hotline.domain.city_time import CITY_ZONE
from hotline.domain.phones import clean_phone

# When something may have happened: a date comes first, so that a bare number is never read as seconds since 1970, and
# living memory bounds the year, because what lies before year 1 in UTC could be stored and never read back.
_DATE_FIRST = re.compile(r"\d{4}-\d{2}-\d{2}(?:\D|$)", re.ASCII)
EARLIEST_YEAR = 1900

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")


def clean_text(value: str) -> str:
    """Return ``value`` without surrounding white space; refuse control characters and texts with nothing in them."""
    if _CONTROL.search(value):
        raise ValueError("contains control characters (such as NUL); remove them")
    value = value.strip()
    if not value:
        raise ValueError("is empty")
    return value


def _only_text(value: object) -> object:
    if not isinstance(value, str) or not _DATE_FIRST.match(value):
        raise ValueError("must be a text in ISO 8601, such as 2026-11-25T08:30:00+08:00")
    return value


def _aware(value: datetime) -> datetime:
    """A time without a zone is the city's."""
    if value.year < EARLIEST_YEAR:
        raise ValueError(f"lies before {EARLIEST_YEAR}")
    return value if value.tzinfo else value.replace(tzinfo=CITY_ZONE)


Instant = Annotated[datetime, BeforeValidator(_only_text), AfterValidator(_aware)]
ShortText = Annotated[str, Field(max_length=200), AfterValidator(clean_text)]
LongText = Annotated[str, Field(max_length=2000), AfterValidator(clean_text)]
Content = Annotated[str, Field(max_length=20000), AfterValidator(clean_text)]
Phone = Annotated[str, Field(max_length=30), AfterValidator(clean_text), AfterValidator(clean_phone)]
Code = Annotated[str, Field(max_length=40, pattern=r"^[A-Za-z0-9_-]+$")]
Number = Annotated[str, Field(max_length=20, pattern=r"^\d{8}-\d{6,}$", examples=["20261125-000123"])]


EntryId = Annotated[int, Field(ge=1, le=2**62, strict=True)]


class Input(BaseModel):
    """The base of what the API takes: unknown members are refused, so that a misspelt one is not lost in silence."""

    model_config = ConfigDict(extra="forbid")
