"""The doorbell: tells workers that a job row is waiting.

Ringing is a courtesy.  When Redis is away the ring is lost, a warning is logged and the sweep rings again later.
"""

import base64
import threading
import time
import uuid
from typing import Any, Protocol

import orjson
import structlog
from celery import Celery
from kombu.exceptions import OperationalError
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import event
from sqlalchemy.orm import Session

from hotline.jobs.messaging import RUN_JOB, time_limits
from hotline.storage.engine import SessionFactory

log = structlog.get_logger()

BELLS = "bells"

# After a failed ring Redis is left alone for a moment, so that each intake does not wait for the same time-out.
PAUSE_AFTER_FAILURE_SECONDS = 2.0


class Doorbell(Protocol):
    """Something that can wake a worker for a job."""

    def ring(self, queue: str, job_id: int) -> None:
        """Wake a worker of ``queue`` for the job.  Never raises."""


class SilentDoorbell:
    """Rings nobody.  Whoever uses it runs the jobs itself, as the demo builder does, or leaves them to the sweep."""

    def ring(self, queue: str, job_id: int) -> None:
        """Do nothing."""


class CeleryDoorbell:
    """Sends the job's id, and nothing else, through Redis.

    The message is Celery's own (protocol 2, as kombu lays it down in Redis).  Celery's publisher would make a new
    client and look over the same options for every ring, which took a tenth of an intake's time; so it is asked once
    what such a message looks like.
    """

    def __init__(self, celery: Celery) -> None:
        self._celery = celery
        self._silent_until = 0.0
        self._lock = threading.Lock()
        self._redis: Redis | None = None
        self._call = celery.amqp.as_task_v2("", RUN_JOB, args=(0,))

    def ring(self, queue: str, job_id: int) -> None:
        """Send the message; on failure log and stay silent for a moment."""
        if time.monotonic() < self._silent_until:
            return
        try:
            self._client().lpush(queue, self._message(queue, job_id))
        except (OperationalError, RedisError, OSError) as error:
            self._silent_until = time.monotonic() + PAUSE_AFTER_FAILURE_SECONDS
            log.warning("doorbell_unreachable", queue=queue, job_id=job_id, error=type(error).__name__)

    def _client(self) -> Redis:
        """Return the transport's own client, so that address, time-outs and encryption are those of the workers."""
        with self._lock:
            if self._redis is None:
                channel: Any = self._celery.connection_for_write().default_channel
                self._redis = channel.client
            assert self._redis is not None
            return self._redis

    def _message(self, queue: str, job_id: int) -> bytes:
        ring_id = str(uuid.uuid4())
        _, kwargs, embedded = self._call.body
        message = {
            "body": base64.b64encode(orjson.dumps([[job_id], kwargs, embedded])).decode(),
            "content-encoding": "utf-8",
            "content-type": "application/json",
            "headers": {
                **self._call.headers,
                "id": ring_id,
                "root_id": ring_id,
                "argsrepr": f"({job_id},)",
                "timelimit": time_limits(queue),
            },
            "properties": {
                **self._call.properties,
                "correlation_id": ring_id,
                "delivery_mode": 2,
                "delivery_info": {"exchange": "", "routing_key": queue},
                "priority": 0,
                "body_encoding": "base64",
                "delivery_tag": str(uuid.uuid4()),
            },
        }
        return orjson.dumps(message)


def ring_after_commit(sessions: SessionFactory, doorbell: Doorbell) -> None:
    """Make every session of ``sessions`` ring for the jobs it enqueued, after its commit and only then."""

    @event.listens_for(sessions, "after_commit")
    def _ring(session: Session) -> None:
        if session.in_nested_transaction():
            return
        for queue, job_id in session.info.pop(BELLS, []):
            doorbell.ring(queue, job_id)

    @event.listens_for(sessions, "after_rollback")
    def _forget(session: Session) -> None:
        session.info.pop(BELLS, None)


def ring_later(session: Session, queue: str, job_id: int) -> None:
    """Note that the job is to be rung for when ``session`` commits."""
    session.info.setdefault(BELLS, []).append((queue, job_id))
