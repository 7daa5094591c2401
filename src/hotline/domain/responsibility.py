"""Who owns a matter where: the rule by which the responsibility catalogue (权责清单) names a lead and co-handlers."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """One line of the catalogue.

    ``district`` None means the whole city; ``valid_to`` None means until further notice.
    """

    entry_id: int
    matter: str
    district: str | None
    lead: int
    cohandlers: tuple[int, ...]
    valid_from: datetime
    valid_to: datetime | None = None

    def applies(self, matter: str, district: str | None, at: datetime) -> bool:
        """Tell whether this entry speaks for ``matter`` in ``district`` at the instant ``at`` (aware, any zone)."""
        in_force = self.valid_from <= at and (self.valid_to is None or at < self.valid_to)
        return in_force and self.matter == matter and self.district in (None, district)


def find_owner(
    entries: Iterable[CatalogueEntry], matter: str, district: str | None, at: datetime
) -> CatalogueEntry | None:
    """Return the entry that owns ``matter`` in ``district`` at ``at``, or None.

    The most specific wins: an entry for the district before one for the city; among equals the one that came into
    force last.
    """
    candidates = [entry for entry in entries if entry.applies(matter, district, at)]
    return max(
        candidates, key=lambda entry: (entry.district is not None, entry.valid_from, entry.entry_id), default=None
    )
