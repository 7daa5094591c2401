"""Measurement: a model against labelled texts that it was not trained on, as the figures the project has set itself."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import f1_score

from hotline.ml.calibration import expected_calibration_error
from hotline.ml.classifier import Prediction, TriageModel
from hotline.ml.corpus import Row, read_rows
from hotline.ml.figure import Figure
from hotline.ml.scorer import Floats

LETTERS, PLAIN, OBLIQUE = "letters (dev)", "phone plain (test)", "phone oblique (test)"


@dataclass(frozen=True, slots=True)
class Answers:
    """A model's answers to labelled rows: predictions and p (N, M) beside the labels."""

    rows: tuple[Row, ...]
    predictions: tuple[Prediction, ...]
    p: Floats

    @property
    def first(self) -> NDArray[np.bool_]:
        """Whether the best matter is the label."""
        return self._each(lambda row, answer: answer.matter == row.matter)

    @property
    def defensible(self) -> NDArray[np.bool_]:
        """Whether the best matter is the label or the second choice that a colleague could defend."""
        return self._each(lambda row, answer: answer.matter in (row.matter, row.alt))

    @property
    def confidence(self) -> Floats:
        """The confidence of the best matter, shape (N,)."""
        return np.array([answer.confidence for answer in self.predictions], np.float32)

    def share(self, holds: Callable[[Row, Prediction], bool]) -> float:
        """The share of rows for which ``holds``."""
        return float(self._each(holds).mean())

    def _each(self, holds: Callable[[Row, Prediction], bool]) -> NDArray[np.bool_]:
        return np.array([holds(row, answer) for row, answer in zip(self.rows, self.predictions, strict=True)], bool)


def answer(model: TriageModel, rows: Sequence[Row]) -> Answers:
    """Let the model answer the rows."""
    texts = [row.text for row in rows]
    return Answers(tuple(rows), tuple(model.predict_many(texts)), model.probabilities(texts))


def worlds(folder: Path) -> dict[str, list[Row]]:
    """The rows to measure on, by world: letters when ``folder`` holds them, and the frozen phone rows."""
    found: dict[str, list[Row]] = {}
    if (folder / "complaints_dev.jsonl").is_file():
        found[LETTERS] = read_rows(folder / "complaints_dev.jsonl")
    if (folder / "phone_style.jsonl").is_file():
        held_out = [row for row in read_rows(folder / "phone_style.jsonl") if row.held_out]
        found[PLAIN] = [row for row in held_out if row.source == "phone_plain"]
        found[OBLIQUE] = [row for row in held_out if row.source == "phone_oblique"]
    return {name: rows for name, rows in found.items() if rows}


_TOP = {
    LETTERS: ((0.84, 0.88), (0.963, 0.98), (0.897, 0.93)),
    PLAIN: ((0.66, 0.82), (0.89, 0.96), (0.76, 0.88)),
    OBLIQUE: ((0.63, 0.78), (0.86, 0.94), (0.76, 0.86)),
}
_COVERAGE = {LETTERS: (0.88, 0.94), PLAIN: (0.25, 0.65)}


def figures(answers: dict[str, Answers]) -> list[Figure]:
    """The table of figures for the worlds that were answered."""
    table: list[Figure] = []
    for where, given in answers.items():
        table += _matter_figures(where, given)
    table += _calibration_figures(answers)
    for where, given in answers.items():
        table += _trust_figures(where, given)
    if LETTERS in answers:
        right = answers[LETTERS].share(lambda row, found: found.type == row.type)
        table.append(Figure("complaint type accuracy", LETTERS, right, 0.79, 0.85))
    return [*table, *_urgency_figures(answers)]


def _matter_figures(where: str, given: Answers) -> Iterable[Figure]:
    (one, three, task) = _TOP[where]
    yield Figure("matter top-1", where, float(given.first.mean()), *one)
    in_top = given.share(lambda row, found: row.matter in {candidate.matter for candidate in found.top})
    yield Figure("matter top-3", where, in_top, *three)
    yield Figure("task accuracy", where, given.share(lambda row, found: found.task == row.matter[0]), *task)
    if where == LETTERS:
        labels = [row.matter[0] for row in given.rows]
        macro = f1_score(
            labels, [found.task for found in given.predictions], labels=sorted(set(labels)), average="macro"
        )
        yield Figure("task macro-F1", where, float(macro), 0.82, 0.88)


def _calibration_figures(answers: dict[str, Answers]) -> Iterable[Figure]:
    """Both kinds of phone texts are one world; apart they are too few for fifteen bins."""
    for name, members in {"letters": [LETTERS], "phone": [PLAIN, OBLIQUE]}.items():
        given = [answers[member] for member in members if member in answers]
        if given:
            confidence = np.concatenate([each.confidence for each in given])
            right = np.concatenate([each.first for each in given])
            error = expected_calibration_error(confidence, right)
            yield Figure("calibration error", name, error, 0.05, 0.02, less_is_better=True)


def _trust_figures(where: str, given: Answers) -> Iterable[Figure]:
    auto = np.array([found.auto for found in given.predictions])
    floor, aim = _COVERAGE.get(where, (None, None))
    yield Figure("auto-dispatch coverage", where, float(auto.mean()), floor, aim)
    precision = float(given.defensible[auto].mean()) if auto.any() else 1.0
    yield Figure("auto-dispatch precision", where, precision, 0.95 if where in _COVERAGE else None)


def _urgency_figures(answers: dict[str, Answers]) -> Iterable[Figure]:
    groups = {"letters": [LETTERS], "phone": [PLAIN, OBLIQUE]}
    for name, members in groups.items():
        pairs = [
            (bool(row.urgent), found.urgency != "normal")
            for member in members
            if member in answers
            for row, found in zip(answers[member].rows, answers[member].predictions, strict=True)
        ]
        if not pairs:
            continue
        marked = [flag for urgent, flag in pairs if urgent]
        if marked:
            yield Figure("urgent recall", f"{name} ({len(marked)} marked)", sum(marked) / len(marked), 0.90, 0.98)
        yield Figure(
            "urgent flagged", name, sum(flag for _, flag in pairs) / len(pairs), 0.10, 0.06, less_is_better=True
        )


def format_table(table: Sequence[Figure]) -> str:
    """The figures as a plain-text table: value, floor, aim, and a mark where the floor is missed."""
    lines = [f"{'figure':<28}{'where':<24}{'value':>8}{'floor':>8}{'aim':>8}"]
    for figure in table:
        floor = "" if figure.floor is None else f"{'≤' if figure.less_is_better else '≥'}{figure.floor:.3f}"
        aim = "" if figure.aim is None else f"{figure.aim:.3f}"
        mark = "" if figure.holds else "  below the floor"
        lines.append(f"{figure.name:<28}{figure.where:<24}{figure.value:>8.3f}{floor:>8}{aim:>8}{mark}")
    return "\n".join(lines)
