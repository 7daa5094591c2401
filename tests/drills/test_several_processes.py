"""Several web servers and workers over one database and one Redis, as on several machines.

Each program is told where the servers are and nothing else: they share no memory, no process group and no data folder.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pytest
from tests.drills.checks import assert_each_triaged_once, attempts, wait_until_triaged
from tests.drills.stack import Program, Stack, wait_for
from tests.drills.web import Answer, Web, load

pytestmark = pytest.mark.drill

CALLS = 80


@dataclass(frozen=True)
class Balanced(Web):
    """A client that asks the servers in turn, as a balancer without health checks would."""

    turns: Iterator[Web] = field(default_factory=lambda: iter(()))

    def log_ticket(self, key: str, content: str = "") -> Answer:
        """Log a call at whichever server's turn it is; a retry thus goes to another one than the first try."""
        return next(self.turns).log_ticket(key, content)


def balanced(servers: Sequence[Web]) -> Balanced:
    """Return a client of all ``servers``."""
    return Balanced(servers[0].port, servers[0].token, itertools.cycle(servers))


def program(stack: Stack, name: str) -> Program:
    """Return the running program called ``name``."""
    return next(program for program in stack.programs if program.name == name)


def test_one_web_server_and_one_worker_of_two_are_killed_under_load(stack: Stack) -> None:
    """kill -9 of a web server and, with a job in the middle of its transaction, of a worker.  Nobody replaces them.

    Every call must become one ticket although half of the retries go to the dead server, and each ticket must be
    triaged once although the other worker has to take over what the dead one held.
    """
    servers = [stack.start_web(f"web-{number}") for number in (1, 2)]
    workers = [stack.start_worker(f"worker-{number}") for number in (1, 2)]
    stack.start_beat()
    with load(balanced(servers), CALLS, clients=6, pause=0.02) as calls:
        wait_for("both workers have worked", lambda: len(_workers_of(stack)) == 2)
        program(stack, "web-1").kill()
        with stack.triage_held():
            wait_for("each worker is in the middle of a job", lambda: stack.waiting_in_triage() == 2)
            workers[0].kill()
        numbers = calls.finish()
    assert not servers[0].answers()
    wait_until_triaged(stack, 60)
    assert_each_triaged_once(stack, numbers)
    # The job that the dead worker held was claimed once more, and it alone.
    assert sorted(attempts(stack).values()) == [1] * (CALLS - 1) + [2]


def test_a_retry_at_another_server_gives_the_same_ticket(stack: Stack) -> None:
    """The same call with the same key, at two servers at once and one after the other."""
    servers = [stack.start_web(f"web-{number}") for number in (1, 2)]
    answers = [server.log_ticket("call-1") for server in (*servers, *servers)]
    assert {answer.status for answer in answers} == {201}
    assert len({answer.body["number"] for answer in answers}) == 1
    assert stack.rows("SELECT count(*) FROM ticket") == [(1,)]


def _workers_of(stack: Stack) -> set[str]:
    return {worker for (worker,) in stack.rows("SELECT DISTINCT worker FROM drill_journal WHERE state = 'done'")}
