"""What is looked up by number is what training spells out in letters."""

from collections import Counter
from itertools import chain

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.ml.classifier import TriageModel
from hotline.ml.corpus import Row
from hotline.ml.features import EXTRACTORS, Document, read_document
from hotline.ml.lookup import CharacterRuns, Table, WordRuns
from hotline.ml.segment import installed, segmenter


def spelled(model: TriageModel, document: Document) -> set[int]:
    """The rows of the features that ``EXTRACTORS`` writes, looked up one by one in the model's list of words."""
    found = set()
    for block, extract in enumerate(EXTRACTORS):
        rows = np.flatnonzero(model.scorer.block_of == block).tolist()
        row_of = {model.scorer.words[row]: row for row in rows}
        found |= {row_of[feature] for feature in extract(document) if feature in row_of}
    return found


def test_serving_finds_the_features_that_training_spells_out(shipped: TriageModel, frozen_rows: list[Row]) -> None:
    cut = segmenter(installed())
    texts = [(row.content[:12] if i % 2 else "", row.content) for i, row in enumerate(frozen_rows[:20])]
    documents = [read_document(*text, cut) for text in [*texts, ("", ""), ("", "qqq"), ("路灯", "")]]
    features = shipped.scorer.features(documents)
    for row, document in enumerate(documents):
        start, end = features.indptr[row : row + 2]
        assert set(features.indices[start:end].tolist()) == spelled(shipped, document)


def test_a_table_finds_every_key_and_no_other() -> None:
    # All keys meet in few places of the table, so that most of them are found at a later try.
    keys = np.arange(1, 4001, dtype=np.int64) << 40
    table = Table(keys, np.arange(4000))
    assert table.find(keys).tolist() == list(range(4000))
    assert set(table.find(keys + 1).tolist()) == {-1}
    assert Table(np.zeros(0, np.int64), np.zeros(0, np.int64)).find(keys).max() == -1


def runs_of(text: str) -> list[str]:
    return [text[start:end] for end in range(len(text) + 1) for start in range(max(0, end - 3), end)]


@given(st.lists(st.text("ab😀c\ud800", max_size=8), max_size=6), st.sets(st.text("ab😀", min_size=1, max_size=3)))
def test_characters_are_counted_as_often_as_they_stand_there(texts: list[str], features: set[str]) -> None:
    known = sorted(features)
    owners, rows = CharacterRuns(known, 10).find(texts)
    runs = [
        (i, text[at : at + n]) for i, text in enumerate(texts) for n in (1, 2, 3) for at in range(len(text) - n + 1)
    ]
    expected = Counter((i, run) for i, run in runs if run in features)
    assert (
        Counter((owner, known[row - 10]) for owner, row in zip(owners.tolist(), rows.tolist(), strict=True)) == expected
    )


@pytest.mark.parametrize("texts", [[], [()], [("路灯",), ("坏",)], [("路灯", "坏"), ("坏", "路灯", "路灯")]])
def test_pairs_of_words_do_not_reach_from_one_text_to_the_next(texts: list[tuple[str, ...]]) -> None:
    owners, rows = WordRuns(["路灯", "路灯 坏"], 0).find(texts)
    pairs = [owner for owner, row in zip(owners.tolist(), rows.tolist(), strict=True) if row == 1]
    assert pairs == [i for i, words in enumerate(texts) if words == ("路灯", "坏")]
    assert len(rows) - len(pairs) == list(chain(*texts)).count("路灯")
