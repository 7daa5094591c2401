"""What kinds of background work there are, which queue each waits in, and how stubbornly each is retried."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

# What is left to do outside the database, given the job's id, by which a repetition is known.
Errand = Callable[[int], None]

# A handler takes ids, calls one service and leaves commit and bookkeeping to the runner.  It returns an errand when
# something has to be said over the network, during which no transaction stays open.
Handler = Callable[[Session, Mapping[str, Any]], Errand | None]


QUICK_SECONDS = 50.0
"""What most kinds of work have to be done within."""


@dataclass(frozen=True, slots=True)
class JobKind:
    """One kind of work.

    ``queue`` is the role of the workers that do it; ``retry_after`` is the first back-off in seconds.  A job ends
    itself after ``longest`` seconds; what may outlast a lease has it renewed while it runs.
    """

    name: str
    queue: str
    max_attempts: int = 5
    retry_after: float = 2.0
    longest: float = QUICK_SECONDS

    def backoff(self, attempt: int) -> float:
        """Seconds to wait after the failed ``attempt`` (1 for the first): doubling, at most ten minutes."""
        return float(min(self.retry_after * 2 ** (attempt - 1), 600.0))


TRIAGE = JobKind("triage", queue="triage", max_attempts=8)
NOTIFY = JobKind("notify", queue="notify", max_attempts=8, retry_after=10.0)
CLOCK = JobKind("clock", queue="maintenance", max_attempts=3)
RECOMPUTE = JobKind("recompute", queue="maintenance", max_attempts=8)
ARCHIVE = JobKind("archive", queue="maintenance", max_attempts=3)
BULLETINS = JobKind("bulletins", queue="maintenance", max_attempts=3)
COUNT = JobKind("count", queue="maintenance", max_attempts=3)
TOPICS = JobKind("topics", queue="maintenance", max_attempts=3)
PRUNE = JobKind("prune", queue="maintenance", max_attempts=3)
RETENTION = JobKind("retention", queue="maintenance", max_attempts=3)
SEARCH_WORDS = JobKind("search_words", queue="maintenance", max_attempts=3)
RETRAIN = JobKind("retrain", queue="training", max_attempts=2, retry_after=300.0, longest=2 * 3600.0)

_KINDS = (TRIAGE, NOTIFY, CLOCK, RECOMPUTE, COUNT, TOPICS, BULLETINS, ARCHIVE, PRUNE, RETENTION, SEARCH_WORDS, RETRAIN)
KINDS: Mapping[str, JobKind] = {kind.name: kind for kind in _KINDS}
QUEUES: tuple[str, ...] = tuple(dict.fromkeys(kind.queue for kind in KINDS.values()))

QUICK_QUEUES: tuple[str, ...] = tuple(name for name in QUEUES if name != RETRAIN.queue)
"""What a worker serves unless told otherwise: training would keep one of its processes for minutes."""


def longest_in(queue: str) -> float:
    """Return how many seconds a job of ``queue`` may take."""
    return max((kind.longest for kind in KINDS.values() if kind.queue == queue), default=QUICK_SECONDS)
