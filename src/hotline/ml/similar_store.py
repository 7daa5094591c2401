"""Similarity versions on disk: ``models/similar/<version>/{weights.npz, manifest.json, CARD.md}``, like triage's.

Plain arrays, never pickles; nothing of a file is parsed before its hash is the manifest's.  Every problem is a
``ModelError`` with one line that says what to do.
"""

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hotline.ml.errors import ModelError
from hotline.ml.registry import (
    MANIFEST_FILE,
    WEIGHTS_FILE,
    active_version,
    default_models_folder,
    read_bytes,
    write_folder,
)
from hotline.ml.segment import SegmenterSpec
from hotline.ml.similar_judge import NAMES as JUDGE_FIELDS
from hotline.ml.similar_judge import JudgeWeights
from hotline.ml.similar_pairs import INPUTS
from hotline.ml.similar_space import SPACE_FIELDS, TOPIC, SpaceWeights

FORMAT = "hotline-similar-arrays/1"
_TEXTS = ("words", "pieces")


@dataclass(frozen=True, slots=True)
class StoredSimilar:
    """What a version's folder holds, checked."""

    version: str
    segmenter: SegmenterSpec
    space: SpaceWeights
    judge: JudgeWeights
    manifest: Mapping[str, Any]


def default_similar_folder() -> Path:
    """The folder ``similar`` beside the triage models that ship."""
    return default_models_folder().parent / "similar"


def active_similar(folder: Path | None = None) -> Path:
    """Return the folder of the version that serves: the one in ``ACTIVE``, else the newest.  Raises ``ModelError``."""
    folder = folder or default_similar_folder()
    return folder / active_version(folder, train_with="hotline similar train")


def read_similar(folder: Path) -> StoredSimilar:
    """Check and read the version in ``folder``.  Raises ``ModelError``."""
    try:
        manifest = json.loads((folder / MANIFEST_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"no similarity version can be read in {folder}: {error}") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT or manifest.get("inputs") != list(INPUTS):
        raise ModelError(f"{folder} was made by another version of Hotline; run: hotline similar train")
    content = read_bytes(folder / WEIGHTS_FILE, manifest)
    try:
        cutter = manifest["segmenter"]
        spec = SegmenterSpec(str(cutter["name"]), str(cutter["version"]), tuple(cutter["words"]))
        version = str(manifest["version"])
    except (KeyError, TypeError) as error:
        raise ModelError(f"the manifest in {folder} is incomplete: {error}") from error
    arrays = _parse(content, folder)
    space = SpaceWeights(**{name: arrays[f"space_{name}"] for name in SPACE_FIELDS})
    judge = JudgeWeights(**{name: arrays[f"judge_{name}"] for name in JUDGE_FIELDS})
    _check_shapes(space, judge, folder)
    return StoredSimilar(version, spec, space, judge, manifest)


def write_similar(folder: Path, space: SpaceWeights, judge: JudgeWeights, manifest: dict[str, Any], card: str) -> Path:
    """Write a version whole or not at all, and return its folder.  Raises ``ModelError`` when it is there already."""
    record = {"format": FORMAT, "inputs": INPUTS, **manifest}
    return write_folder(folder, str(manifest["version"]), pack(space, judge), record, card)


def pack(space: SpaceWeights, judge: JudgeWeights) -> bytes:
    """Return all arrays as the bytes of an ``npz`` file; equal weights give equal bytes."""
    arrays: dict[str, Any] = {f"space_{name}": getattr(space, name) for name in SPACE_FIELDS}
    arrays |= {f"judge_{name}": getattr(judge, name) for name in JUDGE_FIELDS}
    for name in _TEXTS:
        arrays[f"space_{name}"] = np.frombuffer(arrays[f"space_{name}"].encode(), np.uint8)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def _parse(content: bytes, folder: Path) -> dict[str, Any]:
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            arrays: dict[str, Any] = {name: archive[name] for name in archive.files}
        for name in _TEXTS:
            arrays[f"space_{name}"] = arrays[f"space_{name}"].tobytes().decode()
    except (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise ModelError(f"the weights in {folder} cannot be read: {error}") from error
    missing = {f"space_{n}" for n in SPACE_FIELDS} ^ {f"judge_{n}" for n in JUDGE_FIELDS} ^ arrays.keys()
    if missing:
        raise ModelError(f"the weights in {folder} hold unknown or missing arrays: {sorted(missing)[0]}")
    return arrays


def _check_shapes(space: SpaceWeights, judge: JudgeWeights, folder: Path) -> None:
    """Refuse arrays that do not belong together, before one of them is followed out of bounds."""
    nodes = len(judge.value)
    children = np.concatenate([judge.left, judge.right, judge.roots])
    fits = (
        space.word_texts.shape == (space.words.count("\n") + 1,)
        and space.piece_texts.shape == (space.pieces.count("\n") + 1,)
        and space.axes.shape == (int(space.axes_of.sum()), TOPIC)
        and space.subject.shape == (TOPIC, len(space.subject_from))
        and judge.coefficients.shape == (len(INPUTS),)
        and len({judge.input.shape, judge.limit.shape, judge.left.shape, judge.right.shape, judge.value.shape}) == 1
        and bool(((children >= 0) & (children < nodes)).all())
        and bool(((judge.input >= 0) & (judge.input < len(INPUTS))).all())
    )
    if not fits:
        raise ModelError(f"the weights in {folder} do not fit together")
