"""How the responsibility catalogue came to be what it is: a matter's entries through time, and its editions."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload, selectinload

from hotline.storage.tables import CatalogueEntryRow


def history(session: Session, matter: str) -> list[CatalogueEntryRow]:
    """Return every entry that a matter has ever had or will have, by district, the newest first."""
    query = (
        select(CatalogueEntryRow)
        .where(CatalogueEntryRow.matter == matter)
        .options(joinedload(CatalogueEntryRow.lead_department), selectinload(CatalogueEntryRow.cohandlers))
        .order_by(
            CatalogueEntryRow.district.nulls_first(), CatalogueEntryRow.valid_from.desc(), CatalogueEntryRow.id.desc()
        )
    )
    return list(session.scalars(query))


@dataclass(frozen=True, slots=True)
class Edition:
    """An instant at which the catalogue changed, and how many entries began and ended then."""

    at: datetime
    opened: int
    closed: int


def editions(session: Session) -> list[Edition]:
    """Return when the catalogue changed, the newest first, with what is still to come."""
    counts: dict[datetime, list[int]] = {}
    for place, column in enumerate((CatalogueEntryRow.valid_from, CatalogueEntryRow.valid_to)):
        query = select(column, func.count()).where(column.is_not(None)).group_by(column)
        for at, number in session.execute(query):
            assert at is not None
            counts.setdefault(at, [0, 0])[place] = number
    return [Edition(at, *counts[at]) for at in sorted(counts, reverse=True)]
