"""One fit of the three heads, matter, complaint type and urgency, on the same chosen features."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from sklearn.linear_model import LogisticRegression

from hotline.ml.blend import BlendedLinear
from hotline.ml.classifier import TYPES
from hotline.ml.matrix import BlockTfidf, Counts, choose
from hotline.ml.recipe import Recipe, Targets
from hotline.ml.scorer import Floats, Ints, Shape, shape_of


@dataclass(frozen=True, slots=True)
class Fitted:
    """Chosen columns and their names, weighing, coefficients (F, M+T+1) in half precision, intercepts (M+T+1,)."""

    columns: list[Ints]
    names: tuple[NDArray[np.object_], ...]
    tfidf: BlockTfidf
    coefficients: NDArray[np.float16]
    intercepts: Floats

    def scores(self, counts: Counts) -> tuple[Floats, Shape]:
        """Return scores (texts, M+T+1) and what the texts look like from outside."""
        features = self.tfidf.transform(counts.take(self.columns))
        return features @ self.coefficients.astype(np.float32) + self.intercepts, shape_of(
            features, sum(map(len, self.names[:-1]))
        )


def fit(counts: Counts, targets: Targets, recipe: Recipe, matters: int) -> Fitted:
    """Choose the features that tell the matters apart, and fit the heads on them."""
    columns = choose(counts, targets.matters, recipe.max_features)
    chosen = counts.take(columns)
    tfidf = BlockTfidf(recipe.block_scale).fit(chosen)
    features = tfidf.transform(chosen)
    parts = [
        _fit_matters(features, targets, recipe, matters),
        _fit_types(features, targets, recipe),
        _fit_urgency(features, targets, recipe),
    ]
    return Fitted(
        columns,
        chosen.names,
        tfidf,
        np.vstack([coefficients for coefficients, _ in parts]).T.astype(np.float16),
        np.concatenate([intercepts for _, intercepts in parts]).astype(np.float32),
    )


def matter_head(recipe: Recipe, matters: int) -> BlendedLinear:
    """The estimator that assigns matters, not yet fitted."""
    return BlendedLinear(matters, recipe.machine_cost, recipe.bayes, recipe.bayes_smoothing, recipe.seed)


def _fit_matters(features: csr_array, targets: Targets, recipe: Recipe, matters: int) -> tuple[Floats, Floats]:
    head = matter_head(recipe, matters).fit(features, targets.matters, targets.weights)
    return head.coef_, head.intercept_


def _fit_types(features: csr_array, targets: Targets, recipe: Recipe) -> tuple[Floats, Floats]:
    """诉求类型 is tone rather than topic; the same features carry it well enough."""
    known = np.flatnonzero(targets.types >= 0)
    head = BlendedLinear(len(TYPES), recipe.types_cost, bayes=0.0, seed=recipe.seed)
    head.fit(features[known], targets.types[known])
    return head.coef_, head.intercept_


def _fit_urgency(features: csr_array, targets: Targets, recipe: Recipe) -> tuple[Floats, Floats]:
    """Urgent texts are two in a hundred, so each side weighs the same; without any the head stays silent."""
    known = np.flatnonzero(targets.urgent >= 0)
    if len(np.unique(targets.urgent[known])) < 2:
        return np.zeros((1, features.shape[1]), np.float32), np.zeros(1, np.float32)
    machine = LogisticRegression(C=recipe.urgency_cost, class_weight="balanced", max_iter=300)
    machine.fit(features[known], targets.urgent[known])
    return machine.coef_.astype(np.float32), machine.intercept_.astype(np.float32)
