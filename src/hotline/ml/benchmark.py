"""The public benchmark: the same recipe on seven other classes, so that it can be compared with published figures."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from sklearn.metrics import f1_score

from hotline.ml.features import read_documents
from hotline.ml.figure import Figure
from hotline.ml.fit import matter_head
from hotline.ml.matrix import BlockTfidf, choose, count, recount
from hotline.ml.recipe import Recipe
from hotline.ml.segment import installed

# The recipe lets characters count half as much again because calls are short.  These texts are letters, for which
# cross-validation on their own training texts sees no difference; so the plain scale stays.
LETTERS_SCALE = (1.0, 1.0, 0.7)


def measure_taidi7(folder: Path, recipe: Recipe | None = None) -> list[Figure]:
    """Train on ``taidi7_train.jsonl`` and return macro-F1 on ``taidi7_test.jsonl``; nothing when the files are not in
    ``folder``.
    """
    recipe = recipe or replace(Recipe(), block_scale=LETTERS_SCALE)
    learn, judge = folder / "taidi7_train.jsonl", folder / "taidi7_test.jsonl"
    if not learn.is_file() or not judge.is_file():
        return []
    texts, labels = _read(learn)
    held_texts, held_labels = _read(judge)
    classes = sorted(set(labels))
    numbers = np.array([classes.index(label) for label in labels])
    counts = count(list(read_documents(texts, installed())))
    columns = choose(counts, numbers, recipe.max_features)
    chosen = counts.take(columns)
    tfidf = BlockTfidf(recipe.block_scale).fit(chosen)
    head = matter_head(recipe, len(classes))
    head.fit(tfidf.transform(chosen), numbers)
    held = recount(list(read_documents(held_texts, installed())), chosen)
    found = [classes[i] for i in head.predict(tfidf.transform(held))]
    return [
        Figure(
            "macro-F1, public benchmark",
            "taidi7 (test)",
            float(f1_score(held_labels, found, average="macro")),
            0.92,
            0.945,
        )
    ]


def _read(path: Path) -> tuple[list[tuple[str, str]], list[str]]:
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    return [(r.get("title") or "", r["content"]) for r in records], [r["label"] for r in records]
