"""What must not become a feature: people's names, and runs of digits that could name or reach somebody."""

import re
from functools import cache
from importlib.resources import files

from hotline.domain.masking import SURNAME

_NAME = re.compile(rf"{SURNAME}[一-鿿]{{1,2}}")
_DIGITS = re.compile(r"\d{7,}")


def looks_personal(feature: str) -> bool:
    """Whether a word or a pair of words holds a person's name or a long number."""
    return _DIGITS.search(feature) is not None or any(is_person_name(part) for part in feature.split(" "))


def is_person_name(token: str) -> bool:
    """Tell 张建国 from 高新区.

    A name starts with a surname, goes on with one or two characters, and the dictionary either calls it a name or does
    not know it at all.  Words that this would catch by mistake and that were looked at are let through.
    """
    if not _NAME.fullmatch(token) or token in _reviewed():
        return False
    return _dictionary().get(token, "nr") == "nr"


@cache
def _dictionary() -> dict[str, str]:
    """jieba's dictionary: word → part of speech; ``nr`` marks a person's name."""
    with files("jieba").joinpath("dict.txt").open(encoding="utf-8") as lines:
        return {word: tag for word, _, tag in (line.split() for line in lines)}


@cache
def _reviewed() -> frozenset[str]:
    """Words that the dictionary calls names and that are none here; each was looked at."""
    return frozenset(files("hotline.ml").joinpath("not_names.txt").read_text(encoding="utf-8").split())
