"""The job row: written with its reason, claimed once, fenced by its attempt, retried, buried and replayed."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from sqlalchemy import func, select
from tests.factories import receive
from tests.integration.jobs.bells import age, job, new_job

from hotline.bootstrap import Runtime
from hotline.jobs import queue
from hotline.jobs.queue import Claim, LeaseLost
from hotline.jobs.registry import KINDS, PRUNE, QUEUES, QUICK_QUEUES, RETRAIN, TRIAGE
from hotline.storage.engine import transaction
from hotline.storage.tables import Job, Ticket


def take(parts: Runtime, job_id: int, worker: str = "one", lease: float = 60) -> Claim | None:
    with transaction(parts.sessions) as session:
        return queue.claim(session, job_id, worker=worker, lease_seconds=lease)


def held(parts: Runtime, job_id: int, lease: float = 60) -> Claim:
    found = take(parts, job_id, lease=lease)
    assert found is not None
    return found


def give_back(parts: Runtime, claim: Claim, retry_after: float = 0) -> str | None:
    with transaction(parts.sessions) as session:
        return queue.fail(session, claim, "ValueError", retry_after=retry_after)


def bury(parts: Runtime, job_id: int) -> None:
    for _ in range(TRIAGE.max_attempts):
        give_back(parts, held(parts, job_id))


def test_a_job_lives_and_dies_with_the_transaction_that_asked_for_it(parts: Runtime) -> None:
    with pytest.raises(RuntimeError), transaction(parts.sessions) as session:
        receive(session, parts.context)
        assert session.scalar(select(func.count()).select_from(Job)) == 1
        raise RuntimeError("something else went wrong")
    with transaction(parts.sessions) as session:
        assert session.scalars(select(Job)).all() == []
        assert session.scalars(select(Ticket)).all() == []


def test_the_same_work_asked_for_twice_is_one_job(parts: Runtime) -> None:
    with transaction(parts.sessions) as session:
        first = queue.enqueue(session, TRIAGE, {"ticket_id": 1}, dedupe_key="triage:1")
        assert queue.enqueue(session, TRIAGE, {"ticket_id": 1}, dedupe_key="triage:1") is None
        assert queue.enqueue(session, TRIAGE, {"ticket_id": 2}, dedupe_key="triage:2") is not None
        assert queue.enqueue(session, TRIAGE, {"ticket_id": 1}) is not None
    assert first is not None
    with transaction(parts.sessions) as session:
        assert queue.enqueue(session, TRIAGE, {"ticket_id": 1}, dedupe_key="triage:1") is None


def test_of_many_workers_one_gets_the_job(parts: Runtime) -> None:
    job_id, workers = new_job(parts), 8
    together = Barrier(workers)

    def reach(number: int) -> Claim | None:
        together.wait()
        return take(parts, job_id, worker=f"worker {number}")

    with ThreadPoolExecutor(workers) as threads:
        claims = [claim for claim in threads.map(reach, range(workers)) if claim is not None]
    assert [claim.attempt for claim in claims] == [1]
    assert (job(parts, job_id).state, job(parts, job_id).attempts) == ("running", 1)


def test_a_claim_leaves_a_lease_with_the_workers_name(parts: Runtime) -> None:
    job_id = new_job(parts)
    claim = held(parts, job_id, lease=60)
    row = job(parts, job_id)
    assert (claim.kind, claim.args, claim.max_attempts) == ("triage", {"ticket_id": 1}, TRIAGE.max_attempts)
    assert (row.state, row.worker) == ("running", "one")
    assert row.lease_until is not None
    assert timedelta(seconds=50) < row.lease_until - row.created_at < timedelta(seconds=70)


def test_what_is_done_dead_not_due_or_unknown_cannot_be_claimed(parts: Runtime) -> None:
    done, dead, later = (new_job(parts) for _ in range(3))
    with transaction(parts.sessions) as session:
        queue.finish(session, held(parts, done))
    bury(parts, dead)
    give_back(parts, held(parts, later), retry_after=60)
    for job_id in (done, dead, later, 987_654_321):
        assert take(parts, job_id) is None
    age(parts, later, "available_at", seconds=1)
    assert held(parts, later).attempt == 2


def test_work_under_a_lost_lease_is_rolled_back_with_the_job(parts: Runtime) -> None:
    job_id = new_job(parts)
    slow = held(parts, job_id, lease=-1)
    with transaction(parts.sessions) as session:
        assert queue.sweep(session, ring_again_seconds=60).expired == 1
    quick = held(parts, job_id)
    assert (slow.attempt, quick.attempt) == (1, 2)
    with pytest.raises(LeaseLost), transaction(parts.sessions) as session:
        receive(session, parts.context, content="what the slow one did")
        queue.finish(session, slow)
    assert give_back(parts, slow) is None
    assert job(parts, job_id).state == "running"
    with transaction(parts.sessions) as session:
        queue.finish(session, quick)
        assert session.scalars(select(Ticket)).all() == []
    assert (job(parts, job_id).state, job(parts, job_id).lease_until) == ("done", None)


def test_a_job_is_finished_once(parts: Runtime) -> None:
    claim = held(parts, new_job(parts))
    with transaction(parts.sessions) as session:
        queue.finish(session, claim)
    with pytest.raises(LeaseLost), transaction(parts.sessions) as session:
        queue.finish(session, claim)


def test_a_failed_job_waits_and_comes_back_until_its_last_try(parts: Runtime) -> None:
    job_id = new_job(parts)
    for attempt in range(1, TRIAGE.max_attempts):
        claim = held(parts, job_id)
        assert (claim.attempt, give_back(parts, claim)) == (attempt, "queued")
        row = job(parts, job_id)
        assert (row.attempts, row.last_error, row.lease_until, row.finished_at) == (attempt, "ValueError", None, None)
    assert give_back(parts, held(parts, job_id)) == "dead"
    row = job(parts, job_id)
    assert (row.state, row.attempts, row.last_error) == ("dead", TRIAGE.max_attempts, "ValueError")
    assert row.finished_at is not None


def test_the_wait_doubles_and_has_an_end() -> None:
    waits = [TRIAGE.backoff(attempt) for attempt in range(1, 20)]
    assert waits[:4] == [2, 4, 8, 16]
    assert waits == sorted(waits)
    assert waits[-1] == 600


def test_a_retry_waits_as_long_as_it_was_told(parts: Runtime) -> None:
    job_id = new_job(parts)
    give_back(parts, held(parts, job_id), retry_after=300)
    with transaction(parts.sessions) as session:
        wait = session.scalar(select(Job.available_at - func.now()).where(Job.id == job_id))
    assert wait is not None
    assert timedelta(seconds=290) < wait <= timedelta(seconds=300)


def test_dead_jobs_are_replayed_by_id_by_kind_or_all_with_fresh_attempts(parts: Runtime) -> None:
    one, two, three, alive = (new_job(parts) for _ in range(4))
    for job_id in (one, two, three):
        bury(parts, job_id)
    with transaction(parts.sessions) as session:
        assert queue.replay(session, job_ids=[one, alive, 987_654_321]) == 1
        assert queue.replay(session, kind=PRUNE.name) == 0
        assert queue.replay(session, job_ids=[]) == 0
    row = job(parts, one)
    assert (row.state, row.attempts, row.finished_at) == ("queued", 0, None)
    assert held(parts, one).attempt == 1
    with transaction(parts.sessions) as session:
        assert queue.replay(session, kind=TRIAGE.name) == 2
        assert queue.replay(session) == 0


def test_only_done_jobs_that_are_old_enough_are_pruned(parts: Runtime) -> None:
    old, young, dead, waiting = (new_job(parts) for _ in range(4))
    with transaction(parts.sessions) as session:
        for job_id in (old, young):
            queue.finish(session, held(parts, job_id))
    bury(parts, dead)
    for job_id in (old, dead):
        age(parts, job_id, "finished_at", seconds=8 * 86_400)
    age(parts, waiting, "created_at", "available_at", seconds=8 * 86_400)
    with transaction(parts.sessions) as session:
        assert queue.prune(session, keep=timedelta(days=7)) == 1
        assert set(session.scalars(select(Job.id))) == {young, dead, waiting}


def test_a_training_stays_so_that_its_slot_is_not_planned_again(parts: Runtime) -> None:
    with transaction(parts.sessions) as session:
        trained = queue.enqueue(session, RETRAIN, {}, dedupe_key="retrain:1")
    assert trained is not None
    with transaction(parts.sessions) as session:
        queue.finish(session, held(parts, trained))
    age(parts, trained, "finished_at", seconds=30 * 86_400)
    with transaction(parts.sessions) as session:
        assert queue.prune(session, keep=timedelta(days=7)) == 0
        assert queue.enqueue(session, RETRAIN, {}, dedupe_key="retrain:1") is None


def test_a_lease_is_renewed_only_by_who_holds_it(parts: Runtime) -> None:
    claim = held(parts, new_job(parts), lease=1)
    with transaction(parts.sessions) as session:
        assert queue.renew(session, claim, lease_seconds=3600)
        assert not queue.renew(session, replace(claim, attempt=claim.attempt + 1), lease_seconds=3600)
    until = job(parts, claim.job_id).lease_until
    assert until is not None
    assert until > datetime.now(UTC) + timedelta(minutes=50)


def test_jobs_are_counted_and_listed_newest_first(parts: Runtime) -> None:
    ids = [new_job(parts) for _ in range(3)]
    give_back(parts, held(parts, ids[0]))
    with transaction(parts.sessions) as session:
        queue.finish(session, held(parts, ids[1]))
    with transaction(parts.sessions) as session:
        assert queue.counts(session) == {("triage", "queued"): 2, ("triage", "done"): 1}
        assert [row.id for row in queue.listed(session, state=None, kind=None, limit=10)] == ids[::-1]
        assert [row.id for row in queue.listed(session, state="queued", kind="triage", limit=1)] == [ids[2]]
        assert queue.listed(session, state=None, kind="prune", limit=10) == []


def test_every_kind_of_work_waits_in_a_queue_that_workers_serve() -> None:
    assert {kind.queue for kind in KINDS.values()} == set(QUEUES)
    assert all(kind.name == name for name, kind in KINDS.items())
    # Nothing that a citizen waits for stands behind a training.
    assert {kind.queue for kind in KINDS.values() if kind.longest > 60} == set(QUEUES) - set(QUICK_QUEUES)


def test_every_kind_of_work_has_somebody_who_does_it(standing_parts: Runtime) -> None:
    assert set(standing_parts.runner.handlers) == set(KINDS)
