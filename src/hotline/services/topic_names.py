"""What a topic is called: the words that tell it from others, and the places that its tickets name.

Only words of the corpus are told, and neither word nor place that fewer than ``TOLD_FROM`` tickets share: what one
person wrote is nobody's business.  Confidential tickets give neither.
"""

from collections import Counter
from collections.abc import Container, Sequence
from dataclasses import dataclass
from math import log

from sqlalchemy import BigInteger, ColumnElement, any_, cast, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session, selectinload

from hotline.ml.evidence import is_telling
from hotline.ml.places import KINDS
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
# A word that stands in fewer of a topic's texts than this share does not tell what it is about.
TOLD_SHARE = 0.2
PLACES = 3
ORDINARY_SHARE = 0.002
# 小区 and 街道 stand in every other text, whatever it is about.
_KINDS_OF_PLACE = frozenset(
    ending for kind in ("district", "street", "estate", "village") for ending in KINDS[kind].split()
)


@dataclass(frozen=True, slots=True)
class Telling:
    """The words that tell a topic from the others, and in which share of its texts the most frequent of them stands."""

    words: tuple[str, ...]
    share: float


def names_of(session: Session, context: Context, model: SimilarModel, topics: Sequence[Sequence[int]]) -> list[Telling]:
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
        if number >= max(TOLD_FROM, TOLD_SHARE * len(readings)) and word in known and _may_name(word)
    }


def _may_name(word: str) -> bool:
    return word.isalpha() and is_telling(word) and word not in _KINDS_OF_PLACE and not looks_personal(word)


def _telling(mine: dict[str, float], others: Sequence[dict[str, float]]) -> Telling:
    """Return the words that stand in many texts of one topic and in few of the others, the most telling first."""

    def worth(word: str) -> float:
        elsewhere = sum(other.get(word, 0.0) for other in others) / max(len(others), 1)
        return mine[word] * log((mine[word] + 0.02) / (elsewhere + 0.02))

    words: list[str] = []
    for word in sorted(mine, key=lambda word: (-worth(word), word)):
        # 停水 says nothing more beside 停水通知.
        if worth(word) > 0 and not any(word in told or told in word for told in words):
            words.append(word)
    chosen = tuple(words[:NAME_WORDS])
    return Telling(chosen, max((mine[word] for word in chosen), default=0.0))


def ordinary_words(model: SimilarModel | None) -> frozenset[str]:
    """Return words of the corpus that are too common to be a place's name: 本市, 三家."""
    if model is None:
        return frozenset()
    known = model.space.known
    return frozenset(word for word, texts in known.words.items() if texts > ORDINARY_SHARE * known.texts)


def places_of(
    session: Session, ids: Sequence[int], ordinary: Container[str] = (), *, least: int = TOLD_FROM
) -> list[tuple[str, int]]:
    """Return the places that most of the tickets' texts name, with how many tickets: those that ``least`` name.

    What is an ``ordinary`` word names no place, though it was taken for one.
    """
    open_ones = select(Ticket.id).where(among(ids), Ticket.confidential.is_(False))
    named = text("""
        SELECT name, count(*) FROM ticket_vector, unnest(places) name
        WHERE ticket_id = ANY(:ids) GROUP BY name HAVING count(*) >= :least ORDER BY 2 DESC, 1""")
    given = {"ids": list(session.scalars(open_ones)), "least": least}
    found = [(name, number) for name, number in session.execute(named, given) if name not in ordinary]
    return [(name, number) for name, number in found if not looks_personal(name)][:PLACES]


def districts_of(session: Session, which: ColumnElement[bool]) -> list[tuple[str, int]]:
    """Return the districts that those tickets were filed for, with how many."""
    query = select(District.name, func.count()).join(Ticket, Ticket.district == District.code)
    query = query.where(which).group_by(District.name).having(func.count() >= TOLD_FROM)
    return [(name, number) for name, number in session.execute(query.order_by(func.count().desc(), District.name))]


def among(ids: Sequence[int]) -> ColumnElement[bool]:
    """Tell whether a ticket is one of ``ids``: one parameter, however many there are."""
    return Ticket.id == any_(cast(ids, ARRAY(BigInteger)))
