"""Counting, choosing and weighing features for training.

A feature must occur in at least three texts, and nothing that looks like a person's name becomes one: a model must not
remember people.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, csr_matrix, hstack
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.feature_selection import chi2

from hotline.ml.features import EXTRACTORS, Document, Extractor, char_features
from hotline.ml.privacy import is_person_name, looks_personal
from hotline.ml.scorer import Floats, Ints

MIN_TEXTS = 3


@dataclass(frozen=True, slots=True)
class Counts:
    """How often each text has each feature: per block a matrix (texts, features) and the features' names."""

    blocks: tuple[csr_matrix, ...]
    names: tuple[NDArray[np.object_], ...]

    def take(self, columns: Sequence[Ints]) -> "Counts":
        """Keep some columns of each block."""
        return Counts(
            tuple(block[:, keep] for block, keep in zip(self.blocks, columns, strict=True)),
            tuple(names[keep] for names, keep in zip(self.names, columns, strict=True)),
        )

    def rows(self, which: Ints) -> "Counts":
        """Keep some texts."""
        return Counts(tuple(block[which] for block in self.blocks), self.names)


def count(documents: Sequence[Document]) -> Counts:
    """Count the features of all blocks that occur in at least ``MIN_TEXTS`` texts and name nobody."""
    names = {word for document in documents for word in document.words if len(word) > 2 and is_person_name(word)}
    blocks, features = [], []
    for extract in EXTRACTORS:
        # A lone feature that every text has keeps scikit-learn from refusing an empty block, as the titles of calls
        # are.
        vectorizer = CountVectorizer(
            analyzer=lambda document, extract=extract: ["", *extract(document)], dtype=np.float32
        )
        block = vectorizer.fit_transform(documents).tocsr()[:, 1:]
        vocabulary = vectorizer.get_feature_names_out()[1:]
        often = np.flatnonzero(np.bincount(block.indices, minlength=block.shape[1]) >= MIN_TEXTS)
        keep = np.array([i for i in often if _names_nobody(vocabulary[i], names, extract)], np.int64)
        blocks.append(block[:, keep])
        features.append(vocabulary[keep])
    return Counts(tuple(blocks), tuple(features))


def _names_nobody(feature: str, names: set[str], extract: Extractor) -> bool:
    """A piece of characters is refused when some text has it as a name; a word also when it only looks like one."""
    return feature not in names and (extract is char_features or not looks_personal(feature))


def choose(counts: Counts, labels: NDArray[np.int64], limit: int) -> list[Ints]:
    """Return per block the columns among the ``limit`` that tell the labels apart best, by chi² over all blocks
    together.
    """
    strength = np.concatenate([_chi2(block, labels) for block in counts.blocks])
    best = np.sort(np.argsort(-strength, kind="stable")[:limit])
    ends = np.cumsum([block.shape[1] for block in counts.blocks])
    starts = ends - [block.shape[1] for block in counts.blocks]
    return [best[(best >= start) & (best < end)] - start for start, end in zip(starts, ends, strict=True)]


def _chi2(block: csr_matrix, labels: NDArray[np.int64]) -> Floats:
    if not block.shape[1]:
        return np.zeros(0, np.float32)
    strength: Floats = np.nan_to_num(chi2(_binary(block), labels)[0]).astype(np.float32)
    return strength


def _binary(block: csr_matrix) -> csr_matrix:
    """Presence instead of counts, so that one long letter does not decide what is kept."""
    return csr_matrix((np.ones_like(block.data), block.indices, block.indptr), shape=block.shape)


class BlockTfidf:
    """scikit-learn's TF-IDF (1 + log count, smooth idf, length one) for each block, then a weight per block."""

    def __init__(self, scale: Sequence[float]) -> None:
        self.scale = np.asarray(scale, np.float32)
        self._transformers: list[TfidfTransformer | None] = []

    def fit(self, counts: Counts) -> "BlockTfidf":
        """Learn the idf from the training texts."""
        self._transformers = [
            TfidfTransformer(sublinear_tf=True).fit(block) if block.shape[1] else None for block in counts.blocks
        ]
        return self

    def transform(self, counts: Counts) -> csr_array:
        """Return the weighted features of all blocks side by side, shape (texts, F)."""
        parts = [
            transformer.transform(block) * scale if transformer else block
            for transformer, block, scale in zip(self._transformers, counts.blocks, self.scale, strict=True)
        ]
        return csr_array(hstack(parts, format="csr", dtype=np.float32))

    @property
    def idf(self) -> Floats:
        """All blocks' idf in order, shape (F,)."""
        return np.concatenate([transformer.idf_ for transformer in self._transformers if transformer]).astype(
            np.float32
        )


def recount(documents: Sequence[Document], known: Counts) -> Counts:
    """Count in other texts the features that ``known`` has."""
    blocks = [
        CountVectorizer(analyzer=extract, vocabulary=list(names), dtype=np.float32).transform(documents).tocsr()
        if len(names)
        else csr_matrix((len(documents), 0), dtype=np.float32)
        for extract, names in zip(EXTRACTORS, known.names, strict=True)
    ]
    return Counts(tuple(blocks), known.names)
