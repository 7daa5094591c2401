"""Which version serves, and what keeps a worse one from it."""

import json
import shutil
from pathlib import Path

import pytest

from hotline.ml.corpus import Row
from hotline.ml.errors import ModelError
from hotline.ml.promotion import Comparison, Score, compare, pin, promote, roll_back
from hotline.ml.registry import active_version, default_models_folder

ROWS = [
    Row("", "小区门口的路灯坏了三天，晚上看不见路", "E03"),
    Row("", "楼下烧烤店夜里两点还在放音乐，吵得睡不着", "D03"),
    Row("", "家里停水一天了，什么时候能来水", "C04"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A models folder with two versions, the older of which serves."""
    shipped = default_models_folder()
    for name in ("20260101-aaaaaaaa", "20260202-bbbbbbbb"):
        shutil.copytree(shipped / active_version(shipped), tmp_path / name)
        manifest = json.loads((tmp_path / name / "manifest.json").read_text(encoding="utf-8"))
        manifest["version"] = name
        (tmp_path / name / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    (tmp_path / "ACTIVE").write_text("20260101-aaaaaaaa\n", encoding="utf-8")
    return tmp_path


def test_an_equal_version_may_serve(folder: Path) -> None:
    compared = compare(folder, "20260202-bbbbbbbb", ROWS)
    assert compared.texts == 3
    assert compared.serving == compared.candidate
    assert compared.objections == ()


def test_promotion_and_the_way_back(folder: Path) -> None:
    assert promote(folder, "20260202-bbbbbbbb", "newer texts") == "20260101-aaaaaaaa"
    assert active_version(folder) == "20260202-bbbbbbbb"
    assert roll_back(folder, "too many overrides") == ("20260202-bbbbbbbb", "20260101-aaaaaaaa")
    assert active_version(folder) == "20260101-aaaaaaaa"


def test_there_is_no_way_back_from_where_nothing_was_promoted(folder: Path) -> None:
    with pytest.raises(ModelError, match="nothing to go back to"):
        roll_back(folder, "")


def test_a_new_version_does_not_serve_by_being_there(folder: Path) -> None:
    (folder / "ACTIVE").unlink()
    pin(folder)
    shutil.copytree(folder / "20260202-bbbbbbbb", folder / "20260303-cccccccc")
    assert active_version(folder) == "20260202-bbbbbbbb"


def test_a_version_that_cannot_be_read_is_not_promoted(folder: Path) -> None:
    weights = folder / "20260202-bbbbbbbb" / "weights.npz"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    with pytest.raises(ModelError):
        promote(folder, "20260202-bbbbbbbb", "")
    assert active_version(folder) == "20260101-aaaaaaaa"


def test_nothing_to_compare_on_is_said(folder: Path) -> None:
    with pytest.raises(ModelError, match="held out"):
        compare(folder, "20260202-bbbbbbbb", [])


@pytest.mark.parametrize(
    ("macro", "task_c", "said"),
    [
        (0.80, 0.70, ()),
        (0.791, 0.651, ()),
        (0.789, 0.70, ("macro-F1 falls",)),
        (0.80, 0.649, ("task C falls",)),
        (0.70, 0.10, ("macro-F1 falls", "task C falls")),
    ],
)
def test_what_is_lost_is_named(macro: float, task_c: float, said: tuple[str, ...]) -> None:
    compared = Comparison(100, Score(0.80, {"A": 0.9, "C": 0.7}), Score(macro, {"A": 0.9, "C": task_c}))
    assert len(compared.objections) == len(said)
    for objection, words in zip(compared.objections, said, strict=True):
        assert objection.startswith(words)
