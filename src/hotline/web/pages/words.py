"""Words marked in a text: what was searched for, what the model went by."""

from collections.abc import Sequence

from markupsafe import Markup, escape

_EXCERPT, _BEFORE_WORD = 72, 16


def excerpt(text: str, words: Sequence[str]) -> Markup:
    """Return the part of ``text``, masked already, in which the first of ``words`` stands, with all of them marked."""
    folded = text.lower()
    first = min((at for word in words if (at := folded.find(word)) >= 0), default=0)
    start = max(0, first - _BEFORE_WORD) if len(text) > _EXCERPT else 0
    part = text[start : start + _EXCERPT]
    dots = ("…" if start else "", "…" if start + _EXCERPT < len(text) else "")
    return Markup("{}{}{}").format(dots[0], marked(part, words), dots[1])


def marked(text: str, words: Sequence[str]) -> Markup:
    """Return ``text`` with every place where one of ``words`` stands marked; what it holds never becomes code."""
    folded, covered = text.lower(), [False] * len(text)
    if len(folded) != len(text):
        return escape(text)
    for word in filter(None, words):
        at = folded.find(word)
        while at >= 0:
            covered[at : at + len(word)] = [True] * len(word)
            at = folded.find(word, at + 1)
    pieces, start = Markup(""), 0
    for end in range(1, len(text) + 1):
        if end == len(text) or covered[end] != covered[start]:
            piece = escape(text[start:end])
            pieces += Markup("<mark>{}</mark>").format(piece) if covered[start] else piece
            start = end
    return pieces
