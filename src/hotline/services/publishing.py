"""Publish bulletins: made once, in the small hours, and kept as they were; what is old enough goes."""

from datetime import date, timedelta

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from hotline.domain.city_time import CITY_ZONE
from hotline.services.bulletin_files import document, workbook
from hotline.services.bulletins import Kind, bulletin, days_of, latest
from hotline.services.context import Context
from hotline.services.topics import ensure_topics
from hotline.storage.tables import BULLETIN

# The hours of the city's day in which bulletins are made: the day before is over, and few people call.
SMALL_HOURS = range(1, 7)
# Two years let any month be compared with the year before it.
KEPT = timedelta(days=750)


def publish_due(session: Session, context: Context) -> int:
    """Make the bulletins of the last day, week and month that are not there yet; return how many.

    Outside the small hours nothing is made, and what was missed is made the next night.
    """
    now = context.now().astimezone(CITY_ZONE)
    if now.hour not in SMALL_HOURS:
        return 0
    session.execute(delete(BULLETIN).where(BULLETIN.c.made_at < context.now() - KEPT))
    return sum(publish(session, context, kind, latest(kind, now.date())) for kind in Kind)


def publish(session: Session, context: Context, kind: Kind, day: date) -> bool:
    """Make and keep one bulletin; False when it is kept already: what was published stays."""
    first, last = days_of(kind, day)
    columns = BULLETIN.c
    kept = select(columns.id).where(columns.kind == kind, columns.first_day == first)
    if session.scalar(kept) is not None:
        return False
    ensure_topics(session, context, first, last)
    found = bulletin(session, context, kind, day)
    session.execute(
        insert(BULLETIN).values(
            kind=kind,
            first_day=found.first,
            last_day=found.last,
            made_at=context.now(),
            headline=found.headline,
            workbook=workbook(found),
            document=document(found),
        )
    )
    return True
