"""Personal data is masked wherever people write it, and nothing else is."""

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.domain import masking
from hotline.domain.masking import (
    Known,
    find_personal,
    hide_text,
    mask_address,
    mask_id,
    mask_name,
    mask_phone,
    mask_text,
)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("我的电话13800005678，请回电", "我的电话138****5678，请回电"),
        ("138 0000 5678", "138****5678"),
        ("打138-0000-5678找我", "打138****5678找我"),
        ("+86 13800005678", "138****5678"),
        ("+8613800005678。", "138****5678。"),
        ("(+86)13800005678", "138****5678"),
        ("１３８００００５６７８", "138****5678"),
        ("座机0731-85551234", "座机0731-****1234"),
        ("(010)65551234", "010-****1234"),
        ("电话：85551234转3", "电话：****1234转3"),
        ("身份证430102199003071234。", "身份证430***********1234。"),
        ("身份证43010219900307123x", "身份证430***********123x"),
        ("身份证 430102 19900307 1234", "身份证 430***********1234"),
        ("老证430102900307123", "老证430********7123"),
        ("卡号6222021234567890123被盗刷", "卡号6222***********0123被盗刷"),
        ("4111 1111 1111 1111", "4111********1111"),
        ("湘A12345占了消防通道", "湘A***45占了消防通道"),
        ("一辆湘AD12345的车", "一辆湘A***45的车"),
        ("一辆湘A1B2C3的车", "一辆湘A***C3的车"),
        ("邮箱zhang.san@example.com", "邮箱z***@example.com"),
        ("我叫张三，家住城南", "我叫张**，家住城南"),
        ("我叫李建国家住城南", "我叫李**家住城南"),
        ("我叫欧阳娜娜", "我叫欧阳**"),
        ("姓名：王小明 电话：13800005678", "姓名：王** 电话：138****5678"),
        ("我姓陈，名大文", "我姓陈，名**"),
        ("联系人：赵敏", "联系人：赵**"),
        ("李建国先生反映", "李**先生反映"),
        ("138 000 05678", "138****5678"),
        ("138.0000.5678", "138****5678"),
        ("138 00 00 56 78", "138****5678"),
        ("1380-000-5678", "138****5678"),
        ("微信wx13800005678", "微信wx138****5678"),
        ("Tel:13800005678", "Tel:138****5678"),
        ("一三八零零零零五六七八", "一三八****五六七八"),
        ("姓名：阿布都·热依木，", "姓名：阿**，"),
        ("联系人：乌日娜 电话", "联系人：乌** 电话"),
        ("本人王小明，男，", "本人王**，男，"),
        ("我是王小明，身份证丢了", "我是王**，身份证丢了"),
    ],
)
def test_personal_data_is_masked(text: str, masked: str) -> None:
    assert mask_text(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "工单20261125-000123至今没有回复",
        "2026-11-25 13:05反映过",
        "2019年3月15日至2020年12月31日",
        "欠我128000元，另有12,345,678.90元",
        "打过12345和110，还有400-810-8888",
        "张先生来电",
        "我姓王，住在城南",
        "订单号2026112500012345678",
        "房本编号A20190301001",
        "从K12+500到K13+800路段",
        "B2B平台，京A座写字楼",
        "我是业主，我叫他们来修也不来",
        "2.13812345678亿元",
        "分别是1500 2000 300元",
        "我是高中生，男朋友被骗了",
        "",
    ],
)
def test_nothing_else_is_touched(text: str) -> None:
    assert mask_text(text) == text


@pytest.mark.parametrize(
    ("address", "masked"),
    [
        ("岳麓区梅溪湖街道金茂小区3栋2单元501室", "岳麓区梅溪湖街道金茂小区**栋**单元**室"),
        ("城南区中山路123号", "城南区中山路**号"),
        ("地铁3号线中山路站旁", "地铁3号线中山路站旁"),
        ("幸福村五组", "幸福村**组"),
        ("阳光花园B座1203", "阳光花园**座**"),
        ("阳光花园6-2-501", "阳光花园**"),
        ("人民路社区", "人民路社区"),
    ],
)
def test_an_address_ends_at_the_community(address: str, masked: str) -> None:
    assert mask_address(address) == masked
    assert mask_address(masked) == masked


def test_single_values() -> None:
    assert mask_name("张三") == "张**"
    assert mask_name("张先生") == "张先生"
    assert mask_name("司马相如") == "司马**"
    assert mask_name("John Smith") == "J**"
    assert mask_name("") == ""
    assert mask_phone("0086-13800005678") == "138****5678"
    assert mask_phone("12345") == "****"
    assert mask_phone("138****5678") == "138****5678"
    assert mask_id("430102199003071234") == "430***********1234"
    assert mask_id("12345") == "*****"


han = st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), max_size=8)
mobile = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True)
separator = st.sampled_from(["", " ", "-"])


@given(han, mobile, separator, han, st.booleans())
def test_no_mobile_survives(before: str, number: str, gap: str, after: str, wide: bool) -> None:
    written = f"{number[:3]}{gap}{number[3:7]}{gap}{number[7:]}"
    if wide:
        written = written.translate({ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789"})
    masked = mask_text(f"{before}，{written}，{after}")
    assert f"{number[:3]}****{number[7:]}" in masked
    assert number not in masked
    assert written not in masked


@given(
    st.from_regex(r"[1-9][0-9]{5}", fullmatch=True),
    st.dates(min_value=date(1920, 1, 1), max_value=date(2026, 12, 31)),
    st.from_regex(r"[0-9]{3}[0-9X]", fullmatch=True),
)
def test_no_id_number_survives(region: str, born: date, tail: str) -> None:
    number = f"{region}{born:%Y%m%d}{tail}"
    assert number not in mask_text(f"证件{number}，请核实")


# What is looked for before a pattern is tried, and the patterns that it spares.
SPARED = {
    "_MAY_BE_LONG_NUMBER": ("_ID18", "_CARD", "_ID15", "_MOBILE", "_SPACED", "_ANNOUNCED", "_LANDLINE"),
    "_MAY_BE_LOCAL": ("_LOCAL",),
    "_MAY_BE_PLATE": ("_PLATE",),
    "_MAY_BE_EMAIL": ("_EMAIL",),
    "_MAY_LABEL": ("_LABELLED",),
    "_MAY_DESCRIBE": ("_DESCRIBED",),
    "_MAY_INTRODUCE": ("_INTRODUCED",),
    "_MAY_SAY_SURNAME": ("_SURNAME_THEN_GIVEN",),
    "_MAY_TITLE": ("_TITLED",),
}


@pytest.mark.parametrize(("first", "name"), [(first, name) for first in SPARED for name in SPARED[first]])
def test_what_is_looked_for_first_stands_in_all_that_a_pattern_finds(first: str, name: str) -> None:
    @given(st.from_regex(getattr(masking, name)))
    def holds(text: str) -> None:
        assert getattr(masking, first).search(text)

    assert set(SPARED) == {each for each in vars(masking) if each.startswith("_MAY_")}
    holds()


@given(st.text(max_size=200))
def test_any_text_is_masked_once_and_stays_the_same(text: str) -> None:
    masked = mask_text(text)
    assert mask_text(masked) == masked
    spans = find_personal(text)
    assert all(a.end <= b.start for a, b in pairwise(spans))


@given(st.dates(), st.integers(0, 999_999), st.integers(0, 10_000_000))
def test_tickets_dates_and_amounts_are_not_personal(day: date, serial: int, amount: int) -> None:
    text = f"工单{day:%Y%m%d}-{serial:06d}，{day:%Y-%m-%d}，金额{amount}元"
    assert mask_text(text) == text


CALLER = Known("赵小丽", "13900001111")


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("赵小丽说楼上漏水", "赵**说楼上漏水"),
        ("打1 3 9 0 0 0 0 1 1 1 1找她", "打139****1111找她"),
        ("１３９-00001111", "139****1111"),
        ("赵小姐说，小丽也说", "赵小姐说，小丽也说"),
    ],
)
def test_whom_the_text_is_about_is_masked_wherever_they_stand(text: str, masked: str) -> None:
    assert mask_text(text, CALLER) == masked
    assert mask_text(masked, CALLER) == masked


@pytest.mark.parametrize("name", ["王", "王先生", "", None])
def test_a_name_that_names_nobody_masks_nothing(name: str | None) -> None:
    assert mask_text("王先生住在王家村", Known(name)) == "王先生住在王家村"


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("我叫张三，电话13800005678。", "我叫**，电话**。"),
        ("座机0731-85551234", "座机**"),
        ("一三八零零零零五六七八", "**"),
        ("湘A12345在湘江路", "**在湘江路"),
        ("邮箱zhang.san@example.com", "邮箱**"),
        ("我叫张**，电话138****5678。", "我叫**，电话**。"),
        ("路灯坏了3天", "路灯坏了3天"),
    ],
)
def test_hidden_texts_keep_neither_surname_nor_last_digits(text: str, hidden: str) -> None:
    assert hide_text(text) == hidden
    assert hide_text(hidden) == hidden
