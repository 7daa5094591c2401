"""What an agent still has to ask (还需问): facts without which a department sends the ticket back (要素不全)."""

import re
from collections.abc import Iterable
from enum import StrEnum


class Fact(StrEnum):
    """A fact of a request."""

    PLACE = "place"
    SINCE_WHEN = "since_when"
    INJURIES = "injuries"
    WHO = "who"
    CONTACT = "contact"


_PLACE = re.compile(
    r"[路街道巷弄村镇乡区县桥站园厦场院校苑府庄湾坊屯组][东南西北口旁边里内外门号附]?"
    r"|小区|社区|学校|医院|公园|广场|车站|\d+\s*[号栋幢]|地铁|超市|商场|公司"
)
_TIME = re.compile(
    r"今[天晚早]|昨[天晚]|前[天晚]|刚才|刚刚|现在|正在|每[天晚日周]|天天|一直|长期|最近|近[期来日]|半夜|凌晨|夜里|晚上|早上|中午|下午|上午"
    r"|[上这本去今前]个?(?:周|星期|礼拜|月|年)"
    r"|[\d一二两三四五六七八九十几半多]+\s*个?(?:多)?(?:分钟|小时|钟头|天|周|星期|月|年)|\d{1,2}[月日号点时]|[一二三四五六七八九十]{1,3}[月号点]"
)
_INJURED = re.compile(
    r"受伤|伤[者员亡人]|没有?人伤|无人员?伤|流血|骨折|送医|医院|救护|死[亡人者]|人没事|平安|昏迷|中毒"
)
_NAMED = re.compile(r"公司|厂|店|馆|学校|医院|单位|局|所|中心|银行|物业|平台|工地|项目部|商家|饭店|超市|村委|街道办")

# Signals of the urgency rules that ask after people first.
_PEOPLE_IN_DANGER = frozenset(
    {
        "gas_leak",
        "fire",
        "trapped_people",
        "violence",
        "rescue",
        "electric_shock",
        "collapse",
        "flood",
        "chemical",
        "lift",
        "animal_attack",
    }
)
# What is asked about in general happens nowhere and at no time.
_IN_GENERAL = frozenset({"咨询", "建议", "表扬"})
# Too short to say anything about: the agent has only begun.
_BEGUN = 6


def missing_facts(
    content: str,
    *,
    type: str,
    signals: Iterable[str] = (),
    address: str = "",
    phone: str = "",
    anonymous: bool = False,
) -> list[Fact]:
    """Return what nobody has said yet, the most urgent first; nothing while a text has only begun.

    ``type`` is the request's 诉求类型; ``signals`` are what the urgency rules found.
    """
    if len(content.strip()) < _BEGUN:
        return []
    missing = []
    if _PEOPLE_IN_DANGER.intersection(signals) and not _INJURED.search(content):
        missing.append(Fact.INJURIES)
    if type not in _IN_GENERAL:
        if not address.strip() and not _PLACE.search(content):
            missing.append(Fact.PLACE)
        if not _TIME.search(content):
            missing.append(Fact.SINCE_WHEN)
        if type in ("投诉", "举报") and not _NAMED.search(content) and Fact.PLACE in missing:
            missing.append(Fact.WHO)
    if not phone.strip() and not anonymous:
        missing.append(Fact.CONTACT)
    return missing
