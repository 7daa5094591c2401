"""The words of a text that carried its decision, from the linear weights, so that they are exact and cost little.

What a feature gained is its value times the difference of its weights for the best matter and the second one.  Words
that never explain anything (的, 没有, 领导) are left out, however much they gained.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from itertools import pairwise

import numpy as np
from scipy.sparse import csr_array

from hotline.ml.features import BLOCKS, Document
from hotline.ml.scorer import Ints, Scorer

EVIDENCE_WORDS = 5

LEAST_SHARE = 0.15
"""A word that gained less than this share of the strongest one's gain carried nothing."""

FEW = 2
"""With fewer words than this, words that the vocabulary does not know are asked as well, by their characters."""

_CHAR = BLOCKS.index("char")


class Explainer:
    """Finds evidence with a model's weights.  Nothing changes after construction."""

    def __init__(self, scorer: Scorer) -> None:
        self._scorer = scorer
        features = zip(scorer.words, (scorer.block_of != _CHAR).tolist(), strict=True)
        self._words = [_telling(name) if spoken else () for name, spoken in features]
        self._speaks = np.array([bool(words) for words in self._words])

    def explain(self, documents: list[Document], features: csr_array, order: Ints) -> list[tuple[str, ...]]:
        """Return the telling words of each document; ``order`` (documents, ≥ 2) holds its best matters, best first."""
        rows = np.repeat(np.arange(features.shape[0]), np.diff(features.indptr))
        ids, matrix = features.indices, self._scorer.matrix
        gains = features.data * (matrix[ids, order[rows, 0]] - matrix[ids, order[rows, 1]])
        spoken = (gains > 0) & self._speaks[ids]
        answers = []
        for document, (start, end) in zip(documents, pairwise(features.indptr.tolist()), strict=True):
            keep = np.flatnonzero(spoken[start:end]) + start
            gained = self._by_word(ids[keep].tolist(), gains[keep].tolist())
            if len(gained) < FEW:
                pieces = dict(zip(ids[start:end].tolist(), gains[start:end].tolist(), strict=True))
                gained |= self._by_characters(document, pieces, gained)
            answers.append(_strongest(gained))
        return answers

    def _by_word(self, ids: list[int], gains: list[float]) -> dict[str, float]:
        """Add up what each telling word gained."""
        gained: dict[str, float] = {}
        for row, gain in zip(ids, gains, strict=True):
            for word, share in self._words[row]:
                gained[word] = gained.get(word, 0.0) + gain * share
        return gained

    def _by_characters(
        self, document: Document, pieces: Mapping[int, float], known: Mapping[str, float]
    ) -> dict[str, float]:
        """Add up for each further word what the pieces of characters inside it gained."""
        words = [word for word in dict.fromkeys(document.words) if word not in known and is_telling(word)]
        gained = {}
        for word, rows in zip(words, self._scorer.pieces_of(words), strict=True):
            gain = sum(pieces.get(row, 0.0) for row in dict.fromkeys(rows))
            if gain > 0:
                gained[word] = gain
        return gained


def _telling(feature: str) -> tuple[tuple[str, float], ...]:
    """Return the telling words of a word or pair, each with its share of what the feature gains."""
    words = feature.split(" ")
    return tuple((word, 1 / len(words)) for word in words if is_telling(word))


def _strongest(gained: Mapping[str, float]) -> tuple[str, ...]:
    """Choose the words that gained most and put the longest first, since they say most at a glance."""
    least = LEAST_SHARE * max(gained.values(), default=0.0)
    strong = sorted((word for word in gained if gained[word] >= least), key=lambda word: (-gained[word], word))
    return tuple(sorted(strong[:EVIDENCE_WORDS], key=lambda word: (-len(word), -gained[word], word)))


def is_telling(word: str) -> bool:
    """Whether a word can explain a decision: no grammar, no courtesy, no class of numbers, no stray character."""
    silent, single = _lists()
    return word in single if len(word) == 1 else word not in silent


@cache
def _lists() -> tuple[frozenset[str], frozenset[str]]:
    """Return the words that explain nothing, and the single characters that explain something."""
    lines = files("hotline.ml").joinpath("silent_words.txt").read_text(encoding="utf-8").splitlines()
    silent, single = (_words(lines[: lines.index("")]), _words(lines[lines.index("") :]))
    return silent, single


def _words(lines: Iterable[str]) -> frozenset[str]:
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())
