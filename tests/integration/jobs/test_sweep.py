"""The sweep takes jobs back from vanished workers and rings again for unheard ones; the tick plans by slots."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import select, text
from tests.integration.jobs.bells import RememberingDoorbell, age, job, new_job, running

from hotline.bootstrap import Runtime
from hotline.jobs import queue
from hotline.jobs.queue import Sweep
from hotline.jobs.registry import PRUNE
from hotline.jobs.schedule import SCHEDULE, Periodic, tick
from hotline.settings import Settings
from hotline.storage.engine import transaction
from hotline.storage.tables import Job


def swept(parts: Runtime) -> Sweep:
    with transaction(parts.sessions) as session:
        return queue.sweep(session, ring_again_seconds=10)


def lose(parts: Runtime, job_id: int) -> None:
    """Claim the job as a worker that is never heard of again."""
    with transaction(parts.sessions) as session:
        assert queue.claim(session, job_id, worker="gone", lease_seconds=60)
    age(parts, job_id, "lease_until", seconds=1)


def test_the_job_of_a_vanished_worker_is_taken_back_and_rung_for_at_once(settings: Settings) -> None:
    bell = RememberingDoorbell()
    with running(settings, bell) as parts:
        job_id = new_job(parts)
        lose(parts, job_id)
        bell.rung.clear()
        assert swept(parts) == Sweep(expired=1, rung=1)
        assert bell.rung == [("triage", job_id)]
        row = job(parts, job_id)
        assert (row.state, row.attempts, row.lease_until) == ("queued", 1, None)
        assert row.last_error == "the worker vanished while it held the job"


def test_a_lease_that_still_runs_is_left_alone(parts: Runtime) -> None:
    job_id = new_job(parts)
    with transaction(parts.sessions) as session:
        assert queue.claim(session, job_id, worker="busy", lease_seconds=60)
    assert swept(parts) == Sweep(0, 0)
    assert job(parts, job_id).state == "running"


def test_a_job_whose_workers_always_vanish_dies(parts: Runtime) -> None:
    job_id = new_job(parts)
    for _ in range(job(parts, job_id).max_attempts):
        lose(parts, job_id)
        swept(parts)
    row = job(parts, job_id)
    assert (row.state, row.finished_at is None) == ("dead", False)
    assert swept(parts) == Sweep(0, 0)


def test_a_job_that_nobody_heard_is_rung_for_at_doubling_intervals(settings: Settings) -> None:
    bell = RememberingDoorbell()
    with running(settings, bell) as parts:
        job_id = new_job(parts)
        assert swept(parts) == Sweep(0, 0)
        for patience in (10, 20, 40, 80, 160, 320, 640, 640, 640):
            age(parts, job_id, "rung_at", seconds=patience - 2)
            assert swept(parts).rung == 0, f"rung before {patience} s"
            age(parts, job_id, "rung_at", seconds=patience + 1)
            assert swept(parts).rung == 1, f"not rung after {patience} s"
        assert bell.rung == [("triage", job_id)] * 10
        assert job(parts, job_id).rings == 9


def test_a_job_that_is_not_due_yet_is_not_rung_for(parts: Runtime) -> None:
    job_id = new_job(parts)
    with transaction(parts.sessions) as session:
        claim = queue.claim(session, job_id, worker="one", lease_seconds=60)
        assert claim is not None
        queue.fail(session, claim, "ValueError", retry_after=60)
    assert swept(parts).rung == 0
    age(parts, job_id, "available_at", seconds=1)
    assert swept(parts).rung == 1


def test_two_sweeps_at_once_are_one(parts: Runtime) -> None:
    job_id = new_job(parts)
    age(parts, job_id, "rung_at", seconds=60)
    with transaction(parts.sessions) as first:
        assert queue.sweep(first, ring_again_seconds=10).rung == 1
        assert swept(parts) == Sweep(0, 0)
    assert swept(parts) == Sweep(0, 0)


def test_a_row_that_somebody_holds_does_not_stop_the_sweep(parts: Runtime) -> None:
    one, two = new_job(parts), new_job(parts)
    for job_id in (one, two):
        age(parts, job_id, "rung_at", seconds=60)
    with transaction(parts.sessions) as holder:
        holder.execute(text("SELECT 1 FROM job WHERE id = :id FOR UPDATE"), {"id": one})
        assert swept(parts).rung == 1
    assert swept(parts).rung == 1


def test_a_slot_is_planned_once_however_many_beats_tick(parts: Runtime) -> None:
    noon = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
    for minutes in (0, 1, 59, 60, 61, 119, 120):
        with transaction(parts.sessions) as session:
            tick(session, noon + timedelta(minutes=minutes), ring_again_seconds=60)
    with transaction(parts.sessions) as session:
        planned = session.scalars(select(Job).where(Job.kind == PRUNE.name)).all()
    assert len(planned) == 3
    assert {row.queue for row in planned} == {"maintenance"}


def test_slots_are_counted_from_the_epoch_and_do_not_overlap() -> None:
    hourly = Periodic(PRUNE, timedelta(hours=1))
    start = datetime(1970, 1, 1, tzinfo=UTC)
    assert [hourly.slot(start + timedelta(minutes=m)) for m in (0, 59, 60, 61)] == [0, 0, 1, 1]
    assert all(periodic.every > timedelta(0) for periodic in SCHEDULE)


def test_the_runtime_ticks_by_its_own_clock(parts: Runtime) -> None:
    assert parts.tick() == Sweep(0, 0)
    parts.tick()
    with transaction(parts.sessions) as session:
        assert len(session.scalars(select(Job).where(Job.kind == PRUNE.name)).all()) <= 2
