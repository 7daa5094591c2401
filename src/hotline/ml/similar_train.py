"""From texts and known events to a new similarity version on disk: learn, judge, measure, describe, write."""

import hashlib
import importlib.metadata
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hotline.ml.build import LIBRARIES
from hotline.ml.figure import Figure
from hotline.ml.segment import installed, segmenter
from hotline.ml.similar_data import read_corpus, read_events, read_look_alikes
from hotline.ml.similar_evaluate import figures, with_pairs
from hotline.ml.similar_fit import Progress, held_out
from hotline.ml.similar_pairs import INPUTS, Collection
from hotline.ml.similar_space import DIMENSIONS, Space
from hotline.ml.similar_space_fit import fit_space
from hotline.ml.similar_store import pack, write_similar
from hotline.ml.similar_text import read_message

SEED = 12345


def build_similar(
    corpus: Sequence[Path],
    events: Path,
    look_alikes: Path | None,
    folder: Path,
    *,
    seed: int = SEED,
    version: str | None = None,
    progress: Progress[tuple[int, int]] = lambda steps, _: steps,
) -> Path:
    """Learn words and axes from ``corpus`` and the judgement from ``events``; return the new version's folder.

    Raises ``CorpusError`` for unusable data and ``ModelError`` when the version is there already.
    """
    records = read_events(events)
    messages = [record.message for record in records]
    negatives = read_look_alikes(look_alikes, records) if look_alikes else []
    spec = installed()
    cut = segmenter(spec)
    texts = read_corpus(corpus, without=messages)
    space = fit_space(list(texts), list(texts.values()), cut, seed)
    served = Space(space)
    readings = [read_message(message, cut, served.known) for message in messages]
    collection = Collection(readings, served)
    pairs = with_pairs(collection.candidates(), negatives)
    known_events = [record.event for record in records]
    answers, judge = held_out(collection.inputs(pairs), pairs, known_events, seed, progress)
    table = figures(answers, known_events, negatives, float(judge.threshold[0]))
    now = datetime.now(UTC)
    version = version or f"{now:%Y%m%d}-{hashlib.sha256(pack(space, judge)).hexdigest()[:8]}"
    manifest: dict[str, Any] = {
        "version": version,
        "created": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        "segmenter": asdict(spec),
        "seed": seed,
        "dimensions": DIMENSIONS,
        "libraries": {name: importlib.metadata.version(name) for name in LIBRARIES},
        "corpus": [describe(path) for path in corpus],
        "texts": len(texts),
        "events": describe(events) | {"pairs": len(pairs), "same": int(answers.same.sum())},
        "metrics": {figure.name: round(figure.value, 4) for figure in table},
    }
    return write_similar(folder, space, judge, manifest, write_card(manifest, table))


def describe(path: Path) -> dict[str, Any]:
    """Return a file's name without its folder and the hash of its bytes."""
    return {"name": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


def write_card(manifest: dict[str, Any], table: Sequence[Figure]) -> str:
    """Return the model card as Markdown."""
    lines = "\n".join(f"| {figure.name} | {figure.value:.3f} |" for figure in table)
    files = ", ".join(file["name"] for file in manifest["corpus"])
    return CARD.format(lines=lines, files=files, inputs=len(INPUTS), **manifest)


CARD = """# Similarity model {version}

Made {created}.  Gives a message a vector of {dimensions} numbers, and a pair of messages the probability that both
report the same event (并单).

## What it is for
Showing an agent or dispatcher what may be the same event, a handler what was solved before, and an agent what the
knowledge base answers.  People merge; nothing merges by itself.

## How it works
Text hygiene and masking of personal data; half of the vector is latent semantic analysis of words and character pairs,
half places rare words by their hash, so that local names count that no corpus knows.  The judgement adds a logistic
regression and small boosted trees over {inputs} inputs: likeness of words, characters and titles, what was copied,
shared rare words, places, numbers (houses, lines, classes, years) that agree or differ, matters as the corpus has
them, days between, lengths.

## Data
{texts:,} texts of {files} for words and axes; no term from fewer than three of them, none that names a person.  The
judgement learned from the events of one city's written messages of one year.

## Figures, out of fold
Each pair was judged by a model that had seen neither of its messages nor their events.

| figure | measured |
|---|---|
{lines}

## Weak spots
Written messages of one city: phone calls are shorter and were not measured.  Two troubles of the same estate look like
one event when both are told at length; one event told in other words without a place is missed.  Trees are at their
best on data like theirs: measure on your own city's tickets with `hotline similar evaluate`.
"""
