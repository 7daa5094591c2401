"""Learn the space of similar messages from a corpus; only training needs this, and what it imports is large."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from sklearn.decomposition import TruncatedSVD
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from hotline.ml.privacy import is_person_name, looks_personal
from hotline.ml.scorer import Floats
from hotline.ml.similar_space import TOPIC, Space, SpaceWeights
from hotline.ml.similar_text import Frequencies, Message, read_message

MIN_TEXTS = 3
MIN_TEXTS_OF_A_PIECE = 5
VOCABULARY = 20_000
MIN_TEXTS_OF_A_MATTER = 10
SHRINKAGE = 0.1


def fit_space(
    messages: Sequence[Message], matters: Sequence[str | None], cut: Callable[[str], list[str]], seed: int
) -> SpaceWeights:
    """Learn frequencies, axes and matters from a corpus; a message's matter is None where nobody knows.

    No term from fewer than ``MIN_TEXTS`` texts is kept, and none that names a person.
    """
    nothing = Frequencies(len(messages), {}, {})
    readings = [read_message(message, cut, nothing) for message in messages]
    names = {w for reading in readings for w in reading.words if len(w) > 2 and is_person_name(w)}
    words, word_texts = _often([list(reading.words) for reading in readings], lambda w: not looks_personal(w))
    pieces, piece_texts = _often(
        [list(reading.pieces) for reading in readings], lambda piece: piece not in names, MIN_TEXTS_OF_A_PIECE
    )
    axes_of = (min(VOCABULARY, len(words)), min(VOCABULARY, sum(len(piece) == 2 for piece in pieces)))
    bare = SpaceWeights(
        words="\n".join(words),
        word_texts=np.array(word_texts, np.int32),
        pieces="\n".join(pieces),
        piece_texts=np.array(piece_texts, np.int32),
        texts=np.array([len(messages)], np.int32),
        axes=np.zeros((sum(axes_of), TOPIC), np.float16),
        axes_of=np.array(axes_of, np.int32),
        subject=np.zeros((TOPIC, 1), np.float32),
        subject_from=np.zeros(1, np.float32),
    )
    terms = Space(bare).terms(readings)
    fitted = TruncatedSVD(min(TOPIC, terms.shape[1] - 1, terms.shape[0] - 1), n_iter=4, random_state=seed).fit(terms)
    bare.axes[:, : len(fitted.components_)] = (fitted.components_ / np.sqrt(fitted.singular_values_)[:, None]).T
    return _with_subjects(bare, Space(bare).topics(readings), matters)


def _with_subjects(space: SpaceWeights, topics: Floats, matters: Sequence[str | None]) -> SpaceWeights:
    """Learn to tell matters apart by topic; without two that have enough texts all messages are of one."""
    often = {matter for matter, number in Counter(matters).items() if matter and number >= MIN_TEXTS_OF_A_MATTER}
    rows = np.array([row for row, matter in enumerate(matters) if matter in often], np.int64)
    if len(often) < 3:
        return space
    # Shrunk, since a rare matter has fewer texts than there are axes.
    fitted = LinearDiscriminantAnalysis(solver="eigen", shrinkage=SHRINKAGE)
    fitted.fit(topics[rows], np.array([matters[row] for row in rows]))
    return replace(space, subject=fitted.coef_.T.astype(np.float32), subject_from=fitted.intercept_.astype(np.float32))


def _often(
    texts: Sequence[list[str]], allowed: Callable[[str], bool], at_least: int = MIN_TEXTS
) -> tuple[list[str], list[int]]:
    """Terms in ``at_least`` texts or more, the most frequent first."""
    counted: dict[str, int] = {}
    for text in texts:
        for term in text:
            counted[term] = counted.get(term, 0) + 1
    kept = [(term, n) for term, n in counted.items() if n >= at_least and allowed(term)]
    kept.sort(key=lambda pair: (-pair[1], pair[0]))
    return [term for term, _ in kept], [n for _, n in kept]
