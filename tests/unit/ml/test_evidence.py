"""Evidence: words of this text, telling ones only, and exactly what the weights say."""

import numpy as np
import pytest

from hotline.ml.classifier import TriageModel
from hotline.ml.corpus import Row
from hotline.ml.evidence import EVIDENCE_WORDS, is_telling
from hotline.ml.features import BLOCKS, read_document
from hotline.ml.segment import CLASSES, clean, installed, segmenter


def test_evidence_is_of_this_text_and_telling(shipped: TriageModel, phone_rows: list[Row]) -> None:
    found = shipped.predict_many([row.text for row in phone_rows])
    for row, answer in zip(phone_rows, found, strict=True):
        assert len(answer.evidence) <= EVIDENCE_WORDS
        assert list(answer.evidence) == sorted(answer.evidence, key=len, reverse=True)
        for word in answer.evidence:
            assert word in clean(row.content), (word, row.content)
            assert is_telling(word)
    # Nearly every call names something; a text of grammar alone has nothing to show.
    assert np.mean([not answer.evidence for answer in found]) < 0.02
    assert shipped.predict("", "我的这个就是那样的了").evidence == ()


@pytest.mark.parametrize("word", ["的", "了", "我", "没有", "请问", "领导", "一直", "把", *CLASSES.values()])
def test_words_that_explain_nothing(word: str) -> None:
    assert not is_telling(word)


@pytest.mark.parametrize("word", ["路灯", "井盖", "水", "狗", "拖欠"])
def test_words_that_explain(word: str) -> None:
    assert is_telling(word)


def test_the_words_are_those_that_moved_the_scores_apart(shipped: TriageModel, phone_rows: list[Row]) -> None:
    """Taking the strongest word's features out of the text lowers the lead by exactly what they are said to gain."""
    scorer, cut = shipped.scorer, segmenter(installed())
    for row in phone_rows[:400:20]:
        answer = shipped.predict(*row.text)
        document = read_document(*row.text, cut)
        best, second = (shipped.matters.index(candidate.matter) for candidate in answer.top[:2])
        features = scorer.features([document])
        gains = {
            scorer.words[i]: float(value * (scorer.matrix[i, best] - scorer.matrix[i, second]))
            for i, value in zip(features.indices, features.data, strict=True)
            if scorer.block_of[i] == BLOCKS.index("word")
        }
        by_word = {
            word: sum(
                gain / len(name.split(" ")) for name, gain in gains.items() if gain > 0 and word in name.split(" ")
            )
            for word in document.words
            if is_telling(word)
        }
        strongest = max(by_word, key=by_word.__getitem__)
        if sum(gain > 0 for gain in by_word.values()) > 1:
            assert strongest in answer.evidence, (row.content, by_word)


def test_an_unknown_word_is_shown_by_its_characters(shipped: TriageModel) -> None:
    text = "阴井盖"
    assert "阴井盖" not in shipped.scorer.words
    assert shipped.predict("", text).evidence
