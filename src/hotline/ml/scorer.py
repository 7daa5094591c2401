"""The folded linear model: one matrix of half-precision weights, scored with a sparse product.

Columns are the matters in the taxonomy's order, then the complaint types, then one for urgency.  The same numbers come
out of the scikit-learn
pipeline that training fits; a test holds the two equal.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from hotline.ml.features import EXTRACTORS, Document

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Weights:
    """The arrays of a model: F features in B blocks, M matters, T complaint types.

    ``vocabulary``: the features of all blocks in order, joined by line breaks; ``block_sizes`` (B,) says how many each
    block has.
    ``idf`` (F,) and ``block_scale`` (B,) weigh the features; ``coefficients`` (F, M+T+1) and ``intercepts`` (M+T+1,)
    score them.
    ``calibration`` (2+M,): slope, slope per log of the number of features, one offset per matter.
    ``trust`` (K,): what makes the best matter likely to be right; see ``trust_inputs``.
    ``thresholds`` (2, M): confidence from which a matter is dispatched automatically, for short texts and for long
    ones.
    ``urgent_from`` (2,): the score from which the learned urgency holds, for short texts and for long ones.
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


LONG_FEATURES = 250
"""A text with more known features than this is long.  Calls are short and letters long, and they earn trust at
different confidences.
"""

TRUST_INPUTS = 6
MEAN_LOG_LENGTH = 5.0
"""The log of a typical number of features; it only centres the length."""


class Scorer:
    """Scores documents with a model's weights.  Nothing changes after construction, so threads may share it."""

    def __init__(self, weights: Weights) -> None:
        self.weights = weights
        self.matrix: Floats = weights.coefficients.astype(np.float32)
        self.words = weights.vocabulary.split("\n")
        self.block_of = np.repeat(np.arange(len(EXTRACTORS)), weights.block_sizes)
        self._lookups = self._build_lookups()

    def _build_lookups(self) -> list[Callable[[str], int | None]]:
        """One function per block from a feature to its row."""
        ends = np.cumsum(self.weights.block_sizes).tolist()
        starts = [0, *ends[:-1]]
        return [
            dict(zip(self.words[start:end], range(start, end), strict=True)).get
            for start, end in zip(starts, ends, strict=True)
        ]

    def features(self, documents: Sequence[Document]) -> csr_array:
        """Return TF-IDF values, shape (documents, F): 1 + log(count) times idf, each block of each text scaled to
        length one, then weighed.
        """
        size, blocks = len(self.words), len(EXTRACTORS)
        found = [self._known(document) for document in documents]
        rows = np.repeat(np.arange(len(found)), [len(ids) for ids in found])
        keys = rows * size + np.fromiter(chain.from_iterable(found), np.int64, rows.size)
        keys, counts = np.unique(keys, return_counts=True)
        rows, ids = np.divmod(keys, size)
        values = (1 + np.log(counts)) * self.weights.idf[ids]
        cells = rows * blocks + self.block_of[ids]
        norms = np.sqrt(np.bincount(cells, values * values, minlength=len(found) * blocks))
        values = (values / norms[cells] * self.weights.block_scale[self.block_of[ids]]).astype(np.float32)
        ends = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(found)))])
        return csr_array((values, ids, ends), shape=(len(found), size))

    def _known(self, document: Document) -> list[int]:
        """The rows of the document's features that the model knows, repeats included."""
        return [
            row
            for extract, lookup in zip(EXTRACTORS, self._lookups, strict=True)
            for row in map(lookup, extract(document))
            if row is not None
        ]

    def scores(self, features: csr_array) -> Floats:
        """Return the raw linear scores, shape (documents, M+T+1)."""
        scores: Floats = features @ self.matrix
        scores += self.weights.intercepts
        return scores

    def probabilities(self, scores: Floats, features: csr_array) -> Floats:
        """Return calibrated p of every matter, shape (documents, M)."""
        matters = self.weights.thresholds.shape[1]
        return trusted(
            softmax_of(scores[:, :matters], sizes(features), self.weights.calibration),
            sizes(features),
            self.weights.trust,
        )


def sizes(features: csr_array) -> Ints:
    """The number of known features of each document, shape (documents,)."""
    lengths: Ints = np.diff(features.indptr).astype(np.int64)
    return lengths


def softmax_of(scores: Floats, lengths: Ints, calibration: Floats) -> Floats:
    """Softmax over matters; the slope depends on the log of the number of known features.  Rows sum to 1."""
    slope = calibration[0] + calibration[1] * np.log1p(lengths).astype(np.float32)
    logits = scores * slope[:, None] + calibration[2:]
    logits -= logits.max(axis=1, keepdims=True)
    p = np.exp(logits)
    normal: Floats = p / p.sum(axis=1, keepdims=True)
    return normal


def trust_inputs(p: Floats, lengths: Ints) -> Floats:
    """What tells whether the best matter is right, shape (documents, K): its log odds, its lead over the second, the
    length, and their products.
    """
    best_two = np.partition(p, -2, axis=1)[:, -2:].astype(np.float64)
    first = np.clip(best_two[:, 1], 1e-6, 1 - 1e-6)
    odds, lead = np.log(first / (1 - first)), np.log(first / np.maximum(best_two[:, 0], 1e-6))
    length = np.log1p(lengths) - MEAN_LOG_LENGTH
    ones = np.ones_like(odds)
    return np.stack([ones, odds, lead, length, odds * length, lead * length], axis=1).astype(np.float32)


def trusted(p: Floats, lengths: Ints, trust: Floats) -> Floats:
    """Give the best matter the probability with which it proved right, and share the rest among the others as before.

    A softmax alone promises too much at the top and too little below.  The best matter stays the best, and rows sum to
    1.
    """
    best, rows = p.argmax(axis=1), np.arange(len(p))
    rest = np.maximum(1 - p[rows, best], 1e-9)
    second = np.partition(p, -2, axis=1)[:, -2] / rest
    sure = 1 / (1 + np.exp(-(trust_inputs(p, lengths) @ trust)))
    sure = np.maximum(sure, second / (1 + second))
    answer: Floats = p * ((1 - sure) / rest)[:, None]
    answer[rows, best] = sure
    answer /= answer.sum(axis=1, keepdims=True)
    return answer
