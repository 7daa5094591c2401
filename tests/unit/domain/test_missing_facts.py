"""The agent is reminded of what a department would send the ticket back for, and of nothing else."""

import pytest

from hotline.domain.missing_facts import Fact, missing_facts


@pytest.mark.parametrize(
    ("content", "type", "signals", "expected"),
    [
        ("灯坏了好几盏，太黑了很危险", "投诉", (), {Fact.PLACE, Fact.SINCE_WHEN, Fact.WHO}),
        ("幸福路与团结街交叉口的路灯坏了三天了", "投诉", (), set()),
        ("楼下的烧烤店油烟很大，熏得没法睡", "投诉", (), {Fact.PLACE, Fact.SINCE_WHEN}),
        ("明湖小区闻到很大的煤气味", "求助", ("gas_leak",), {Fact.INJURIES, Fact.SINCE_WHEN}),
        ("明湖小区刚才着火了，没有人受伤", "求助", ("fire",), set()),
        ("居住证怎么办理，要带什么材料", "咨询", (), set()),
        ("希望给公交车司机点赞，服务很好", "表扬", (), set()),
        ("有人拖欠工资，上个月就该发了", "投诉", (), {Fact.PLACE, Fact.WHO}),
    ],
)
def test_what_is_missing_is_asked_for(content: str, type: str, signals: tuple[str, ...], expected: set[Fact]) -> None:
    assert set(missing_facts(content, type=type, signals=signals, phone="13800001234")) == expected


def test_people_in_danger_are_asked_about_first() -> None:
    missing = missing_facts("闻到很大的煤气味，快来", type="求助", signals=("gas_leak",), phone="13800001234")
    assert missing[0] is Fact.INJURIES


def test_an_address_of_its_own_answers_the_question_of_place() -> None:
    words = {"type": "投诉", "phone": "13800001234"}
    assert Fact.PLACE in missing_facts("水管从昨晚开始漏水", **words)
    assert Fact.PLACE not in missing_facts("水管从昨晚开始漏水", address="幸福路 12 号", **words)


@pytest.mark.parametrize(("phone", "anonymous", "asked"), [("", False, True), ("", True, False), ("138", False, False)])
def test_a_caller_without_a_number_is_asked_for_one_unless_anonymous(phone: str, anonymous: bool, asked: bool) -> None:
    missing = missing_facts("幸福路的路灯坏了三天了", type="投诉", phone=phone, anonymous=anonymous)
    assert (Fact.CONTACT in missing) is asked


@pytest.mark.parametrize("content", ["", "  ", "路灯", "喂，你好"])
def test_who_has_only_begun_to_speak_is_not_questioned(content: str) -> None:
    assert missing_facts(content, type="投诉") == []
