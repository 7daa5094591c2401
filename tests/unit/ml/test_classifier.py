"""A prediction is consistent, the same alone and in a batch, and tells its reasons in the text's own words."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hotline.ml.classifier import TYPES, Prediction, TriageModel
from hotline.ml.corpus import Row
from hotline.reference import load_taxonomy

LIGHT = ("", "XX路与YY街交叉口的路灯坏了三天了，晚上过马路很危险")


def consistent(prediction: Prediction) -> bool:
    return (
        prediction.matter == prediction.top[0].matter
        and prediction.task == prediction.matter[0]
        and prediction.confidence == prediction.top[0].p
        and len(prediction.top) >= 3
        and [c.p for c in prediction.top] == sorted((c.p for c in prediction.top), reverse=True)
        and all(0 <= c.p <= 1 for c in prediction.top)
        and len({c.matter for c in prediction.top}) == len(prediction.top)
        and prediction.type in TYPES
        and prediction.urgency in ("normal", "urgent", "critical")
    )


def test_the_broken_street_light(shipped: TriageModel) -> None:
    found = shipped.predict(*LIGHT)
    assert consistent(found)
    assert (found.matter, found.task, found.type) == ("E03", "E", "投诉")
    assert "路灯" in found.evidence


@pytest.mark.parametrize(
    ("text", "matter"),
    [
        ("楼上麻将馆打到半夜两点，吵得睡不着", "D03"),
        ("楼下烧烤店油烟直往我家里灌", "D02"),
        ("老板拖欠我们三个月工资", "C11"),
        ("邻居遛狗不牵绳，差点咬到小孩", "F07"),
        ("想问一下居住证怎么办理", "A02"),
        ("我要申請加裝電梯，一樓不同意", "C03"),
    ],
)
def test_plain_cases(shipped: TriageModel, text: str, matter: str) -> None:
    assert shipped.predict("", text).matter == matter


def test_a_batch_answers_as_one_by_one(shipped: TriageModel, frozen_rows: list[Row]) -> None:
    texts = [row.text for row in frozen_rows[:300]]
    together = shipped.predict_many(texts)
    for text, answer in zip(texts[::7], together[::7], strict=True):
        alone = shipped.predict(*text)
        assert replace(alone, top=(), confidence=0) == replace(answer, top=(), confidence=0)
        assert [candidate.matter for candidate in alone.top] == [candidate.matter for candidate in answer.top]
        assert [c.p for c in alone.top] == pytest.approx([c.p for c in answer.top], abs=1e-6)
    assert shipped.predict_many([]) == []


def test_probabilities_sum_to_one_over_the_taxonomy(shipped: TriageModel, frozen_rows: list[Row]) -> None:
    p = shipped.probabilities([row.text for row in frozen_rows])
    assert shipped.matters == load_taxonomy().codes
    assert p.shape == (len(frozen_rows), 66)
    assert p.min() >= 0
    assert p.sum(axis=1) == pytest.approx(np.ones(len(p)), abs=1e-5)
    assert shipped.probabilities([]).shape == (0, 66)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.text(st.characters(), max_size=120), st.text(st.characters(), max_size=400))
def test_any_text_gets_a_consistent_answer(shipped: TriageModel, title: str, content: str) -> None:
    """Control characters and lone surrogates included."""
    assert consistent(shipped.predict(title, content))


@pytest.mark.parametrize(
    "text", ["", " ", "\x00", "\ud83d", "？？？", "好" * 200_000, "a" * 200_000, "1" * 200_000, "１３８" * 70_000]
)
def test_strange_texts_do_not_stop_it(shipped: TriageModel, text: str) -> None:
    assert consistent(shipped.predict("", text))


def test_what_cannot_be_sorted_is_never_dispatched(shipped: TriageModel, phone_rows: list[Row]) -> None:
    found = shipped.predict_many([row.text for row in phone_rows if row.matter == "G09"])
    assert any(answer.matter == "G09" for answer in found)
    assert not any(answer.auto for answer in found if answer.matter == "G09")
