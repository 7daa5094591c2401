"""The job queue in PostgreSQL: enqueue in the caller's transaction, claim, finish, retry, bury, sweep.

All instants are the database's own ``now()``, so that machines with different clocks agree.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from hotline.jobs.doorbell import ring_later
from hotline.jobs.registry import KINDS, RETRAIN, JobKind
from hotline.storage.tables import Job

SWEEP_BATCH = 1000

# One sweep at a time is enough; a second beat's sweep steps aside.  The number only has to be the same everywhere.
_SWEEP_LOCK = 12345_001


@dataclass(frozen=True, slots=True)
class Claim:
    """A job in hand.  ``attempt`` is the fence: it must still be the row's number when the work is finished."""

    job_id: int
    kind: str
    args: Mapping[str, Any]
    attempt: int
    max_attempts: int


class LeaseLost(Exception):
    """Somebody else has taken the job over; what was done under the old lease must be rolled back."""


def enqueue(
    session: Session,
    kind: JobKind,
    args: Mapping[str, int | str | bool | None],
    *,
    dedupe_key: str | None = None,
    not_before: datetime | None = None,
) -> int | None:
    """Write a job row in the caller's transaction and ring when it commits.

    A job that has to wait until ``not_before`` is rung for by the sweep.  Returns the job's id, or None when a job with
    the same ``dedupe_key`` exists already.
    """
    values: dict[str, Any] = {
        "kind": kind.name,
        "queue": kind.queue,
        "args": dict(args),
        "dedupe_key": dedupe_key,
        "max_attempts": kind.max_attempts,
    }
    if not_before is not None:
        values |= {"available_at": func.greatest(func.now(), not_before), **_UNRUNG}
    statement = insert(Job).values(values).on_conflict_do_nothing(index_elements=[Job.dedupe_key]).returning(Job.id)
    job_id = session.execute(statement).scalar()
    if job_id is not None and not_before is None:
        ring_later(session, kind.queue, job_id)
    return job_id


def claim(session: Session, job_id: int, *, worker: str, lease_seconds: float) -> Claim | None:
    """Take the job if it is queued and due.  None when it is done, dead, taken, not yet due or unknown."""
    statement = (
        update(Job)
        .where(Job.id == job_id, Job.state == "queued", Job.available_at <= func.now())
        .values(
            state="running",
            attempts=Job.attempts + 1,
            lease_until=func.now() + timedelta(seconds=lease_seconds),
            worker=worker,
        )
        .returning(Job.id, Job.kind, Job.args, Job.attempts, Job.max_attempts)
    )
    row = session.execute(statement).one_or_none()
    return None if row is None else Claim(*row)


def renew(session: Session, job: Claim, *, lease_seconds: float) -> bool:
    """Hold the job for another lease from now; False when it is somebody else's by now."""
    longer = update(Job).where(*_still_mine(job)).values(lease_until=func.now() + timedelta(seconds=lease_seconds))
    return session.execute(longer.returning(Job.id)).scalar() is not None


def finish(session: Session, job: Claim) -> None:
    """Mark the job done, in the same transaction as its effects.  Raises ``LeaseLost`` when the fence has moved on."""
    done = (
        update(Job)
        .where(*_still_mine(job))
        .values(state="done", finished_at=func.now(), lease_until=None, last_error=None)
    )
    if session.execute(done.returning(Job.id)).scalar() is None:
        raise LeaseLost(f"job {job.job_id} attempt {job.attempt}")


def fail(session: Session, job: Claim, error: str, *, retry_after: float) -> str | None:
    """Give the job back for a later try, or bury it after the last one.

    Returns the new state, or None when the lease was lost and the row is somebody else's.
    """
    last = job.attempt >= job.max_attempts
    values: dict[str, Any] = {"lease_until": None, "last_error": error}
    values |= (
        {"state": "dead", "finished_at": func.now()}
        if last
        else {"state": "queued", "available_at": func.now() + timedelta(seconds=retry_after), **_UNRUNG}
    )
    return session.execute(update(Job).where(*_still_mine(job)).values(**values).returning(Job.state)).scalar()


def _still_mine(job: Claim) -> tuple[Any, ...]:
    return Job.id == job.job_id, Job.state == "running", Job.attempts == job.attempt


# A job that waits again has not been rung for yet in this wait; the sweep may ring as soon as it is available.
# The epoch stands for "long ago": Python cannot read PostgreSQL's own -infinity, and the row must stay readable.
_UNRUNG: dict[str, Any] = {"rung_at": text("'epoch'::timestamptz"), "rings": 0}


@dataclass(frozen=True, slots=True)
class Sweep:
    """What one sweep found: leases that had run out, and jobs it rang for again."""

    expired: int
    rung: int


def sweep(session: Session, *, ring_again_seconds: float) -> Sweep:
    """Take back the jobs of vanished workers and ring again for those that wait unheard.

    Each job is rung for again at doubling intervals from ``ring_again_seconds``, so that a long queue is not flooded.
    """
    if not session.execute(select(func.pg_try_advisory_xact_lock(_SWEEP_LOCK))).scalar():
        return Sweep(0, 0)
    expired = _take_back_expired(session)
    patience = timedelta(seconds=ring_again_seconds) * func.power(2, func.least(Job.rings, 6))
    unheard = (
        select(Job.id)
        .where(Job.state == "queued", Job.available_at <= func.now(), Job.rung_at + patience <= func.now())
        .order_by(Job.available_at)
        .limit(SWEEP_BATCH)
        .with_for_update(skip_locked=True)
    )
    again = (
        update(Job)
        .where(Job.id.in_(unheard))
        .values(rung_at=func.now(), rings=Job.rings + 1)
        .returning(Job.queue, Job.id)
        .execution_options(synchronize_session=False)
    )
    rows = session.execute(again).all()
    for queue, job_id in rows:
        ring_later(session, queue, job_id)
    return Sweep(expired, len(rows))


def _take_back_expired(session: Session) -> int:
    last = Job.attempts >= Job.max_attempts
    statement = (
        update(Job)
        .where(Job.state == "running", Job.lease_until < func.now())
        .values(
            state=case((last, "dead"), else_="queued"),
            finished_at=case((last, func.now())),
            available_at=func.now(),
            lease_until=None,
            last_error="the worker vanished while it held the job",
            **_UNRUNG,
        )
        .returning(Job.id)
        .execution_options(synchronize_session=False)
    )
    return len(session.execute(statement).all())


def replay(session: Session, *, job_ids: list[int] | None = None, kind: str | None = None) -> int:
    """Queue dead jobs anew with all their attempts: those named, or all of ``kind``, or all.  Returns how many."""
    statement = update(Job).where(Job.state == "dead")
    if job_ids is not None:
        statement = statement.where(Job.id.in_(job_ids))
    if kind is not None:
        statement = statement.where(Job.kind == kind)
    fresh = statement.values(state="queued", attempts=0, available_at=func.now(), finished_at=None, **_UNRUNG)
    rows = session.execute(fresh.returning(Job.queue, Job.id).execution_options(synchronize_session=False)).all()
    for queue, job_id in rows:
        ring_later(session, queue, job_id)
    return len(rows)


def prune(session: Session, *, keep: timedelta) -> int:
    """Delete done jobs that finished longer than ``keep`` ago.

    Dead ones stay until somebody has looked at them, and so do trainings: they are few, and the key of each says that
    its slot of days or weeks is done.
    """
    finished = (Job.state == "done", Job.finished_at < func.now() - keep)
    old = delete(Job).where(*finished, Job.kind != RETRAIN.name)
    return len(session.execute(old.returning(Job.id).execution_options(synchronize_session=False)).all())


def counts(session: Session) -> dict[tuple[str, str], int]:
    """Return how many jobs there are by kind and state, for ``hotline jobs`` and the metrics."""
    rows = session.execute(select(Job.kind, Job.state, func.count()).group_by(Job.kind, Job.state)).all()
    return {(kind, state): number for kind, state, number in rows}


def listed(session: Session, *, state: str | None, kind: str | None, limit: int) -> list[Job]:
    """Return the newest jobs first, filtered by ``state`` and ``kind`` when given."""
    query = select(Job).order_by(Job.id.desc()).limit(limit)
    if state is not None:
        query = query.where(Job.state == state)
    if kind is not None:
        query = query.where(Job.kind == kind)
    return list(session.scalars(query))


def kind_of(job: Claim) -> JobKind | None:
    """Return the job's kind, None when this version of the program does not know it."""
    return KINDS.get(job.kind)
