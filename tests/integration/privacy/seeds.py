"""People who do not exist, the ways in which they write their numbers, and a search that sees through all of them."""

import html
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
# Given names of characters that no text of the hotline uses, so that a hit is a leak and nothing else.
GIVEN = ("骁骐", "璟璐", "韫霏", "垚焱", "翀翯", "婳祎", "懿轩", "昶晟", "玥瑄", "琬琰")
SPELLINGS = (
    "{0}{1}{2}",
    "{0}-{1}-{2}",
    "{0} {1} {2}",
    "+86 {0}{1}{2}",
    "+86{0}-{1}-{2}",
    "(86){0}{1}{2}",
    "手机{0}{1}{2}",
    "tel:{0}{1}{2}",
    "微信wx{0}{1}{2}",
    "{0}.{1}.{2}",
)
_WIDE = {ord(str(digit)): chr(0xFF10 + digit) for digit in range(10)}
_SPOKEN = {ord(str(digit)): "零幺二三四五六七八九"[digit] for digit in range(10)}
_DIGITS = {ord(written): chr(code) for table in (_WIDE, _SPOKEN) for code, written in table.items()}


@dataclass(frozen=True)
class Person:
    """Somebody with everything that could give them away."""

    serial: int
    name: str
    phone: str
    id_number: str
    card: str

    def spelled(self, offset: int = 0) -> str:
        """The phone, written in one of many ways."""
        choice = (self.serial + offset) % (len(SPELLINGS) + 2)
        if choice < len(SPELLINGS):
            return SPELLINGS[choice].format(self.phone[:3], self.phone[3:7], self.phone[7:])
        return self.phone.translate(_WIDE if choice == len(SPELLINGS) else _SPOKEN)

    def letter(self, offset: int) -> str:
        """A few sentences with all of it, in the patterns in which people introduce themselves."""
        introduction = ("我叫{0}", "本人叫{0}", "姓名：{0}", "联系人：{0}", "{0}先生")[(self.serial + offset) % 5]
        number = (
            self.id_number if self.serial % 2 else f"{self.id_number[:6]} {self.id_number[6:14]} {self.id_number[14:]}"
        )
        card = self.card if self.serial % 3 else " ".join(self.card[i : i + 4] for i in range(0, len(self.card), 4))
        who = introduction.format(self.name)
        return f"{who}，电话{self.spelled(offset)}，身份证{number}，银行卡号{card}。"


def people(count: int) -> list[Person]:
    """Return ``count`` different people, always the same ones."""
    draw = random.Random(20261125)
    return [_person(draw, serial) for serial in range(count)]


def _person(draw: random.Random, serial: int) -> Person:
    name = SURNAMES[serial % len(SURNAMES)] + GIVEN[serial // len(SURNAMES) % len(GIVEN)]
    phone = f"1{draw.choice('3578')}{draw.choice('356789')}{draw.randrange(10**8):08d}"
    birth = f"19{draw.randrange(50, 99)}{draw.randrange(1, 13):02d}{draw.randrange(1, 29):02d}"
    id_number = f"43010{draw.randrange(1, 9)}{birth}{draw.randrange(10**3):03d}{draw.choice('0123456789X')}"
    return Person(serial, name, phone, id_number, _luhn(f"62220212{draw.randrange(10**10):010d}"))


def _luhn(digits: str) -> str:
    doubled = [sum(divmod(2 * int(d), 10)) if i % 2 == 0 else int(d) for i, d in enumerate(reversed(digits))]
    return digits + str(-sum(doubled) % 10)


def hits(text: str, seeds: list[Person]) -> Iterator[str]:
    """Yield what of the seeds stands in ``text``, however it is written there."""
    plain = unquote(html.unescape(text))
    if "\\u" in plain:
        plain = re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), plain)
    digits = plain.translate(_DIGITS)
    # What stands between digits is dropped, line breaks and quotes excepted, so that columns do not run together.
    squeezed = re.sub(r"(?<=\d)[-. ·()_]{1,2}(?=\d)", "", digits)
    for person in seeds:
        for kind, needle in (("phone", person.phone), ("id", person.id_number), ("card", person.card)):
            if needle in squeezed:
                yield f"{kind} of person {person.serial}"
        if person.name in plain:
            yield f"name of person {person.serial}"


@dataclass(frozen=True)
class Place:
    """Where something was looked at, and what stood there."""

    name: str
    text: str


def leaks(places: list[Place], seeds: list[Person]) -> dict[str, Any]:
    """Return what was found where; empty when all is well."""
    found = {place.name: sorted(set(hits(place.text, seeds)))[:4] for place in places}
    return {name: what for name, what in found.items() if what}
