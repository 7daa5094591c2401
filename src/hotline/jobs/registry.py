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


@dataclass(frozen=True, slots=True)
class JobKind:
    """One kind of work.

    ``queue`` is the role of the workers that do it; ``retry_after`` is the first back-off in seconds.
    """

    name: str
    queue: str
    max_attempts: int = 5
    retry_after: float = 2.0

    def backoff(self, attempt: int) -> float:
        """Seconds to wait after the failed ``attempt`` (1 for the first): doubling, at most ten minutes."""
        return float(min(self.retry_after * 2 ** (attempt - 1), 600.0))


TRIAGE = JobKind("triage", queue="triage", max_attempts=8)
NOTIFY = JobKind("notify", queue="notify", max_attempts=8, retry_after=10.0)
CLOCK = JobKind("clock", queue="maintenance", max_attempts=3)
RECOMPUTE = JobKind("recompute", queue="maintenance", max_attempts=8)
ARCHIVE = JobKind("archive", queue="maintenance", max_attempts=3)
PRUNE = JobKind("prune", queue="maintenance", max_attempts=3)
RETENTION = JobKind("retention", queue="maintenance", max_attempts=3)
SEARCH_WORDS = JobKind("search_words", queue="maintenance", max_attempts=3)

_KINDS = (TRIAGE, NOTIFY, CLOCK, RECOMPUTE, ARCHIVE, PRUNE, RETENTION, SEARCH_WORDS)
KINDS: Mapping[str, JobKind] = {kind.name: kind for kind in _KINDS}
QUEUES: tuple[str, ...] = tuple(dict.fromkeys(kind.queue for kind in KINDS.values()))
