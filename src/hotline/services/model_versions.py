"""The versions of the triage model that an administrator chooses from (模型版本)."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from hotline.ml.errors import ModelError
from hotline.ml.registry import active_version, read_manifest, versions


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """A version on disk; ``problem`` says why it cannot be used, and its other members are then empty.

    ``letters`` and ``phone`` are the shares of matters it got right on texts left out in training.
    """

    version: str
    serves: bool
    created: datetime | None = None
    texts: int = 0
    letters: float | None = None
    phone: float | None = None
    problem: str | None = None


def model_versions(folder: Path) -> list[ModelVersion]:
    """Return the versions in ``folder``, newest first."""
    try:
        active = active_version(folder)
    except ModelError:
        active = None
    return [_version(folder, version, version == active) for version in reversed(versions(folder))]


def _version(folder: Path, version: str, serves: bool) -> ModelVersion:
    try:
        manifest = read_manifest(folder / version)
        figures = manifest["metrics"]["out_of_fold"]
        return ModelVersion(
            version,
            serves,
            created=datetime.fromisoformat(manifest["created"]),
            texts=sum(file["rows"] for file in manifest["data"]),
            letters=figures.get("letters", {}).get("top1"),
            phone=figures.get("phone", {}).get("top1"),
        )
    except (ModelError, KeyError, TypeError, ValueError) as error:
        return ModelVersion(version, serves, problem=str(error))
