"""The figures that the project has promised, on texts no model was trained on.

The frozen phone rows ship with the source; the letters are other people's and are measured only where they are.
"""

import os
from pathlib import Path

import pytest

from hotline.ml.classifier import TriageModel
from hotline.ml.evaluate import LETTERS, OBLIQUE, PLAIN, answer, figures, format_table, worlds
from hotline.ml.figure import Figure
from hotline.ml.registry import default_models_folder

REPOSITORY = default_models_folder().parents[1]
SHARED = Path(os.environ.get("HOTLINE_SHARED", REPOSITORY.parent / "shared")) / "data"


@pytest.fixture(scope="module")
def phone(shipped: TriageModel) -> list[Figure]:
    found = worlds(default_models_folder().parent / "corpus")
    assert {name: len(rows) for name, rows in found.items()} == {PLAIN: 264, OBLIQUE: 264}
    return figures({name: answer(shipped, rows) for name, rows in found.items()})


def test_the_floors_hold_on_the_frozen_phone_rows(phone: list[Figure]) -> None:
    assert [figure for figure in phone if not figure.holds] == [], format_table(phone)


def test_every_promised_phone_figure_is_measured(phone: list[Figure]) -> None:
    promised = {(figure.name, figure.where.split(" (")[0]) for figure in phone if figure.floor is not None}
    for where in ("phone plain", "phone oblique"):
        assert {("matter top-1", where), ("matter top-3", where), ("task accuracy", where)} <= promised
    assert {("calibration error", "phone"), ("urgent recall", "phone"), ("urgent flagged", "phone")} <= promised
    assert {("auto-dispatch coverage", "phone plain"), ("auto-dispatch precision", "phone plain")} <= promised


@pytest.mark.skipif(
    not (SHARED / "complaints_dev.jsonl").is_file(), reason=f"no letters in {SHARED}; set HOTLINE_SHARED"
)
def test_the_floors_hold_on_the_letters(shipped: TriageModel) -> None:
    found = {LETTERS: worlds(SHARED)[LETTERS]}
    table = figures({name: answer(shipped, rows) for name, rows in found.items()})
    assert [figure for figure in table if not figure.holds] == [], format_table(table)


def test_a_missed_floor_is_seen() -> None:
    assert not Figure("matter top-1", PLAIN, 0.5, 0.66, 0.82).holds
    assert not Figure("calibration error", "phone", 0.06, 0.05, 0.02, less_is_better=True).holds
    assert "below the floor" in format_table([Figure("matter top-1", PLAIN, 0.5, 0.66, 0.82)])
