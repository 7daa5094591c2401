"""What a topic is called: the words that tell it from others, and the places that its tickets name.

Only words of the corpus are told, and neither word nor place that fewer than ``TOLD_FROM`` tickets share: what one
person wrote is nobody's business.  Confidential tickets give neither.
"""

from collections import Counter
from collections.abc import Sequence
from math import log

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session, selectinload

from hotline.ml.evidence import is_telling
from hotline.ml.privacy import looks_personal
from hotline.ml.similar import SimilarModel
from hotline.ml.similar_text import Reading
from hotline.services.context import Context
from hotline.services.vectors import masked_message
from hotline.storage.tables import District, Ticket

# So many tickets of a topic are read for its words.
READ = 30
NAME_WORDS = 3
TOLD_FROM = 3
PLACES = 3


def names_of(
    session: Session, context: Context, model: SimilarModel, topics: Sequence[Sequence[int]]
) -> list[list[str]]:
    """Return the telling words of each topic, given tickets of it; confidential tickets give none."""
    wanted = [number for ids in topics for number in ids]
    query = select(Ticket).where(Ticket.id.in_(wanted), Ticket.confidential.is_(False), Ticket.anonymised_at.is_(None))
    tickets = {ticket.id: ticket for ticket in session.scalars(query.options(selectinload(Ticket.caller)))}
    shares = []
    for ids in topics:
        read = [tickets[number] for number in ids if number in tickets][:READ]
        shares.append(_word_shares([model.read(masked_message(ticket, context)) for ticket in read], model))
    return [
        _telling(mine, [other for place, other in enumerate(shares) if place != number])
        for number, mine in enumerate(shares)
    ]


def _word_shares(readings: Sequence[Reading], model: SimilarModel) -> dict[str, float]:
    """Return in which share of the texts each word stands that may be told: one of the corpus, of several people."""
    counted = Counter(word for reading in readings for word in reading.topic(reading.words))
    known = model.space.known.words
    return {
        word: number / len(readings)
        for word, number in counted.items()
        if number >= TOLD_FROM and word in known and is_telling(word) and word.isalpha() and not looks_personal(word)
    }


def _telling(mine: dict[str, float], others: Sequence[dict[str, float]]) -> list[str]:
    """Return the words that stand in many texts of one topic and in few of the others, the most telling first."""

    def worth(word: str) -> float:
        elsewhere = sum(other.get(word, 0.0) for other in others) / max(len(others), 1)
        return mine[word] * log((mine[word] + 0.02) / (elsewhere + 0.02))

    words: list[str] = []
    for word in sorted(mine, key=lambda word: (-worth(word), word)):
        # 停水 says nothing more beside 停水通知.
        if worth(word) > 0 and not any(word in told or told in word for told in words):
            words.append(word)
    return words[:NAME_WORDS]


def places_of(session: Session, ids: Sequence[int], *, least: int = TOLD_FROM) -> list[tuple[str, int]]:
    """Return the places that most of the tickets' texts name, with how many tickets: those that ``least`` name."""
    open_ones = select(Ticket.id).where(Ticket.id.in_(ids), Ticket.confidential.is_(False))
    named = text("""
        SELECT name, count(*) FROM ticket_vector, unnest(places) name
        WHERE ticket_id = ANY(:ids) GROUP BY name HAVING count(*) >= :least ORDER BY 2 DESC, 1 LIMIT :most""")
    given = {"ids": list(session.scalars(open_ones)), "least": least, "most": PLACES}
    return [(name, number) for name, number in session.execute(named, given) if not looks_personal(name)]


def districts_of(session: Session, ids: Sequence[int]) -> list[tuple[str, int]]:
    """Return the districts that the tickets were filed for, with how many."""
    query = select(District.name, func.count()).join(Ticket, Ticket.district == District.code)
    query = query.where(Ticket.id.in_(ids)).group_by(District.name).having(func.count() >= TOLD_FROM)
    return [(name, number) for name, number in session.execute(query.order_by(func.count().desc(), District.name))]
