"""The triage model as the program sees it: a text in, a prediction out."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from hotline.ml.errors import ModelError
from hotline.ml.evidence import Explainer
from hotline.ml.features import Document, read_document
from hotline.ml.rules import assess
from hotline.ml.scorer import Floats, Ints, Scorer, Weights
from hotline.ml.segment import SegmenterError, SegmenterSpec, segmenter

TYPES = ("咨询", "求助", "投诉", "举报", "建议", "表扬")
"""诉求类型, the six that hotlines record."""

NEVER_AUTOMATIC = frozenset({"G09"})
"""Matters that always go to a human: 其他与待研判 itself says that somebody has to look."""

CHUNK = 256
"""Texts scored in one product: enough to spare calls, few enough to stay in the cache."""

TOP = 3


@dataclass(frozen=True, slots=True)
class Candidate:
    """A matter with its calibrated probability."""

    matter: str
    p: float


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the model says about one text.

    ``auto`` says that the ticket would be dispatched without a human.  ``top`` holds the best candidates, best first.
    ``type`` is one of ``TYPES``, ``urgency`` is "normal", "urgent" or "critical".  ``evidence`` holds the
    words of this text that carried the decision, the longest first.
    """

    matter: str
    task: str
    confidence: float
    auto: bool
    top: tuple[Candidate, ...]
    type: str
    urgency: str
    evidence: tuple[str, ...]
    signals: tuple[str, ...]


class TriageModel:
    """A loaded model.  Threads may share it: nothing changes after construction."""

    def __init__(self, version: str, matters: Sequence[str], spec: SegmenterSpec, weights: Weights) -> None:
        self.version = version
        self.matters = tuple(matters)
        self.scorer = Scorer(weights)
        self._explainer = Explainer(self.scorer)
        try:
            self._cut = segmenter(spec)
        except SegmenterError as error:
            raise ModelError(f"model {version}: {error}") from error

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Load the version in ``folder``.  Raises ``ModelError`` when it is missing, damaged, tampered with or of
        another make.
        """
        from hotline.ml.registry import read_version

        found = read_version(folder)
        return cls(found.version, found.matters, found.segmenter, found.weights)

    def predict(self, title: str, content: str) -> Prediction:
        """Triage one text."""
        return self.predict_many([(title, content)])[0]

    def predict_many(self, texts: Sequence[tuple[str, str]]) -> list[Prediction]:
        """Triage many (title, content) pairs; the answers are the same as one by one."""
        return [
            prediction
            for start in range(0, len(texts), CHUNK)
            for prediction in self._predict_chunk(texts[start : start + CHUNK])
        ]

    def probabilities(self, texts: Sequence[tuple[str, str]]) -> Floats:
        """Return calibrated p of every matter, shape (texts, matters); rows sum to 1."""
        parts = [np.zeros((0, len(self.matters)), np.float32)]
        for start in range(0, len(texts), CHUNK):
            features = self.scorer.features(self._read(texts[start : start + CHUNK]))
            parts.append(self.scorer.probabilities(self.scorer.scores(features), self.scorer.shape(features)))
        return np.concatenate(parts)

    def _read(self, texts: Sequence[tuple[str, str]]) -> list[Document]:
        return [read_document(title, content, self._cut) for title, content in texts]

    def _predict_chunk(self, texts: Sequence[tuple[str, str]]) -> list[Prediction]:
        documents = self._read(texts)
        features = self.scorer.features(documents)
        scores, shape = self.scorer.scores(features), self.scorer.shape(features)
        p = self.scorer.probabilities(scores, shape)
        order = np.argsort(-p, axis=1, kind="stable")[:, :TOP]
        matters, types = len(self.matters), scores[:, len(self.matters) : -1].argmax(axis=1)
        assert scores.shape[1] == matters + len(TYPES) + 1
        written = shape.written.astype(int)
        urgent = scores[:, -1] >= self.scorer.weights.urgent_from[written]
        sure = p[np.arange(len(p)), order[:, 0]] >= self.scorer.weights.thresholds[written, order[:, 0]]
        evidence = self._explainer.explain(documents, features, order)
        return [
            self._prediction(
                text, p[row], order[row], bool(sure[row]), TYPES[types[row]], bool(urgent[row]), evidence[row]
            )
            for row, text in enumerate(texts)
        ]

    def _prediction(
        self,
        text: tuple[str, str],
        p: Floats,
        order: Ints,
        sure: bool,
        kind: str,
        learned_urgent: bool,
        evidence: tuple[str, ...],
    ) -> Prediction:
        matter = self.matters[int(order[0])]
        urgency, signals = assess(*text, learned_urgent=learned_urgent)
        return Prediction(
            matter=matter,
            task=matter[0],
            confidence=float(p[order[0]]),
            auto=sure and matter not in NEVER_AUTOMATIC,
            top=tuple(Candidate(self.matters[i], float(p[i])) for i in order),
            type=kind,
            urgency=urgency,
            evidence=evidence,
            signals=signals,
        )
