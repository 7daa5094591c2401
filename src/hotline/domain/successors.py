"""What became of matters that have left the taxonomy, so that labels given before go on teaching.

A label holds a matter's code and is never rewritten; it is read through this mapping.  A new name for a matter needs no
mapping, since its code stays, and a code is never given to another matter.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any


class SuccessorsError(ValueError):
    """The mapping contradicts itself or the taxonomy."""


@dataclass(frozen=True, slots=True)
class Part:
    """A matter that took over from one that left: all of it, or the texts in which one of ``words`` occurs."""

    matter: str
    words: tuple[str, ...] = ()

    def takes(self, text: str) -> bool:
        """Whether a text of the old matter belongs here."""
        return not self.words or any(word in text for word in self.words)


@dataclass(frozen=True, slots=True)
class Successors:
    """For each code that left, its parts in order; none when nothing took over."""

    parts: Mapping[str, tuple[Part, ...]]

    def follow(self, matter: str, text: str) -> str | None:
        """Return the matter of today for a text once labelled ``matter``, None when there is none any more."""
        found: str | None = matter
        while found is not None and found in self.parts:
            found = next((part.matter for part in self.parts[found] if part.takes(text)), None)
        return found


def successors_from_mapping(given: Mapping[str, Any], codes: Collection[str]) -> Successors:
    """Return the mapping that a file holds, checked against the taxonomy's ``codes``.  Raises ``SuccessorsError``."""
    parts = {
        code: tuple(Part(entry["matter"], tuple(entry.get("words", ()))) for entry in entries)
        for code, entries in given.items()
    }
    for code in parts:
        if code in codes:
            raise SuccessorsError(f"{code} has left the taxonomy by one file and stands in it by the other")
        _check(code, parts, codes, before=())
    return Successors(parts)


def _check(code: str, parts: Mapping[str, tuple[Part, ...]], codes: Collection[str], before: tuple[str, ...]) -> None:
    """Follow every part of ``code`` to the taxonomy of today."""
    if code in before:
        raise SuccessorsError(f"the successors go round in a circle: {' → '.join((*before, code))}")
    for part in parts[code]:
        if part.matter in parts:
            _check(part.matter, parts, codes, (*before, code))
        elif part.matter not in codes:
            raise SuccessorsError(f"{code} is followed by {part.matter}, which is no matter")
