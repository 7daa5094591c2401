"""From what two messages have in common to the probability that they report the same event.

A logistic regression and a bag of small boosted trees, added as log odds: the one is steady, the other sees that the
same estate with another trouble is not the same event.  Both are kept as plain arrays.
"""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hotline.ml.scorer import Floats, Ints

CHUNK = 2048
MOST_ODDS = 13.8


@dataclass(frozen=True, slots=True)
class JudgeWeights:
    """I inputs, T trees with N nodes in all.

    ``coefficients`` (I,) and ``intercept`` (1,) are the logistic regression.  ``roots`` (T,) are the trees' first
    nodes; ``input``, ``limit``, ``left``, ``right`` and ``value`` (N,) the nodes: an input at most the limit goes left,
    a leaf is its own child.  ``base`` (1,) and ``share`` (1,): the trees' starting point and what each counts.
    ``calibration`` (2,): slope and offset of the log odds.  ``threshold`` (1,): "same event" from here on.
    """

    coefficients: Floats
    intercept: Floats
    roots: Ints
    input: Ints
    limit: NDArray[np.float64]
    left: Ints
    right: Ints
    value: Floats
    base: Floats
    share: Floats
    calibration: Floats
    threshold: Floats


NAMES = tuple(field.name for field in fields(JudgeWeights))


def raw_odds(weights: JudgeWeights, inputs: Floats) -> NDArray[np.float64]:
    """Return the sum of both members' log odds, shape (pairs,)."""
    linear = inputs @ weights.coefficients + weights.intercept[0]
    parts = [_tree_odds(weights, inputs[start : start + CHUNK]) for start in range(0, len(inputs), CHUNK)]
    trees = np.concatenate([np.zeros(0), *parts])
    odds: NDArray[np.float64] = np.clip(linear, -MOST_ODDS, MOST_ODDS) + np.clip(trees, -MOST_ODDS, MOST_ODDS)
    return odds


def probabilities(weights: JudgeWeights, inputs: Floats) -> NDArray[np.float64]:
    """Return the calibrated probability of "same event", shape (pairs,)."""
    return calibrated(raw_odds(weights, inputs), weights.calibration)


def calibrated(odds: NDArray[np.float64], calibration: Any) -> NDArray[np.float64]:
    """Turn raw log odds into probabilities."""
    p: NDArray[np.float64] = 1 / (1 + np.exp(-(calibration[0] * odds + calibration[1])))
    return p


def _tree_odds(weights: JudgeWeights, inputs: Floats) -> NDArray[np.float64]:
    """Walk all trees at once: every pair stands at one node of every tree, and leaves stay where they are."""
    rows = np.arange(len(inputs))[:, None]
    at = np.broadcast_to(weights.roots, (len(inputs), len(weights.roots)))
    while True:
        goes_left = inputs[rows, weights.input[at]] <= weights.limit[at]
        after = np.where(goes_left, weights.left[at], weights.right[at])
        if np.array_equal(after, at):
            odds: NDArray[np.float64] = weights.value[at].sum(axis=1) * weights.share[0] + weights.base[0]
            return odds
        at = after
