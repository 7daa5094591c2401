"""A version is read only when it is whole, untouched and of this make; everything else is one clear line."""

import hashlib
import io
import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hotline.ml import registry
from hotline.ml.classifier import TYPES, TriageModel
from hotline.ml.errors import ModelError
from hotline.ml.features import BLOCKS
from hotline.ml.train import Trained
from hotline.reference import load_taxonomy


@pytest.fixture
def version(small: Trained, models: Path) -> Path:
    return write(small, models, "20260101-aaaaaaaa")


def write(small: Trained, models: Path, name: str) -> Path:
    manifest = {
        "segmenter": {"name": "rjieba", "version": "0.2.2", "words": []},
        "matters": load_taxonomy().codes,
        "types": TYPES,
        "blocks": BLOCKS,
    }
    return registry.write_version(models, name, small.weights, manifest, "# card\n")


def change_manifest(folder: Path, **changes: Any) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes), encoding="utf-8")


def replace_weights(folder: Path, content: bytes) -> None:
    """Put other bytes in, with a manifest that vouches for them."""
    (folder / "weights.npz").write_bytes(content)
    change_manifest(folder, files={"weights.npz": {"sha256": hashlib.sha256(content).hexdigest()}})


def changed_arrays(folder: Path, **changes: Any) -> bytes:
    with np.load(folder / "weights.npz") as archive:
        arrays = dict(archive) | changes
    buffer = io.BytesIO()
    np.savez(buffer, **{name: array for name, array in arrays.items() if array is not None})
    return buffer.getvalue()


def test_a_version_comes_back_as_it_was_written(version: Path, small: Trained) -> None:
    model = TriageModel.load(version)
    assert model.version == version.name
    assert np.array_equal(model.scorer.weights.coefficients, small.weights.coefficients)
    assert model.scorer.weights.vocabulary == small.weights.vocabulary
    assert registry.pack(small.weights) == (version / "weights.npz").read_bytes()


def test_a_version_is_never_overwritten(version: Path, small: Trained) -> None:
    with pytest.raises(ModelError, match="there already"):
        write(small, version.parent, version.name)
    assert [entry.name for entry in version.parent.iterdir()] == [version.name]


def test_the_newest_version_serves_until_one_is_named(version: Path, small: Trained, models: Path) -> None:
    newer = write(small, models, "20260202-bbbbbbbb")
    assert registry.versions(models) == [version.name, newer.name]
    assert registry.load_active(models).version == newer.name
    registry.set_active(models, version.name)
    assert registry.load_active(models).version == version.name
    (models / "ACTIVE").write_text("../../etc\n", encoding="utf-8")
    with pytest.raises(ModelError, match="which is not there"):
        registry.active_version(models)


def test_an_empty_folder_says_what_to_do(models: Path) -> None:
    with pytest.raises(ModelError, match="run: hotline model train"):
        registry.active_version(models)


class Bomb:
    """Unpickling this would run code."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        return exec, ("raise SystemExit('a model file ran code')",)


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "a flipped byte": (
        lambda f: (f / "weights.npz").write_bytes(b"\x00" + (f / "weights.npz").read_bytes()[1:]),
        "damaged or was changed",
    ),
    "half a file": (
        lambda f: (f / "weights.npz").write_bytes((f / "weights.npz").read_bytes()[:1000]),
        "damaged or was changed",
    ),
    "no weights": (lambda f: (f / "weights.npz").unlink(), "cannot read"),
    "no manifest": (lambda f: (f / "manifest.json").unlink(), "no model version"),
    "a broken manifest": (lambda f: (f / "manifest.json").write_text("{"), "manifest .* is damaged"),
    "another make": (lambda f: change_manifest(f, format="skops"), "another make"),
    "a list as manifest": (lambda f: (f / "manifest.json").write_text("[]"), "another make"),
    "an incomplete manifest": (lambda f: change_manifest(f, segmenter={}), "incomplete"),
    "a model of skops": (lambda f: change_manifest(f, files={"model.skops": {"sha256": "0"}}), "only plain arrays"),
    "another taxonomy": (lambda f: change_manifest(f, matters=["A01"]), "another taxonomy"),
    "a segmenter from the future": (
        lambda f: change_manifest(f, segmenter={"name": "rjieba", "version": "9.9.9", "words": []}),
        "needs rjieba 9.9.9",
    ),
    "a pickle": (lambda f: replace_weights(f, pickle.dumps(Bomb())), "cannot be read"),
    "a pickle inside the arrays": (
        lambda f: replace_weights(f, changed_arrays(f, idf=np.array([Bomb()], object))),
        "cannot be read",
    ),
    "a strange array": (lambda f: replace_weights(f, changed_arrays(f, extra=np.zeros(1))), "unknown or missing"),
    "a missing array": (lambda f: replace_weights(f, changed_arrays(f, idf=None)), "unknown or missing"),
    "a short array": (
        lambda f: replace_weights(f, changed_arrays(f, idf=np.zeros(3, np.float32))),
        "do not fit: idf",
    ),
    "blocks that do not add up": (
        lambda f: replace_weights(f, changed_arrays(f, block_sizes=np.array([1, 1, 1]))),
        "do not add up",
    ),
    "a vocabulary that is no text": (
        lambda f: replace_weights(f, changed_arrays(f, vocabulary=np.array([255], np.uint8))),
        "vocabulary .* is damaged",
    ),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=list(DAMAGE))
def test_what_cannot_be_trusted_is_refused(version: Path, damage: tuple[Callable[[Path], object], str]) -> None:
    spoil, message = damage
    spoil(version)
    with pytest.raises(ModelError, match=message) as refused:
        TriageModel.load(version)
    assert "\n" not in str(refused.value)


def test_a_zip_bomb_of_a_file_is_not_opened(version: Path) -> None:
    with (version / "weights.npz").open("r+b") as file:
        file.truncate(registry.MAX_BYTES + 1)
    with pytest.raises(ModelError, match="larger than"):
        TriageModel.load(version)


def test_weights_are_plain_arrays(version: Path) -> None:
    with zipfile.ZipFile(version / "weights.npz") as archive:
        assert all(name.endswith(".npy") for name in archive.namelist())
