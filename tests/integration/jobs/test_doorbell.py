"""The doorbell rings after commit and only then; without Redis it is silent, and nothing is lost."""

import base64
import json
import time

import pytest
from redis import Redis
from sqlalchemy import select
from tests.factories import STREET_LIGHT, ApiClient, receive, token_for
from tests.integration.jobs.bells import RememberingDoorbell, new_job, running

from hotline import bootstrap
from hotline.bootstrap import Runtime
from hotline.jobs import queue
from hotline.jobs.doorbell import CeleryDoorbell
from hotline.jobs.messaging import make_celery
from hotline.jobs.registry import TRIAGE
from hotline.settings import Settings
from hotline.storage.engine import transaction
from hotline.storage.tables import Job
from hotline.web.app import create_app


def test_it_rings_after_the_commit_when_others_can_see_the_row(settings: Settings) -> None:
    seen: list[str] = []
    parts: list[Runtime] = []

    class LookingDoorbell(RememberingDoorbell):
        def ring(self, queue: str, job_id: int) -> None:
            with transaction(parts[0].sessions) as other:
                seen.append(other.get_one(Job, job_id).state)

    with running(settings, LookingDoorbell()) as made:
        parts.append(made)
        with transaction(made.sessions) as session:
            queue.enqueue(session, TRIAGE, {"ticket_id": 1})
            session.flush()
            assert seen == []
        assert seen == ["queued"]


def test_it_never_rings_for_what_was_rolled_back(settings: Settings) -> None:
    bell = RememberingDoorbell()
    with running(settings, bell) as parts:
        with pytest.raises(RuntimeError), transaction(parts.sessions) as session:
            receive(session, parts.context)
            raise RuntimeError("no")
        with parts.sessions() as session:
            receive(session, parts.context)
            session.rollback()
            session.commit()
            # The same session, used again, does not remember.
            receive(session, parts.context)
            session.commit()
            made = session.scalars(select(Job.id)).one()
    assert bell.rung == [("triage", made)]


def test_it_waits_for_the_outermost_transaction(settings: Settings) -> None:
    bell = RememberingDoorbell()
    with running(settings, bell) as parts, transaction(parts.sessions) as session:
        with session.begin_nested():
            made = queue.enqueue(session, TRIAGE, {"ticket_id": 1})
        assert bell.rung == []
    assert bell.rung == [("triage", made)]


def test_it_rings_once_for_each_job_and_not_for_repeated_ones(settings: Settings) -> None:
    bell = RememberingDoorbell()
    with running(settings, bell) as parts:
        with transaction(parts.sessions) as session:
            ids = [queue.enqueue(session, TRIAGE, {"ticket_id": n}, dedupe_key=f"t:{n}") for n in (1, 2, 1, 2)]
        made = [job_id for job_id in ids if job_id is not None]
        assert bell.rung == [("triage", job_id) for job_id in made]
        assert len(made) == 2


def test_replaying_rings(settings: Settings) -> None:
    bell = RememberingDoorbell()
    with running(settings, bell) as parts:
        job_id = new_job(parts)
        with transaction(parts.sessions) as session:
            session.get_one(Job, job_id).state = "dead"
        bell.rung.clear()
        with transaction(parts.sessions) as session:
            queue.replay(session, job_ids=[job_id])
        assert bell.rung == [("triage", job_id)]


def test_the_message_in_redis_carries_the_jobs_id_and_nothing_of_the_citizen(settings: Settings) -> None:
    # A database of its own in the shared server, so that no other test's worker takes the message away.
    url = f"{settings.redis_url}?virtual_host=7"
    celery = make_celery(url, 5)
    redis = Redis.from_url(settings.redis_url, db=7)
    try:
        redis.flushdb()
        CeleryDoorbell(celery).ring("triage", 4711)
        (message,) = redis.lrange("triage", 0, -1)
        args, kwargs, _ = json.loads(base64.b64decode(json.loads(message)["body"]))
        assert (args, kwargs) == ([4711], {})
    finally:
        redis.flushdb()
        redis.close()
        celery.close()


def test_the_message_gives_a_training_hours_and_everything_else_a_minute(settings: Settings) -> None:
    celery = make_celery(f"{settings.redis_url}?virtual_host=7", 5)
    with Redis.from_url(settings.redis_url, db=7) as redis:
        redis.flushdb()
        bell, limits = CeleryDoorbell(celery), {}
        for name in ("training", "maintenance"):
            bell.ring(name, 1)
            (message,) = redis.lrange(name, 0, -1)
            limits[name] = json.loads(message)["headers"]["timelimit"]
        redis.flushdb()
    celery.close()
    assert limits == {"training": [7210.0, 7200.0], "maintenance": [60.0, 50.0]}


def test_without_redis_a_ring_is_lost_in_silence(settings: Settings) -> None:
    celery = make_celery("unix:///nowhere/redis.sock", 5)
    bell = CeleryDoorbell(celery)
    began = time.monotonic()
    for job_id in range(3):
        bell.ring("triage", job_id)
    celery.close()
    assert time.monotonic() - began < 2, "whoever rings waits for a Redis that is not there"


def test_intake_answers_201_without_redis(settings: Settings) -> None:
    parts = bootstrap.start(settings.model_copy(update={"redis_url": "unix:///nowhere/redis.sock"}))
    agent = ApiClient(create_app(parts).test_client(), token_for(parts, "agent01"))
    for _ in range(3):
        assert agent.post("/api/v1/tickets", {"channel": "phone", "content": STREET_LIGHT}).status_code == 201
    with transaction(parts.sessions) as session:
        assert [row.state for row in session.scalars(select(Job))] == ["queued"] * 3
    parts.close()
