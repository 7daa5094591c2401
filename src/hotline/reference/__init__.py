"""Reference data that ships with the program, parsed once per process."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import yaml

from hotline.domain.successors import Successors, successors_from_mapping
from hotline.domain.taxonomy import Taxonomy, taxonomy_from_mapping


@cache
def load_taxonomy() -> Taxonomy:
    """Return the taxonomy of seven tasks and 66 matters."""
    text = files(__package__).joinpath("taxonomy.yaml").read_text(encoding="utf-8")
    return taxonomy_from_mapping(yaml.safe_load(text))


@cache
def load_successors() -> Successors:
    """Return what became of matters that have left the taxonomy."""
    text = files(__package__).joinpath("successors.yaml").read_text(encoding="utf-8")
    return successors_from_mapping(yaml.safe_load(text), load_taxonomy().codes)


@cache
def load_pinyin() -> Mapping[str, tuple[str, ...]]:
    """Return the syllables of each word of the taxonomy, for searching; ``tools/pinyin`` writes them down."""
    lines = files(__package__).joinpath("pinyin.tsv").read_text(encoding="utf-8").splitlines()
    return {word: tuple(syllables.split()) for word, _, syllables in (line.partition("\t") for line in lines)}
