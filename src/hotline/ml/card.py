"""The model card: what a version was made of, what it can do and where it is weak, for the people who have to trust
it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hotline.domain.taxonomy import Taxonomy
from hotline.ml.train import Trained


def held_out_metrics(trained: Trained, codes: Sequence[str]) -> dict[str, Any]:
    """Out-of-fold figures for the manifest: accuracy by kind of source and, per matter, texts, recall and precision."""
    rows = trained.held.rows
    labels = np.array([codes.index(row.matter) for row in rows])
    best = trained.held.p.argmax(axis=1)
    phone = np.array([row.source.startswith("phone") for row in rows])
    by_world = {
        name: {"texts": int(world.sum()), "top1": round(float((best == labels)[world].mean()), 4)}
        for name, world in (("letters", ~phone), ("phone", phone))
        if world.any()
    }
    per_matter = {
        code: {
            "texts": int((labels == i).sum()),
            "recall": round(float((best[labels == i] == i).mean()), 3) if (labels == i).any() else None,
            "precision": round(float((labels[best == i] == i).mean()), 3) if (best == i).any() else None,
        }
        for i, code in enumerate(codes)
    }
    return {"out_of_fold": by_world, "matters": per_matter}


def write_card(manifest: Mapping[str, Any], taxonomy: Taxonomy) -> str:
    """Return the card as Markdown, from the manifest alone."""
    metrics = manifest["metrics"]
    data = "\n".join(f"| {file['name']} | {file['rows']:,} | `{file['sha256'][:12]}…` |" for file in manifest["data"])
    worlds = "\n".join(f"| {name} | {m['texts']:,} | {m['top1']:.3f} |" for name, m in metrics["out_of_fold"].items())
    matters = "\n".join(
        f"| {code} | {taxonomy.matter(code).name} | {m['texts']} | {_figure(m['recall'])} | {_figure(m['precision'])} |"
        for code, m in metrics["matters"].items()
    )
    weak = [code for code, m in metrics["matters"].items() if (m["recall"] or 0) < WEAK_RECALL]
    return CARD.format(
        version=manifest["version"],
        created=manifest["created"],
        rows=sum(file["rows"] for file in manifest["data"]),
        data=data,
        worlds=worlds,
        matters=matters,
        weak="、".join(f"{code} {taxonomy.matter(code).name}" for code in weak) or "none",
        features=manifest["features"],
        segmenter=f"{manifest['segmenter']['name']} {manifest['segmenter']['version']}",
    )


WEAK_RECALL = 0.5


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


CARD = """# Triage model {version}

Made {created}.  Assigns one of 66 matters (and so one of seven tasks), a complaint type and an urgency to a text.

## What it is for
Dispatching tickets of a 12345 hotline when it is sure, and offering three candidates to a human when it is not.  It
must not be used to judge people, and G09 (其他与待研判) always goes to a human.

## How it works
Text hygiene and masking of personal data, segmentation ({segmenter}), TF-IDF of words, word pairs and pieces of one to
three characters ({features:,} features), a linear support vector machine blended with naive Bayes, probabilities and
thresholds from texts left out in training.  Urgency also comes from written rules.  Everything learned is one matrix,
so the evidence shown is exact.

## Data
{rows:,} labelled texts.  Letters are public messages to governments from 2011–2020, used for training only; no text of
them ships.  Phone-style texts and the glossary were written for this project and lie in `models/corpus/`.  Phones, IDs
and introduced names were masked first; a feature occurs in at least three texts (a glossary's phrase counts as three)
and no person's name is one.

| file | rows used | sha256 |
|---|---|---|
{data}

## Figures on texts left out in training (grouped by near-duplicates)
| world | texts | top-1 |
|---|---|---|
{worlds}

`hotline model evaluate` measures on held-out texts; `models/EXPERIMENTS.md` tells what was tried.

| matter | | texts | recall | precision |
|---|---|---|---|---|
{matters}

## Known weaknesses
- Few examples or blurred borders, recall below one half: {weak}.
- Letters over-represent northern heating and southern land disputes and know little of the 2020s.
- Labels were read once; expect a few per cent of noise.
- Dialect, irony and a wish that is told only between the lines are often missed; the confidence is low there.
"""
