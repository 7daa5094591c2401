"""A message as similarity reads it.  Unlike for triage, numbers and anonymised places stay: they tell events apart."""

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hotline.ml.places import Places, find_places, set_apart
from hotline.ml.privacy import is_person_name
from hotline.ml.segment import is_word, plain

TITLE_CHARS = 120
CONTENT_CHARS = 600
SHINGLE = 5
COMMON_SHARE = 0.01
"""A word in more than one of a hundred texts of the corpus is common and no part of a name."""

_BREAK = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Message:
    """What is compared: ``at`` is when it was received, in Unix seconds; None when nobody knows."""

    title: str
    content: str
    at: float | None = None


@dataclass(frozen=True, slots=True)
class Frequencies:
    """In how many of ``texts`` texts each word and each piece of two or three characters occurs."""

    texts: int
    words: Mapping[str, int]
    pieces: Mapping[str, int]

    def is_common(self, word: str) -> bool:
        """Whether a word occurs everywhere and so names nothing."""
        return self.words.get(word, 0) > self.texts * COMMON_SHARE


@dataclass(frozen=True, slots=True)
class Reading:
    """A message after hygiene and segmentation, with everything that a comparison looks at."""

    at: float | None
    length: int
    pieces: Counter[str]
    words: Counter[str]
    title_pieces: Counter[str]
    title_words: Counter[str]
    shingles: frozenset[str]
    places: Places
    title_places: Places

    def topic(self, words: Mapping[str, int]) -> set[str]:
        """Those of ``words`` that are no part of a place."""
        names = "".join(self.places.all_names)
        return {word for word in words if len(word) > 1 and word not in names}


def read_message(message: Message, cut: Callable[[str], list[str]], known: Frequencies) -> Reading:
    """Clean and cut one message; whoever is named in it becomes one sign."""
    title, body = _normal(message.title, TITLE_CHARS), _normal(message.content, CONTENT_CHARS)
    title_words = [*filter(is_word, cut(set_apart(title)))] if title else []
    words = [*title_words, *filter(is_word, cut(set_apart(body)))]
    bare = _BREAK.sub("", body)
    return Reading(
        at=message.at,
        length=len(body),
        pieces=Counter(pieces_of(f"{title} {body}")),
        words=Counter(words),
        title_pieces=Counter(pieces_of(title)),
        title_words=Counter(title_words),
        shingles=frozenset(bare[i : i + SHINGLE] for i in range(len(bare) - SHINGLE + 1)),
        places=find_places(f"{title} {body}", words, known.is_common),
        title_places=find_places(title, title_words, known.is_common),
    )


def pieces_of(text: str) -> list[str]:
    """Pieces of two and three characters; none reaches over punctuation."""
    text = _BREAK.sub(" ", text)
    runs = text.split(" ")
    return [run[i : i + n] for run in runs for n in (2, 3) for i in range(len(run) - n + 1)]


def rare_words(reading: Reading, known: Frequencies, rare_from: float) -> dict[str, float]:
    """Words whose idf reaches ``rare_from``, with their weights; people's names are left out."""
    weights = {word: math.log((known.texts + 1) / (known.words.get(word, 0) + 0.5)) for word in reading.words}
    return {
        word: (1 + math.log(reading.words[word])) * weight
        for word, weight in weights.items()
        if weight >= rare_from and not is_person_name(word)
    }


def _normal(text: str, limit: int) -> str:
    return re.sub(r"\s+", " ", plain(text, limit).lower()).strip()
