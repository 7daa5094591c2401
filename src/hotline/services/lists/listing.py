"""What makes a list importable: its columns, what is there, what is checked, and how a plan is carried out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import StrEnum

from sqlalchemy.orm import Session

from hotline.domain.city_time import CITY_ZONE
from hotline.domain.people import Actor, Permission
from hotline.services.context import Context
from hotline.services.errors import InvalidInput
from hotline.services.lists.changes import Plan
from hotline.services.lists.columns import Column, Row
from hotline.services.lists.workbook import CellError, ReadRow


class Missing(StrEnum):
    """What becomes of what is there and not in the file."""

    REMOVED = "removed"
    LEFT = "left"
    ASKED = "asked"  # Whoever uploads says whether the file is the whole list.


class Option(StrEnum):
    """What is asked beside the file."""

    WHOLE = "whole"
    SINCE = "since"
    VERSION = "version"


@dataclass(frozen=True, slots=True)
class Draft:
    """An uploaded table as it stands against what is there; ``options`` are texts by ``Option``."""

    rows: tuple[ReadRow, ...]
    plan: Plan
    options: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Applied:
    """What came of an import; ``passwords`` are those of new accounts by user name, told once and kept nowhere."""

    changes: int
    passwords: Mapping[str, str] = field(default_factory=dict)


def _as_given(context: Context, row: Row, before: Row | None) -> Row:
    return row


def _nothing(session: Session, context: Context, draft: Draft) -> list[str]:
    return []


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportList:
    """A list that is exported and imported.

    ``present`` returns the rows that are there, or will be on the day that the options name.
    ``check`` says what is wrong with a draft's rows; it may raise ``InvalidInput`` and ``Conflict`` for what is wrong
    with all of it.  ``complete`` fills in what a row leaves to the system, ``warn`` says what is allowed and
    surprising.  With ``within`` a file speaks only for the values of this column that it names: what is missing goes
    among these alone.  ``apply`` carries the plan out in the caller's transaction, all or nothing, and records it.
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    missing: Missing
    present: Callable[[Session, Context, Mapping[str, str]], Sequence[Row]]
    check: Callable[[Session, Context, Draft], Sequence[CellError]]
    apply: Callable[[Session, Context, Draft, Actor], Mapping[str, str]]
    complete: Callable[[Context, Row, Row | None], Row] = _as_given
    warn: Callable[[Session, Context, Draft], Sequence[str]] = _nothing
    options: tuple[Option, ...] = ()
    within: str | None = None
    permission: Permission = Permission.MANAGE_LISTS

    def column(self, name: str) -> Column | None:
        """Return the column called ``name``."""
        return next((column for column in self.columns if column.name == name), None)


def since_of(options: Mapping[str, str]) -> datetime | None:
    """Return the instant from which an import shall hold, None for now.  Raises ``InvalidInput``."""
    said = options.get(Option.SINCE)
    if not said:
        return None
    try:
        return datetime.combine(date.fromisoformat(said), time(), tzinfo=CITY_ZONE)
    except ValueError as error:
        raise InvalidInput(Option.SINCE, "is not a date like 2027-06-30") from error


def named_errors(
    rows: Sequence[ReadRow], place: Callable[[Row], object], faults: Sequence[tuple[object, Column | None, str]]
) -> list[CellError]:
    """Return ``faults``, which name what a row is about, with the number of that row."""
    numbers = {place(row.cells): row.number for row in rows}
    return sorted(
        (CellError(numbers.get(about, 1), column, message) for about, column, message in faults),
        key=lambda error: error.row,
    )
