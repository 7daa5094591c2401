"""Urgency and signals: what must not be missed, and what must not be mistaken for it."""

import pytest

from hotline.ml.rules import RULES, assess


@pytest.mark.parametrize(
    ("text", "urgency", "signal"),
    [
        ("厨房里煤气味很重，不敢开灯", "critical", "gas_leak"),
        ("路边挖机把燃气管挖断了，正往外喷", "critical", "gas_leak"),
        ("三楼住户家里着火了，浓烟滚滚", "critical", "fire"),
        ("电梯里困了三个人，按铃没人应", "critical", "trapped_people"),
        ("孩子掉进没盖的窨井里了", "critical", "trapped_people"),
        ("我站在天台上，不想活了", "critical", "self_harm"),
        ("隔壁有人拿着刀追着人砍", "critical", "violence"),
        ("学校食堂吃完饭，十几个孩子上吐下泻", "critical", "rescue"),
        ("小区灯杆漏电，刚才电倒了一个老人", "critical", "electric_shock"),
        ("外墙瓷砖往下掉，下面天天走人", "critical", "collapse"),
        ("山洪下来了，桥被冲断", "critical", "flood"),
        ("化工厂氨气泄漏，嗓子像刀割", "critical", "chemical"),
        ("整栋楼停水三天了", "urgent", "utility_cutoff"),
        ("小区停暖了，家里有老人", "urgent", "utility_cutoff"),
        ("路口的井盖不见了", "urgent", "manhole"),
        ("明天两百多号人要拉横幅去堵大门", "urgent", "mass_incident"),
        ("老母亲走失两天了", "urgent", "missing_person"),
        ("一条疯狗在学校门口", "urgent", "animal_attack"),
        ("培训班老师体罚学生", "normal", "minors"),
        ("匿名举报村支书贪污", "normal", "whistle_blowing"),
        ("１２楼着火了", "critical", "fire"),
    ],
)
def test_what_must_not_be_missed(text: str, urgency: str, signal: str) -> None:
    found, signals = assess("", text)
    assert found == urgency
    assert signal in signals


@pytest.mark.parametrize(
    ("text", "signal"),
    [
        ("车祸现场没有人员被困", "trapped_people"),
        ("没有发生火灾，也没有着火", "fire"),
        ("请加强巡查，防止煤气中毒", "gas_leak"),
        ("如果燃气泄漏了应该打什么电话", "gas_leak"),
        ("担心外墙瓷砖往下掉", "collapse"),
        ("严禁带汽油上车", "violence"),
        ("停水费怎么交", "utility_cutoff"),
        ("停电动车的地方太少", "utility_cutoff"),
        ("路边停车困难", "trapped_people"),
        ("家庭困难申请低保", "trapped_people"),
    ],
)
def test_what_must_not_be_mistaken(text: str, signal: str) -> None:
    assert signal not in assess("", text)[1]


def test_the_classifier_can_raise_but_not_lower() -> None:
    assert assess("", "咨询社保怎么转移", learned_urgent=True) == ("urgent", ())
    assert assess("", "咨询社保怎么转移") == ("normal", ())
    assert assess("", "家里着火了", learned_urgent=False)[0] == "critical"


def test_the_title_is_read_too() -> None:
    assert assess("有人要跳楼", "请尽快处理")[0] == "critical"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.signal}-{rule.hints[0]}")
def test_no_rule_hides_behind_its_hints(rule: object) -> None:
    """A hint is a shortcut; every text that the pattern could match must pass it, so each hint must occur in the
    pattern.
    """
    assert any(hint in rule.says for hint in rule.hints)  # type: ignore[attr-defined]
