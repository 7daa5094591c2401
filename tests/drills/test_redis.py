"""Redis is only the doorbell: what it loses is rung for again, and without it the hotline still takes calls."""

import pytest
from tests.drills.checks import assert_each_triaged_once, wait_until_triaged, warm_up
from tests.drills.stack import Stack, wait_for
from tests.drills.web import load

pytestmark = pytest.mark.drill


def test_flushall_in_the_middle_of_the_load_loses_no_ticket(stack: Stack) -> None:
    """FLUSHALL while rings wait in Redis and jobs are in hand.

    The sweep must ring again for every job that Redis has forgotten.
    """
    web = stack.start_web()
    stack.start_worker(concurrency=2)
    stack.start_beat()
    numbers = warm_up(stack, web)
    with load(web, 40) as calls:
        with stack.triage_held():
            wait_for("both worker processes are in the middle of a job", lambda: stack.waiting_in_triage() == 2)
            wait_for("rings wait in Redis", lambda: stack.broker.llen("triage") >= 5)
            stack.broker.flushall()
        numbers += calls.finish()
    wait_until_triaged(stack)
    assert_each_triaged_once(stack, numbers)


def test_tickets_come_in_while_redis_is_down(stack: Stack) -> None:
    """Redis stops, calls go on, Redis comes back.

    Each call must be answered 201, and quickly; afterwards worker and beat must find Redis again by themselves.
    """
    web = stack.start_web()
    stack.start_worker()
    stack.start_beat()
    before = [web.log_ticket(f"before-{serial}") for serial in range(3)]
    wait_until_triaged(stack)
    stack.redis.stop()
    during = [web.log_ticket(f"during-{serial}") for serial in range(10)]
    assert [answer.status for answer in before + during] == [201] * 13
    assert max(answer.seconds for answer in during) < 2.0
    ready = web.ready()
    assert (ready.status, ready.body["degraded"]) == (200, ["redis"])
    stack.redis.start()
    wait_until_triaged(stack)
    assert web.ready().body["degraded"] == []
    assert_each_triaged_once(stack, [answer.body["number"] for answer in before + during])


def test_a_worker_survives_a_redis_that_restarts_while_it_is_busy(stack: Stack) -> None:
    """Redis restarts, empty, while every worker process is in the middle of a job and cannot read messages.

    The worker must do the jobs it has in hand, whose acknowledgements Redis no longer takes, and then listen again.
    """
    web = stack.start_web()
    worker = stack.start_worker()
    stack.start_beat()
    numbers = warm_up(stack, web)
    with stack.triage_held():
        numbers.append(web.log_ticket("in hand").body["number"])
        wait_for("the worker is in the middle of the job", lambda: stack.waiting_in_triage() == 1)
        stack.redis.stop()
    wait_for("the job in hand is done", lambda: worker.log().count('"triage", "attempt": 1, "event": "job_done"') == 2)
    stack.redis.start()
    numbers += [web.log_ticket(f"after-{serial}").body["number"] for serial in range(3)]
    wait_until_triaged(stack)
    assert worker.poll() is None
    assert_each_triaged_once(stack, numbers)
