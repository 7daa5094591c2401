"""How texts are cut for the search box: documents into overlapping pairs of characters, questions into words.

A dictionary cuts the same characters differently beside different neighbours (供水管道 becomes 供水管 and 道, where
nobody finds 管道).  Pairs are found wherever they stand, whatever the dictionary and its version; the dictionary only
tells which characters of a question belong together.
"""

import re
from collections import defaultdict
from collections.abc import Callable
from itertools import groupby
from typing import cast

from hotline.ml.segment import installed, segmenter

# What PostgreSQL keeps of a tsvector: places up to 16383, and 256 of them for one lexeme.
_LONGEST, _MOST_PLACES = 8000, 255

_RUN = re.compile(r"[㐀-鿿]+|[0-9a-z]+")
_PARTICLES = "的了着在是和与就也都"
_PLACE_ENDINGS = "路街道巷弄村镇乡区县市桥站园里湾"


def runs(text: str) -> list[str]:
    """Return the runs of Chinese characters and of letters and digits in ``text``, in lower case."""
    return _RUN.findall(text.lower())


def document_vector(*texts: str) -> str:
    """Return the texts as PostgreSQL reads a ``tsvector``: every pair of characters with its places."""
    places: dict[str, list[int]] = defaultdict(list)
    place = 1
    for run in runs("\n".join(texts)[:_LONGEST]):
        # The last character begins no pair; alone it lets every character be found as a beginning.
        last = [run[-1]] if _is_chinese(run) and len(run) > 1 else []
        for offset, lexeme in enumerate([*_lexemes(run), *last]):
            places[lexeme].append(place + offset)
        # The gap keeps a phrase from reaching over what stands between two runs.
        place += len(run) + 1
    return " ".join(
        f"{lexeme}:{','.join(str(p) for p in found[:_MOST_PLACES])}" for lexeme, found in sorted(places.items())
    )


def question_words(question: str) -> list[str]:
    """Return the words of a question, each once.

    Characters that the dictionary leaves alone belong together when they stand together (金茂), and one that ends the
    name of a place belongs to that name (幸福路); particles say nothing.
    """
    words: list[str] = []
    for run in runs(question):
        words += _chinese_words(run) if _is_chinese(run) else [run]
    return list(dict.fromkeys(words))


def _chinese_words(run: str) -> list[str]:
    words: list[str] = []
    for alone, group in groupby(_cut(run), key=lambda word: len(word) == 1):
        if not alone:
            words += group
            continue
        left = "".join(group).strip(_PARTICLES)
        if words and left and left[0] in _PLACE_ENDINGS:
            words[-1] += left[0]
            left = left[1:].strip(_PARTICLES)
        if left:
            words.append(left)
    return words


def _cut(run: str) -> list[str]:
    """Cut by the dictionary alone: what a model of language guesses of a question this short is often no word."""
    cut = cast(Callable[[str, bool], list[str]], segmenter(installed()))
    return cut(run, False)


def words_query(words: list[str]) -> str:
    """Return the words, each of which has to stand in the text, as PostgreSQL reads a ``tsquery``."""
    return " & ".join(_phrase(word) for word in words)


def _phrase(word: str) -> str:
    if len(word) == 1 and _is_chinese(word):
        return f"{word}:*"
    return "(" + " <-> ".join(_lexemes(word)) + ")"


def _lexemes(run: str) -> list[str]:
    if len(run) == 1 or not _is_chinese(run):
        return [run]
    return [run[i : i + 2] for i in range(len(run) - 1)]


def _is_chinese(run: str) -> bool:
    return "㐀" <= run[0] <= "鿿"
