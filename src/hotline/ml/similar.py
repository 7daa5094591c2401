"""Similar messages, as the program sees them: vectors to find candidates by, and the judgement "same event?"."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from hotline.ml.errors import ModelError
from hotline.ml.scorer import Floats, Ints
from hotline.ml.segment import SegmenterError, segmenter
from hotline.ml.similar_judge import JudgeWeights, probabilities
from hotline.ml.similar_pairs import Collection
from hotline.ml.similar_space import Space
from hotline.ml.similar_store import StoredSimilar, active_similar, read_similar
from hotline.ml.similar_text import Message, Reading, read_message

NEIGHBOURS = 5


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another message by its row, with the probability that it reports the same event."""

    row: int
    score: float


class SimilarModel:
    """A loaded version.  Threads may share it: nothing changes after construction."""

    def __init__(self, stored: StoredSimilar) -> None:
        self.version = stored.version
        self.manifest = stored.manifest
        self.space = Space(stored.space)
        self.judge: JudgeWeights = stored.judge
        try:
            self._cut = segmenter(stored.segmenter)
        except SegmenterError as error:
            raise ModelError(f"similarity version {stored.version}: {error}") from error

    @classmethod
    def load(cls, folder: Path | None = None) -> Self:
        """Load the version in ``folder``, by default the one that serves.  Raises ``ModelError``."""
        return cls(read_similar(folder or active_similar()))

    @property
    def threshold(self) -> float:
        """From this score on two messages report the same event, in at least 95 of 100 pairs."""
        return float(self.judge.threshold[0])

    def read(self, message: Message) -> Reading:
        """Clean and cut one message."""
        return read_message(message, self._cut, self.space.known)

    def vectors(self, readings: Sequence[Reading]) -> Floats:
        """Return the vectors to store and search by, shape (messages, 256), rows of length one or zero."""
        return self.space.vectors(readings)

    def collect(self, readings: Sequence[Reading]) -> Collection:
        """Make messages comparable with one another."""
        return Collection(readings, self.space)

    def scores(self, collection: Collection, pairs: Ints) -> Floats:
        """Return the probability of "same event" for each pair, shape (pairs,)."""
        if not len(pairs):
            return np.zeros(0, np.float32)
        return probabilities(self.judge, collection.inputs(pairs)).astype(np.float32)

    def compare(self, message: Reading, others: Sequence[Reading]) -> Floats:
        """Return the probability that each of the others reports the same event as the message, shape (others,)."""
        collection = self.collect([message, *others])
        return self.scores(collection, collection.pairs_with(0))

    def likeness(self, message: Reading, others: Sequence[Reading]) -> Floats:
        """Return how much each of the others is about the same as the message, 0–1, shape (others,): not events but
        questions and answers.
        """
        collection = self.collect([message, *others])
        words = (collection.words[1:] @ collection.words[:1].T).toarray().ravel()
        topics = collection.vectors[1:] @ collection.vectors[0]
        liked: Floats = np.clip((words + topics) / 2, 0, 1).astype(np.float32)
        return liked

    def find(self, messages: Sequence[Message]) -> list[list[Neighbour]]:
        """Compare all messages with one another: each one's likely partners, the likeliest first."""
        if not messages:
            return []
        collection = self.collect([self.read(message) for message in messages])
        pairs = collection.candidates()
        found: list[list[Neighbour]] = [[] for _ in messages]
        for (one, other), score in zip(pairs.tolist(), self.scores(collection, pairs).tolist(), strict=True):
            found[one].append(Neighbour(other, score))
            found[other].append(Neighbour(one, score))
        for neighbours in found:
            neighbours.sort(key=lambda neighbour: (-neighbour.score, neighbour.row))
        return found
