"""Bursts now: matters in districts that bring more calls in the last hours than their season explains."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.domain.bursts import WEEKS, baseline, is_burst, tail
from hotline.services.context import Context
from hotline.storage.tables import COUNTED, District

# As short as a burst may be and still be seen, as long as one may take to be noticed.
WINDOW = timedelta(hours=3)
HOURS_OF_WEEK = timedelta(days=7) / timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Burst:
    """An alarm: how many calls in the window, how many were expected, and how improbable that is."""

    matter: str
    matter_name: str
    district: str
    district_name: str
    calls: int
    expected: float
    probability: float


def bursts(session: Session, context: Context, now: datetime) -> list[Burst]:
    """Return the alarms of the window that ends ``now``, the least probable first."""
    columns = COUNTED.c
    query = select(columns.matter, columns.district, columns.at).where(
        columns.measure == "received",
        columns.at > now - WEEKS * timedelta(days=7) - WINDOW,
        columns.at <= now,
        columns.matter.is_not(None),
        columns.district.is_not(None),
    )
    present: dict[tuple[str, str], int] = defaultdict(int)
    before: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0] * WEEKS)
    whole: dict[tuple[str, str], int] = defaultdict(int)
    for matter, district, at in session.execute(query):
        age, place = now - at, (matter, district)
        week, rest = divmod(age, timedelta(days=7))
        if week == 0 and rest < WINDOW:
            present[place] += 1
            continue
        whole[place] += 1
        if rest < WINDOW and week <= WEEKS:
            before[place][week - 1] += 1
    names = {row.code: row.name for row in session.scalars(select(District))}
    windows = WEEKS * HOURS_OF_WEEK / (WINDOW / timedelta(hours=1))
    found = []
    for place, calls in present.items():
        expected = baseline(before[place], whole[place] / windows)
        if is_burst(calls, expected):
            matter, district = place
            name = context.taxonomy.matters[matter].name
            chance = tail(calls, expected)
            found.append(Burst(matter, name, district, names.get(district, district), calls, expected.mean, chance))
    return sorted(found, key=lambda burst: (burst.probability, burst.matter, burst.district))
