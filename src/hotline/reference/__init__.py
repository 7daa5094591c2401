"""Reference data that ships with the program, parsed once per process."""

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
