"""What an import would do: each row added, changed, removed or as it was."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from hotline.services.lists.columns import Column, Row
from hotline.services.lists.workbook import CellError, ReadRow, RowsRefused

KeyOf = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """A row before and after; None before means that it is new, None after that it goes.  ``number`` is the sheet's."""

    before: Row | None
    after: Row | None
    number: int | None = None

    @property
    def row(self) -> Row:
        """The row as it will be, or as it was when it goes."""
        found = self.after if self.after is not None else self.before
        assert found is not None
        return found

    def differing(self, columns: Sequence[Column]) -> list[tuple[Column, str, str]]:
        """Return the columns that change, with the words on the sheet before and after."""
        before, after = self.before or {}, self.after or {}
        return [
            (column, column.shown(before.get(column.name)), column.shown(after.get(column.name)))
            for column in columns
            if before.get(column.name) != after.get(column.name)
        ]


@dataclass(frozen=True, slots=True)
class Plan:
    """All changes; ``unchanged`` rows are as they were, and ``left`` are not in the file and stay nevertheless."""

    added: tuple[Change, ...]
    changed: tuple[Change, ...]
    removed: tuple[Change, ...]
    unchanged: int
    left: int

    @property
    def changes(self) -> tuple[Change, ...]:
        """What would happen, in one list."""
        return self.added + self.changed + self.removed

    @property
    def digest(self) -> str:
        """What tells this plan from another one: who applies it has seen exactly these changes."""
        said = [[change.before, change.after] for change in self.changes]
        return hashlib.sha256(json.dumps(said, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def keyed(rows: Iterable[Row], key: Sequence[str]) -> dict[KeyOf, Row]:
    """Return ``rows`` by what tells them apart."""
    return {tuple(row[name] for name in key): row for row in rows}


def refuse_repeated(rows: Sequence[ReadRow], key: Sequence[str], columns: Sequence[Column]) -> None:
    """Raise ``RowsRefused`` when two rows are about the same thing."""
    first: dict[KeyOf, int] = {}
    errors = []
    column = next(column for column in columns if column.name == key[-1])
    for row in rows:
        place = tuple(row.cells[name] for name in key)
        if place in first:
            errors.append(CellError(row.number, column, f"says again what row {first[place]} is about"))
        first.setdefault(place, row.number)
    if errors:
        raise RowsRefused(errors)


def compare(
    present: Mapping[KeyOf, Row], rows: Sequence[ReadRow], key: Sequence[str], *, goes: Callable[[Row], bool]
) -> Plan:
    """Return what ``rows`` change; ``goes`` says of what they do not name whether it goes or stays."""
    added, changed, unchanged = [], [], 0
    named = set()
    for row in rows:
        place = tuple(row.cells[name] for name in key)
        named.add(place)
        before = present.get(place)
        if before is None:
            added.append(Change(None, row.cells, row.number))
        elif before != row.cells:
            changed.append(Change(before, row.cells, row.number))
        else:
            unchanged += 1
    missing = [Change(row, None) for place, row in present.items() if place not in named]
    removed = [change for change in missing if goes(change.row)]
    return Plan(tuple(added), tuple(changed), tuple(removed), unchanged, len(missing) - len(removed))
