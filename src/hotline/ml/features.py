"""Which features a text has.  Training spells them out; serving finds the same ones by number (``lookup``).

Three blocks, each normalised for itself:

- ``word``: words and pairs of neighbours, of title and content;
- ``char``: pieces of one to three characters, which carry over to words that the segmenter does not know;
- ``title``: the title's words once more, because whoever writes a title has already decided what the matter is.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise
from operator import add

from hotline.ml.segment import CLASSES, SegmenterSpec, clean, is_word, segmenter

BLOCKS = ("word", "char", "title")

TITLE_CHARS = 100
CONTENT_CHARS = 500
"""Longer letters repeat themselves and tell their history after this; cross-validation gains nothing from the rest."""

_BREAK = re.compile(rf"[^\w{''.join(CLASSES.values())}]+")


@dataclass(frozen=True, slots=True)
class Document:
    """A text after hygiene and segmentation: ``text`` feeds the characters, the word lists feed words and title."""

    text: str
    title_words: tuple[str, ...]
    words: tuple[str, ...]


def read_documents(texts: Iterable[tuple[str, str]], spec: SegmenterSpec) -> Iterable[Document]:
    """Yield a document for each (title, content), cut by the segmenter that ``spec`` names."""
    cut = segmenter(spec)
    for title, content in texts:
        yield read_document(title, content, cut)


def read_document(title: str, content: str, cut: Callable[[str], list[str]]) -> Document:
    """Clean and cut one text.  Title and content are joined for words and characters."""
    head, body = clean(title, TITLE_CHARS), clean(content, CONTENT_CHARS)
    title_words = tuple(filter(is_word, cut(head))) if head else ()
    words = title_words + tuple(filter(is_word, cut(body)))
    return Document(_BREAK.sub(" ", f"{head} {body}" if head else body), title_words, words)


def word_features(document: Document) -> list[str]:
    """Words and pairs of neighbours."""
    return [*document.words, *_pairs(document.words)]


def char_features(document: Document) -> list[str]:
    """Pieces of one, two and three characters; punctuation counts as one space."""
    text = document.text
    two = list(map(add, text, text[1:]))
    return [*text, *two, *map(add, two, text[2:])]


def title_features(document: Document) -> list[str]:
    """The title's words and pairs; empty for a phone call without a title."""
    return [*document.title_words, *_pairs(document.title_words)]


Extractor = Callable[[Document], list[str]]

EXTRACTORS: tuple[Extractor, ...] = (word_features, char_features, title_features)
"""In the order of ``BLOCKS``."""


def _pairs(words: tuple[str, ...]) -> list[str]:
    return [f"{left} {right}" for left, right in pairwise(words)]
