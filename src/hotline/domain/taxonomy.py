"""The taxonomy: seven city tasks (着力) and 66 matters (事项), as immutable values.

Source: the seven tasks of the 2025 Central Urban Work Conference; the matters are those that a 12345 hotline handles
daily.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any


class TaxonomyError(ValueError):
    """The taxonomy file contradicts itself."""


@dataclass(frozen=True, slots=True)
class Task:
    """One of the seven city tasks; ``code`` is a single letter A–G."""

    code: str
    name: str
    name_en: str


@dataclass(frozen=True, slots=True)
class Matter:
    """A matter (事项): what a ticket is about.  ``code`` is its task's letter and two digits."""

    code: str
    name: str
    name_en: str
    scope: tuple[str, ...]
    lead: str
    note: str | None = None

    @property
    def task(self) -> str:
        """The letter of the task this matter belongs to."""
        return self.code[0]


@dataclass(frozen=True)
class Taxonomy:
    """All tasks and matters in the order of the file, with the rules for close calls."""

    version: int
    tasks: Mapping[str, Task]
    matters: Mapping[str, Matter]
    tie_breaks: tuple[str, ...]
    boundaries: Mapping[str, str]

    @cached_property
    def codes(self) -> tuple[str, ...]:
        """The matter codes in the order of the file; a model's classes use the same order."""
        return tuple(self.matters)

    def matter(self, code: str) -> Matter:
        """Return the matter with ``code``; raise ``KeyError`` when there is none."""
        return self.matters[code]

    def boundary_notes(self, codes: tuple[str, ...]) -> list[str]:
        """Return the boundary notes that name at least two of ``codes``, for a dispatcher who has to choose."""
        return [
            f"{subject}：{note}"
            for subject, note in self.boundaries.items()
            if sum(code in note for code in set(codes)) >= 2
        ]


def taxonomy_from_mapping(data: Mapping[str, Any]) -> Taxonomy:
    """Build the taxonomy from the parsed file.  Raises ``TaxonomyError`` when a matter names an unknown task."""
    tasks = {code: Task(code, entry["name"], entry["en"]) for code, entry in data["tasks"].items()}
    matters = {
        code: Matter(code, entry["name"], entry["en"], tuple(entry["scope"]), entry["lead"], entry.get("note"))
        for code, entry in data["matters"].items()
    }
    strays = [code for code in matters if code[0] not in tasks]
    if strays:
        raise TaxonomyError(f"these matters belong to no task: {', '.join(strays)}")
    return Taxonomy(
        version=int(data["version"]),
        tasks=tasks,
        matters=matters,
        tie_breaks=tuple(data["tie_breaks"]),
        boundaries=dict(data["boundaries"]),
    )
