"""The period of a report, as people write it."""

from datetime import date, datetime, timedelta

from hotline.domain.city_time import CITY_ZONE
from hotline.domain.kpi import Period
from hotline.web.problems import invalid

LONGEST = timedelta(days=366 * 5)


def parse_period(start: str, end: str, as_of: datetime, longest: timedelta | None = LONGEST) -> Period:
    """Return the period from ``start`` to ``end``.

    Dates mean whole days in the city, the last one included; instants are taken as they are, the last one excluded.
    Raises ``Problem`` naming the field that cannot be read, an empty period or one of more than ``longest``.
    """
    first, last = _instant("from", start, ends=False), _instant("to", end, ends=True)
    if first >= last:
        raise invalid("to", "lies before 'from'")
    if longest is not None and last - first > longest:
        raise invalid("to", "lies more than five years after 'from'")
    return Period(first, last, as_of)


def _instant(field: str, text: str, *, ends: bool) -> datetime:
    try:
        if len(text) == len("2026-11-25"):
            day = date.fromisoformat(text) + timedelta(days=1 if ends else 0)
            return datetime(day.year, day.month, day.day, tzinfo=CITY_ZONE)
        instant = datetime.fromisoformat(text)
        if not 2000 <= instant.year <= 2100:
            raise ValueError
    except (ValueError, OverflowError):
        raise invalid(
            field, "must be a date such as 2026-11-25 or an instant such as 2026-11-25T08:00:00+08:00"
        ) from None
    return instant if instant.tzinfo else instant.replace(tzinfo=CITY_ZONE)
