"""Bursts: matters in districts that bring more calls in some hours than their season explains, now or in a period."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session

from hotline.domain.bursts import LEAST_CALLS, WEEKS, baseline, is_burst, tail
from hotline.services.context import Context
from hotline.services.topic_names import ordinary_words, places_of
from hotline.storage.tables import COUNTED, District

# As short as a burst may be and still be seen, as long as one may take to be noticed.
WINDOW = timedelta(hours=3)
WEEK = timedelta(days=7)
# How many windows of this length the weeks of the season hold.
WINDOWS = WEEKS * (WEEK / WINDOW)
# Two callers who name the same place are no longer one person's words.
TOLD_FROM = 2
LISTED = 20


@dataclass(frozen=True, slots=True)
class Burst:
    """An alarm: how many calls in the window that ended ``at``, how many were expected, how improbable that is.

    ``places`` are those that the callers name.
    """

    matter: str
    matter_name: str
    district: str
    district_name: str
    at: datetime
    calls: int
    expected: float
    probability: float
    places: tuple[str, ...]


Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Alarm:
    at: datetime
    calls: int
    expected: float
    probability: float

    @property
    def rank(self) -> tuple[float, int]:
        """The least probable comes first; where no call was ever expected, the one with most calls."""
        return self.probability, -self.calls


def bursts(session: Session, context: Context, now: datetime) -> list[Burst]:
    """Return the alarms of the window that ends ``now``, the least probable first."""
    columns = COUNTED.c
    lately = select(columns.matter, columns.district).where(
        columns.measure == "received", columns.at > now - WINDOW, columns.at <= now
    )
    # Few pairs have had as many calls as an alarm takes, and only their season is read.
    many = lately.group_by(columns.matter, columns.district).having(func.count() >= LEAST_CALLS)
    pairs = [(matter, district) for matter, district in session.execute(many)]
    found = []
    for pair, calls in (_calls(session, now, now, pairs) if pairs else {}).items():
        alarm = _alarm(calls, now)
        if alarm is not None:
            found.append((pair, alarm))
    return _told(session, context, found)


def bursts_during(session: Session, context: Context, start: datetime, end: datetime) -> list[Burst]:
    """Return the alarms of windows that ended in ``(start, end]``, each burst at its height, the least probable first.

    A window ends with a call: no other one holds more.
    """
    found = []
    for pair, calls in _calls(session, start, end).items():
        height: _Alarm | None = None
        for at in calls[bisect_right(calls, start) :]:
            alarm = _alarm(calls, at)
            if alarm is None:
                continue
            if height is not None and at - height.at >= WINDOW:
                found.append((pair, height))
                height = None
            if height is None or alarm.rank < height.rank:
                height = alarm
        if height is not None:
            found.append((pair, height))
    return _told(session, context, found)


def _calls(
    session: Session, start: datetime, end: datetime, pairs: Sequence[Pair] | None = None
) -> dict[Pair, list[datetime]]:
    """Return when there were calls, by matter and district, in all that windows ending in this time look at.

    ``pairs`` are the only ones that matter, None for all.
    """
    columns = COUNTED.c
    query = select(columns.matter, columns.district, columns.at).where(
        columns.measure == "received",
        columns.at > start - WEEKS * WEEK - WINDOW,
        columns.at <= end,
        columns.matter.is_not(None),
        columns.district.is_not(None),
    )
    if pairs is not None:
        query = query.where(tuple_(columns.matter, columns.district).in_(pairs))
    calls: dict[Pair, list[datetime]] = defaultdict(list)
    for matter, district, at in session.execute(query.order_by(columns.at)):
        calls[matter, district].append(at)
    return calls


def _alarm(calls: Sequence[datetime], end: datetime) -> _Alarm | None:
    """Judge the window that ends at ``end``, given the calls in order."""

    def number(until: datetime, length: timedelta = WINDOW) -> int:
        return bisect_right(calls, until) - bisect_right(calls, until - length)

    present = number(end)
    if present < LEAST_CALLS:
        return None
    whole = number(end, WEEKS * WEEK + WINDOW) - present
    expected = baseline([number(end - week * WEEK) for week in range(1, WEEKS + 1)], whole / WINDOWS)
    if not is_burst(present, expected):
        return None
    return _Alarm(end, present, expected.mean, tail(present, expected))


def _told(session: Session, context: Context, found: Sequence[tuple[Pair, _Alarm]]) -> list[Burst]:
    if not found:
        return []
    names = {row.code: row.name for row in session.scalars(select(District))}
    ordinary = ordinary_words(context.similar())
    chosen = sorted(found, key=lambda pair: (pair[1].rank, pair[0]))[:LISTED]
    return [
        Burst(
            matter,
            context.taxonomy.matters[matter].name,
            district,
            names.get(district, district),
            alarm.at,
            alarm.calls,
            alarm.expected,
            alarm.probability,
            _places(session, ordinary, matter, district, alarm.at),
        )
        for (matter, district), alarm in chosen
    ]


def _places(session: Session, ordinary: Container[str], matter: str, district: str, end: datetime) -> tuple[str, ...]:
    columns = COUNTED.c
    query = select(columns.ticket_id).where(columns.measure == "received", columns.at > end - WINDOW, columns.at <= end)
    ids = session.scalars(query.where(columns.matter == matter, columns.district == district)).all()
    return tuple(name for name, _ in places_of(session, ids, ordinary, least=TOLD_FROM))
