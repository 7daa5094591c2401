"""Places named in a text: districts, streets, estates, roads, villages and organisations, each by the name it has.

A place is a word that ends in what it is (小区, 路, 村 …) together with the rare words before it; common words are no
names.  Anonymised writings (A7县, B9区) count as districts, house numbers and phases (12栋, 二期) as units.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

KINDS: dict[str, str] = {
    "district": "区 县 市 州 开发区 高新区",
    "street": "街道 镇 乡",
    "estate": "小区 花园 苑 公寓 家园 佳园 嘉园 广场 山庄 公馆 新村 新城 名城 国际 花苑 雅苑 豪庭 华庭 府 湾 城 "
    "郡 里 园 大厦 庄园 院 中心 邸 墅 世纪 时代 安置房 楼盘 项目",
    "road": "路 大道 街 巷 高速 桥 大桥 立交 号线 隧道 公路 环 国道 省道 路口 公交车 公交 站",
    "village": "村 社区 组 屯 队",
    "organisation": "公司 集团 学校 中学 一中 小学 幼儿园 大学 学院 医院 酒店 驾校 物业 银行 超市 培训 厂 市场 "
    "中专 房产 置业 地产 健身 宾馆 饭店 工地 教育 局 所 车站 机构 俱乐部 店",
}
"""Kind → the words and endings that make one, separated by blanks."""

NAME_CHARS = 6
NAME_WORDS = 3

_KIND_OF = {ending: kind for kind, endings in KINDS.items() for ending in endings.split()}
_LONGEST_ENDING = max(map(len, _KIND_OF))
_HAN = re.compile("[一-鿿]+")
_ANONYMOUS_HEAD = re.compile(r"(?<![a-z])[a-z]\d{0,2}[市县区州]")
_ANONYMOUS = re.compile(r"(?<![a-z])[a-z]\d{0,2}(?:县|区|州)")
_NUMBERED = re.compile(
    r"(\d+|[一二三四五六七八九十]+)"
    r"(栋|号线|号楼|号|期|单元|楼|室|组|幢|弄|座|班|年|支路|路(?!口)|医院|届|级|线|环)"
)
_SAME_KIND = {"号楼": "栋", "幢": "栋", "座": "栋"}
_DIGITS = {digit: value for value, digit in enumerate("一二三四五六七八九", 1)}
_YEAR = re.compile(r"20[012]\d")


@dataclass(frozen=True, slots=True)
class Places:
    """The places of a text: names by kind, anonymised districts, numbers by what they count (houses, phases, metro
    lines, school classes) and years.
    """

    names: dict[str, frozenset[str]]
    anonymous: frozenset[str]
    numbers: dict[str, frozenset[str]]
    years: frozenset[str]

    @property
    def all_names(self) -> frozenset[str]:
        """Every name, whatever its kind."""
        return frozenset().union(*self.names.values())

    @property
    def units(self) -> frozenset[str]:
        """Every number with what it counts: 12栋, 2期."""
        return frozenset(f"{number}{kind}" for kind, numbers in self.numbers.items() for number in numbers)

    def labels(self) -> list[str]:
        """Names and anonymised districts, sorted: what is kept beside a ticket's vector."""
        return sorted(self.all_names | self.anonymous)


def set_apart(text: str) -> str:
    """Put a blank after anonymised places: a segmenter would make A7县金茂小区 a place called 县金茂."""
    return _ANONYMOUS_HEAD.sub(r"\g<0> ", text)


def find_places(text: str, words: Sequence[str], is_common: Callable[[str], bool]) -> Places:
    """Find the places of a text in lower case, given its words in order.

    ``is_common`` tells words that name nothing.
    """
    names: dict[str, set[str]] = {kind: set() for kind in KINDS}
    for position, word in enumerate(words):
        found = _place_at(position, word, words, is_common)
        if found:
            names[found[0]].add(found[1])
    return Places(
        {kind: frozenset(found_names) for kind, found_names in names.items() if found_names},
        frozenset(_ANONYMOUS.findall(text)),
        _numbers(text),
        frozenset(_YEAR.findall(text)),
    )


def _numbers(text: str) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for number, kind in _NUMBERED.findall(text):
        found.setdefault(_SAME_KIND.get(kind, kind), set()).add(_in_digits(number))
    return {kind: frozenset(numbers) for kind, numbers in found.items()}


def _in_digits(number: str) -> str:
    """Write 012 as 12, 十二 as 12 and 二〇 or 一二 digit by digit."""
    if number.isdigit():
        return number.lstrip("0") or "0"
    tens, ten, ones = number.partition("十")
    if ten:
        return str(10 * _DIGITS.get(tens, 1) + _DIGITS.get(ones, 0))
    return "".join(str(_DIGITS[digit]) for digit in number)


def _place_at(
    position: int, word: str, words: Sequence[str], is_common: Callable[[str], bool]
) -> tuple[str, str] | None:
    """Return kind and name of the place that ends with this word, None when none does."""
    if not _HAN.fullmatch(word):
        return None
    start = next((n for n in range(max(0, len(word) - _LONGEST_ENDING), len(word)) if word[n:] in _KIND_OF), None)
    if start is None:
        return None
    head, ending = word[:start], word[start:]
    if head and is_common(word):
        return None
    name = _with_words_before(head, position, words, is_common)
    return (_KIND_OF[ending], name) if len(name) > 1 else None


def _with_words_before(head: str, position: int, words: Sequence[str], is_common: Callable[[str], bool]) -> str:
    """Put the rare words before a place's ending in front of ``head``; a head of its own takes one word at most."""
    name = head
    for before in reversed(words[max(0, position - (1 if head else NAME_WORDS)) : position]):
        if len(name) >= NAME_CHARS or not _HAN.fullmatch(before) or is_common(before):
            break
        name = before + name
    return name


def alike(one: str, other: str) -> float:
    """How alike two names are, 0–1: one inside the other counts as the same, as people leave parts out."""
    if one == other or (len(one) > 2 and one in other) or (len(other) > 2 and other in one):
        return 1.0
    pieces, others = _pieces(one), _pieces(other)
    return 2 * len(pieces & others) / (len(pieces) + len(others))


SAME_NAME = 0.6
"""From here on two names mean the same place: 绿地海外滩 and 地绿海外滩, 华广 and 广华."""


def meet(some: Iterable[str], others: Iterable[str]) -> bool:
    """Whether a name of one text means the same place as a name of the other."""
    others = tuple(others)
    return any(alike(one, other) >= SAME_NAME for one in some for other in others)


def _pieces(name: str) -> set[str]:
    return {*name, *(name[i : i + 2] for i in range(len(name) - 1))}
