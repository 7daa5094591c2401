"""Columns of a list: what a cell of a spreadsheet may hold, and the one form in which its value is kept.

Every value is a text or None, dates as ISO 8601: so rows can be compared, stored and shown alike.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

Row = Mapping[str, str | None]

_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")
_NO_TEXT = ("Cc", "Cs")
# Spreadsheet files write a carriage return like this.
_RETURN = re.compile(r"\r\n?|_x000[dD]_\n?")


class Kind(StrEnum):
    """What a column holds."""

    TEXT = "text"
    CODE = "code"
    CODES = "codes"
    DATE = "date"
    CHOICE = "choice"


class CellRefused(Exception):
    """A cell holds what its column does not take; the message says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column: ``name`` in code, ``title`` on the sheet, both accepted as its head.

    ``choices`` gives the words on the sheet by code; ``hint`` is told on the sheet of instructions.
    """

    name: str
    title: str
    kind: Kind = Kind.TEXT
    required: bool = False
    longest: int = 200
    choices: Mapping[str, str] = field(default_factory=dict)
    hint: str = ""

    def read(self, value: object) -> str | None:
        """Return what a cell says.  Raises ``CellRefused``."""
        text = _as_date(value) if self.kind is Kind.DATE else self._as_text(value)
        if text is None:
            if self.required:
                raise CellRefused("is empty")
            return None
        if len(text) > self.longest:
            raise CellRefused(f"is longer than {self.longest} characters")
        return self._chosen(text) if self.kind is Kind.CHOICE else text

    def _as_text(self, value: object) -> str | None:
        if isinstance(value, datetime | date) and self.kind is not Kind.TEXT:
            raise CellRefused("has become a date; format the column as text and type it again")
        text = tidy(_plain(value))
        if self.kind is Kind.TEXT:
            return text or None
        # Input methods for Chinese write letters and digits in full width.
        text = unicodedata.normalize("NFKC", text)
        return (
            " ".join(sorted(set(re.split(r"[\s,;、]+", text)) - {""})) or None
            if self.kind is Kind.CODES
            else text or None
        )

    def _chosen(self, text: str) -> str:
        for code, word in self.choices.items():
            if text in (code, unicodedata.normalize("NFKC", word)):
                return code
        raise CellRefused(f"is none of {'、'.join(self.choices.values())}")

    def shown(self, value: str | None) -> str:
        """Return a value as it stands on the sheet."""
        return "" if value is None else self.choices.get(value, value)


def tidy(text: str) -> str:
    """Return a text as lists keep it: no blanks around, lines ended alike.  Raises ``CellRefused``."""
    text = _RETURN.sub("\n", text).strip()
    if any(unicodedata.category(letter) in _NO_TEXT and letter not in "\n\t" for letter in text):
        raise CellRefused("contains control characters (such as NUL); remove them")
    return text


def as_kept(row: Row) -> Row:
    """Return a row that came from elsewhere as a spreadsheet gives it back, so that the two can be compared."""
    return {name: _bare(value) or None if value else None for name, value in row.items()}


def _bare(text: str) -> str:
    text = _RETURN.sub("\n", text)
    return "".join(
        letter for letter in text if letter in "\n\t" or unicodedata.category(letter) not in _NO_TEXT
    ).strip()


def _plain(value: object) -> str:
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return str(value).upper()
        case int():
            return str(value)
        case float():
            # A spreadsheet keeps every number as a fraction; a code of digits comes back as one.
            return str(int(value)) if value.is_integer() else repr(value)
        case datetime() | date():
            return f"{value:%Y-%m-%d}"
        case _:
            raise CellRefused("is a formula over several cells, or something else that is no text; paste its value")


def _as_date(value: object) -> str | None:
    if isinstance(value, datetime | date):
        return f"{value:%Y-%m-%d}"
    text = unicodedata.normalize("NFKC", tidy(_plain(value)))
    if not text:
        return None
    found = _DATE.fullmatch(text)
    try:
        return date(*map(int, found.groups())).isoformat() if found else _no_date()
    except ValueError:
        return _no_date()


def _no_date() -> str:
    raise CellRefused("is not a date like 2027-06-30")
