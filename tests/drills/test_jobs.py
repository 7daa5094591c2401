"""Work that cannot be done for a while, and work that falls due by the clock."""

import json
import time

import pytest
from tests.drills.checks import assert_each_triaged_once, attempts, wait_until_triaged
from tests.drills.stack import Stack, wait_for
from tests.factories import STREET_LIGHT, receive

from hotline.jobs.registry import PRUNE
from hotline.jobs.schedule import SCHEDULE
from hotline.storage.engine import transaction

pytestmark = pytest.mark.drill

REFUSE = """
CREATE FUNCTION drill_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.ticket_id = {ticket} THEN RAISE EXCEPTION 'the drill refuses this one'; END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER drill_refuse BEFORE INSERT ON prediction FOR EACH ROW EXECUTE FUNCTION drill_refuse();
UPDATE job SET max_attempts = 3 WHERE dedupe_key = 'triage:{ticket}';
"""

HISTORY = "SELECT state, attempts, extract(epoch FROM wait)::float FROM drill_journal WHERE job_id = :job ORDER BY id"


def test_a_job_that_always_fails_ends_dead_and_can_be_replayed(stack: Stack) -> None:
    """The database refuses one ticket's prediction (a trigger raises) among others that are fine.

    That job must be retried after growing waits and end dead, in sight of ``hotline jobs``, while the others are done.
    When the cause is gone, ``hotline jobs replay`` must bring it back.
    """
    with transaction(stack.parts.sessions) as session:
        tickets = [receive(session, stack.parts.context) for _ in range(3)]
        session.connection().exec_driver_sql(REFUSE.format(ticket=tickets[1].id))
    ((job_id,),) = stack.rows("SELECT id FROM job WHERE max_attempts = 3")
    stack.start_worker()
    stack.start_beat()
    wait_until_triaged(stack)
    history = stack.rows(HISTORY, job=job_id)
    steps = [(state, tries, wait if state == "queued" else None) for state, tries, wait in history]
    assert steps == [
        *(("running", 1, None), ("queued", 1, 2.0)),
        *(("running", 2, None), ("queued", 2, 4.0)),
        *(("running", 3, None), ("dead", 3, None)),
    ]
    listed = stack.run("jobs", "list", "--state", "dead")
    assert listed.split()[:4] == [str(job_id), "triage", "dead", "3/3"]
    assert "RaiseException" in listed or "Error" in listed
    assert STREET_LIGHT not in listed and "refuses" not in listed
    stack.execute("DROP TRIGGER drill_refuse ON prediction")
    assert stack.run("jobs", "replay", str(job_id)) == "1 dead job queued anew\n"
    wait_until_triaged(stack)
    assert stack.run("jobs", "list", "--state", "dead") == "no jobs match\n"
    assert_each_triaged_once(stack, [ticket.number for ticket in tickets])


def _beats_that_ticked(stack: Stack) -> set[str]:
    return {json.loads(raw)["headers"]["origin"] for raw in stack.broker.lrange("maintenance", 0, -1)}


def test_two_beats_at_once_start_periodic_work_once(stack: Stack) -> None:
    """Two beats tick, two workers sweep at once, and every ring for the waiting tickets has been lost.

    What falls due by the clock must be done once per slot, and no ticket twice.
    """
    (prune,) = (periodic for periodic in SCHEDULE if periodic.kind is PRUNE)
    hours = prune.every.total_seconds()
    first = int(time.time() // hours)
    stack.start_beat("beat-1")
    stack.start_beat("beat-2")
    wait_for("both beats tick", lambda: len(_beats_that_ticked(stack)) == 2)
    with transaction(stack.parts.sessions) as session:
        numbers = [receive(session, stack.parts.context).number for _ in range(20)]
    stack.broker.flushall()
    workers = [stack.start_worker(f"worker-{serial}", concurrency=2) for serial in (1, 2)]
    wait_until_triaged(stack)
    wait_for("many ticks are done", lambda: sum(_ticks_done(worker.log()) for worker in workers) >= 10)
    slots = {f"{PRUNE.name}:{slot}" for slot in range(first, int(time.time() // hours) + 1)}
    done = stack.rows("SELECT dedupe_key, attempts FROM job WHERE kind = 'prune' AND state = 'done'")
    assert len(done) == len(set(done)) >= 1
    assert {key for key, _ in done} <= slots
    assert {tries for _, tries in done} == set(attempts(stack).values()) == {1}
    assert stack.rows("SELECT count(*) FROM job WHERE kind = 'prune'")[0][0] <= len(slots)
    assert_each_triaged_once(stack, numbers)


def _ticks_done(log: str) -> int:
    return sum("hotline.tick" in line and "succeeded" in line for line in log.splitlines())
