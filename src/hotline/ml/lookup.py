"""From texts to rows of the vocabulary, for many texts at once.

A feature is looked up by a whole number instead of by a string: words and characters have numbers, and a run of one to
three of them makes a key.  Most runs of a text are no feature of the model, and no string is made for them.  What is
found are the features that ``features.EXTRACTORS`` spells out; a test holds both equal.
"""

from collections.abc import Sequence
from itertools import chain, repeat

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

_SPREAD = np.uint64(0x9E3779B97F4A7C15)
_NONE = -1
_ROOM = 4
"""Places for each key: with three of four empty, most keys are found or missed at the first place."""


class Table:
    """Keys (≥ 0, all different) with their rows: a hash table with open addressing that answers for many at once."""

    def __init__(self, keys: Ints, rows: Ints) -> None:
        bits = max(4, (_ROOM * len(keys)).bit_length())
        self._shift, self._last = np.uint64(64 - bits), (1 << bits) - 1
        self._keys = np.full(1 << bits, _NONE, np.int64)
        self._rows = np.full(1 << bits, _NONE, np.int64)
        places = self._first(keys)
        while len(keys):
            free = np.flatnonzero(self._keys[places] == _NONE)
            put = free[np.unique(places[free], return_index=True)[1]]
            self._keys[places[put]], self._rows[places[put]] = keys[put], rows[put]
            keys, rows, places = np.delete(keys, put), np.delete(rows, put), np.delete(places, put)
            places = (places + 1) & self._last

    def find(self, keys: Ints) -> Ints:
        """Return the row of each key, −1 where there is none."""
        places = self._first(keys)
        there = self._keys[places]
        rows: Ints = np.where(there == keys, self._rows[places], _NONE)
        on = np.flatnonzero((there != keys) & (there != _NONE))
        places = places[on]
        while len(on):
            places = (places + 1) & self._last
            there, asked = self._keys[places], keys[on]
            rows[on] = np.where(there == asked, self._rows[places], _NONE)
            further = (there != asked) & (there != _NONE)
            on, places = on[further], places[further]
        return rows

    def _first(self, keys: Ints) -> Ints:
        """Where a key is looked for first: the highest bits of a product put neighbours far apart."""
        places: Ints = ((keys.view(np.uint64) * _SPREAD) >> self._shift).view(np.int64)
        return places


class _Runs:
    """The features of a block, each a run of parts; parts are numbered from 1 on, and 0 is a part of no feature."""

    def __init__(self, features: Sequence[Sequence[str]], first_row: int) -> None:
        self._number = {part: n for n, part in enumerate(dict.fromkeys(chain.from_iterable(features)), 1)}
        self._base = len(self._number) + 1
        self._longest = max(map(len, features), default=0)
        keys = np.zeros(len(features), np.int64)
        for i, feature in enumerate(features):
            for part in feature:
                keys[i] = keys[i] * self._base + self._number[part]
        self._table = Table(keys, np.arange(len(features)) + first_row)

    def _find(self, numbers: Ints, lengths: Sequence[int]) -> tuple[Ints, Ints]:
        """Return the known runs, repeats included: their texts and their rows; single parts first, then pairs.

        ``numbers`` holds the parts of all texts in order, ``lengths`` how many each text has.
        """
        owners = np.repeat(np.arange(len(lengths)), lengths)
        keys, known = numbers, numbers > 0
        found_keys, found_owners = [keys[known]], [owners[known]]
        for more in range(1, self._longest):
            keys = keys[:-1] * self._base + numbers[more:]
            known = known[:-1] & (numbers[more:] > 0) & (owners[: len(keys)] == owners[more:])
            found_keys.append(keys[known])
            found_owners.append(owners[: len(keys)][known])
        rows, owners = self._table.find(np.concatenate(found_keys)), np.concatenate(found_owners)
        hit = rows >= 0
        return owners[hit], rows[hit]


class WordRuns(_Runs):
    """Features of words: each is a word or two with a blank between them."""

    def __init__(self, features: Sequence[str], first_row: int) -> None:
        super().__init__([feature.split(" ") for feature in features], first_row)

    def find(self, texts: Sequence[Sequence[str]]) -> tuple[Ints, Ints]:
        """Return texts and rows of the known features of texts that are cut into words."""
        lengths = [len(words) for words in texts]
        numbers = map(self._number.get, chain.from_iterable(texts), repeat(0))
        return self._find(np.fromiter(numbers, np.int64, sum(lengths)), lengths)


class CharacterRuns(_Runs):
    """Features of characters; texts are read as numbers at once and not character by character."""

    def __init__(self, features: Sequence[str], first_row: int) -> None:
        super().__init__(features, first_row)
        codes = np.array([ord(character) for character in self._number], np.int64)
        self._of_code = np.zeros(int(codes.max(initial=0)) + 2, np.int64)
        self._of_code[codes] = np.arange(1, len(codes) + 1)

    def find(self, texts: Sequence[str]) -> tuple[Ints, Ints]:
        """Return texts and rows of the known features of texts."""
        codes = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), np.uint32)
        return self._find(self._of_code[np.minimum(codes, len(self._of_code) - 1)], [len(text) for text in texts])
