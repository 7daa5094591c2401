"""What must not become a feature: people's names, and runs of digits that could name or reach somebody."""

import re
from functools import cache
from importlib.resources import files

from hotline.domain.masking import SURNAME

_NAME = re.compile(rf"{SURNAME}[一-鿿]{{1,2}}")
_DIGITS = re.compile(r"\d{7,}")


def looks_personal(feature: str) -> bool:
    """Whether a feature holds a person's name (a surname and one or two characters that no dictionary knows as a word)
    or a long number.
    """
    return _DIGITS.search(feature) is not None or any(is_person_name(part) for part in feature.split(" "))


def is_person_name(token: str) -> bool:
    """Tell 张建国 from 高新区: it starts with a surname and the dictionary either calls it a name or does not know it.

    Two characters are a name only when the dictionary says so, because most of them are pieces of ordinary words.
    """
    if not _NAME.fullmatch(token):
        return False
    tag = _dictionary().get(token)
    return tag == "nr" and token not in _reviewed()


@cache
def _dictionary() -> dict[str, str]:
    """jieba's dictionary: word → part of speech; ``nr`` marks a person's name."""
    with files("jieba").joinpath("dict.txt").open(encoding="utf-8") as lines:
        return {word: tag for word, _, tag in (line.split() for line in lines)}


@cache
def _reviewed() -> frozenset[str]:
    """Words that the dictionary calls names and that are none here; each was looked at."""
    return frozenset(files("hotline.ml").joinpath("not_names.txt").read_text(encoding="utf-8").split())
