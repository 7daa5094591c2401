"""What decides a model: the recipe's numbers, and the labels as numbers."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hotline.ml.classifier import TYPES
from hotline.ml.corpus import GLOSSARY, Row
from hotline.ml.scorer import Ints


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides a model besides its data; the manifest keeps it.

    ``precision``: what automatic dispatch has to reach on texts left out, for calls and for written texts.
    ``flagged``: the share of each that may be called urgent.  ``source_weight``: how much a row counts by where it
    comes from; one when not named.  ``calibration_weight``: the same for learning when to trust an answer; texts that
    were written to be hard teach words and are too many beside what callers usually say.
    """

    seed: int = 12345
    max_features: int = 100_000
    block_scale: tuple[float, ...] = (1.0, 1.5, 0.7)
    machine_cost: float = 0.3
    bayes: float = 0.4
    bayes_smoothing: float = 0.3
    types_cost: float = 0.3
    urgency_cost: float = 0.5
    folds: int = 5
    precision: tuple[float, float] = (0.963, 0.951)
    flagged: tuple[float, float] = (0.088, 0.09)
    source_weight: dict[str, float] = field(
        default_factory=lambda: {"phone_plain": 1.5, "phone_oblique": 1.5, "phone_hard": 1.5, GLOSSARY: 1.0}
    )
    calibration_weight: dict[str, float] = field(default_factory=lambda: {"phone_hard": 0.0})

    def weight(self, row: Row) -> float:
        """How much a row counts in training."""
        return row.weight * self.source_weight.get(row.source, 1.0)

    def trust_weight(self, row: Row) -> float:
        """How much a row counts in learning when to trust an answer."""
        return self.weight(row) * self.calibration_weight.get(row.source, 1.0)


@dataclass(frozen=True, slots=True)
class Targets:
    """Labels of N texts as numbers; −1 stands for unknown.

    ``matters``, ``seconds`` (the second choices), ``types``, ``urgent`` and ``weights``, each of shape (N,).
    """

    matters: Ints
    seconds: Ints
    types: Ints
    urgent: Ints
    weights: NDArray[np.float64]

    def of(self, which: Ints | slice) -> "Targets":
        """The targets of some of the texts."""
        return Targets(
            self.matters[which], self.seconds[which], self.types[which], self.urgent[which], self.weights[which]
        )


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
