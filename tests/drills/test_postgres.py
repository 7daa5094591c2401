"""PostgreSQL away for a moment: everybody is told so in the API's own words, and nobody has to restart anything."""

import pytest
from tests.drills.checks import assert_each_triaged_once, wait_until_triaged, warm_up
from tests.drills.stack import Stack, wait_for
from tests.drills.web import Answer, load

pytestmark = pytest.mark.drill

PROBLEM = (503, "application/problem+json")


def _kind(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.content_type


def test_postgresql_restarted_in_the_middle_of_the_load(stack: Stack) -> None:
    """PostgreSQL is stopped, with a job in the middle of its transaction and calls coming in, and started again.

    Meanwhile the web server must answer 503 with a problem document; clients that insist must get one ticket each.
    """
    web = stack.start_web()
    worker = stack.start_worker(concurrency=2)
    stack.start_beat()
    numbers = warm_up(stack, web)
    with load(web, 40) as calls:
        with stack.triage_held():
            wait_for("a job is in the middle of its transaction", lambda: stack.waiting_in_triage() > 0)
            stack.postgres.stop()
        refused = web.log_ticket("while it is away")
        assert _kind(refused) == PROBLEM
        assert refused.body["status"] == 503
        assert web.ready().status == 503
        assert web.request("GET", "/healthz").status == 200
        wait_for("a client of the load is refused", lambda: calls.refusals)
        stack.postgres.start()
        numbers += calls.finish()
    assert {_kind(answer) for answer in calls.refusals} == {PROBLEM}
    wait_until_triaged(stack)
    assert web.ready().body == {"status": "ok", "degraded": []}
    assert worker.poll() is None
    assert_each_triaged_once(stack, numbers)
