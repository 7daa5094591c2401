"""Let another version serve, and go back: promotion is refused when the newcomer is worse on held-out texts.

Every promotion is a line in ``PROMOTIONS`` beside the versions; rolling back lets the one before serve again.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sklearn.metrics import f1_score

from hotline.ml.classifier import TriageModel
from hotline.ml.corpus import Row
from hotline.ml.errors import ModelError
from hotline.ml.registry import active_version, set_active, versions

PROMOTIONS_FILE = "PROMOTIONS"

# The newcomer may lose at most one point of macro-F1 over the matters, and five points on any one task.
MACRO_TOLERANCE, TASK_TOLERANCE = 0.01, 0.05


@dataclass(frozen=True, slots=True)
class Score:
    """Macro-F1 over the matters present, and F1 of each task present, between 0 and 1."""

    macro: float
    tasks: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Fall:
    """A figure that falls: F1 of a task, or macro-F1 over the matters when ``task`` is None."""

    task: str | None
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """A candidate beside the version that serves, on the same held-out texts."""

    texts: int
    serving: Score
    candidate: Score

    @property
    def falls(self) -> tuple[Fall, ...]:
        """Where the candidate loses more than it may; empty when it may serve."""
        tasks = (Fall(task, before, self.candidate.tasks.get(task, 0.0)) for task, before in self.serving.tasks.items())
        macro = Fall(None, self.serving.macro, self.candidate.macro)
        found = [macro] if macro.after < macro.before - MACRO_TOLERANCE else []
        return (*found, *(fall for fall in tasks if fall.after < fall.before - TASK_TOLERANCE))

    @property
    def objections(self) -> tuple[str, ...]:
        """Why the candidate should not serve; empty when it may."""
        return tuple(
            f"{f'task {fall.task}' if fall.task else 'macro-F1'} falls from {fall.before:.3f} to {fall.after:.3f}"
            for fall in self.falls
        )


def score(model: TriageModel, rows: Sequence[Row]) -> Score:
    """Measure ``model`` on ``rows``."""
    found = [prediction.matter for prediction in model.predict_many([row.text for row in rows])]
    meant = [row.matter for row in rows]
    tasks = sorted({matter[0] for matter in meant})
    by_task = f1_score([m[0] for m in meant], [m[0] for m in found], labels=tasks, average=None, zero_division=0)
    macro = f1_score(meant, found, labels=sorted(set(meant)), average="macro", zero_division=0)
    return Score(float(macro), dict(zip(tasks, map(float, by_task), strict=True)))


def compare(folder: Path, version: str, rows: Sequence[Row]) -> Comparison:
    """Measure ``version`` and the one that serves.

    Raises ``ModelError`` when either cannot be used or nothing is held out.
    """
    if not rows:
        raise ModelError("nothing is held out to compare on; name a folder with held-out texts by --data")
    serving = TriageModel.load(folder / active_version(folder))
    candidate = TriageModel.load(folder / version)
    return Comparison(len(rows), score(serving, rows), score(candidate, rows))


def promote(folder: Path, version: str, reason: str) -> str:
    """Let ``version`` serve from now on and return the one that served before.  Raises ``ModelError``."""
    before = active_version(folder)
    if before == version:
        raise ModelError(f"version {version} serves already")
    set_active(folder, version)
    _note(folder, before, version, reason)
    return before


def roll_back(folder: Path, reason: str) -> tuple[str, str]:
    """Let the version before the last promotion serve again; return (the one that stops, the one that serves).

    Raises ``ModelError`` when nothing was promoted yet.
    """
    history = _history(folder)
    serving = active_version(folder)
    last = next((line for line in reversed(history) if line["to"] == serving), None)
    if last is None:
        raise ModelError(f"version {serving} was not promoted here, so there is nothing to go back to")
    set_active(folder, last["from"])
    _note(folder, serving, last["from"], reason)
    return serving, last["from"]


def pin(folder: Path) -> None:
    """Make the version that serves now stay so while new ones arrive; without any version there is nothing to pin."""
    if versions(folder):
        set_active(folder, active_version(folder))


def _note(folder: Path, before: str, after: str, reason: str) -> None:
    line = {"at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", "from": before, "to": after, "reason": reason}
    with (folder / PROMOTIONS_FILE).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line, ensure_ascii=False) + "\n")


def _history(folder: Path) -> list[dict[str, str]]:
    path = folder / PROMOTIONS_FILE
    if not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
