"""From a citizen's text to tokens: hygiene first, then segmentation.

Hygiene makes one writing of many (traditional → simplified, full-width → plain, whitespace) and leaves nothing of a
person in the text: phones, IDs, cards, plates, e-mail addresses and introduced names become one class character each,
and so do amounts, dates, times, house and other numbers.  A class is a single character so that character n-grams see
it as one sign.
"""

import importlib.metadata
import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import zhconv

from hotline.domain.masking import find_personal, fold_width

MAX_CHARS = 1000
"""Only the first characters of a content are read: what a citizen wants stands there, and one call's time stays
bounded.
"""

CLASSES = {
    "phone": "☎",
    "id": "◉",
    "card": "▤",
    "plate": "▣",
    "email": "✉",
    "name": "☺",
    "amount": "¤",
    "date": "◷",
    "time": "◔",
    "house": "⌂",
    "number": "№",
}
"""Class name → its character.  NFKC runs before, so none of them can be decomposed again."""

_SURROGATE = re.compile("[\ud800-\udfff]")
# Patterns begin with what is searched for fast, and look back from there.
_ANONYMOUS_PLACE = re.compile(r"[A-Z](?<![A-Za-z][A-Z])\d{0,2}(?=[市县区州])")
_DIGIT = re.compile(r"\d")
_PUBLIC_NUMBERS = "12345|12315|12306|12333|12388|12348|12328|12369|12366|12320|12393|12337"
_SHORT_NUMBERS = r"110|119|120|122|114|10086|10010|10000|96\d{3,4}|[2345]g|5a|3c"
_NUMBER = re.compile(
    rf"(?P<keep>(?<![\da-z.])(?:{_PUBLIC_NUMBERS}|{_SHORT_NUMBERS})(?![\da-z.]))"
    r"|(?P<date>\d{4}[年./-]\d{1,2}[月./-]\d{1,2}日?|\d{4}年(?:\d{1,2}月)?|\d{1,2}月\d{1,2}[日号]?|(?<![\d.])(?:19|20)\d{2}(?![\d.]))"
    r"|(?P<time>\d{1,2}[点时:]\d{0,2}分?)"
    r"|(?P<amount>\d[\d,.]*(?=[多余几]?(?:元|块|万|亿|千|毛|角)))"
    r"|(?P<house>[a-z]?\d+[a-z]?(?:-\d+)*(?=号楼|栋|幢|单元|室|号(?!线)|楼|层|户|弄|座))"
    r"|(?P<number>\d[\d,.]*\d|\d)"
)
# jieba keeps a dot inside "a.b" apart and rjieba keeps it in; without these signs the two cut the same.
_SPACE = re.compile(r"[\s.#&+_%-]+")
_SIGNS = frozenset(CLASSES.values())


class SegmenterError(ValueError):
    """The segmenter a model asks for is not installed, or not in the version family the model was trained with."""


@cache
def _traditional() -> re.Pattern[str]:
    """The characters that zhconv would change; texts without any of them skip the conversion."""
    # Named by its path, the dictionary is read and closed; by default zhconv leaves the file open.
    zhconv.zhconv.loaddict(str(files("zhconv").joinpath("zhcdict.json")))
    table: dict[str, str] = zhconv.zhconv.getdict("zh-hans")
    # One range for the rare characters beyond the first plane: a class with single ones among them is read slowly.
    olds = [old for old, new in table.items() if len(old) == 1 and old != new and old < "\U00010000"]
    return re.compile(f"[{''.join(olds)}\U00010000-\U0010ffff]")


def clean(text: str, limit: int = MAX_CHARS) -> str:
    """Return the text as the model sees it: one script, one width, no personal data, numbers as classes, lower case."""
    text = _ANONYMOUS_PLACE.sub("某", plain(text, limit)).lower()
    return _SPACE.sub(" ", _classify_numbers(text)).strip()


def plain(text: str, limit: int = MAX_CHARS) -> str:
    """Return the text in one script and one width and without personal data; numbers and anonymous places stay."""
    if not text:
        return ""
    # Folding first spares most texts the full normal form, which comes out the same.
    text = fold_width(_SURROGATE.sub("", text[: 2 * limit]).replace("\x00", " "))
    if not unicodedata.is_normalized("NFKC", text):
        text = unicodedata.normalize("NFKC", text)
    if _traditional().search(text):
        text = zhconv.convert(text, "zh-hans")
    return _hide_personal(text[:limit])


def _hide_personal(text: str) -> str:
    out, position = [], 0
    for span in find_personal(text):
        out += [text[position : span.start], CLASSES[span.kind]]
        position = span.end
    return "".join(out) + text[position:]


def _classify_numbers(text: str) -> str:
    """Replace each number by its class; from digit to digit, since a search would try every character."""
    out, position = [], 0
    while digit := _DIGIT.search(text, position):
        start = digit.start()
        # A house number may begin with a letter.
        found = (start > position and _NUMBER.match(text, start - 1)) or _NUMBER.match(text, start)
        assert found
        kind = found.lastgroup or "number"
        out += [text[position : found.start()], found.group() if kind == "keep" else CLASSES[kind]]
        position = found.end()
    return "".join(out) + text[position:]


def is_word(token: str) -> bool:
    """Tell words and classes from punctuation; a segmenter never mixes them in one token."""
    return token[0].isalnum() or token in _SIGNS


@dataclass(frozen=True, slots=True)
class SegmenterSpec:
    """What a manifest records: which program cut the training texts, in which version, with which extra words."""

    name: str
    version: str
    words: tuple[str, ...] = ()


def installed(name: str = "rjieba", words: Iterable[str] = ()) -> SegmenterSpec:
    """Describe the segmenter as it is installed here.  Raises ``SegmenterError`` when there is none of that name."""
    if name not in ("jieba", "rjieba"):
        raise SegmenterError(f"unknown segmenter {name!r}; known are jieba and rjieba")
    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError as error:
        raise SegmenterError(f"the segmenter {name} is not installed") from error
    return SegmenterSpec(name, version, tuple(words))


@cache
def segmenter(spec: SegmenterSpec) -> Callable[[str], list[str]]:
    """Return the function that cuts a cleaned text into tokens, exactly as ``spec`` says.

    There is no fallback from one segmenter to the other: they differ on some texts, and a model served with other
    tokens than it learned from would be wrong without a sign.  Raises ``SegmenterError``.
    """
    here = installed(spec.name, spec.words)
    if here.version.split(".")[:2] != spec.version.split(".")[:2]:
        raise SegmenterError(f"the model needs {spec.name} {spec.version}, installed is {here.version}")
    cutter: Any
    if spec.name == "rjieba":
        import rjieba

        cutter = rjieba.Jieba()
        for word in spec.words:
            cutter.add_word(word, None, None)
        rust_cut: Callable[[str], list[str]] = cutter.cut
        return rust_cut
    import jieba

    cutter = jieba.Tokenizer()
    for word in spec.words:
        cutter.add_word(word)
    python_cut: Callable[[str], list[str]] = cutter.lcut
    return python_cut
