"""What two messages have in common: the inputs of the judgement "same event?".

A ``Collection`` weighs words and pieces of characters by how rare they are in the corpus and among its own messages
together, so that a city's name, rare in the corpus and everywhere here, does not make all messages alike.
"""

import math
from collections import Counter
from collections.abc import Collection as Terms
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from hotline.ml.places import KINDS, meet
from hotline.ml.scorer import Floats, Ints
from hotline.ml.similar_space import Space
from hotline.ml.similar_text import Reading

CANDIDATES = 12
"""How many of its nearest messages, by each of words, pieces and title, a message is compared with in detail."""

BACKGROUND = 8
"""A message's background is its similarity with its eighth nearest: boilerplate is near to many."""

CHUNK = 256
UNKNOWN_DAYS = 7.0
RARE = 5.0

INPUTS = (
    *(
        "pieces",
        "words",
        "title_pieces",
        "title_words",
        "topic_vector",
        "subject",
        "copied",
        "copied_log",
        "days",
        "length",
    ),
    *("length_ratio", "rarest", "second", "third", "rare_sum", "title_inside_least", "title_inside_most"),
    *(f"{kind}_{found}" for kind in KINDS for found in ("same", "other")),
    *(
        "place_same",
        "place_other",
        "title_place_same",
        "title_place_other",
        "title_place_inside",
        "title_place_missing",
    ),
    *("district_code_same", "district_code_other", "units_same", "units_other", "years_other"),
    *("numbers_same", "numbers_other", "title_numbers_same", "title_numbers_other"),
    *("above_busier", "above_calmer", "above_words", "topic_inside_least", "topic_inside_most", "topic"),
)
"""The inputs by name, in the order of ``Collection.inputs``."""


class Collection:
    """Messages to be compared with one another in a space."""

    def __init__(self, readings: Sequence[Reading], space: Space) -> None:
        self.readings, known = readings, space.known
        self.vectors = space.topics(readings)
        self.subjects = space.subjects(self.vectors)
        self.word_weight = _weights([reading.words for reading in readings], known.words, known.texts)
        self.piece_weight = _weights([reading.pieces for reading in readings], known.pieces, known.texts)
        self.words = _matrix([reading.words for reading in readings], self.word_weight)
        self.pieces = _matrix([reading.pieces for reading in readings], self.piece_weight)
        self.title_words = _matrix([reading.title_words for reading in readings], self.word_weight)
        self.title_pieces = _matrix([reading.title_pieces for reading in readings], self.piece_weight)

    def candidates(self) -> Ints:
        """Return the pairs worth a closer look, shape (pairs, 2), the smaller row first, sorted."""
        found: set[tuple[int, int]] = set()
        for matrix in (self.pieces, self.words, self.title_pieces):
            for start in range(0, len(self.readings), CHUNK):
                near = (matrix[start : start + CHUNK] @ matrix.T).toarray()
                rows = np.arange(len(near))
                near[rows, rows + start] = -1
                best = np.argsort(-near, axis=1, kind="stable")[:, :CANDIDATES]
                for row, others in zip((rows + start).tolist(), best.tolist(), strict=True):
                    found.update((min(row, other), max(row, other)) for other in others if other != row)
        return np.array(sorted(found), np.int64).reshape(-1, 2)

    def pairs_with(self, row: int) -> Ints:
        """Return the pairs of one message with every other, shape (messages − 1, 2)."""
        others = [other for other in range(len(self.readings)) if other != row]
        return np.array([(row, other) for other in others], np.int64).reshape(-1, 2)

    def inputs(self, pairs: Ints) -> Floats:
        """Return what each pair has in common, shape (pairs, len(INPUTS))."""
        left, right = pairs[:, 0], pairs[:, 1]
        close = [_products(m, left, right) for m in (self.pieces, self.words, self.title_pieces, self.title_words)]
        topics, subjects = ((rows[left] * rows[right]).sum(axis=1) for rows in (self.vectors, self.subjects))
        details = np.array([self._details(a, b) for a, b in pairs.tolist()], np.float32).reshape(len(pairs), -1)
        around, around_words = (_background(pairs, values, len(self.readings)) for values in close[:2])
        busier, calmer = np.maximum(around[left], around[right]), np.minimum(around[left], around[right])
        busier_words = np.maximum(around_words[left], around_words[right])
        above = [close[0] / busier, close[0] / calmer, close[1] / busier_words]
        columns = np.column_stack([*close, topics, subjects, details[:, :-3], *above, details[:, -3:]])
        assert columns.shape[1] == len(INPUTS)
        return columns.astype(np.float32)

    def _details(self, a: int, b: int) -> list[float]:
        """The inputs from ``copied`` on, without those that need the background."""
        one, other = self.readings[a], self.readings[b]
        return [
            *_copied(one, other),
            _days_apart(one, other),
            *_lengths(one, other),
            *self._rare(one, other),
            *_both(
                _inside(one.title_pieces, other.pieces, self.piece_weight),
                _inside(other.title_pieces, one.pieces, self.piece_weight),
            ),
            *_places(one, other),
            *self._topics(one, other),
        ]

    def _rare(self, one: Reading, other: Reading) -> list[float]:
        shared = [self.word_weight[w] for w in one.words.keys() & other.words.keys() if len(w) > 1]
        best = [*sorted(shared, reverse=True), 0.0, 0.0, 0.0]
        return [*best[:3], math.log1p(sum(max(0.0, weight - RARE) for weight in shared))]

    def _topics(self, one: Reading, other: Reading) -> list[float]:
        """What remains when places are taken out: the same estate may complain of two things."""
        topic, other_topic = one.topic(one.words), other.topic(other.words)
        weight = self.word_weight
        shared = sum(weight[word] ** 2 for word in topic & other_topic)
        sizes = [sum(weight[word] ** 2 for word in words) or 1.0 for words in (topic, other_topic)]
        inside = _both(
            _inside(one.topic(one.title_words), other_topic, weight),
            _inside(other.topic(other.title_words), topic, weight),
        )
        return [*inside, shared / math.sqrt(sizes[0] * sizes[1])]


def _weights(texts: Sequence[Counter[str]], known: Mapping[str, int], known_texts: int) -> dict[str, float]:
    """How rare each term is, as −log of its share in corpus and collection together."""
    here: Counter[str] = Counter()
    for text in texts:
        here.update(text.keys())
    total = known_texts + len(texts)
    return {term: -math.log((known.get(term, 0) + count) / total) for term, count in here.items()}


def _matrix(texts: Sequence[Counter[str]], weight: Mapping[str, float]) -> csr_array:
    """Return TF-IDF values, shape (texts, terms), rows of length one."""
    column = {term: number for number, term in enumerate(weight)}
    ends = np.concatenate([[0], np.cumsum([len(text) for text in texts], dtype=np.int64)])
    ids = np.fromiter((column[term] for text in texts for term in text), np.int64, int(ends[-1]))
    counts = np.fromiter((count for text in texts for count in text.values()), np.float64, int(ends[-1]))
    values = (1 + np.log(counts)) * np.fromiter(weight.values(), np.float64, len(weight))[ids]
    rows = np.repeat(np.arange(len(texts)), np.diff(ends))
    norms = np.sqrt(np.bincount(rows, values * values, minlength=len(texts)))
    scaled = (values / np.maximum(norms[rows], 1e-9)).astype(np.float32)
    return csr_array((scaled, ids, ends), shape=(len(texts), max(1, len(weight))))


def _products(matrix: csr_array, left: Ints, right: Ints) -> NDArray[np.float64]:
    """Cosine of each pair of rows."""
    parts = [
        matrix[left[start : start + CHUNK]].multiply(matrix[right[start : start + CHUNK]]).sum(axis=1)
        for start in range(0, len(left), CHUNK)
    ]
    products: NDArray[np.float64] = np.concatenate([np.zeros(0), *parts])
    return products


def _background(pairs: Ints, values: NDArray[np.float64], messages: int) -> NDArray[np.float64]:
    """Return for each message how near its eighth nearest one is; with fewer the last of them."""
    both, twice = pairs.T.ravel(), np.concatenate([values, values])
    order = np.lexsort((-twice, both))
    owners, twice = both[order], twice[order]
    starts = np.searchsorted(owners, np.arange(messages))
    ends = np.searchsorted(owners, np.arange(messages), side="right")
    background = np.full(messages, TYPICAL_BACKGROUND)
    enough = ends - starts >= BACKGROUND
    background[enough] = twice[starts[enough] + BACKGROUND - 1]
    clipped: NDArray[np.float64] = np.clip(background, LEAST_BACKGROUND, None)
    return clipped


TYPICAL_BACKGROUND = 0.09
"""The background of a message with few others beside it: the median of a month's messages of a city."""
LEAST_BACKGROUND = 0.01


def _copied(one: Reading, other: Reading) -> list[float]:
    shared = len(one.shingles & other.shingles)
    return [shared / max(min(len(one.shingles), len(other.shingles)), 20), math.log1p(shared)]


def _days_apart(one: Reading, other: Reading) -> float:
    known = one.at is not None and other.at is not None
    days = abs((one.at or 0) - (other.at or 0)) / 86400 if known else UNKNOWN_DAYS
    return math.log1p(days)


def _lengths(one: Reading, other: Reading) -> list[float]:
    shorter, longer = sorted((one.length + 20, other.length + 20))
    return [math.log(shorter), math.log(longer / shorter)]


def _inside(terms: Terms[str], others: Terms[str], weight: Mapping[str, float]) -> float:
    """Which share of the terms, by weight, stands among the others."""
    total = sum(weight[term] for term in terms)
    return sum(weight[term] for term in terms if term in others) / total if total else 0.0


def _both(one: float, other: float) -> list[float]:
    return [min(one, other), max(one, other)]


def _places(one: Reading, other: Reading) -> list[float]:
    ours, theirs = one.places, other.places
    none: frozenset[str] = frozenset()
    found: list[float] = []
    for kind in KINDS:
        found += _same_or_other(ours.names.get(kind, none), theirs.names.get(kind, none))
    found += _same_or_other(ours.all_names, theirs.all_names)
    heads = one.title_places.all_names, other.title_places.all_names
    found += _same_or_other(*heads)
    found += [float(meet(heads[0], theirs.all_names)) + float(meet(heads[1], ours.all_names))]
    found += [_missing(heads[0], theirs.all_names) + _missing(heads[1], ours.all_names)]
    districts = ours.anonymous & theirs.anonymous
    found += [float(bool(districts)), float(bool(ours.anonymous and theirs.anonymous and not districts))]
    units = ours.units & theirs.units
    found += [float(min(3, len(units))), float(bool(ours.units and theirs.units and not units))]
    found += [float(bool(ours.years and theirs.years and not ours.years & theirs.years))]
    found += _numbers(ours.numbers, theirs.numbers)
    return found + _numbers(one.title_places.numbers, other.title_places.numbers)


def _numbers(some: Mapping[str, frozenset[str]], others: Mapping[str, frozenset[str]]) -> list[float]:
    """Of what both texts number, how much they number alike and how much not: lines 5 and 7 are two lines."""
    both = some.keys() & others.keys()
    alike = sum(bool(some[kind] & others[kind]) for kind in both)
    return [float(min(3, alike)), float(min(3, len(both) - alike))]


def _same_or_other(some: frozenset[str], others: frozenset[str]) -> tuple[float, float]:
    """(1, 0) when a place is the same, (0, 1) when both name places and none is, (0, 0) when one names none."""
    if not some or not others:
        return 0.0, 0.0
    return (1.0, 0.0) if meet(some, others) else (0.0, 1.0)


def _missing(head: frozenset[str], others: frozenset[str]) -> float:
    return float(bool(head and others) and not meet(head, others))
