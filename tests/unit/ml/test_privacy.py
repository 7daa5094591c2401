"""The model remembers no people: what ships is scanned, not what was meant to ship."""

import re

import pytest

from hotline.domain.masking import find_personal
from hotline.ml.classifier import TriageModel
from hotline.ml.features import BLOCKS
from hotline.ml.privacy import is_person_name, looks_personal


def block(model: TriageModel, name: str) -> list[str]:
    sizes = model.scorer.weights.block_sizes.tolist()
    start = sum(sizes[: BLOCKS.index(name)])
    return model.scorer.words[start : start + sizes[BLOCKS.index(name)]]


def test_no_word_of_the_shipped_model_is_a_name(shipped: TriageModel) -> None:
    """A surname and one or two characters that the dictionary calls a name or does not know; the reviewed words are
    let through.
    """
    words = {part for name in ("word", "title") for feature in block(shipped, name) for part in feature.split(" ")}
    assert [word for word in sorted(words) if is_person_name(word)] == []


def test_nothing_in_the_shipped_model_could_reach_anybody(shipped: TriageModel) -> None:
    assert not [word for word in shipped.scorer.words if re.search(r"\d{6}", word) or "@" in word]
    assert not [word for word in shipped.scorer.words if find_personal(word)]


def test_the_model_file_holds_nothing_but_features(shipped: TriageModel) -> None:
    """The longest feature is a pair of words, never a piece of somebody's text."""
    assert max(len(word) for word in block(shipped, "char")) <= 3
    assert max(word.count(" ") for word in block(shipped, "word")) == 1


@pytest.mark.parametrize("name", ["张建国", "李雪梅", "王育芳", "张健"])
def test_names_are_seen(name: str) -> None:
    assert looks_personal(name)
    assert looks_personal(f"{name} 反映")


@pytest.mark.parametrize("word", ["高新区", "路灯", "许可证", "麻将馆", "农家乐", "安全带", "物业", "谢谢"])
def test_ordinary_words_are_not_names(word: str) -> None:
    assert not looks_personal(word)


def test_long_numbers_are_seen() -> None:
    assert looks_personal("13800005678")
    assert not looks_personal("12345")
