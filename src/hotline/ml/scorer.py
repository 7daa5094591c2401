"""The folded linear model: one matrix of half-precision weights, scored with a sparse product.

Columns are the matters in the taxonomy's order, then the complaint types, then one for urgency.  The same numbers come
out of the scikit-learn pipeline that training fits; a test holds the two equal.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from hotline.ml.features import BLOCKS, Document
from hotline.ml.lookup import CharacterRuns, WordRuns

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Weights:
    """The arrays of a model: F features in B blocks, M matters, T complaint types.

    ``vocabulary``: the features of all blocks in order, joined by line breaks; ``block_sizes`` (B,) says how many
    each block has. ``idf`` (F,) and ``block_scale`` (B,) weigh the features; ``coefficients`` (F, M+T+1) and
    ``intercepts`` (M+T+1,) score them. ``calibration`` (2, 2+M), for calls and for written texts: slope, slope per
    log of the number of features, one offset per matter, since the two have their own priors. ``trust`` (K,): what
    makes the best matter likely to be right; see ``trust_inputs``. ``thresholds`` (2, M): confidence from which a
    matter is dispatched automatically, for calls and for written texts. ``urgent_from`` (2,): the score from which
    the learned urgency holds, for calls and for written texts.
    """

    vocabulary: str
    block_sizes: Ints
    idf: Floats
    block_scale: Floats
    coefficients: NDArray[np.float16]
    intercepts: Floats
    calibration: Floats
    trust: Floats
    thresholds: Floats
    urgent_from: Floats


LONG_FEATURES = 200
"""A text with more known features than this is long."""

TRUST_INPUTS = 15
MEAN_LOG_LENGTH = 5.0
"""The log of a typical number of features; it only centres the length."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What texts look like from outside, each of shape (documents,).

    ``lengths``: numbers of known features.  ``written``: long, or with a title.  Letters are written and calls are
    not, and the two earn trust at different confidences.
    """

    lengths: Ints
    written: NDArray[np.bool_]

    def of(self, which: NDArray[np.bool_]) -> "Shape":
        """The shape of some of the texts."""
        return Shape(self.lengths[which], self.written[which])


class Scorer:
    """Scores documents with a model's weights.  Nothing changes after construction, so threads may share it."""

    def __init__(self, weights: Weights) -> None:
        self.weights = weights
        # Row by row in memory: with columns together every product would copy the matrix first.
        self.matrix: Floats = np.ascontiguousarray(weights.coefficients, np.float32)
        self.words = weights.vocabulary.split("\n")
        self.block_of = np.repeat(np.arange(len(BLOCKS)), weights.block_sizes)
        ends = np.cumsum(weights.block_sizes).tolist()
        word, char, title = (self.words[start:end] for start, end in zip([0, *ends], ends, strict=False))
        self._word = WordRuns(word, 0)
        self._char = CharacterRuns(char, ends[0])
        self._title = WordRuns(title, ends[1])

    def features(self, documents: Sequence[Document]) -> csr_array:
        """Return TF-IDF values, shape (documents, F): 1 + log(count) times idf, each block of each text scaled to
        length one, then weighed.
        """
        size, blocks = len(self.words), len(BLOCKS)
        rows, ids = self._known(documents)
        keys, counts = np.unique(rows * size + ids, return_counts=True)
        rows, ids = np.divmod(keys, size)
        values = (1 + np.log(counts)) * self.weights.idf[ids]
        cells = rows * blocks + self.block_of[ids]
        norms = np.sqrt(np.bincount(cells, values * values, minlength=len(documents) * blocks))
        values = (values / norms[cells] * self.weights.block_scale[self.block_of[ids]]).astype(np.float32)
        ends = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(documents)))])
        return csr_array((values, ids, ends), shape=(len(documents), size))

    def pieces_of(self, words: Sequence[str]) -> list[list[int]]:
        """Return for each word the rows of those of its pieces of characters that are in the vocabulary."""
        rows: list[list[int]] = [[] for _ in words]
        for word, row in zip(*self._char.find(words), strict=True):
            rows[word].append(int(row))
        return rows

    def _known(self, documents: Sequence[Document]) -> tuple[Ints, Ints]:
        """Return the known features, repeats included: their documents and their rows in the vocabulary."""
        found = (
            self._word.find([document.words for document in documents]),
            self._char.find([document.text for document in documents]),
            self._title.find([document.title_words for document in documents]),
        )
        return np.concatenate([owners for owners, _ in found]), np.concatenate([rows for _, rows in found])

    def scores(self, features: csr_array) -> Floats:
        """Return the raw linear scores, shape (documents, M+T+1)."""
        scores: Floats = features @ self.matrix
        scores += self.weights.intercepts
        return scores

    def shape(self, features: csr_array) -> Shape:
        """Return what the documents look like from outside."""
        return shape_of(features, int(self.weights.block_sizes[:-1].sum()))

    def probabilities(self, scores: Floats, shape: Shape) -> Floats:
        """Return calibrated p of every matter, shape (documents, M)."""
        matters = self.weights.thresholds.shape[1]
        return trusted(softmax_of(scores[:, :matters], shape, self.weights.calibration), shape, self.weights.trust)


def shape_of(features: csr_array, title_from: int) -> Shape:
    """Return the shape of documents whose title features start at column ``title_from``."""
    lengths: Ints = np.diff(features.indptr).astype(np.int64)
    rows = np.repeat(np.arange(len(lengths)), lengths)
    titled = np.bincount(rows, features.indices >= title_from, minlength=len(lengths)) > 0
    return Shape(lengths, titled | (lengths > LONG_FEATURES))


def softmax_of(scores: Floats, shape: Shape, calibration: Floats) -> Floats:
    """Softmax over matters; the slope depends on the log of the number of known features.  Rows sum to 1."""
    own = calibration[shape.written.astype(int)]
    slope = own[:, 0] + own[:, 1] * np.log1p(shape.lengths).astype(np.float32)
    logits = scores * slope[:, None] + own[:, 2:]
    logits -= logits.max(axis=1, keepdims=True)
    p = np.exp(logits)
    normal: Floats = p / p.sum(axis=1, keepdims=True)
    return normal


def trust_inputs(p: Floats, shape: Shape) -> Floats:
    """Return what tells whether the best matter is right, shape (documents, TRUST_INPUTS).

    One, the log odds of the best matter, its leads over the second and the third, and the entropy of all, each also
    times the length and times whether the text is written.
    """
    three = np.sort(np.partition(p, -3, axis=1)[:, -3:].astype(np.float64), axis=1)
    first = np.clip(three[:, 2], 1e-6, 1 - 1e-6)
    odds = np.log(first / (1 - first))
    leads = np.log(first[:, None] / np.maximum(three[:, 1::-1], 1e-6))
    entropy = -(p * np.log(p + 1e-9)).sum(axis=1, dtype=np.float64)
    plain = np.column_stack([np.ones_like(odds), odds, leads, entropy])
    length = np.log1p(shape.lengths) - MEAN_LOG_LENGTH
    return np.hstack([plain, plain * length[:, None], plain * shape.written[:, None]]).astype(np.float32)


def trusted(p: Floats, shape: Shape, trust: Floats) -> Floats:
    """Give the best matter the probability with which it proved right, and share the rest among the others as before.

    A softmax alone promises too much at the top and too little below.  The best matter stays the best, and rows sum to
    1.
    """
    best, rows = p.argmax(axis=1), np.arange(len(p))
    rest = np.maximum(1 - p[rows, best], 1e-9)
    second = np.partition(p, -2, axis=1)[:, -2] / rest
    sure = 1 / (1 + np.exp(-(trust_inputs(p, shape) @ trust)))
    sure = np.maximum(sure, second / (1 + second))
    answer: Floats = p * ((1 - sure) / rest)[:, None]
    answer[rows, best] = sure
    answer /= answer.sum(axis=1, keepdims=True)
    return answer
