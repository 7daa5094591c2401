"""Group vectors by meaning: leaders first, then a few rounds of means, as k-means does, without a number given before.

Leader clustering (Hartigan 1975, §3) needs one look at the data and finds as many groups as there are; the rounds after
it put each group's centre where its members are.  Everything is matrix products of float32, so that a city's month of
40,000 vectors takes seconds on one processor.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hotline.ml.scorer import Floats

Numbers = NDArray[np.int64]

NONE = -1
"""The group of what belongs to none."""

SEED = 20261126
# As many leaders as vectors are alike; more than this are no topics but single events.
MOST_LEADERS = 1500
ROUNDS = 4
# A single vector lies at the edge of its group, where others of it seem far; a mean lies in the middle, and two that
# are so near are one group that was begun twice.
LEADERS_APART, CENTRES_APART = 0.8, 0.15
# A group that is to be one needs company in every round.
COMPANY = 2
BLOCK = 4096


@dataclass(frozen=True)
class Groups:
    """``of`` (vectors,) gives each vector's group or ``NONE``; ``centres`` (groups, dimensions) are of length one."""

    of: Numbers
    centres: Floats


def group(vectors: Floats, *, alike: float, least: int) -> Groups:
    """Group ``vectors`` (n, dimensions; rows of length one or zero).

    A vector belongs to the nearest centre if their cosine is ``alike`` or more; a group has ``least`` members or more.
    The order of the vectors does not matter for which are read first, but the same input always gives the same groups.
    """
    order = np.random.default_rng(SEED).permutation(len(vectors))
    centres = _leaders(vectors[order], alike * LEADERS_APART)
    for _ in range(ROUNDS):
        of = assign(vectors, centres, alike=alike)
        centres = _apart(_means(vectors, of, len(centres)), alike + CENTRES_APART)
    of = assign(vectors, centres, alike=alike)
    kept = np.flatnonzero(np.bincount(of[of != NONE], minlength=len(centres)) >= least)
    number = np.full(len(centres) + 1, NONE, np.int64)
    number[kept] = np.arange(len(kept))
    return Groups(number[of], centres[kept])


def assign(vectors: Floats, centres: Floats, *, alike: float) -> Numbers:
    """Return the nearest centre of each vector, ``NONE`` where none is ``alike``."""
    of = np.full(len(vectors), NONE, np.int64)
    if not len(centres):
        return of
    for start in range(0, len(vectors), BLOCK):
        near = vectors[start : start + BLOCK] @ centres.T
        best = near.argmax(axis=1)
        enough = near[np.arange(len(best)), best] >= alike
        of[start : start + BLOCK][enough] = best[enough]
    return of


def _leaders(vectors: Floats, alike: float) -> Floats:
    """Take each vector that is not alike to an earlier leader as a leader, up to ``MOST_LEADERS``."""
    leaders = np.empty((MOST_LEADERS, vectors.shape[1]), np.float32)
    number = 0
    for start in range(0, len(vectors), BLOCK):
        block = vectors[start : start + BLOCK]
        new = np.linalg.norm(block, axis=1) > 0
        if number:
            new &= (block @ leaders[:number].T).max(axis=1) < alike
        first = number
        for vector in block[new]:
            if number == MOST_LEADERS:
                return leaders
            if number == first or float((leaders[first:number] @ vector).max()) < alike:
                leaders[number] = vector
                number += 1
    return leaders[:number]


def _means(vectors: Floats, of: Numbers, number: int) -> Floats:
    """Return the directions of the groups' means, the largest group first; single vectors fall out."""
    inside = of != NONE
    sizes = np.bincount(of[inside], minlength=number)
    order = np.argsort(of[inside], kind="stable")
    members, starts = vectors[inside][order], np.r_[0, np.cumsum(sizes)[:-1]]
    kept = [place for place in np.argsort(-sizes, kind="stable") if sizes[place] >= COMPANY]
    means = [members[starts[place] : starts[place] + sizes[place]].mean(axis=0) for place in kept]
    if not means:
        return np.zeros((0, vectors.shape[1]), np.float32)
    found = np.asarray(means, np.float32)
    unit: Floats = found / np.linalg.norm(found, axis=1, keepdims=True)
    return unit


def _apart(centres: Floats, same: float) -> Floats:
    """Leave out centres whose cosine with a larger group's is ``same`` or more."""
    near = centres @ centres.T
    kept: list[int] = []
    for place in range(len(centres)):
        if not kept or float(near[place, kept].max()) < same:
            kept.append(place)
    return centres[kept]
