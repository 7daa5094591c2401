"""Hygiene makes one writing of many, hides people, and both segmenters cut what is left alike."""

import re

import jieba
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hotline.ml import segment
from hotline.ml.corpus import Row
from hotline.ml.segment import CLASSES, SegmenterError, SegmenterSpec, clean, installed, segmenter


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("臺灣路的路燈壞了", "台湾路的路灯坏了"),
        ("ＷｉＦｉ　慢", "wifi 慢"),
        ("电话13800005678", f"电话{CLASSES['phone']}"),
        ("身份证430102199003071234", f"身份证{CLASSES['id']}"),
        ("湘A12345停在这", f"{CLASSES['plate']}停在这"),
        ("我叫张三", f"我叫{CLASSES['name']}"),
        ("欠薪12,000元", f"欠薪{CLASSES['amount']}元"),
        ("2019年3月15日", CLASSES["date"]),
        ("晚上10点半", f"晚上{CLASSES['time']}半"),
        ("3栋2单元501室", "".join(f"{CLASSES['house']}{unit}" for unit in ("栋", "单元", "室"))),
        ("打过12345和110", "打过12345和110"),
        ("A市B9县的问题", "某市某县的问题"),
        ("一\n\t 二\x00三\ud800", "一 二 三"),
        ("", ""),
    ],
)
def test_one_writing_of_many(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


@settings(max_examples=1000)
@given(st.text(st.sampled_from("0123459６٣.,-/:abcg号楼栋元年月日点线多好 "), max_size=30))
def test_numbers_are_found_from_digit_to_digit_as_by_a_search(text: str) -> None:
    def class_of(found: re.Match[str]) -> str:
        kind = found.lastgroup or ""
        return found.group() if kind == "keep" else segment.CLASSES[kind]

    assert segment._classify_numbers(text) == segment._NUMBER.sub(class_of, text)


def test_a_huge_text_is_cut_short() -> None:
    assert len(clean("路灯坏了" * 100_000)) <= 1000


@given(st.text(max_size=300))
def test_any_text_can_be_cleaned_and_cut(text: str) -> None:
    tokens = segmenter(installed())(clean(text))
    assert "".join(tokens) == clean(text)


@given(st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True))
def test_no_phone_reaches_the_model(number: str) -> None:
    assert number not in clean(f"请打{number}给我")


def test_the_fast_segmenter_cuts_as_jieba_does(phone_rows: list[Row]) -> None:
    jieba.setLogLevel("ERROR")
    fast, slow = segmenter(installed("rjieba")), segmenter(installed("jieba"))
    texts = [clean(row.content) for row in phone_rows[:1500]]
    assert sum(fast(text) != slow(text) for text in texts) == 0


def test_both_know_the_extra_words() -> None:
    jieba.setLogLevel("ERROR")
    for name in ("rjieba", "jieba"):
        assert "飞线充电桩" in segmenter(installed(name, ("飞线充电桩",)))("禁止飞线充电桩")


def test_no_silent_change_of_the_segmenter() -> None:
    with pytest.raises(SegmenterError, match="unknown segmenter"):
        installed("thulac")
    with pytest.raises(SegmenterError, match=r"needs rjieba 99\.1\.0, installed is"):
        segmenter(SegmenterSpec("rjieba", "99.1.0"))
