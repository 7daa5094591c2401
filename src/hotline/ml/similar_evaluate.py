"""Measuring "similar": what is found again, how surely, and how often look-alikes are taken for one event."""

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

from hotline.ml.figure import Figure
from hotline.ml.scorer import Ints
from hotline.ml.similar import NEIGHBOURS, SimilarModel
from hotline.ml.similar_data import Record
from hotline.ml.similar_fit import HeldOut, Progress, held_out, same_event, threshold_for

PRECISION = 0.95
EVENTS = "messages with known events"


def answer(
    model: SimilarModel,
    records: Sequence[Record],
    look_alikes: Sequence[tuple[int, int]],
    *,
    out_of_fold: bool,
    progress: Progress[tuple[int, int]],
) -> HeldOut:
    """Judge all candidate pairs and the look-alikes: by the model as it is, or out of fold when it knows the data."""
    collection = model.collect([model.read(record.message) for record in records])
    pairs = with_pairs(collection.candidates(), look_alikes)
    events = [record.event for record in records]
    if out_of_fold:
        seed = int(model.manifest["seed"])
        return held_out(collection.inputs(pairs), pairs, events, seed, progress)[0]
    return HeldOut(pairs, same_event(events, pairs), model.scores(collection, pairs).astype(np.float64))


def with_pairs(pairs: Ints, more: Sequence[tuple[int, int]]) -> Ints:
    """Add pairs that may be there already."""
    return np.array(sorted({*map(tuple, pairs.tolist()), *more}), np.int64).reshape(-1, 2)


def figures(
    answers: HeldOut, events: Sequence[int | None], look_alikes: Sequence[tuple[int, int]], threshold: float
) -> list[Figure]:
    """Return the table: recall, what is found at 95 % precision, and all of it at the model's own threshold."""
    sizes = Counter(event for event in events if event is not None)
    partnered = {row for row, event in enumerate(events) if event is not None and sizes[event] > 1}
    at_precision = threshold_for(answers, PRECISION)
    table = [
        Figure("recall@5 of the same event", EVENTS, _recall(answers, events, sizes, partnered), 0.97, 0.985),
        Figure("found at 95 % precision of all pairs", EVENTS, _found(answers, partnered, at_precision), 0.75, 0.90),
        Figure("found at 95 % precision of each message's nearest", EVENTS, _found_by_nearest(answers, partnered)),
        Figure("at the model's threshold: found", EVENTS, _found(answers, partnered, threshold)),
        Figure("at the model's threshold: precision", EVENTS, _precision(answers, threshold)),
    ]
    if look_alikes:
        p = dict(zip(map(tuple, answers.pairs.tolist()), answers.p.tolist(), strict=True))
        wrongly = [float(np.mean([p[pair] >= limit for pair in look_alikes])) for limit in (at_precision, threshold)]
        table.insert(3, Figure("look-alikes wrongly joined at 95 % precision", EVENTS, wrongly[0], 0.10, 0.03, True))
        table.append(Figure("at the model's threshold: look-alikes wrongly joined", EVENTS, wrongly[1]))
    return table


def format_table(table: Sequence[Figure]) -> str:
    """Return the figures as lines, those below the floor marked."""
    lines = [f"{'figure':<54}{'measured':>9}{'floor':>8}{'aim':>8}"]
    for figure in table:
        limits = "".join(f"{'' if limit is None else f'{limit:.3f}':>8}" for limit in (figure.floor, figure.aim))
        note = "" if figure.holds else "  misses the floor"
        lines.append(f"{figure.name:<54}{figure.value:>9.3f}{limits}{note}")
    return "\n".join(lines)


def _recall(answers: HeldOut, events: Sequence[int | None], sizes: Counter[int], partnered: set[int]) -> float:
    """Of each message's partners (of five at most) the share among its five nearest, averaged over messages."""
    near: dict[int, list[tuple[float, int]]] = defaultdict(list)
    for (one, other), p in zip(answers.pairs.tolist(), answers.p.tolist(), strict=True):
        near[one].append((p, other))
        near[other].append((p, one))
    shares = []
    for row in partnered:
        best = sorted(near[row], reverse=True)[:NEIGHBOURS]
        hits = sum(events[other] == events[row] for _, other in best)
        event = events[row]
        assert event is not None
        shares.append(hits / min(sizes[event] - 1, NEIGHBOURS))
    return float(np.mean(shares))


def _found(answers: HeldOut, partnered: set[int], threshold: float) -> float:
    right = answers.pairs[answers.same & (answers.p >= threshold)]
    return len(set(right.ravel().tolist())) / len(partnered)


def _precision(answers: HeldOut, threshold: float) -> float:
    joined = answers.p >= threshold
    return float(answers.same[joined].mean()) if joined.any() else 1.0


def _found_by_nearest(answers: HeldOut, partnered: set[int]) -> float:
    """The same when only each message's nearest is taken, as when an agent is shown one."""
    nearest: dict[int, tuple[float, bool]] = {}
    for pair, p, same in zip(answers.pairs.tolist(), answers.p.tolist(), answers.same.tolist(), strict=True):
        for row in pair:
            nearest[row] = max(nearest.get(row, (-1.0, False)), (p, same))
    ranked = sorted(nearest.values(), key=lambda pair: -pair[0])
    right = np.cumsum([same for _, same in ranked])
    enough = np.flatnonzero(right / np.arange(1, len(right) + 1) >= PRECISION)
    return float(right[enough[-1]]) / len(partnered) if len(enough) else 0.0
