"""Training: rows in, folded weights out.

The order is: clean and cut → count → for each fold choose features, weigh, fit, and score what was left out → learn
calibration, thresholds and urgency limits from those scores → fit once more on everything.  Folds keep near-duplicates
together.  A glossary teaches in every fold and is never scored.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

from hotline.ml.calibration import fit_calibration, fit_trust
from hotline.ml.classifier import TYPES
from hotline.ml.corpus import GLOSSARY, Row
from hotline.ml.decide import dispatch_thresholds, urgency_limits
from hotline.ml.features import Document, read_document
from hotline.ml.fit import Fitted, fit
from hotline.ml.matrix import Counts, count
from hotline.ml.recipe import Recipe, Targets, targets_of
from hotline.ml.scorer import Floats, Ints, Shape, Weights, softmax_of, trusted
from hotline.ml.segment import SegmenterSpec, segmenter

Progress = Callable[[Iterable[Any], str], Iterable[Any]]
"""Shows how far a loop is: takes the steps and a name, gives the steps back."""


@dataclass(frozen=True, slots=True)
class Held:
    """What models that had not seen them said about the measured rows: p (N, M), shape, types (N,), urgency scores
    (N,).
    """

    rows: tuple[Row, ...]
    p: Floats
    shape: Shape
    types: Ints
    urgency: Floats


@dataclass(frozen=True, slots=True)
class Trained:
    """A folded model with what it showed on texts it had not seen."""

    weights: Weights
    held: Held
    recipe: Recipe


def train(
    rows: Sequence[Row],
    codes: Sequence[str],
    spec: SegmenterSpec,
    recipe: Recipe,
    progress: Progress = lambda steps, _: steps,
) -> Trained:
    """Train on ``rows`` for the matters ``codes``.  Equal rows and recipe give equal weights.

    Raises ``ValueError`` for a matter that is not among the codes.
    """
    measured = tuple(row for row in rows if row.source != GLOSSARY)
    ordered = [*measured, *(row for row in rows if row.source == GLOSSARY)]
    cut, matters = segmenter(spec), len(codes)
    documents = [read_document(row.title, row.content, cut) for row in progress(ordered, "read")]
    counts, targets = count(documents), targets_of(ordered, codes, recipe)
    scores, shape = _out_of_fold(counts, targets, documents[: len(measured)], recipe, matters, progress)
    fitted = fit(counts, targets, recipe, matters)
    return _assemble(fitted, scores, shape, measured, targets.of(slice(len(measured))), codes, recipe)


def _assemble(
    fitted: Fitted,
    scores: Floats,
    shape: Shape,
    measured: tuple[Row, ...],
    seen: Targets,
    codes: Sequence[str],
    recipe: Recipe,
) -> Trained:
    """Learn calibration, thresholds and urgency limits from the out-of-fold scores, and fold all into one."""
    matters, counted = len(codes), np.array([recipe.trust_weight(row) for row in measured])
    calibration = fit_calibration(scores[:, :matters], shape, seen.matters, counted)
    p = softmax_of(scores[:, :matters], shape, calibration)
    trust = fit_trust(p, shape, p.argmax(axis=1) == seen.matters, counted)
    p = trusted(p, shape, trust)
    weights = Weights(
        vocabulary="\n".join(name for names in fitted.names for name in names),
        block_sizes=np.array([len(names) for names in fitted.names]),
        idf=fitted.tfidf.idf,
        block_scale=fitted.tfidf.scale,
        coefficients=fitted.coefficients,
        intercepts=fitted.intercepts,
        calibration=calibration,
        trust=trust,
        thresholds=dispatch_thresholds(p, shape, seen, measured, codes, recipe),
        urgent_from=urgency_limits(scores[:, -1], shape, measured, recipe),
    )
    return Trained(weights, Held(measured, p, shape, scores[:, matters:-1].argmax(axis=1), scores[:, -1]), recipe)


def _out_of_fold(
    counts: Counts, targets: Targets, measured: Sequence[Document], recipe: Recipe, matters: int, progress: Progress
) -> tuple[Floats, Shape]:
    """Score every measured text, which come first, with a model that has not seen it nor a near-duplicate of it."""
    size, groups = len(measured), _groups(measured)
    glossary = np.arange(size, len(targets.matters))
    scores = np.zeros((size, matters + len(TYPES) + 1), np.float32)
    lengths, written = np.zeros(size, np.int64), np.zeros(size, np.bool_)
    splitter = StratifiedGroupKFold(recipe.folds, shuffle=True, random_state=recipe.seed)
    splits = list(splitter.split(groups, targets.matters[:size], groups))
    for learn, judge in progress(splits, "folds"):
        taught = np.concatenate([learn, glossary])
        fitted = fit(counts.rows(taught), targets.of(taught), recipe, matters)
        scores[judge], shape = fitted.scores(counts.rows(judge))
        lengths[judge], written[judge] = shape.lengths, shape.written
    return scores, Shape(lengths, written)


def _groups(documents: Sequence[Document]) -> Ints:
    """Number the texts so that near-duplicates share a number: those that begin alike."""
    seen: dict[str, int] = {}
    return np.array([seen.setdefault(document.text.strip()[:30], len(seen)) for document in documents])
