"""What must hold at the end of every drill: each ticket was triaged exactly once and no job is lost."""

from collections import Counter
from collections.abc import Collection

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session, selectinload
from tests.drills.stack import Stack, wait_for
from tests.drills.web import Web

from hotline.jobs.registry import TRIAGE
from hotline.services.triage import TRIAGED
from hotline.storage.engine import transaction
from hotline.storage.tables import Job, Prediction, Ticket

# The two ways out of triage: to a department, or to the human queue.
LIVES = (["received", TRIAGED, "dispatch"], ["received", TRIAGED, "queue"])


def unfinished(stack: Stack) -> int:
    """How many triage jobs are queued or running."""
    query = select(func.count()).where(Job.kind == TRIAGE.name, Job.state.in_(("queued", "running")))
    with transaction(stack.parts.sessions) as session:
        return session.scalar(query) or 0


def wait_until_triaged(stack: Stack, seconds: float = 30.0) -> None:
    """Wait until no triage job is queued or running."""
    wait_for("every triage job comes to its end", lambda: unfinished(stack) == 0, seconds)


def warm_up(stack: Stack, web: Web) -> list[str]:
    """Log a call and see it triaged, so that what follows meets workers at work; return its ticket's number."""
    number = web.log_ticket("warm-up").body["number"]
    wait_until_triaged(stack)
    return [number]


def assert_each_triaged_once(stack: Stack, numbers: Collection[str]) -> None:
    """Assert that the tickets are those with ``numbers``, each triaged once, and each one's only job done once."""
    with transaction(stack.parts.sessions) as session:
        tickets = session.scalars(select(Ticket).options(selectinload(Ticket.events))).all()
        assert Counter(ticket.number for ticket in tickets) == Counter(numbers)
        readings = Counter(session.scalars(select(Prediction.ticket_id)))
        for ticket in tickets:
            assert [event.kind for event in ticket.events] in LIVES, ticket.number
            assert ticket.state == ticket.events[-1].to_state, ticket.number
            by_model = ticket.events[1].data["model_version"] is not None
            assert readings[ticket.id] == int(by_model), ticket.number
        _assert_each_job_done_once(session, [ticket.id for ticket in tickets])


def _assert_each_job_done_once(session: Session, ticket_ids: Collection[int]) -> None:
    jobs = session.scalars(select(Job).where(Job.kind == TRIAGE.name)).all()
    assert Counter(job.args["ticket_id"] for job in jobs) == Counter(ticket_ids)
    assert {(job.state, job.lease_until, job.last_error) for job in jobs} <= {("done", None, None)}
    endings = Counter(session.scalars(text("SELECT job_id FROM drill_journal WHERE state = 'done'")))
    assert all(endings[job.id] == 1 for job in jobs), endings


def attempts(stack: Stack) -> dict[str, int]:
    """How often each ticket's triage job was claimed, by ticket number."""
    query = select(Ticket.number, Job.attempts).join(Job, Job.dedupe_key == func.concat("triage:", Ticket.id))
    with transaction(stack.parts.sessions) as session:
        return {row.number: row.attempts for row in session.execute(query)}
