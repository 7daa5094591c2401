"""From data files to a new version on disk: train, describe, write."""

import hashlib
import importlib.metadata
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hotline.ml.card import held_out_metrics, write_card
from hotline.ml.classifier import TYPES
from hotline.ml.corpus import Row, read_training
from hotline.ml.features import BLOCKS
from hotline.ml.recipe import Recipe
from hotline.ml.registry import pack, write_version
from hotline.ml.segment import installed
from hotline.ml.train import Progress, train
from hotline.reference import load_taxonomy

LIBRARIES = ("numpy", "scipy", "scikit-learn", "zhconv")


def build(
    data: Iterable[Path],
    folder: Path,
    *,
    seed: int | None = None,
    version: str | None = None,
    recipe: Recipe | None = None,
    tickets: Sequence[Row] = (),
    progress: Progress = lambda steps, _: steps,
) -> Path:
    """Train on ``data`` and ``tickets``, write a new version below ``folder`` and return the version's folder.

    Raises ``CorpusError`` for unusable data and ``ModelError`` when the version is there already.
    """
    recipe = recipe or Recipe()
    recipe = recipe if seed is None else replace(recipe, seed=seed)
    rows, files = read_training(data, tickets)
    taxonomy, segmenter = load_taxonomy(), installed()
    trained = train(rows, taxonomy.codes, segmenter, recipe, progress)
    now = datetime.now(UTC)
    version = version or f"{now:%Y%m%d}-{hashlib.sha256(pack(trained.weights)).hexdigest()[:8]}"
    manifest: dict[str, Any] = {
        "version": version,
        "created": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        "segmenter": asdict(segmenter),
        "matters": taxonomy.codes,
        "types": TYPES,
        "blocks": BLOCKS,
        "features": int(trained.weights.block_sizes.sum()),
        "recipe": asdict(recipe),
        "libraries": {name: importlib.metadata.version(name) for name in LIBRARIES},
        "data": [asdict(file) for file in files],
        "metrics": held_out_metrics(trained, taxonomy.codes),
    }
    return write_version(folder, version, trained.weights, manifest, write_card(manifest, taxonomy))
