"""A document's pairs are found wherever they stand; a question's words are the ones people mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.ml.pairs import document_vector, question_words, words_query


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("路灯", ["路灯"]),
        ("垃圾没人清运", ["垃圾", "没人", "清运"]),
        ("幸福路", ["幸福路"]),
        ("团结街的路灯", ["团结街", "路灯"]),
        ("路灯坏了", ["路灯", "坏"]),
        ("金茂小区停水", ["金茂", "小区", "停水"]),
        ("水", ["水"]),
        ("WiFi 5678", ["wifi", "5678"]),
        ("！？ ，", []),
        ("路灯 路灯", ["路灯"]),
    ],
)
def test_a_question_is_cut_into_words(question: str, words: list[str]) -> None:
    assert question_words(question) == words


def test_a_word_is_looked_for_as_the_chain_of_its_pairs() -> None:
    assert words_query(["幸福路", "水", "5678"]) == "(幸福 <-> 福路) & 水:* & (5678)"


def test_a_document_keeps_every_pair_with_its_place_and_a_gap_between_runs() -> None:
    assert document_vector("供水管道，爆裂") == "供水:1 水管:2 爆裂:6 管道:3 裂:7 道:4"
    assert document_vector("路灯", "灯 A1") == "a1:6 灯:2,4 路灯:1"


def test_nothing_comes_of_nothing() -> None:
    assert document_vector("", "，。") == ""


@given(st.text(max_size=200))
def test_no_text_breaks_the_form_that_postgresql_reads(text: str) -> None:
    for lexeme_with_places in document_vector(text).split():
        lexeme, _, places = lexeme_with_places.partition(":")
        assert lexeme.isalnum()
        assert all(0 < int(place) < 16384 for place in places.split(","))
