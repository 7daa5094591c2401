"""Running a job: its effects and its end are one transaction, its errors are named and never quoted."""

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session
from tests.factories import SettledClassifier, receive, with_classifier
from tests.integration.jobs.bells import age, job, new_job

from hotline.bootstrap import Runtime
from hotline.jobs import queue
from hotline.jobs.registry import RETRAIN, TRIAGE, Handler
from hotline.jobs.runner import Outcome, Runner, describe
from hotline.services.triage import triage
from hotline.storage.engine import transaction
from hotline.storage.tables import Caller, Job, Ticket

SECRET = "王小明 13912345678 路灯不亮"


def runner(parts: Runtime, handler: Handler) -> Runner:
    return replace(parts.runner, handlers={TRIAGE.name: handler})


def rows(parts: Runtime) -> list[str]:
    with transaction(parts.sessions) as session:
        return list(session.scalars(select(Ticket.content)))


def test_a_job_that_succeeds_commits_its_effects_with_its_end(parts: Runtime) -> None:
    job_id = new_job(parts)

    def work(session: Session, args: Mapping[str, Any]) -> None:
        receive(session, parts.context, content=f"ticket {args['ticket_id']}")

    assert runner(parts, work).run(job_id) is Outcome.DONE
    assert rows(parts) == ["ticket 1"]
    done = job(parts, job_id)
    assert (done.state, done.last_error, done.attempts) == ("done", None, 1)
    assert done.finished_at is not None


def test_a_long_job_keeps_its_lease_while_it_runs(parts: Runtime) -> None:
    with transaction(parts.sessions) as session:
        training = queue.enqueue(session, RETRAIN, {})
    assert training is not None
    taken_back = []

    def work(session: Session, args: Mapping[str, Any]) -> None:
        time.sleep(1.0)  # More than twice the lease below.
        with transaction(parts.sessions) as other:
            taken_back.append(queue.sweep(other, ring_again_seconds=60).expired)

    run = replace(parts.runner, handlers={RETRAIN.name: work}, lease_seconds=0.4)
    assert run.run(training) is Outcome.DONE
    assert taken_back == [0]


def test_a_job_is_not_run_twice(parts: Runtime) -> None:
    job_id, done = new_job(parts), []
    run = runner(parts, lambda session, args: done.append(1)).run
    assert [run(job_id), run(job_id), run(987_654_321)] == [Outcome.DONE, Outcome.NOT_CLAIMED, Outcome.NOT_CLAIMED]
    assert done == [1]


def test_a_job_that_fails_leaves_nothing_but_its_error(parts: Runtime) -> None:
    job_id = new_job(parts)

    def work(session: Session, args: Mapping[str, Any]) -> None:
        receive(session, parts.context)
        session.flush()
        raise ValueError(SECRET)

    assert runner(parts, work).run(job_id) is Outcome.RETRY
    assert rows(parts) == []
    failed = job(parts, job_id)
    assert (failed.state, failed.attempts) == ("queued", 1)
    assert failed.last_error is not None
    assert failed.last_error.startswith("ValueError in tests.integration.jobs.test_runner:")
    assert "王小明" not in failed.last_error
    assert "139" not in failed.last_error


def test_a_job_that_always_fails_is_dead_after_its_last_try(parts: Runtime) -> None:
    job_id = new_job(parts)

    def work(session: Session, args: Mapping[str, Any]) -> None:
        raise ValueError(SECRET)

    outcomes = []
    for _ in range(TRIAGE.max_attempts + 1):
        outcomes.append(runner(parts, work).run(job_id))
        age(parts, job_id, "available_at", seconds=1)
    assert outcomes == [Outcome.RETRY] * (TRIAGE.max_attempts - 1) + [Outcome.DEAD, Outcome.NOT_CLAIMED]


def test_a_retry_waits_its_back_off(parts: Runtime) -> None:
    job_id = new_job(parts)

    def work(session: Session, args: Mapping[str, Any]) -> None:
        raise ValueError

    run = runner(parts, work).run
    assert run(job_id) is Outcome.RETRY
    assert run(job_id) is Outcome.NOT_CLAIMED


def test_a_kind_that_this_program_does_not_know_is_tried_again_later(parts: Runtime) -> None:
    job_id = new_job(parts)
    with transaction(parts.sessions) as session:
        session.execute(update(Job).values(kind="from_the_future"))
    assert parts.run_job(job_id) is Outcome.RETRY
    assert job(parts, job_id).last_error.startswith("LookupError")


def test_who_comes_too_late_rolls_back(parts: Runtime) -> None:
    job_id = new_job(parts)

    def work(session: Session, args: Mapping[str, Any]) -> None:
        receive(session, parts.context)
        # Meanwhile the lease ran out and another worker took the job over.
        with transaction(parts.sessions) as other:
            other.execute(update(Job).where(Job.id == job_id).values(attempts=Job.attempts + 1))

    assert runner(parts, work).run(job_id) is Outcome.LEASE_LOST
    assert rows(parts) == []
    assert job(parts, job_id).state == "running"


@pytest.mark.parametrize("statement", ["SELECT :words::int", "SELECT 1/(length(:words) - length(:words))"])
def test_errors_of_the_database_are_described_without_their_parameters(parts: Runtime, statement: str) -> None:
    job_id = new_job(parts)

    def work(session: Session, args: Mapping[str, Any]) -> None:
        session.execute(text(statement.replace("::", r"\:\:")), {"words": SECRET})

    assert runner(parts, work).run(job_id) is Outcome.RETRY
    error = job(parts, job_id).last_error
    assert error is not None
    assert not [part for part in ("王小明", "13912345678", "路灯") if part in error]


def test_a_description_names_the_innermost_place() -> None:
    def inner() -> None:
        raise KeyError(SECRET)

    with pytest.raises(KeyError) as caught:
        inner()
    described = describe(caught.value)
    assert described.startswith(f"KeyError in {__name__}:")
    assert SECRET not in described
    assert describe(ValueError(SECRET)) == "ValueError"


def test_the_same_ring_five_times_triages_once(parts: Runtime) -> None:
    with transaction(parts.sessions) as session:
        ticket_id = receive(session, parts.context, caller_phone="13912345678").id
        job_id = session.scalars(select(Job.id)).one()
    context = with_classifier(parts.context, SettledClassifier())
    run = runner(parts, lambda session, args: triage(session, context, args["ticket_id"]) and None).run
    assert sorted(run(job_id) for _ in range(5)) == ["done", *["not_claimed"] * 4]
    with transaction(parts.sessions) as session:
        assert session.get_one(Ticket, ticket_id).matter == "E03"
        assert session.scalars(select(Caller.phone_sealed)).one() != "13912345678"
