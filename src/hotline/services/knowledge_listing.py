"""The knowledge base as a list: which entries hold, which have expired, which are out of use."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, selectinload

from hotline.domain.city_time import CITY_ZONE
from hotline.services.context import Context
from hotline.storage.tables import Department, KnowledgeEntry


class Holding(StrEnum):
    """Whether an entry is in use and holds today."""

    IN_FORCE = "in_force"
    EXPIRED = "expired"
    COMING = "coming"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of entries, and how many there are in all."""

    entries: Sequence[KnowledgeEntry]
    total: int


def listed(
    session: Session,
    context: Context,
    *,
    text: str = "",
    matter: str | None = None,
    owner: str | None = None,
    holding: Holding | None = None,
    offset: int = 0,
    limit: int = 50,
) -> Listed:
    """Return entries whose question or answer contains ``text``, of a matter, an owner (both by code) and a state.

    What has expired or will soon comes first; without ``holding`` all but the retired are told.
    """
    query = select(KnowledgeEntry)
    if text:
        contains = [
            column.contains(text, autoescape=True) for column in (KnowledgeEntry.question, KnowledgeEntry.answer)
        ]
        query = query.where(or_(*contains))
    if matter:
        query = query.where(KnowledgeEntry.matter == matter)
    if owner:
        query = query.join(Department, Department.id == KnowledgeEntry.owner_department_id)
        query = query.where(Department.code == owner)
    today = context.now().astimezone(CITY_ZONE).date()
    match holding:
        case Holding.RETIRED:
            query = query.where(~KnowledgeEntry.active)
        case Holding.EXPIRED:
            query = query.where(KnowledgeEntry.active, KnowledgeEntry.valid_to < today)
        case Holding.COMING:
            query = query.where(KnowledgeEntry.active, KnowledgeEntry.valid_from > today)
        case Holding.IN_FORCE:
            held = or_(KnowledgeEntry.valid_to.is_(None), KnowledgeEntry.valid_to >= today)
            query = query.where(KnowledgeEntry.active, KnowledgeEntry.valid_from <= today, held)
        case None:
            query = query.where(KnowledgeEntry.active)
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    query = query.order_by(KnowledgeEntry.valid_to.asc().nulls_last(), KnowledgeEntry.id).offset(offset).limit(limit)
    return Listed(session.scalars(query.options(selectinload(KnowledgeEntry.owner))).all(), total)


def holding_of(context: Context, entry: KnowledgeEntry) -> Holding:
    """Return whether an entry is in use and holds today."""
    today = context.now().astimezone(CITY_ZONE).date()
    if not entry.active:
        return Holding.RETIRED
    if entry.valid_to is not None and entry.valid_to < today:
        return Holding.EXPIRED
    return Holding.COMING if entry.valid_from > today else Holding.IN_FORCE
