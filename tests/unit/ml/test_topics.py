"""Topics: what lies together is found together, whatever order it comes in, and what belongs nowhere stays alone."""

import numpy as np
import pytest

from hotline.ml.scorer import Floats
from hotline.ml.similar_space import unit
from hotline.ml.topics import NONE, assign, group

DIMENSIONS = 128


def scattered(number: int, spread: float, seed: int = 1) -> tuple[Floats, Floats]:
    """Return ``number`` directions and 60 unit vectors around each, in the order of the directions."""
    draw = np.random.default_rng(seed)
    middles = unit(draw.normal(size=(number, DIMENSIONS)).astype(np.float32))
    noise = draw.normal(scale=spread / np.sqrt(DIMENSIONS), size=(number * 60, DIMENSIONS))
    return middles, unit((np.repeat(middles, 60, axis=0) + noise).astype(np.float32))


def test_every_heap_is_found_whole() -> None:
    middles, vectors = scattered(20, 0.7)
    found = group(vectors, alike=0.5, least=10)
    assert len(found.centres) == 20
    for heap in range(20):
        assert len(set(found.of[heap * 60 : heap * 60 + 60])) == 1
    assert np.allclose(np.sort((found.centres @ middles.T).max(axis=1)), 1, atol=0.1)


def test_what_is_alone_or_few_belongs_to_none() -> None:
    _, vectors = scattered(3, 0.5)
    draw = np.random.default_rng(2)
    strays = unit(draw.normal(size=(40, DIMENSIONS)).astype(np.float32))
    few = np.repeat(unit(draw.normal(size=(1, DIMENSIONS)).astype(np.float32)), 9, axis=0)
    nothing = np.zeros((5, DIMENSIONS), np.float32)
    found = group(np.vstack([vectors, strays, few, nothing]), alike=0.5, least=10)
    assert len(found.centres) == 3
    assert set(found.of[180:]) == {NONE}
    assert NONE not in found.of[:180]


def test_the_same_input_gives_the_same_groups() -> None:
    _, vectors = scattered(12, 1.1)
    one, two = group(vectors, alike=0.4, least=5), group(vectors, alike=0.4, least=5)
    assert np.array_equal(one.of, two.of)


@pytest.mark.parametrize("rows", [0, 1, 4])
def test_too_few_vectors_are_no_topic(rows: int) -> None:
    _, vectors = scattered(1, 0.3)
    found = group(vectors[:rows], alike=0.5, least=5)
    assert len(found.centres) == 0
    assert set(found.of) <= {NONE}
    assert set(assign(vectors, found.centres, alike=0.5)) == {NONE}
