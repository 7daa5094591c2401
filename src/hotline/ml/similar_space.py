"""The space in which messages lie: half of a vector says what a message is about, half which rare words it names.

The first half is latent semantic analysis (LSA) of words and character pairs.  Local names are rare words that no
corpus knows, so the second half gives each rare word a few signed places by its hash: two messages that share an
estate's name point the same way there.  Beside the vector, the first half tells how likely a message belongs to each
matter of the corpus: two troubles of one estate are mostly two matters.
"""

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from itertools import islice

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from hotline.ml.scorer import Floats
from hotline.ml.similar_text import Frequencies, Reading, rare_words

TOPIC = 128
NAMES = 128
DIMENSIONS = TOPIC + NAMES
NAMES_SHARE = 0.7
RARE_FROM = 5.0
PLACES_OF_A_WORD = 4


@dataclass(frozen=True, slots=True)
class SpaceWeights:
    """``words`` and ``pieces``: terms in at least ``MIN_TEXTS`` of ``texts`` (1,) texts, joined by line breaks, the
    most frequent first; ``word_texts`` and ``piece_texts`` count their texts.

    ``axes`` (2·VOCABULARY or less, TOPIC): the axes of the first words, then of the first pairs of characters; each
    is scaled by the square root of its singular value.  ``axes_of`` (2,): how many words and pairs have axes.
    ``subject`` (TOPIC, S) and ``subject_from`` (S,): linear scores of S matters.
    """

    words: str
    word_texts: NDArray[np.int32]
    pieces: str
    piece_texts: NDArray[np.int32]
    texts: NDArray[np.int32]
    axes: NDArray[np.float16]
    axes_of: NDArray[np.int32]
    subject: Floats
    subject_from: Floats


SPACE_FIELDS = tuple(field.name for field in fields(SpaceWeights))


class Space:
    """Turns readings into vectors.  Threads may share it."""

    def __init__(self, weights: SpaceWeights) -> None:
        self.weights = weights
        self.known = Frequencies(
            int(weights.texts[0]),
            dict(zip(weights.words.split("\n"), weights.word_texts.tolist(), strict=True)),
            dict(zip(weights.pieces.split("\n"), weights.piece_texts.tolist(), strict=True)),
        )
        words, pairs = weights.axes_of.tolist()
        self._word_axis = {word: row for row, word in enumerate(islice(self.known.words, words))}
        two = (piece for piece in self.known.pieces if len(piece) == 2)
        self._pair_axis = {piece: row + words for row, piece in enumerate(islice(two, pairs))}

    @cached_property
    def _axes(self) -> Floats:
        return self.weights.axes.astype(np.float32)

    def topics(self, readings: Sequence[Reading]) -> Floats:
        """What the messages are about, shape (messages, TOPIC), rows of length one or zero."""
        return unit(self.terms(readings) @ self._axes)

    def subjects(self, topics: Floats) -> Floats:
        """Square roots of the probabilities of each matter, shape (messages, S): rows of length one."""
        scores = topics @ self.weights.subject + self.weights.subject_from
        odds = np.exp(scores - scores.max(axis=1, keepdims=True, initial=0))
        roots: Floats = np.sqrt(odds / odds.sum(axis=1, keepdims=True)).astype(np.float32)
        return roots

    def vectors(self, readings: Sequence[Reading]) -> Floats:
        """The messages' vectors, shape (messages, DIMENSIONS), rows of length one or zero."""
        names = np.array([self._names(reading) for reading in readings], np.float32).reshape(-1, NAMES)
        return unit(np.hstack([self.topics(readings), NAMES_SHARE * unit(names)]))

    def terms(self, readings: Sequence[Reading]) -> csr_array:
        """TF-IDF of the terms with axes, shape (messages, terms); words and pairs have length one each."""
        values: list[float] = []
        ids: list[int] = []
        ends = [0]
        for reading in readings:
            for found, axis, texts in (
                (reading.words, self._word_axis, self.known.words),
                (reading.pieces, self._pair_axis, self.known.pieces),
            ):
                here = {axis[t]: (1 + math.log(n)) * self._idf(texts[t]) for t, n in found.items() if t in axis}
                length = math.sqrt(sum(value * value for value in here.values())) or 1.0
                ids += here.keys()
                values += [value / length for value in here.values()]
            ends.append(len(ids))
        shape = (len(readings), len(self._word_axis) + len(self._pair_axis))
        return csr_array((np.array(values, np.float32), np.array(ids, np.int64), np.array(ends)), shape=shape)

    def _idf(self, texts: int) -> float:
        return math.log((self.known.texts + 1) / (texts + 1))

    def _names(self, reading: Reading) -> list[float]:
        found = [0.0] * NAMES
        for word, weight in rare_words(reading, self.known, RARE_FROM).items():
            for turn in range(PLACES_OF_A_WORD):
                place = zlib.crc32(f"{turn}{word}".encode())
                found[place % NAMES] += weight if place >> 20 & 1 else -weight
        return found


def unit(rows: Floats) -> Floats:
    """Scale rows to length one; zeros stay."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    scaled: Floats = (rows / np.where(lengths > 0, lengths, 1)).astype(np.float32)
    return scaled
