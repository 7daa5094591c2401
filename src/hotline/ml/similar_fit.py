"""Fitting "same event?" on messages whose events are known, and answering for messages that were left out."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from hotline.ml.scorer import Floats, Ints
from hotline.ml.similar_judge import JudgeWeights, calibrated, raw_odds

FOLDS = 5
BAGS = 4
REGRESSION = 0.03
TREES = 0.5
"""What the trees' log odds count beside those of the regression; less finds a little more and ranks a little worse."""

PRECISION = 0.955
"""What the threshold has to reach on messages left out; a little more than the 95 % that are promised."""

Step = TypeVar("Step")
Progress = Callable[[Iterable[Step], str], Iterable[Step]]


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Pairs (pairs, 2), whether each is the same event, and the probability given to it by a judge that knew neither
    of its messages.
    """

    pairs: Ints
    same: NDArray[np.bool_]
    p: NDArray[np.float64]


def same_event(events: Sequence[int | None], pairs: Ints) -> NDArray[np.bool_]:
    """Whether both messages of each pair have the same event; None is an event of its own."""
    numbers = np.array([-1 if event is None else event for event in events])
    same: NDArray[np.bool_] = (numbers[pairs[:, 0]] == numbers[pairs[:, 1]]) & (numbers[pairs[:, 0]] >= 0)
    return same


def fit_judge(inputs: Floats, same: NDArray[np.bool_], seed: int) -> JudgeWeights:
    """Fit both members; calibration and threshold are still neutral."""
    scaler = StandardScaler().fit(inputs)
    linear = LogisticRegression(C=REGRESSION, max_iter=3000).fit(scaler.transform(inputs), same)
    coefficients = linear.coef_[0] / scaler.scale_
    intercept = linear.intercept_[0] - float(coefficients @ scaler.mean_)
    # Several threads gain nothing on so little data and lose much where others compute too.
    with threadpool_limits(1):
        bags = [_boosted(seed + number).fit(inputs, same) for number in range(BAGS)]
    return JudgeWeights(
        coefficients=coefficients.astype(np.float32),
        intercept=np.array([intercept], np.float32),
        **_arrays(bags),
        calibration=np.array([1, 0], np.float32),
        threshold=np.array([0.5], np.float32),
    )


def held_out(
    inputs: Floats, pairs: Ints, events: Sequence[int | None], seed: int, progress: Progress[tuple[int, int]]
) -> tuple[HeldOut, JudgeWeights]:
    """Answer every pair by a judge that has seen no pair with either of its messages, nor with any of their events.

    Returns the answers and a judge fitted on all pairs, with the calibration and threshold that the answers give.
    """
    same, fold = same_event(events, pairs), _folds(events, seed)
    first, second = fold[pairs[:, 0]], fold[pairs[:, 1]]
    odds = np.zeros(len(pairs))
    turns = [(a, b) for a in range(FOLDS) for b in range(a, FOLDS)]
    for a, b in progress(turns, "fold"):
        asked = ((first == a) & (second == b)) | ((first == b) & (second == a))
        known = ~(np.isin(first, (a, b)) | np.isin(second, (a, b)))
        odds[asked] = raw_odds(fit_judge(inputs[known], same[known], seed), inputs[asked])
    scale = LogisticRegression(C=1e6).fit(odds[:, None], same)
    calibration = np.array([scale.coef_[0, 0], scale.intercept_[0]], np.float32)
    answers = HeldOut(pairs, same, calibrated(odds, calibration))
    judge = replace(
        fit_judge(inputs, same, seed),
        calibration=calibration,
        threshold=np.array([threshold_for(answers, PRECISION)], np.float32),
    )
    return answers, judge


def threshold_for(answers: HeldOut, precision: float) -> float:
    """Return the lowest probability from which on at least ``precision`` of the pairs are the same event."""
    order = np.argsort(-answers.p, kind="stable")
    reached = np.cumsum(answers.same[order]) / np.arange(1, len(order) + 1) >= precision
    return float(answers.p[order[np.flatnonzero(reached)[-1]]]) if reached.any() else 1.0


def _folds(events: Sequence[int | None], seed: int) -> Ints:
    """Give each event, and each message alone, a fold."""
    chance = np.random.default_rng(seed)
    of_event = {event: int(chance.integers(FOLDS)) for event in sorted({e for e in events if e is not None})}
    return np.array([int(chance.integers(FOLDS)) if event is None else of_event[event] for event in events])


def _boosted(seed: int) -> Any:
    return HistGradientBoostingClassifier(
        max_iter=150,
        learning_rate=0.05,
        max_leaf_nodes=8,
        min_samples_leaf=20,
        l2_regularization=5,
        max_features=0.3,
        early_stopping=False,
        random_state=seed,
    )


def _arrays(bags: Sequence[Any]) -> dict[str, Any]:
    """Copy scikit-learn's trees into flat arrays; a test holds both to the same answers."""
    trees = [predictor.nodes for bag in bags for step in bag._predictors for predictor in step]
    starts = np.concatenate([[0], np.cumsum([len(nodes) for nodes in trees])])
    nodes = np.concatenate(trees)
    offset = np.repeat(starts[:-1], [len(tree) for tree in trees])
    leaf, own = nodes["is_leaf"].astype(bool), np.arange(len(nodes))
    return {
        "roots": starts[:-1].astype(np.int64),
        "input": np.where(leaf, 0, nodes["feature_idx"]).astype(np.int64),
        "limit": nodes["num_threshold"].astype(np.float64),
        "left": np.where(leaf, own, nodes["left"] + offset).astype(np.int64),
        "right": np.where(leaf, own, nodes["right"] + offset).astype(np.int64),
        "value": np.where(leaf, nodes["value"], 0).astype(np.float32),
        "base": np.array([TREES * np.mean([bag._baseline_prediction.item() for bag in bags])], np.float32),
        "share": np.array([TREES / len(bags)], np.float32),
    }
