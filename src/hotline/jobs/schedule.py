"""What happens by the clock: the beat's tick sweeps the queue and enqueues periodic work, once per slot.

Any number of beats may tick at the same time: a slot's job has a key that exists once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from hotline.jobs.queue import Sweep, enqueue, sweep
from hotline.jobs.registry import (
    ARCHIVE,
    BULLETINS,
    CLOCK,
    COUNT,
    PRUNE,
    RETENTION,
    RETRAIN,
    SEARCH_WORDS,
    TOPICS,
    JobKind,
)


@dataclass(frozen=True, slots=True)
class Periodic:
    """Work of ``kind`` that falls due every ``every``, counted from the Unix epoch."""

    kind: JobKind
    every: timedelta

    def slot(self, now: datetime) -> int:
        """Number the slot that ``now`` lies in."""
        return int(now.timestamp() // self.every.total_seconds())


SCHEDULE: tuple[Periodic, ...] = (
    Periodic(CLOCK, timedelta(minutes=1)),
    Periodic(COUNT, timedelta(minutes=1)),
    Periodic(TOPICS, timedelta(hours=1)),
    Periodic(BULLETINS, timedelta(hours=1)),
    Periodic(ARCHIVE, timedelta(hours=1)),
    Periodic(PRUNE, timedelta(hours=1)),
    Periodic(SEARCH_WORDS, timedelta(hours=1)),
)


# Only where the city has said so (HOTLINE_RETENTION_AUTOMATIC).  A batch an hour keeps up with any city.
RETENTION_SCHEDULE = Periodic(RETENTION, timedelta(hours=1))


def retraining_schedule(days: float) -> Periodic:
    """Train a new model every so many days."""
    return Periodic(RETRAIN, timedelta(days=days))


def tick(
    session: Session, now: datetime, *, ring_again_seconds: float, schedule: Sequence[Periodic] = SCHEDULE
) -> Sweep:
    """Enqueue what has fallen due by ``now`` and sweep the queue."""
    for periodic in schedule:
        enqueue(session, periodic.kind, {}, dedupe_key=f"{periodic.kind.name}:{periodic.slot(now)}")
    return sweep(session, ring_again_seconds=ring_again_seconds)
