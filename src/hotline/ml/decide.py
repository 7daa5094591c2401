"""From which confidence to dispatch without a human, and from which score to call a text urgent; both from texts left
out in training.
"""

from collections.abc import Sequence

import numpy as np

from hotline.ml.calibration import NEVER, lowest_threshold
from hotline.ml.classifier import NEVER_AUTOMATIC
from hotline.ml.corpus import Row
from hotline.ml.recipe import Recipe, Targets
from hotline.ml.rules import assess
from hotline.ml.scorer import Floats, Shape

ENOUGH_ROWS = 400
"""A kind of source with fewer texts of a length says too little to set a threshold for it."""


def dispatch_thresholds(
    p: Floats, shape: Shape, targets: Targets, rows: Sequence[Row], codes: Sequence[str], recipe: Recipe
) -> Floats:
    """Return confidences, shape (2, M), from which calls and written texts are right often enough; each kind of source
    must reach it.
    """
    best, confidence = p.argmax(axis=1), p.max(axis=1)
    right = (best == targets.matters) | (best == targets.seconds)
    phone = np.array([row.source.startswith("phone") for row in rows])
    thresholds = np.full((2, len(codes)), NEVER, np.float32)
    for written in (0, 1):
        worlds = [(shape.written == bool(written)) & world for world in (phone, ~phone)]
        limits = [
            lowest_threshold(confidence[w], right[w], recipe.precision[written])
            for w in worlds
            if w.sum() >= ENOUGH_ROWS
        ]
        thresholds[written] = max(limits, default=NEVER)
    thresholds[:, [i for i, code in enumerate(codes) if code in NEVER_AUTOMATIC]] = NEVER
    return thresholds


def urgency_limits(scores: Floats, shape: Shape, rows: Sequence[Row], recipe: Recipe) -> Floats:
    """Return scores, shape (2,), from which calls and written texts count as urgent, so that with the rules the
    intended share is flagged.
    """
    ruled = np.array([assess(row.title, row.content)[0] != "normal" for row in rows])
    limits = np.full(2, np.inf, np.float32)
    for written in (0, 1):
        world = shape.written == bool(written)
        free = np.sort(scores[world & ~ruled])[::-1]
        room = int(recipe.flagged[written] * world.sum()) - int((world & ruled).sum())
        if 0 < room < len(free):
            limits[written] = free[room]
    return limits
