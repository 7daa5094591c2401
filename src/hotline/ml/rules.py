"""Urgency and sensitive signals: a short list of readable rules on top of the classifier.

Missing a gas leak costs more than a false alarm, so a rule speaks whatever the classifier says.  What stands before a
hit can silence it: negation (没有人员受伤), prevention and worry (以免触电), conditions and questions
(如果漏气怎么办).
"""

# ruff: noqa: E501 - a rule is one line, so that it can be read, and compared with another, as one.
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from hotline.domain.masking import fold_width

Urgency = Literal["normal", "urgent", "critical"]

READ_CHARS = 600
"""Danger that is present is told early; a long letter's history is not read for it."""

_IN_CLAUSE = r"[^，。；！？、,;!?\n]"
_SILENCED = re.compile(
    r"(?:没|无|未|不是|并非|不会|不再|避免|防止|预防|杜绝|谨防|防范|以免|免得|怕|担心|担忧|如果|假如|万一|一旦|要是|严禁|禁止|如何|怎么|怎样)"
    rf"{_IN_CLAUSE}{{0,7}}$"
)
_ASKS_IN_GENERAL = re.compile(r"^.{0,12}(?:咨询|请问|想问|问一下|了解一下)")


@dataclass(frozen=True)
class Rule:
    """A signal, how urgent it makes a ticket, and how people say it.

    ``hints``: at least one of these stands in every text that the rule is about; the pattern is tried on no other,
    which keeps a list of rules cheap.  ``negatable``: words before a hit may silence it.
    """

    signal: str
    urgency: Urgency
    hints: tuple[str, ...]
    says: str
    negatable: bool = True

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The compiled pattern; ``~`` in ``says`` stands for a few characters of the same clause."""
        return re.compile(self.says.replace("~", _IN_CLAUSE + "{0,8}?"))

    def holds(self, text: str) -> bool:
        """Whether somebody says it and nothing before silences it."""
        return any(
            not (self.negatable and _SILENCED.search(text, max(0, hit.start() - 14), hit.start()))
            for hit in self.pattern.finditer(text)
        )


RULES: tuple[Rule, ...] = (
    # Danger to life that is happening now.
    Rule("gas_leak", "critical", ("气",), "(?:燃气|煤气|天然气|液化气|管道气|气罐|气瓶|钢瓶|罐子|气管|燃气表|瓦斯)~(?:泄[漏露]|漏|味|挖断|嗤嗤|咝咝|嘶嘶)|漏气|(?:煤气|一氧化碳)中毒|一屋子气"),
    Rule("gas_leak", "critical", ("气味", "有味", "一股味"), "(?:灶|厨房|走廊|楼道)~(?:气味|有味|一股味)"),
    Rule("fire", "critical", ("火", "烟", "焦味", "焦糊"), "着火|起火|失火|火灾了|冒火|火星|明火烧|火苗|正在烧|浓烟|冒(?:白|黑|着)*烟|焦糊?味|打火花|爆炸了|烧起来|插座打火"),
    Rule("trapped_people", "critical", ("困", "埋", "下不来", "出不去", "出不来", "卡在", "掉进", "淹"), "(?:被困|困[在住着了]|关在)(?!难|扰|境)|埋了~人|人~(?:埋|卡)在|(?:孩子|老人|小孩|人)~(?:掉进|掉到|落水|溺水|下不来|出不来|出不去|被淹)|水~(?:到|齐)(?:了)?(?:胸|腰|膝|大腿|小腿)"),
    Rule("self_harm", "critical", ("死", "活", "跳", "遗书", "自杀", "自残", "轻生", "天台", "撑不下", "割腕", "窗台", "喝药", "解脱"), "不想活|活不下去|活着没意思|活够了|自杀|自残|轻生|寻短见|遗书|跳楼|跳河|跳桥|跳江|往下跳|跳下去|撑不下去|割腕|喝农药|喝药~死|(?:站|坐)在~(?:天台|楼顶|窗台|河边|桥上)|了结自己|以死|死给"),
    Rule("violence", "critical", ("刀", "打", "砍", "棍", "绑", "剁", "杀", "炸", "汽油", "救"), "(?:拿|持|带|提|拎)着?~刀|砍人|追着?砍|砍伤|捅[人伤]|刀~放|打死|打群架|持棍|持械|拎着~棍|械斗|手绑着|被绑架|赎金|别打了|要~杀|杀人|同归于尽|汽油~(?:点|楼|泼)|(?:带|泼|浇|提)~汽油|救命|家暴~(?:正在|现在|今)"),
    Rule("violence", "critical", ("困", "关", "扣", "禁", "锁", "解救", "不让出", "不让走"), "非法拘禁|限制~人身自由|软禁|解救|不让(?:出|走)|扣着我的身份证"),
    Rule("rescue", "critical", ("救", "昏迷", "抽筋", "中毒", "吐", "命", "断药", "透析", "呼吸机", "出血"), "(?:快|赶紧|马上|求)~救人|紧急救援|昏迷|抽筋|食物中毒|上吐下泻|人命|没命|会死人|出血不止|卡~里头?出血|停水~透析|断~(?:胰岛素|药)~天|呼吸机|喘不上气|倒下~个"),
    Rule("electric_shock", "critical", ("电",), "漏电|触电了|电~(?:打手|倒了人|死)|(?:电线|电缆|高压线|线)~(?:断了|压断|扯断|挖断|掉地|掉在|落地|冒火)|带电~(?:垂|露|掉)"),
    Rule("collapse", "critical", ("塌", "坍", "垮", "滑坡", "往下掉", "倒了", "要倒", "要掉", "掉落", "坠"), "(?:墙|楼|房|屋|桥|路面?|基坑|堤|坡|地面|平台|板|瓦|山|坝)~(?:塌(?!鼻)|坍|垮|要倒|倒了)|山体滑坡|泥石流|(?:墙砖|外墙|瓷砖|保温层|瓦|石头?|玻璃|墙皮|阳台)~(?:往下掉|掉下来|掉了一|要掉|坠落|掉落|脱落)|电梯~(?:坠|下坠|掉层|掉下|急降)|一直掉"),
    Rule("flood", "critical", ("洪", "淹", "倒灌", "决口", "堤", "水位", "积水"), "山洪|洪水~(?:来|下|冲)|被~淹|淹了|倒灌|决[口堤]|泄洪|河水~(?:涨|距堤)|水位~(?:涨|高)"),
    Rule("chemical", "critical", ("泄漏", "泄露", "氯", "毒", "化工", "罐车", "雷管", "炸药"), "(?:化工|化学|氨|氯|油罐|罐车|罐区|液体|原料)~(?:泄[漏露]|流|喷|翻)|氯气|毒气|雷管|炸药|毒死~(?:人|鱼)"),
    # Soon dangerous, or life has stopped.
    Rule("utility_cutoff", "urgent", ("停", "断", "没水", "没电", "没气", "没暖", "不热", "供"), "(?:停|断)(?:了)?(?:[水电气暖热]|供水|供电|供热|供暖)(?!费|管|线|动车|视|话|梯|器|瓶)|没(?:有)?(?:水(?:用|吃|喝|了)|电(?:用|了)|暖气|供暖|供热|来水|来电)|吃不上水|暖气~(?:不热|冰)|供(?:水|电|热|暖|气)~(?:中断|停)|无自来水|断水", negatable=False),
    Rule("manhole", "urgent", ("井盖",), "井盖~(?:没|丢|不见|偷|缺|坏|破|掉|塌)|没~井盖|(?:偷|丢)~井盖"),
    Rule("danger", "urgent", ("危险", "隐患", "安全", "快来", "快派", "赶紧派", "马上", "抢修"), "(?:严重|非常|很|十分|极其|太)~危险|危及~(?:安全|生命)|生命(?:财产)?安全|(?:快|赶紧|赶快|马上|立即|尽快|急需|紧急)~(?:派人|派|来人|抢修|疏散|转移|撤|拉闸|断电|警戒|封路)|求救"),
    Rule("lift", "urgent", ("电梯",), "电梯~(?:困人|关人|被困|坠|下滑|滑梯|掉|失控|故障|停运|坏|不停|卡|死机|安全隐患)"),
    Rule("mass_incident", "urgent", ("横幅", "条幅", "堵", "聚集", "集体", "罢", "静坐", "上访", "围堵", "闹事", "塔吊", "跪"), "(?:拉|打|举)~[横条]幅|(?:堵|围)(?:住|了)?~(?:大门|门口|政府|法院|国道|省道|马路|主干道|售楼)|(?:上?百|几十|数十|二三十|多)(?:号|多)?人~(?:聚集|围|堵|对)|集体~(?:上访|去市|去省|罢|讨薪)|罢[工运课市]|静坐|逐级上访|进京上访|群体性|爬上塔吊|跪着"),
    Rule("missing_person", "urgent", ("走失", "走丢", "失踪", "失联", "联系不上"), "走失|走丢|失踪|失联|人~联系不上"),
    Rule("animal_attack", "urgent", ("疯狗", "咬", "马蜂", "熊", "野猪"), "疯狗|狂犬|咬了~(?:人|孩子|个)|(?:狗|犬)~冲进|马蜂窝|黑熊|野猪~(?:村|伤)"),
    # Sensitive, whatever the hour.
    Rule("minors", "normal", ("未成年", "孩", "小学生", "幼儿", "学生", "娃", "婴"), "未成年|(?:孩子?|小孩|学生|幼儿|娃娃?|婴儿?)~(?:被打|虐待|猥亵|性侵|体罚|欺凌|霸凌|受伤|失踪|走失|困|掉进|辍学|童工)|(?:虐待|猥亵|性侵|体罚|欺凌|殴打|咬)~(?:孩|学生|儿童|幼儿|娃)"),
    Rule("whistle_blowing", "normal", ("举报", "贪", "受贿", "行贿", "内部", "保密", "匿名", "腐败", "回扣"), "(?:匿名|实名|要求保密|请~保密)~举报|举报~(?:贪|受贿|腐败|领导|书记|主任|局长|内部|违纪)|贪污|受贿|行贿|索贿|吃回扣|收~红包|对身份保密|身份~保密|打击报复", negatable=False),
)  # fmt: skip

_HINTS: dict[str, list[tuple[str, int]]] = {}
"""Hints by their first character, each with the place of its rule."""
for _place, _hint in ((place, hint) for place, rule in enumerate(RULES) for hint in rule.hints):
    _HINTS.setdefault(_hint[0], []).append((_hint, _place))

_FIRSTS = re.compile(f"[{''.join(_HINTS)}]")

_RANK: dict[Urgency, int] = {"normal": 0, "urgent": 1, "critical": 2}


def assess(title: str, content: str, *, learned_urgent: bool = False) -> tuple[Urgency, tuple[str, ...]]:
    """Return the urgency and the signals of a text, in the order of the rules.

    ``learned_urgent``: the classifier's own opinion.  It can raise a text to "urgent", never to "critical" and never
    lower what a rule says.
    """
    text = fold_width(f"{title}。{content}"[:READ_CHARS])
    hits = [rule for rule in _hinted(text) if rule.holds(text)]
    urgency: Urgency = max((rule.urgency for rule in hits), key=_RANK.__getitem__, default="normal")
    if urgency == "normal" and learned_urgent:
        urgency = "urgent"
    return urgency, tuple(dict.fromkeys(rule.signal for rule in hits))


def _hinted(text: str) -> list[Rule]:
    """Return the rules of which a hint stands in the text, in their order."""
    firsts = set(_FIRSTS.findall(text))
    return [RULES[i] for i in sorted({i for first in firsts for hint, i in _HINTS[first] if hint in text})]
