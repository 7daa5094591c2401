"""Find a matter by what a dispatcher types: its code, its Chinese name, or pinyin, in full or by initials."""

from collections.abc import Mapping

from hotline.domain.taxonomy import Matter, Taxonomy

MOST = 9


def find_matters(taxonomy: Taxonomy, pinyin: Mapping[str, tuple[str, ...]], asked: str) -> list[Matter]:
    """Return up to ``MOST`` matters that ``asked`` may mean, the likeliest first.

    ``pinyin`` gives the syllables of each word of the taxonomy.  Names come before words of the scope, and beginnings
    before what stands further on.
    """
    asked = "".join(asked.lower().split())
    if not asked:
        return []
    ranked = [(rank, matter) for matter in taxonomy.matters.values() if (rank := _rank(matter, pinyin, asked))]
    return [matter for _, matter in sorted(ranked, key=lambda pair: (pair[0], pair[1].code))][:MOST]


def _rank(matter: Matter, pinyin: Mapping[str, tuple[str, ...]], asked: str) -> int:
    """Return how far down the list the matter stands, 1 for the top; 0 when it is not meant."""
    if matter.code.lower().startswith(asked):
        return 1
    ranks = [_rank_of_word(matter.name, pinyin, asked, 2)]
    ranks += [_rank_of_word(word, pinyin, asked, 4) for word in matter.scope]
    return min(filter(None, ranks), default=0)


def _rank_of_word(word: str, pinyin: Mapping[str, tuple[str, ...]], asked: str, first: int) -> int:
    syllables = pinyin.get(word, ())
    spoken, initials = "".join(syllables), "".join(syllable[0] for syllable in syllables)
    if any(form.startswith(asked) for form in (word.lower(), initials, spoken)):
        return first
    # Further on, full pinyin counts from the beginning of a syllable only: "an" is not in "tan".
    starts = (sum(map(len, syllables[:number])) for number in range(len(syllables)))
    if asked in word.lower() or asked in initials or any(spoken.startswith(asked, start) for start in starts):
        return first + 1
    return 0
