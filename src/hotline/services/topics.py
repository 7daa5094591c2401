"""Hot topics (热点主题): what many tickets of a period are about, whatever matter they were filed under.

Tickets are grouped by the half of their vectors that says what they are about; a group is named by the words that tell
it from the others and by the place that many of its tickets name.  A job finds them each night and keeps them; pages
and bulletins only read.
"""

import math
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import and_, delete, func, insert, select, text, update
from sqlalchemy.orm import Session

from hotline.domain.city_time import CITY_ZONE
from hotline.ml.scorer import Floats
from hotline.ml.similar import SimilarModel
from hotline.ml.similar_space import TOPIC, unit
from hotline.ml.topics import NONE, assign, group
from hotline.services.context import Context
from hotline.services.topic_names import PLACES, READ, Telling, among, districts_of, names_of, ordinary_words, places_of
from hotline.storage.queries.slices import midnight
from hotline.storage.tables import HOT_TOPIC, Ticket

# From this cosine on a ticket belongs to a topic.  Of real letters more than half then belong to one, and of a topic's
# three fifths were filed under the same of 66 matters.
ALIKE = 0.5
# From so many tickets on, what is common to all of them is known well enough to be left out.
COMMON_FROM = 300
# A topic has so many tickets at least, and so large a share of the period's.
LEAST, LEAST_SHARE = 5, 0.002
# The largest topics are kept, and of the others those that grew most; of groups, so many times as many are looked at.
LARGEST, GROWING = 10, 4
LOOKED_AT = 3
# A group is about something when this share of it was filed under one matter, or this share of its texts has a telling
# word; what is alike only in how it is said (能不能 …) has neither.
MATTER_SHARE, WORD_SHARE = 1 / 3, 1 / 2
WEEKS = 8
WEEK = timedelta(days=7)
# From these shares of a topic's tickets on a place belongs to its name.
PLACE_SHARE, DISTRICT_SHARE = 0.4, 0.5
# What the report page shows unless told otherwise.
ROLLING_DAYS = 30
KEPT = timedelta(days=750)


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as it was found: ``size`` of the ``of`` tickets received in its days, ``before`` in as many days before.

    ``weeks`` counts the tickets alike it in the last weeks, the newest last; ``places`` where it is, with tickets.
    """

    id: int
    first: date
    last: date
    name: str
    places: tuple[tuple[str, int], ...]
    matter: str | None
    size: int
    before: int
    weeks: tuple[int, ...]
    of: int

    @property
    def is_growing(self) -> bool:
        """Tell whether the last week brought clearly more than the week before it: by more than chance, twice over."""
        *_, before, now = self.weeks
        return (now - before) > 2 * math.sqrt(now + before)


@dataclass(frozen=True)
class _Found:
    """Tickets by their ids, when each was received (seconds since 1970), and what each is about, rows of length one."""

    ids: Any
    at: Any
    vectors: Floats


def find_topics(session: Session, context: Context, first: date, last: date, *, rolling: bool = False) -> int:
    """Find and keep the topics of the tickets received from ``first`` to ``last``; return how many.

    Those kept for the same days are replaced.  Without a similarity model there are none.
    """
    model = context.similar()
    days = (HOT_TOPIC.c.first_day == first, HOT_TOPIC.c.last_day == last)
    session.execute(delete(HOT_TOPIC).where(*days))
    if model is None:
        return 0
    start, end = midnight(first), midnight(last + timedelta(days=1))
    found = _load(session, model, min(end - WEEKS * WEEK, start - (end - start)), end)
    inside = found.at >= start.timestamp()
    of = _received(session, start, end)
    least = max(LEAST, round(LEAST_SHARE * int(inside.sum())))
    groups = group(found.vectors[inside], alike=ALIKE, least=least)
    nearest = assign(found.vectors, groups.centres, alike=ALIKE)
    trends = _trends(found, nearest, len(groups.centres), start, end)
    large, growing = _hottest(trends)
    chosen = [*large, *growing]
    ours = {place: np.flatnonzero((nearest == place) & inside) for place in chosen}
    closest = [found.ids[_nearest(found.vectors, ours[place], groups.centres[place])].tolist() for place in chosen]
    told = dict(zip(chosen, names_of(session, context, model, closest), strict=True))
    during = and_(Ticket.received_at >= start, Ticket.received_at < end)
    usual = {name: number / of for name, number in districts_of(session, during)}
    ordinary = ordinary_words(model)
    lines: dict[str, dict[str, Any]] = {}
    for places, most in ((large, LARGEST), (growing, LARGEST + GROWING)):
        for place in places:
            ids = found.ids[ours[place]].tolist()
            line = _line(session, context, ordinary, told[place], ids, trends[place], usual)
            # Two that are called by the same matter cannot be told apart: the larger one stands for it.
            if line is not None and len(lines) < most:
                lines.setdefault(line["name"], line)
    common = {"first_day": first, "last_day": last, "rolling": rolling, "made_at": context.now(), "of": of}
    rows = [{**common, **line, "rank": rank} for rank, line in enumerate(lines.values())]
    if rows:
        session.execute(insert(HOT_TOPIC), rows)
    return len(rows)


def _load(session: Session, model: SimilarModel, start: datetime, end: datetime) -> _Found:
    """Read what the tickets received in ``[start, end)`` are about, two bytes a number."""
    query = text(f"""
        SELECT ticket_id, extract(epoch FROM received_at)::float8,
               halfvec_send(subvector(embedding, 1, {TOPIC})::halfvec({TOPIC}))
        FROM ticket_vector WHERE version = :version AND received_at >= :start AND received_at < :end
        ORDER BY ticket_id""")  # noqa: S608 - a number of our own
    rows = session.execute(query, {"version": model.version, "start": start, "end": end}).all()
    # Before the numbers stands how many there are, in four bytes.
    packed = b"".join(bytes(row[2])[4:] for row in rows)
    vectors = np.frombuffer(packed, ">f2").astype(np.float32).reshape(-1, TOPIC)
    ids, at = np.array([row[0] for row in rows], np.int64), np.array([row[1] for row in rows], np.float64)
    return _Found(ids, at, _telling_apart(unit(vectors)))


def _telling_apart(vectors: Floats) -> Floats:
    """Take away what all vectors have in common (Mu and Viswanath 2018): every ticket has an address, and is polite.

    Only the mean goes and no axis: the strongest one might be the very topic that everybody calls about.
    """
    return unit(vectors - vectors.mean(axis=0)) if len(vectors) >= COMMON_FROM else vectors


def _received(session: Session, start: datetime, end: datetime) -> int:
    query = select(func.count()).where(Ticket.received_at >= start, Ticket.received_at < end)
    return session.scalar(query) or 0


@dataclass(frozen=True, slots=True)
class _Trend:
    size: int
    before: int
    weeks: tuple[int, ...]


def _trends(found: _Found, nearest: Any, topics: int, start: datetime, end: datetime) -> list[_Trend]:
    """Count each topic's tickets in the period, in as long a time before it, and in each of the last weeks."""

    def numbers(since: datetime, until: datetime) -> list[int]:
        during = (found.at >= since.timestamp()) & (found.at < until.timestamp()) & (nearest != NONE)
        counted: list[int] = np.bincount(nearest[during], minlength=topics).tolist()
        return counted

    weeks = [numbers(end - (week + 1) * WEEK, end - week * WEEK) for week in reversed(range(WEEKS))]
    both = zip(numbers(start, end), numbers(start - (end - start), start), *weeks, strict=True)
    return [_Trend(size, before, tuple(each)) for size, before, *each in both]


def _hottest(trends: Sequence[_Trend]) -> tuple[list[int], list[int]]:
    """Return the largest groups, and of the others those that grew most: more of each than are kept."""
    by_size = sorted(range(len(trends)), key=lambda place: (-trends[place].size, place))
    large, others = by_size[: LOOKED_AT * LARGEST], by_size[LOOKED_AT * LARGEST :]
    others.sort(key=lambda place: trends[place].before - trends[place].size)
    return large, [place for place in others[: LOOKED_AT * GROWING] if trends[place].size > trends[place].before]


def _nearest(vectors: Floats, rows: Any, centre: Floats) -> Any:
    return rows[np.argsort(-(vectors[rows] @ centre), kind="stable")[: 2 * READ]]


def _line(
    session: Session,
    context: Context,
    ordinary: Container[str],
    told: Telling,
    ids: list[int],
    trend: _Trend,
    usual: Mapping[str, float],
) -> dict[str, Any] | None:
    """Return what is kept of a topic; None when neither words nor a matter tell what it is about."""
    matter, filed = _matter(session, ids)
    # Without words the matter is the name, and has to be that of most.
    if told.share < WORD_SHARE and filed < (MATTER_SHARE if told.words else 1 / 2) * len(ids):
        return None
    named, districts = places_of(session, ids, ordinary), districts_of(session, among(ids))
    name = "、".join(told.words) or (context.taxonomy.matters[matter].name if matter else "其他")
    place = _place(named, districts, len(ids), usual)
    return {
        "name": f"{place} · {name}" if place else name,
        "places": [list(pair) for pair in named or districts[:PLACES]],
        "matter": matter,
        "before": trend.before,
        "weeks": list(trend.weeks),
        "tickets": ids,
    }


def _matter(session: Session, ids: Sequence[int]) -> tuple[str | None, int]:
    """Return the matter that most of the tickets were filed under, with how many."""
    counted = select(Ticket.matter, func.count()).where(among(ids), Ticket.matter.is_not(None))
    query = counted.group_by(Ticket.matter).order_by(func.count().desc(), Ticket.matter).limit(1)
    row = session.execute(query).first()
    return (row[0], row[1]) if row else (None, 0)


def _place(
    named: Sequence[tuple[str, int]], districts: Sequence[tuple[str, int]], size: int, usual: Mapping[str, float]
) -> str | None:
    """Return the place that a topic is about: one that its texts name, or a district that it lies in more than others.

    ``usual`` is each district's share of all tickets.
    """
    if named and named[0][1] >= PLACE_SHARE * size:
        return named[0][0]
    for name, number in districts[:1]:
        if number >= DISTRICT_SHARE * size and number >= 1.5 * usual.get(name, 0.0) * size:
            return name
    return None


def kept_topics(session: Session, first: date, last: date) -> tuple[Topic, ...]:
    """Return the topics kept for these days, the largest first."""
    columns = HOT_TOPIC.c
    query = select(HOT_TOPIC).where(columns.first_day == first, columns.last_day == last)
    return tuple(_topic(row) for row in session.execute(query.order_by(columns.rank)))


def rolling_topics(session: Session) -> tuple[Topic, ...]:
    """Return the newest topics of ``ROLLING_DAYS`` days."""
    columns = HOT_TOPIC.c
    newest = select(func.max(columns.last_day)).where(columns.last_day - columns.first_day == ROLLING_DAYS - 1)
    last = session.scalar(newest)
    return kept_topics(session, last - timedelta(days=ROLLING_DAYS - 1), last) if last else ()


def topic_tickets(session: Session, number: int) -> tuple[Topic, list[int]] | None:
    """Return a kept topic and its tickets' ids, the newest first; None when there is none of this number."""
    row = session.execute(select(HOT_TOPIC).where(HOT_TOPIC.c.id == number)).one_or_none()
    return (_topic(row), sorted(row.tickets, reverse=True)) if row else None


def _topic(row: Any) -> Topic:
    places = tuple((name, number) for name, number in row.places)
    weeks, size = tuple(row.weeks), len(row.tickets)
    return Topic(row.id, row.first_day, row.last_day, row.name, places, row.matter, size, row.before, weeks, row.of)


def find_rolling(session: Session, context: Context) -> int:
    """Find the topics of the days up to yesterday unless they are kept; return how many were found."""
    last = context.now().astimezone(CITY_ZONE).date() - timedelta(days=1)
    first = last - timedelta(days=ROLLING_DAYS - 1)
    columns = HOT_TOPIC.c
    if kept_topics(session, first, last):
        return 0
    number = find_topics(session, context, first, last, rolling=True)
    if number:
        session.execute(delete(HOT_TOPIC).where(columns.rolling, columns.last_day < last))
        session.execute(delete(HOT_TOPIC).where(columns.made_at < context.now() - KEPT))
    return number


def ensure_topics(session: Session, context: Context, first: date, last: date) -> None:
    """See to it that the topics of these days are kept, and stay."""
    if not kept_topics(session, first, last):
        find_topics(session, context, first, last)
    columns = HOT_TOPIC.c
    session.execute(update(HOT_TOPIC).where(columns.first_day == first, columns.last_day == last).values(rolling=False))
