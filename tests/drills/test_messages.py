"""What may lie in Redis: the same ring many times, and things that are no rings at all."""

import base64
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psutil
import pytest
from tests.drills.checks import assert_each_triaged_once, attempts, wait_until_triaged
from tests.drills.stack import Stack, wait_for
from tests.factories import receive

from hotline.jobs.doorbell import CeleryDoorbell
from hotline.storage.engine import transaction

pytestmark = pytest.mark.drill

NO_JOB_IDS: tuple[Any, ...] = ("1", "x" * 10_000, None, True, 1.5, -1, 0, 10**30, [], [1], {}, {"id": 1})

# What somebody may have pushed who does not know Celery.
NO_MESSAGES = (b"no json", b"\xff\xfe", b"", b"null", b"1", b'"text"', b"[]", b"{}", b"[" * 100_000)

WRONG_HEADERS: tuple[tuple[str, Any], ...] = (
    *(("task", "os.system"), ("task", None), ("id", None), ("id", {}), ("lang", 1), ("argsrepr", {}), ("retries", [])),
    *(("expires", "never"), ("eta", "tomorrow"), ("timelimit", "long"), ("timelimit", [[], {}]), ("timelimit", None)),
)


def _log_calls(stack: Stack, calls: int) -> list[str]:
    with transaction(stack.parts.sessions) as session:
        return [receive(session, stack.parts.context).number for _ in range(calls)]


def _is_quiet(stack: Stack) -> bool:
    """Tell whether no message waits and none is in a worker's hands."""
    return not stack.broker.llen("triage") and not stack.broker.hlen("unacked")


def _ring_five_times_at_once(stack: Stack, job_ids: list[int]) -> None:
    bell = CeleryDoorbell(stack.parts.celery)
    with ThreadPoolExecutor(5) as pool:
        for job_id in job_ids:
            list(pool.map(lambda _, job_id=job_id: bell.ring("triage", job_id), range(5)))


def test_the_same_message_many_times_does_the_work_once(stack: Stack) -> None:
    """Each job is rung for six times before the workers start, so that they meet at it, and five times when it is done.

    Each job must be claimed by one worker only, and done once.
    """
    numbers = _log_calls(stack, 8)
    job_ids = [row[0] for row in stack.rows("SELECT id FROM job ORDER BY id")]
    _ring_five_times_at_once(stack, job_ids)
    assert stack.broker.llen("triage") == 6 * len(job_ids)
    stack.start_worker(concurrency=3)
    wait_until_triaged(stack)
    _ring_five_times_at_once(stack, job_ids)
    wait_for("all messages are taken", lambda: _is_quiet(stack))
    assert set(attempts(stack).values()) == {1}
    assert_each_triaged_once(stack, numbers)


def test_hostile_messages_do_not_end_the_worker(stack: Stack) -> None:
    """Garbage, foreign tasks and wrong arguments lie in the queue among real rings.

    The worker's processes must outlive them all and do the real work.
    """
    numbers = _log_calls(stack, 1)
    (template,) = (json.loads(raw) for raw in stack.broker.lrange("triage", 0, -1))
    worker = stack.start_worker()
    wait_until_triaged(stack)
    assert worker.pid is not None
    family = {process.pid for process in psutil.Process(worker.pid).children(recursive=True)}
    for raw in (*NO_MESSAGES, *_forged(template)):
        stack.broker.lpush("triage", raw)
        stack.broker.lpush("maintenance", raw)
    numbers += _log_calls(stack, 5)
    wait_until_triaged(stack)
    wait_for("all messages are taken", lambda: _is_quiet(stack) and not stack.broker.llen("maintenance"))
    assert worker.poll() is None
    assert {process.pid for process in psutil.Process(worker.pid).children(recursive=True)} == family
    assert set(attempts(stack).values()) == {1}
    assert_each_triaged_once(stack, numbers)


def _forged(template: dict[str, Any]) -> Iterator[bytes]:
    """Yield Celery messages that are wrong in one place each."""
    for value in NO_JOB_IDS:
        yield _message(template, [[value], {}, {}])
    for body in ([[], {}, {}], [[1, 2], {}, {}], [[1], {"more": 1}, {}], [], {}, None, 7, [1, 2, 3], [[1], 5, {}]):
        yield _message(template, body)
    for name, value in WRONG_HEADERS:
        yield _message(template, [[1], {}, {}], headers={name: value})
    for changes in (
        {"headers": None},
        {"headers": []},
        {"properties": {}},
        {"body": "not base64 !"},
        {"body": base64.b64encode(b"{").decode()},
        {"body": 5},
        {"content-type": "application/x-python-serialize"},
        {"content-type": "text/plain"},
        {"content-encoding": "no-such-code"},
    ):
        yield json.dumps({**template, **changes}).encode()


def _message(template: dict[str, Any], body: object, headers: dict[str, Any] | None = None) -> bytes:
    encoded = base64.b64encode(json.dumps(body).encode()).decode()
    return json.dumps({**template, "body": encoded, "headers": {**template["headers"], **(headers or {})}}).encode()
