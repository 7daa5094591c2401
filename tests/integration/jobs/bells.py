"""What tests of the queue share: a doorbell that remembers, and short ways to put and find job rows."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import func, update
from tests.factories import with_classifier

from hotline import bootstrap
from hotline.bootstrap import Runtime
from hotline.jobs import queue
from hotline.jobs.registry import TRIAGE
from hotline.settings import Settings
from hotline.storage.engine import transaction
from hotline.storage.tables import Job

__all__ = ["RememberingDoorbell", "age", "job", "new_job", "running", "with_classifier"]


@dataclass
class RememberingDoorbell:
    """A doorbell that tells afterwards for whom it was rung."""

    rung: list[tuple[str, int]] = field(default_factory=list)

    def ring(self, queue: str, job_id: int) -> None:
        """Remember."""
        self.rung.append((queue, job_id))


@contextmanager
def running(settings: Settings, doorbell: RememberingDoorbell) -> Iterator[Runtime]:
    """Run the parts with this doorbell."""
    parts = bootstrap.start(settings, doorbell=doorbell)
    yield parts
    parts.close()


def new_job(parts: Runtime, **given: str) -> int:
    """Enqueue a triage job for a ticket that does not exist, and commit."""
    with transaction(parts.sessions) as session:
        made = queue.enqueue(session, TRIAGE, {"ticket_id": 1}, **given)
    assert made is not None
    return made


def job(parts: Runtime, job_id: int) -> Job:
    """Return the row as it is now."""
    with transaction(parts.sessions) as session:
        return session.get_one(Job, job_id)


def age(parts: Runtime, job_id: int, *columns: str, seconds: float) -> None:
    """Move instants of the row into the past, as if that much time had gone by."""
    with transaction(parts.sessions) as session:
        past = func.now() - timedelta(seconds=seconds)
        session.execute(update(Job).where(Job.id == job_id).values(dict.fromkeys(columns, past)))
