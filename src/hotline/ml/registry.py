"""Model versions on disk: ``<folder>/<version>/{weights.npz, manifest.json, CARD.md}``.

Weights are plain NumPy arrays, never pickles.  The manifest holds the sha256 of the weights, and nothing of a file is
parsed before its hash is right.  Everything that cannot be used raises ``ModelError`` with one line that says what to
do.
"""

import hashlib
import io
import json
import os
import re
import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from hotline.ml.classifier import TYPES, TriageModel
from hotline.ml.errors import ModelError
from hotline.ml.features import BLOCKS
from hotline.ml.scorer import TRUST_INPUTS, Weights
from hotline.ml.segment import SegmenterSpec
from hotline.reference import load_taxonomy

FORMAT = "hotline-triage-arrays/4"
WEIGHTS_FILE = "weights.npz"
MANIFEST_FILE = "manifest.json"
CARD_FILE = "CARD.md"
ACTIVE_FILE = "ACTIVE"
"""Holds the version that serves; without it the newest version does."""

MAX_BYTES = 64 * 2**20
_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,63}")
_DTYPES = {
    "vocabulary": "uint8",
    "block_sizes": "int64",
    "idf": "float32",
    "block_scale": "float32",
    "coefficients": "float16",
    "intercepts": "float32",
    "calibration": "float32",
    "trust": "float32",
    "thresholds": "float32",
    "urgent_from": "float32",
}


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """What a version's folder holds, checked."""

    version: str
    matters: tuple[str, ...]
    segmenter: SegmenterSpec
    weights: Weights
    manifest: Mapping[str, Any]


def default_models_folder() -> Path:
    """``hotline/models/triage`` inside an installed package, else ``models/triage`` of the source tree."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "models" / "triage"
    return installed if installed.is_dir() else package.parents[1] / "models" / "triage"


def default_corpus_folder() -> Path:
    """The texts written for this project, beside the models that ship."""
    return default_models_folder().parent / "corpus"


def versions(folder: Path | None = None) -> list[str]:
    """The versions in a models folder, oldest first; a folder without a manifest is none."""
    folder = folder or default_models_folder()
    if not folder.is_dir():
        return []
    return sorted(entry.name for entry in folder.iterdir() if (entry / MANIFEST_FILE).is_file())


def active_version(folder: Path | None = None, *, train_with: str = "hotline model train") -> str:
    """Return the version that serves: the one named in ``ACTIVE``, else the newest.  Raises ``ModelError`` when there
    is none; ``train_with`` is the command that makes one.
    """
    folder = folder or default_models_folder()
    pointer = folder / ACTIVE_FILE
    if pointer.is_file():
        name = pointer.read_text(encoding="utf-8").strip()
        if not _VERSION.fullmatch(name) or not (folder / name / MANIFEST_FILE).is_file():
            raise ModelError(
                f"{pointer} names {name!r}, which is not there; write one of: {', '.join(versions(folder)) or 'none'}"
            )
        return name
    known = versions(folder)
    if not known:
        raise ModelError(f"no model in {folder}; run: {train_with}")
    return known[-1]


def load_active(folder: Path | None = None) -> TriageModel:
    """Load the version that serves.  Raises ``ModelError``."""
    folder = folder or default_models_folder()
    return TriageModel.load(folder / active_version(folder))


def read_manifest(folder: Path) -> Mapping[str, Any]:
    """Return the manifest of the version in ``folder``.  Raises ``ModelError``."""
    try:
        manifest = json.loads((folder / MANIFEST_FILE).read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelError(f"no model version in {folder}: {error.strerror}") from error
    except ValueError as error:
        raise ModelError(f"the manifest in {folder} is damaged: {error}") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        found = manifest.get("format") if isinstance(manifest, dict) else None
        raise ModelError(f"{folder} holds a model of another make ({found!r}, expected {FORMAT!r}); train one here")
    return manifest


def read_version(folder: Path) -> StoredVersion:
    """Check and read the version in ``folder``.  Raises ``ModelError``."""
    manifest = read_manifest(folder)
    content = read_bytes(folder / WEIGHTS_FILE, manifest)
    try:
        spec = SegmenterSpec(
            str(manifest["segmenter"]["name"]),
            str(manifest["segmenter"]["version"]),
            tuple(manifest["segmenter"]["words"]),
        )
        matters = tuple(str(code) for code in manifest["matters"])
        version, types, blocks = str(manifest["version"]), tuple(manifest["types"]), tuple(manifest["blocks"])
    except (KeyError, TypeError) as error:
        raise ModelError(f"the manifest in {folder} is incomplete: {error}") from error
    if matters != load_taxonomy().codes or types != TYPES or blocks != BLOCKS:
        raise ModelError(f"model {version} was made for another taxonomy or other features; train one here")
    return StoredVersion(version, matters, spec, _parse(content, folder, len(matters)), manifest)


def write_version(folder: Path, version: str, weights: Weights, manifest: Mapping[str, Any], card: str) -> Path:
    """Write a triage version, as `write_folder` does, and return its folder."""
    return write_folder(folder, version, pack(weights), {"format": FORMAT, **manifest}, card)


def write_folder(folder: Path, version: str, content: bytes, manifest: Mapping[str, Any], card: str) -> Path:
    """Write a version of any model whole or not at all, and return its folder.

    ``content`` is the weights' file; version, its size and sha256 are added to the manifest.  Raises ``ModelError``
    when the version is there already or its name is none.
    """
    if not _VERSION.fullmatch(version):
        raise ModelError(f"{version!r} is not a version name")
    target = folder / version
    if target.exists():
        raise ModelError(f"version {version} is there already: {target}")
    files = {WEIGHTS_FILE: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}}
    record = {**manifest, "version": version, "files": files}
    folder.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=".new-", dir=folder))
    try:
        (staging / WEIGHTS_FILE).write_bytes(content)
        (staging / CARD_FILE).write_text(card, encoding="utf-8")
        (staging / MANIFEST_FILE).write_text(json.dumps(record, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        staging.chmod(0o755)
        staging.rename(target)
    except OSError:
        shutil.rmtree(staging, ignore_errors=True)
        raise
    return target


def set_active(folder: Path, version: str) -> None:
    """Let ``version`` serve from now on.  Raises ``ModelError`` when it cannot be read."""
    read_version(folder / version)
    fresh = folder / f".{ACTIVE_FILE}-{os.getpid()}"
    fresh.write_text(version + "\n", encoding="utf-8")
    fresh.replace(folder / ACTIVE_FILE)


def pack(weights: Weights) -> bytes:
    """Return the arrays as the bytes of an ``npz`` file; equal weights give equal bytes."""
    buffer = io.BytesIO()
    arrays: dict[str, Any] = {field.name: getattr(weights, field.name) for field in fields(weights)}
    arrays["vocabulary"] = np.frombuffer(weights.vocabulary.encode(), np.uint8)
    np.savez(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def read_bytes(path: Path, manifest: Mapping[str, Any]) -> bytes:
    """Return the file's bytes once their hash is the manifest's.  Raises ``ModelError``."""
    try:
        expected = str(manifest["files"][path.name]["sha256"])
    except (KeyError, TypeError) as error:
        raise ModelError(
            f"the manifest in {path.parent} names no hash for {path.name}; only plain arrays are read"
        ) from error
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ModelError(f"{path} is larger than {MAX_BYTES >> 20} MB; that is no model of ours")
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error.strerror}") from error
    if hashlib.sha256(content).hexdigest() != expected:
        raise ModelError(f"{path} is damaged or was changed: its sha256 is not the manifest's")
    return content


def _parse(content: bytes, folder: Path, matters: int) -> Weights:
    """Read the arrays; types and shapes other than the expected ones are refused, pickled objects too."""
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise ModelError(f"the weights in {folder} cannot be read: {error}") from error
    found = {name: str(array.dtype) for name, array in arrays.items()}
    if found != _DTYPES:
        strange = sorted(set(found.items()) ^ set(_DTYPES.items()))
        raise ModelError(f"the weights in {folder} hold unknown or missing types: {strange[0][0]}")
    try:
        vocabulary = arrays.pop("vocabulary").tobytes().decode()
    except UnicodeDecodeError as error:
        raise ModelError(f"the vocabulary in {folder} is damaged") from error
    features, columns = vocabulary.count("\n") + 1, matters + len(TYPES) + 1
    shapes = {
        "block_sizes": (len(BLOCKS),),
        "idf": (features,),
        "block_scale": (len(BLOCKS),),
        "coefficients": (features, columns),
        "intercepts": (columns,),
        "calibration": (2, matters + 2),
        "trust": (TRUST_INPUTS,),
        "thresholds": (2, matters),
        "urgent_from": (2,),
    }
    for name, shape in shapes.items():
        if arrays[name].shape != shape:
            raise ModelError(
                f"the weights in {folder} do not fit: {name} has shape {arrays[name].shape}, expected {shape}"
            )
    if int(arrays["block_sizes"].sum()) != features or int(arrays["block_sizes"].min()) < 0:
        raise ModelError(f"the weights in {folder} do not fit: the blocks do not add up to the vocabulary")
    return Weights(vocabulary=vocabulary, **arrays)
