"""Training: rows in, folded weights out.

The order is: clean and cut → count → for each fold choose features, weigh, fit, score what was left out → learn
calibration, thresholds and the
urgency limit from those out-of-fold scores → fit once more on everything.  Folds keep near-duplicates together.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold

from hotline.ml.blend import ABSENT, BlendedLinear
from hotline.ml.calibration import NEVER, fit_calibration, fit_trust, lowest_threshold
from hotline.ml.classifier import NEVER_AUTOMATIC, TYPES
from hotline.ml.corpus import Row
from hotline.ml.features import Document, read_document
from hotline.ml.matrix import BlockTfidf, Counts, choose, count
from hotline.ml.rules import assess
from hotline.ml.scorer import LONG_FEATURES, Floats, Ints, Weights, softmax_of, trusted
from hotline.ml.segment import SegmenterSpec, segmenter


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides a model besides its data; the manifest keeps it."""

    seed: int = 12345
    max_features: int = 100_000
    block_scale: tuple[float, ...] = (1.0, 1.0, 0.7)
    C: float = 0.3
    bayes: float = 0.5
    alpha: float = 0.3
    type_C: float = 1.0  # noqa: N815 - the same letter as scikit-learn's
    urgent_C: float = 5.0  # noqa: N815
    folds: int = 5
    precision: float = 0.96
    flagged: float = 0.08
    source_weight: dict[str, float] = field(default_factory=lambda: {"phone_plain": 2.0, "phone_oblique": 2.0})

    def weight(self, row: Row) -> float:
        """How much a row counts in training."""
        return row.weight * self.source_weight.get(row.source, 1.0)


@dataclass(frozen=True, slots=True)
class Held:
    """Out-of-fold results over the training rows: p (N, M), features per text (N,), type (N,) and urgency scores (N,)."""

    p: Floats
    lengths: Ints
    types: Ints
    urgency: Floats


@dataclass(frozen=True, slots=True)
class Trained:
    """A folded model with what it showed on texts it had not seen."""

    weights: Weights
    held: Held
    recipe: Recipe


@dataclass(frozen=True, slots=True)
class Targets:
    """Labels as numbers: matters (N,), second choices or −1 (N,), types or −1 (N,), urgency or −1 (N,), weights (N,)."""

    matters: Ints
    seconds: Ints
    types: Ints
    urgent: Ints
    weights: NDArray[np.float64]

    def rows(self, which: Ints) -> "Targets":
        """The targets of some texts."""
        return Targets(
            self.matters[which], self.seconds[which], self.types[which], self.urgent[which], self.weights[which]
        )


Progress = Callable[[Iterable[Any], str], Iterable[Any]]
"""Shows how far a loop is: takes the steps and a name, gives the steps back."""


def no_progress(steps: Iterable[Any], name: str) -> Iterable[Any]:
    """Show nothing."""
    return steps


def train(
    rows: Sequence[Row],
    codes: Sequence[str],
    spec: SegmenterSpec,
    recipe: Recipe,
    progress: Progress = lambda steps, _: steps,
) -> Trained:
    """Train on ``rows`` for the matters ``codes``.  Equal rows and recipe give equal weights."""
    cut = segmenter(spec)
    documents = [read_document(row.title, row.content, cut) for row in progress(rows, "read")]
    counts, targets = count(documents), targets_of(rows, codes, recipe)
    scores, held_lengths = _out_of_fold(counts, targets, _groups(documents), recipe, len(codes), progress)
    calibration = fit_calibration(scores[:, : len(codes)], held_lengths, targets.matters, targets.weights)
    p = softmax_of(scores[:, : len(codes)], held_lengths, calibration)
    trust = fit_trust(p, held_lengths, p.argmax(axis=1) == targets.matters, targets.weights)
    p = trusted(p, held_lengths, trust)
    held = Held(p, held_lengths, scores[:, len(codes) : -1].argmax(axis=1), scores[:, -1])
    fitted = _fit(counts, targets, recipe, len(codes))
    weights = Weights(
        vocabulary="\n".join(name for names in fitted.names for name in names),
        block_sizes=np.array([len(names) for names in fitted.names]),
        idf=fitted.tfidf.idf,
        block_scale=fitted.tfidf.scale,
        coefficients=fitted.coefficients,
        intercepts=fitted.intercepts,
        calibration=calibration,
        trust=trust,
        thresholds=_thresholds(held, targets, codes, rows, recipe),
        urgent_from=np.array([_urgent_limit(held.urgency, rows, recipe)], np.float32),
    )
    return Trained(weights, held, recipe)


def targets_of(rows: Sequence[Row], codes: Sequence[str], recipe: Recipe) -> Targets:
    """Turn labels into numbers.  Raises ``ValueError`` when a matter is not in the taxonomy."""
    number = {code: i for i, code in enumerate(codes)}
    unknown = sorted({row.matter for row in rows} - number.keys())
    if unknown:
        raise ValueError(f"unknown matters in the training data: {', '.join(unknown)}")
    kinds = {kind: i for i, kind in enumerate(TYPES)}
    return Targets(
        matters=np.array([number[row.matter] for row in rows]),
        seconds=np.array([number.get(row.alt or "", -1) for row in rows]),
        types=np.array([kinds.get(row.type or "", -1) for row in rows]),
        urgent=np.array([-1 if row.urgent is None else int(row.urgent) for row in rows]),
        weights=np.array([recipe.weight(row) for row in rows]),
    )


@dataclass(frozen=True, slots=True)
class Fitted:
    """One fit: chosen columns and their names, weighing, coefficients (F, M+T+1) in half precision, intercepts
    (M+T+1,).
    """

    columns: list[Ints]
    names: tuple[NDArray[np.object_], ...]
    tfidf: BlockTfidf
    coefficients: NDArray[np.float16]
    intercepts: Floats

    def scores(self, counts: Counts) -> tuple[Floats, Ints]:
        """Scores (texts, M+T+1) and numbers of known features (texts,)."""
        features = self.tfidf.transform(counts.take(self.columns))
        return features @ self.coefficients.astype(np.float32) + self.intercepts, np.diff(features.indptr)


def _fit(counts: Counts, targets: Targets, recipe: Recipe, matters: int) -> Fitted:
    """Choose features and fit the three heads on them."""
    columns = choose(counts, targets.matters, recipe.max_features)
    chosen = counts.take(columns)
    tfidf = BlockTfidf(recipe.block_scale).fit(chosen)
    features = tfidf.transform(chosen)
    heads = [
        BlendedLinear(matters, recipe.C, recipe.bayes, recipe.alpha, recipe.seed).fit(
            features, targets.matters, targets.weights
        ),
        _fit_types(features, targets, recipe),
        _fit_urgency(features, targets, recipe),
    ]
    return Fitted(
        columns,
        chosen.names,
        tfidf,
        np.vstack([coefficients for coefficients, _ in map(_parts, heads)]).T.astype(np.float16),
        np.concatenate([intercepts for _, intercepts in map(_parts, heads)]).astype(np.float32),
    )


def _parts(head: BlendedLinear) -> tuple[Floats, Floats]:
    return head.coef_, head.intercept_


def _fit_types(features: csr_array, targets: Targets, recipe: Recipe) -> BlendedLinear:
    """诉求类型 is tone rather than topic; the same features carry it well enough."""
    known = np.flatnonzero(targets.types >= 0)
    head = BlendedLinear(len(TYPES), recipe.type_C, bayes=0.0, seed=recipe.seed)
    return head.fit(features[known], targets.types[known], targets.weights[known])


def _fit_urgency(features: csr_array, targets: Targets, recipe: Recipe) -> BlendedLinear:
    """Urgent rows are two in a hundred, so both sides weigh the same."""
    known = np.flatnonzero(targets.urgent >= 0)
    head = BlendedLinear(1, 0.0)
    machine = LogisticRegression(C=recipe.urgent_C, class_weight="balanced", max_iter=300)
    machine.fit(features[known], targets.urgent[known])
    head.coef_, head.intercept_ = machine.coef_.astype(np.float32), machine.intercept_.astype(np.float32)
    return head


def _out_of_fold(
    counts: Counts, targets: Targets, groups: Ints, recipe: Recipe, matters: int, progress: Progress
) -> tuple[Floats, Ints]:
    """Score every text with a model that has not seen it nor a near-duplicate of it."""
    scores = np.full((len(groups), matters + len(TYPES) + 1), ABSENT, np.float32)
    lengths = np.zeros(len(groups), np.int64)
    splitter = StratifiedGroupKFold(recipe.folds, shuffle=True, random_state=recipe.seed)
    for learn, judge in progress(list(splitter.split(groups, targets.matters, groups)), "folds"):
        fitted = _fit(counts.rows(learn), targets.rows(learn), recipe, matters)
        scores[judge], lengths[judge] = fitted.scores(counts.rows(judge))
    return scores, lengths


def _groups(documents: Sequence[Document]) -> Ints:
    """Number the texts so that near-duplicates share a number: those that begin alike."""
    seen: dict[str, int] = {}
    return np.array([seen.setdefault(document.text.strip()[:30], len(seen)) for document in documents])


def _thresholds(held: Held, targets: Targets, codes: Sequence[str], rows: Sequence[Row], recipe: Recipe) -> Floats:
    """The confidences, shape (2, M), from which short and long texts are right often enough; every kind of source has
    to reach it.
    """
    best = held.p.argmax(axis=1)
    confidence = held.p.max(axis=1)
    right = (best == targets.matters) | (best == targets.seconds)
    phone = np.array([row.source.startswith("phone") for row in rows])
    thresholds = np.full((2, len(codes)), NEVER, np.float32)
    for long in (0, 1):
        worlds = [((held.lengths > LONG_FEATURES) == long) & world for world in (phone, ~phone)]
        limits = [lowest_threshold(confidence[w], right[w], recipe.precision) for w in worlds if w.sum() >= 500]
        thresholds[long] = max(limits, default=NEVER)
    thresholds[:, [i for i, code in enumerate(codes) if code in NEVER_AUTOMATIC]] = NEVER
    return thresholds


def _urgent_limit(urgency: Floats, rows: Sequence[Row], recipe: Recipe) -> float:
    """The score from which the learned urgency speaks, so that with the rules the intended share of texts is flagged."""
    ruled = np.array([assess(*row.text)[0] != "normal" for row in rows])
    phone = np.array([row.source.startswith("phone") for row in rows])
    limits = []
    for world in (phone, ~phone):
        if world.any():
            room = recipe.flagged - ruled[world].mean()
            free = np.sort(urgency[world & ~ruled])[::-1]
            limits.append(float(free[min(len(free) - 1, max(0, int(room * world.sum())))]) if len(free) else NEVER)
    return max(limits)
