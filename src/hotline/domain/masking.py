"""Personal data inside free text: find it, and mask it so that the text stays readable.

What is masked: mobile and landline numbers, citizen ID numbers (GB 11643), bank cards (ISO/IEC 7812), number plates
(GA 36), e-mail addresses and names in clear patterns, and wherever they stand the name and phone that the caller is
known by.  Public numbers (12345, 110, 400-…), amounts, dates and ticket numbers are left alone.  Every function is
pure; masking a masked text changes nothing.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["phone", "id", "card", "plate", "email", "name"]

STARS = "**"

# Full-width characters become their ASCII twins one for one, so that positions in the folded text are positions in the
# original.
_WIDE = re.compile("[\u3000\uff01-\uff5e]")

# The most frequent surnames of the 2020 census, which cover about 97 % of the population, and the compound ones still
# met.
_COMPOUND = "欧阳|上官|司马|诸葛|司徒|东方|皇甫|尉迟|公孙|慕容|令狐|夏侯|长孙|宇文|端木|南宫"
_SINGLE = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦"
    "付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤常温康施牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰焦"
    "俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单季裴霍涂成苗谷曲盛翁冉骆蓝路游辛靳管柴蒙鲍华喻祁蒲房滕屈饶解牟艾尤阳时穆农司卓古吉缪简车项连芦"
    "麦褚娄窦戚岑景党宫费卜冷晏席卫米柏宗瞿桂全佟应臧闵苟邬边卞姬师和仇栾隋商刁沙荣巫寇桑郎甄丛仲虞敖巩明佘池查麻苑迟邝官封谈匡鞠惠荆乐"
)
SURNAME = f"(?:{_COMPOUND}|[{_SINGLE}])"

_PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_TITLES = "先生|女士|小姐|同志|老师|师傅|大爷|大妈|大姐|阿姨"

# A separator may stand inside a number as people write it; a digit, a letter or a hyphen before it means that it is a
# part of a longer code.
_START = r"(?<![\dA-Za-z.])(?<!\d-)"
_MOBILE = re.compile(_START + r"(?:\(?\+?(?:00)?86\)?[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}(?!\d)")
# Groups other than 3-4-4 are a phone only when the same separator stands between all of them, and no space where
# amounts are written like that (1500 2000 300).  Letters before a number hide it, but for those that announce one.
_SPACED = re.compile(
    _START + r"1[3-9](?:\d([-. ·])(?:\d{4}\1\d{4}|\d{3}\1\d{5}|\d{2}\1\d{2}\1\d{2}\1\d{2})"
    r"|\d{2}([-.·])(?:\d{4}\2\d{3}|\d{3}\2\d{4})|\d{3}([-.·])\d{6})(?!\d)"
)
_ANNOUNCED = re.compile(r"(?i:tel|phone|mobile|wechat|weixin|wx|vx|qq)[.:_-]?\s?(1[3-9]\d[- ]?\d{4}[- ]?\d{4})(?!\d)")
_DIGIT = "[零〇一二三四五六七八九幺两]"
_SPOKEN = re.compile(rf"[一幺壹][三四五六七八九]{_DIGIT}{{9}}(?!{_DIGIT})")
_LANDLINE = re.compile(_START + r"\(?0(?:10|2\d|[3-9]\d{2})\)?[- ]?[2-9]\d{2,3}[- ]?\d{4}(?!\d)")
_LOCAL = re.compile(r"(?:电话|号码|座机|致电|联系方式|[Tt][Ee][Ll])[是为:\s]{0,3}([2-9]\d{2,3}[- ]?\d{4})(?![\d元块])")
_ID18 = re.compile(_START + r"[1-9]\d{5}[- ]?(?:18|19|20)\d{6}[- ]?\d{3}[\dXx](?![\dA-Za-z])")
_ID15 = re.compile(_START + r"[1-9]\d{13}\d(?!\d)")
_CARD = re.compile(_START + r"[3-6]\d{3}(?:[- ]?\d{4}){2}[- ]?\d{1,4}(?:[- ]?\d{1,3})?(?![- ]?\d)")
_PLATE = re.compile(
    rf"[{_PROVINCES}][A-Za-z][·•. -]?(?=[A-Za-z0-9]*\d)[A-HJ-NP-Za-hj-np-z0-9]{{4,6}}[挂学警港澳]?(?![A-Za-z0-9])"
)
_EMAIL = re.compile(r"(?<![\w.+-])[A-Za-z0-9_][\w.+-]*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+", re.ASCII)
_CARD_WORD = re.compile(r"(?:卡号|银行卡|账号|帐号|账户|帐户|储蓄卡|信用卡)[^\d]{0,8}$")

_HAN = "一-鿿"
_GIVEN_END = rf"(?=[^{_HAN}*]|$|是|家|住|在|今|年|现|身|电|的|男|女|我|想|要|反|投|先生|女士)"
_INTRODUCED = re.compile(
    rf"(?:我叫|本人叫|名叫|我的名字[是叫]|姓名[是:\s]{{0,2}}|(?:联系人|投诉人|举报人|反映人|来电人|来信人|当事人|户主)[是:]\s?)"
    rf"({SURNAME}(?:[{_HAN}]{_GIVEN_END}|[{_HAN}]{{2}}))"
)
# A label with a colon announces a name whatever the surname; so does what only follows one's own name.
_LABELLED = re.compile(
    rf"(?:姓名|联系人|投诉人|举报人|反映人|来电人|来信人|当事人|户主):\s?([{_HAN}]{{2,8}}·[{_HAN}]{{2,8}}|[{_HAN}]{{2,4}}(?![{_HAN}*]))"
)
_DESCRIBED = re.compile(
    rf"(?:本人|我是)({SURNAME}[{_HAN}]{{1,2}})(?=[,，、:(\s]{{0,2}}(?:[男女](?![{_HAN}])|身份证|电话|手机|联系电话|联系方式|现住|家住|住址))"
)
_SURNAME_THEN_GIVEN = re.compile(rf"我姓({SURNAME})(?:,|，)?(?:名|叫)([{_HAN}]{{1,2}})")
_TITLED = re.compile(rf"(?<![{_HAN}])({SURNAME}[{_HAN}]{{2}})(?={_TITLES})")

# What the patterns above cannot do without is looked for first: most texts name nobody.  Each begins with what is found
# much faster than a pattern that first looks back.  A test holds that nothing is missed by them.
_MAY_BE_LONG_NUMBER = re.compile(r"\d(?:[-. ·)]{0,2}\d){9}")
_MAY_BE_LOCAL = re.compile(r"\d{3}")
_MAY_BE_PLATE = re.compile(f"[{_PROVINCES}][A-Za-z]")
_MAY_BE_EMAIL = re.compile("@")
_MAY_LABEL = re.compile(":")
_MAY_DESCRIBE = re.compile("本人|我是")
_MAY_INTRODUCE = re.compile("叫|名|人[是:]|户主")
_MAY_SAY_SURNAME = re.compile("我姓")
_MAY_TITLE = re.compile(_TITLES)


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of personal data at ``text[start:end]``, with the text that hides it."""

    start: int
    end: int
    kind: Kind
    masked: str


@dataclass(frozen=True, slots=True)
class Known:
    """Whom a text is about, as far as it is known: their name and phone are masked wherever they stand in it.

    ``others`` are names that they or somebody else are called by in a text beside it.
    """

    name: str | None = None
    phone: str | None = None
    others: tuple[str, ...] = ()


NOBODY = Known()


def mask_text(text: str, known: Known = NOBODY) -> str:
    """Return ``text`` with every piece of personal data masked: 13800005678 → 138****5678, 我叫张三 → 我叫张**."""
    out, position = [], 0
    for span in find_personal(text, known):
        out += [text[position : span.start], span.masked]
        position = span.end
    return "".join(out) + text[position:]


# What is left of personal data in a text that was masked before: 138****5678, 张**, z***@example.com.
_LEFT = re.compile(
    rf"[一幺壹]{_DIGIT}{{2}}\*{{4}}{_DIGIT}{{4}}|{SURNAME}?[{_PROVINCES}]?[0-9A-Za-z-]*\*{{2,}}[0-9A-Za-z]*(?:@[0-9A-Za-z.-]+)?"
)


def hide_text(text: str, known: Known = NOBODY) -> str:
    """Return ``text`` with nothing left of personal data, not even surname or last digits (举报人保密)."""
    return _LEFT.sub(STARS, mask_text(text, known))


def fold_width(text: str) -> str:
    """Return ``text`` with full-width characters as their ASCII twins, every character in its place."""
    for wide in set(_WIDE.findall(text)):
        text = text.replace(wide, " " if wide == "\u3000" else chr(ord(wide) - 0xFEE0))
    return text


def find_personal(text: str, known: Known = NOBODY) -> list[Span]:
    """Return the pieces of personal data in ``text``, in order and without overlaps; the more specific kind wins."""
    folded = fold_width(text)
    taken: list[Span] = []
    for span in (*_candidates(folded), *(() if known == NOBODY else _known(folded, known))):
        if all(span.end <= other.start or span.start >= other.end for other in taken):
            taken.append(span)
    return sorted(taken, key=lambda span: span.start)


def names_in(text: str) -> tuple[str, ...]:
    """Return the full names that people in ``text`` are introduced by; two characters are too often a word."""
    spans = (text[span.start : span.end] for span in find_personal(text) if span.kind == "name")
    return tuple(name for name in spans if len(name) > 2 and re.match(SURNAME, name))


def _known(folded: str, known: Known) -> Iterator[Span]:
    """Yield where the known name and phone stand, the phone's digits however they are grouped."""
    for given in (known.name or "", *known.others):
        name = fold_width(given.strip())
        if len(name) >= 2 and mask_name(name) != name:
            yield from _spans(re.compile(re.escape(name)), folded, "name", mask_name)
    digits = re.sub(r"\D", "", known.phone or "")
    if len(digits) >= 7:
        spelled = r"[-\s.·_()]{0,2}".join(digits)
        yield from _spans(re.compile(rf"(?<!\d){spelled}(?!\d)"), folded, "phone", mask_phone)


def mask_name(name: str) -> str:
    """Keep the surname only: 张建国 → 张**, 欧阳修 → 欧阳**; 张先生 tells no given name and stays.  Latin names keep
    one letter.
    """
    name = name.strip()
    if not name or name.endswith(STARS) or re.fullmatch(rf"{SURNAME}(?:{_TITLES})", name):
        return name
    surname = re.match(_COMPOUND, name) if len(name) > 2 else None
    return (surname.group() if surname else name[0]) + STARS


def mask_phone(phone: str) -> str:
    """Keep a mobile's first three and last four digits (138****5678), a landline's area code and last four
    (0731-****5678).
    """
    digits = re.sub(r"[^\d*]", "", fold_width(phone))
    if "*" in digits:
        return phone
    digits = re.sub(r"^(?:00)?86(?=1[3-9]\d{9}$)", "", digits)
    if re.fullmatch(r"1[3-9]\d{9}", digits):
        return f"{digits[:3]}****{digits[-4:]}"
    if area := re.match(r"0(?:10|2\d|[3-9]\d{2})(?=\d{7,8}$)", digits):
        return f"{area.group()}-****{digits[-4:]}"
    return "****" + (digits[-4:] if len(digits) >= 7 else "")


def mask_id(number: str) -> str:
    """Keep an ID number's first three and last four characters; anything shorter than 15 is hidden whole."""
    compact = re.sub(r"[- ]", "", fold_width(number))
    if len(compact) < 15:
        return "*" * len(compact)
    return compact[:3] + "*" * (len(compact) - 7) + compact[-4:]


# 号线, 号路, 号门 and 号桥 name public places; a house is only what is left.
_HOUSE_UNIT = r"号楼|号院|号房|号(?![线路门桥站公])|栋|幢|座|单元|室|房|层|楼|户|弄|组(?!团)|社(?!区)|排"
_HOUSE_NUMBER = r"[0-9A-Za-z]+|[零〇一二三四五六七八九十百甲乙丙丁]+"
_HOUSE = re.compile(rf"(?<![0-9A-Za-z])(?:第)?(?:{_HOUSE_NUMBER})(?:[-—](?:{_HOUSE_NUMBER}))*(?={_HOUSE_UNIT})")
_ROOM = re.compile(
    r"(?<![0-9A-Za-z])\d+[A-Za-z]?(?:[-—#]\d+[A-Za-z]?)+#?(?![0-9A-Za-z])|(?<=[栋幢座楼元号])\d{1,4}(?![0-9*])"
)


def mask_address(address: str) -> str:
    """Keep an address down to the community: 金茂小区3栋2单元501室 → 金茂小区**栋**单元**室; streets and metro lines
    stay.
    """
    folded = fold_width(address)
    return _ROOM.sub(STARS, _HOUSE.sub(STARS, folded))


def _candidates(folded: str) -> Iterator[Span]:
    """Yield what looks like personal data, the most specific kinds first; the same place may be named twice."""
    if _MAY_BE_LONG_NUMBER.search(folded):
        yield from _spans(_ID18, folded, "id", mask_id, _has_birth_date)
        yield from _spans(_CARD, folded, "card", _mask_card, _is_card)
        yield from _spans(_ID15, folded, "id", mask_id, _has_birth_date)
        yield from _spans(_MOBILE, folded, "phone", mask_phone)
        yield from (_whole(found) for found in _SPACED.finditer(folded))
        yield from _spans(_ANNOUNCED, folded, "phone", mask_phone)
        yield from _spans(_LANDLINE, folded, "phone", mask_phone)
    if _MAY_BE_LOCAL.search(folded):
        yield from _spans(_LOCAL, folded, "phone", mask_phone)
    if _MAY_BE_PLATE.search(folded):
        yield from _spans(_PLATE, folded, "plate", _mask_plate)
    if _MAY_BE_EMAIL.search(folded):
        yield from _spans(_EMAIL, folded, "email", lambda found: found[0] + "***" + found[found.index("@") :])
    for found in _SPOKEN.finditer(folded):
        yield Span(found.start(), found.end(), "phone", found.group()[:3] + "****" + found.group()[-4:])
    if _MAY_LABEL.search(folded):
        yield from _spans(_LABELLED, folded, "name", mask_name)
    if _MAY_DESCRIBE.search(folded):
        yield from _spans(_DESCRIBED, folded, "name", mask_name)
    if _MAY_INTRODUCE.search(folded):
        yield from _spans(_INTRODUCED, folded, "name", mask_name)
    if _MAY_SAY_SURNAME.search(folded):
        for found in _SURNAME_THEN_GIVEN.finditer(folded):
            yield Span(found.start(2), found.end(2), "name", STARS)
    if _MAY_TITLE.search(folded):
        yield from _spans(_TITLED, folded, "name", mask_name)


def _whole(found: re.Match[str]) -> Span:
    return Span(found.start(), found.end(), "phone", mask_phone(found.group()))


def _spans(
    pattern: re.Pattern[str],
    folded: str,
    kind: Kind,
    mask: Callable[[str], str],
    holds: Callable[[re.Match[str]], bool] = lambda found: True,
) -> Iterator[Span]:
    """Yield the pattern's hits; where it has a group, the group is the personal part."""
    group = 1 if pattern.groups else 0
    for found in pattern.finditer(folded):
        if holds(found):
            yield Span(found.start(group), found.end(group), kind, mask(found.group(group)))


def _has_birth_date(found: re.Match[str]) -> bool:
    """An ID number carries a birth date at its seventh place; order numbers seldom carry a possible one."""
    digits = re.sub(r"[- ]", "", found.group())
    month, day = (digits[10:12], digits[12:14]) if len(digits) == 18 else (digits[8:10], digits[10:12])
    return 1 <= int(month) <= 12 and 1 <= int(day) <= 31


def _is_card(found: re.Match[str]) -> bool:
    """A card number passes the Luhn check of ISO/IEC 7812, or a word before it says that it is one."""
    digits = re.sub(r"[- ]", "", found.group())
    if not 13 <= len(digits) <= 19:
        return False
    if _CARD_WORD.search(found.string[max(0, found.start() - 16) : found.start()]):
        return True
    doubled = [int(d) if i % 2 == 0 else sum(divmod(2 * int(d), 10)) for i, d in enumerate(reversed(digits))]
    return len(digits) >= 15 and sum(doubled) % 10 == 0


def _mask_card(number: str) -> str:
    digits = re.sub(r"[- ]", "", number)
    return f"{digits[:4]}{'*' * (len(digits) - 8)}{digits[-4:]}"


def _mask_plate(plate: str) -> str:
    return f"{plate[:2]}***{plate[-2:]}"
