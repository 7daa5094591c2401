"""A matter is found by code, name, and pinyin in full or by initials, the likeliest first."""

import pytest

from hotline.reference import load_pinyin, load_taxonomy
from hotline.services.matter_search import MOST, find_matters


def found(asked: str) -> list[str]:
    return [matter.code for matter in find_matters(load_taxonomy(), load_pinyin(), asked)]


@pytest.mark.parametrize(
    ("asked", "first"),
    [
        ("E03", "E03"),
        ("e03", "E03"),
        ("路灯不亮", "E03"),
        ("路灯", "E03"),
        ("ldbl", "E03"),
        ("ludengbuliang", "E03"),
        ("lu deng", "E03"),
        ("噪声", "D03"),
        ("zs", "D03"),
        ("qx", "C11"),
        ("物业", "C01"),
        ("wy", "C01"),
    ],
)
def test_the_likeliest_matter_comes_first(asked: str, first: str) -> None:
    assert found(asked)[0] == first


def test_pinyin_begins_at_a_syllable() -> None:
    # "an" is the end of many syllables, and none of them is meant.
    assert all(
        any(syllable.startswith("an") for word in (matter.name, *matter.scope) for syllable in load_pinyin()[word])
        for matter in find_matters(load_taxonomy(), load_pinyin(), "anquan")
    )


def test_nothing_is_found_for_nothing_and_for_nonsense() -> None:
    assert found("") == found("  ") == found("zzzz") == []
    assert len(found("a")) <= MOST


def test_every_word_of_the_taxonomy_has_its_pinyin() -> None:
    words = {word for matter in load_taxonomy().matters.values() for word in (matter.name, *matter.scope)}
    assert words == set(load_pinyin()), "the taxonomy has changed: run tools/pinyin"
