"""A small model, trained once for all tests, and the model that ships."""

from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import pytest

from hotline.ml.classifier import TriageModel
from hotline.ml.corpus import Row, read_rows
from hotline.ml.recipe import Recipe
from hotline.ml.registry import default_models_folder, load_active
from hotline.ml.segment import SegmenterSpec, installed
from hotline.ml.train import Trained, train
from hotline.reference import load_taxonomy

CORPUS = default_models_folder().parent / "corpus" / "phone_style.jsonl"
SMALL = Recipe(max_features=4000, folds=2)


@pytest.fixture(scope="session")
def phone_rows() -> list[Row]:
    """The phone-style texts that may be trained on."""
    return [row for row in read_rows(CORPUS) if not row.held_out]


@pytest.fixture(scope="session")
def few_rows(phone_rows: list[Row]) -> list[Row]:
    """Eight texts of each matter; every other one gets its beginning as title, as letters have one."""
    by_matter: dict[str, list[Row]] = defaultdict(list)
    for row in phone_rows:
        by_matter[row.matter].append(row)
    few = [row for rows in by_matter.values() for row in rows[:8]]
    return [replace(row, title=row.content[:10]) if i % 2 else row for i, row in enumerate(few)]


@pytest.fixture(scope="session")
def spec() -> SegmenterSpec:
    return installed()


@pytest.fixture(scope="session")
def small(few_rows: list[Row], spec: SegmenterSpec) -> Trained:
    """A model of a few texts: poor, but of the right make."""
    return train(few_rows, load_taxonomy().codes, spec, SMALL)


@pytest.fixture(scope="session")
def shipped() -> TriageModel:
    """The model that ships."""
    return load_active()


@pytest.fixture(scope="session")
def frozen_rows() -> list[Row]:
    """The phone-style texts that no model was trained on."""
    return [row for row in read_rows(CORPUS) if row.held_out]


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return tmp_path / "triage"
