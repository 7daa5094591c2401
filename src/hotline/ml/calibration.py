"""From scores to probabilities and to the decision to dispatch without a human; both are learned from out-of-fold
scores.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from hotline.ml.scorer import Floats, Shape, softmax_of, trust_inputs

OFFSET_PENALTY = 2.0
"""Keeps the matters' offsets near zero where there are few examples."""

NEVER = 2.0
"""A confidence that nothing reaches."""

MIN_SUPPORT = 50
"""Fewer out-of-fold texts than this say too little to allow automatic dispatch."""


def fit_calibration(scores: Floats, shape: Shape, labels: NDArray[np.int64], weights: NDArray[np.float64]) -> Floats:
    """Return (slope, slope per log length, offset per matter) with the least weighted log loss, for calls and for
    written texts; a world without texts takes the other's.

    scores (texts, M), labels (texts,), weights (texts,); the result (2, 2+M).
    """
    fitted = np.zeros((2, scores.shape[1] + 2), np.float32)
    known = [written for written in (0, 1) if (shape.written == bool(written)).any()]
    for written in known:
        world = shape.written == bool(written)
        fitted[written] = _fit_world(scores[world], shape.of(world), labels[world], weights[world])
    if len(known) == 1:
        fitted[1 - known[0]] = fitted[known[0]]
    return fitted


def _fit_world(
    scores: Floats, shape: Shape, labels: NDArray[np.int64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    logs, total = np.log1p(shape.lengths), weights.sum()
    onehot = np.zeros_like(scores)
    onehot[np.arange(len(labels)), labels] = 1

    def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        p = softmax_of(scores, shape, np.tile(parameters.astype(np.float32), (2, 1)))
        value = -(weights * np.log(p[np.arange(len(labels)), labels] + 1e-12)).sum() / total
        residual = (p - onehot) * weights[:, None] / total
        by_slope = (residual * scores).sum(axis=1)
        offsets = residual.sum(axis=0) + 2 * OFFSET_PENALTY / total * parameters[2:]
        gradient = np.concatenate([[by_slope.sum(), (by_slope * logs).sum()], offsets])
        return float(value + OFFSET_PENALTY / total * (parameters[2:] ** 2).sum()), gradient

    start = np.concatenate([[5.0, 0.0], np.zeros(scores.shape[1])])
    found: NDArray[np.float64] = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 200}).x
    return found


def fit_trust(p: Floats, shape: Shape, right: NDArray[np.bool_], weights: NDArray[np.float64]) -> Floats:
    """Return the weights of ``trust_inputs`` that tell best whether the best matter is right; p (texts, M) is the
    softmax.
    """
    inputs = trust_inputs(p, shape)
    fitted = LogisticRegression(C=10.0, fit_intercept=False, max_iter=500).fit(inputs, right, sample_weight=weights)
    coefficients: Floats = fitted.coef_[0].astype(np.float32)
    return coefficients


def lowest_threshold(confidence: Floats, right: NDArray[np.bool_], precision: float) -> float:
    """Return the lowest confidence from which at least ``precision`` of the texts are right, or ``NEVER``."""
    order = np.argsort(-confidence, kind="stable")
    share = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    good = np.flatnonzero(share >= precision)
    good = good[good >= MIN_SUPPORT]
    return float(confidence[order[good[-1]]]) if len(good) else NEVER


def expected_calibration_error(confidence: Floats, right: NDArray[np.bool_], bins: int = 15) -> float:
    """ECE over equal bins of confidence: the mean gap between confidence and accuracy, weighed by the bins' sizes."""
    which = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = np.bincount(which, confidence, bins) - np.bincount(which, right, bins)
    return float(np.abs(gaps).sum() / max(len(confidence), 1))
