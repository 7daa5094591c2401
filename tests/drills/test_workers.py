"""Workers that are killed, that stall, and that share the work."""

import signal
import socket
from pathlib import Path

import pytest
from tests.drills.checks import assert_each_triaged_once, attempts, wait_until_triaged, warm_up
from tests.drills.stack import Stack, wait_for
from tests.drills.web import load

pytestmark = pytest.mark.drill

STALLING_APP = "tests.drills.stalling_app"


def test_a_worker_killed_in_the_middle_of_a_job_is_replaced(stack: Stack) -> None:
    """kill -9 of the worker and its children, with a job in the middle of its transaction and rings in their hands.

    The sweep must take the job back when its lease has run out, and a new worker must do it and all others, once.
    """
    web = stack.start_web()
    worker = stack.start_worker("killed")
    stack.start_beat()
    numbers = warm_up(stack, web)
    with load(web, 19) as calls:
        with stack.triage_held():
            wait_for("a job is in the middle of its transaction", lambda: stack.waiting_in_triage() == 1)
            worker.kill()
            ((job_id,),) = stack.rows("SELECT id FROM job WHERE state = 'running'")
        stack.start_worker("new")
        numbers += calls.finish()
    wait_until_triaged(stack)
    assert_each_triaged_once(stack, numbers)
    history = stack.rows("SELECT state, attempts FROM drill_journal WHERE job_id = :job ORDER BY id", job=job_id)
    assert history == [("running", 1), ("queued", 1), ("running", 2), ("done", 2)]
    assert sorted(attempts(stack).values()) == [1] * 19 + [2]


def test_a_worker_that_stalled_past_its_lease_leaves_no_trace(stack: Stack, tmp_path: Path) -> None:
    """A worker is stopped (SIGSTOP) in the middle of a job, another does the job, and the first goes on (SIGCONT).

    The fence must roll back what the first had written, and the first must go on working.
    """
    stack.execute("CREATE TABLE drill_effect (ticket_id bigint, process bigint)")
    gate = tmp_path / "gate"
    gate.touch()
    web = stack.start_web()
    stack.environment["HOTLINE_DRILL_GATE"] = str(gate)
    stalled = stack.start_worker("stalled", app=STALLING_APP)
    numbers = [web.log_ticket("stalled").body["number"]]
    wait_for("the first worker is in the middle of the job", lambda: "drill_stalled" in stalled.log())
    stalled.signal_all(signal.SIGSTOP)
    del stack.environment["HOTLINE_DRILL_GATE"]
    second = stack.start_worker("second", app=STALLING_APP)
    stack.start_beat()
    wait_until_triaged(stack)
    assert attempts(stack) == {numbers[0]: 2}
    gate.unlink()
    stalled.signal_all(signal.SIGCONT)
    ends = ("job_lease_lost", "job_done", "job_failed")
    wait_for("the first worker comes to the job's end", lambda: any(end in stalled.log() for end in ends))
    second.stop()
    traces = stack.rows("SELECT worker, process FROM drill_effect, job WHERE kind = 'triage'")
    assert [worker == f"{socket.gethostname()}:{process}" for worker, process in traces] == [True], traces
    assert "job_lease_lost" in stalled.log()
    numbers.append(web.log_ticket("after").body["number"])
    wait_until_triaged(stack)
    assert_each_triaged_once(stack, numbers)
    assert stack.rows("SELECT count(*), count(DISTINCT ticket_id) FROM drill_effect") == [(2, 2)]


def test_a_worker_of_one_role_is_rung_for_its_own_work(stack: Stack) -> None:
    """The only worker serves the triage queue alone, and no beat runs whose sweep could repair a lost ring.

    Each ring must reach the queue of its job's own role.
    """
    web = stack.start_web()
    stack.start_worker(queues="triage")
    numbers = [web.log_ticket(f"call-{serial}").body["number"] for serial in range(5)]
    wait_until_triaged(stack)
    assert stack.broker.llen("maintenance") == 0
    assert_each_triaged_once(stack, numbers)
