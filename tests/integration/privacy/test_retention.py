"""Retention closes out every word and every caller, and no figure changes by it."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from tests.factories import ApiClient, actor_named, receive, run_jobs, ticket_after
from tests.integration.services.histories import History
from tests.integration.services.test_figures_from_events import compare_counts, periods

from hotline import bootstrap
from hotline.bootstrap import Runtime
from hotline.domain.people import SYSTEM
from hotline.domain.retention import CLOSED_OUT
from hotline.domain.ticket import OPEN_STATES, Action
from hotline.jobs.doorbell import SilentDoorbell
from hotline.jobs.queue import enqueue
from hotline.jobs.registry import RETENTION
from hotline.jobs.runner import Outcome
from hotline.services import audit, countings, handling, merging, retention
from hotline.services.context import Context
from hotline.services.countings import recomputed
from hotline.services.reporting import summary
from hotline.storage.engine import transaction
from hotline.storage.queries import counting
from hotline.storage.tables import Base, Caller, Prediction, Reply, Ticket, TicketEvent

CALL: dict[str, Any] = {
    "title": "路灯不亮",
    "content": "我叫张建国，路灯不亮",
    "wish": "尽快修好",
    "address": "幸福路12号",
    "caller_name": "张建国",
    "caller_phone": "13800005678",
}
DAY = timedelta(days=1)


def closed_out_all(session: Session, context: Context, before: datetime, limit: int = 500) -> list[int]:
    """Run batches to the end; return how many each closed out."""
    sizes, last = [], 0
    while True:
        batch = retention.close_out(session, context, SYSTEM, before, after_id=last, limit=limit)
        if batch.last_id is None:
            return sizes
        sizes.append(batch.tickets)
        last = batch.last_id


def snapshot(session: Session) -> dict[str, list[Any]]:
    """Return every row of the tables that tickets live in, without the words."""
    words = ["title", "content", "wish", "address", "answer", "text", "unresolved_reason", "reason", "evidence"]
    gone = [*words, "anonymised_at", "name_sealed", "phone_sealed", "phone_index"]
    tables = ("ticket", "caller", "reply", "ticket_event", "prediction", "ticket_cohandler")
    query = "SELECT (to_jsonb(t) - CAST(:gone AS text[]))::text FROM {} t ORDER BY 1"
    return {name: list(session.scalars(text(query.format(name)), {"gone": gone})) for name in tables}


@pytest.mark.parametrize("seed", range(3))
def test_every_figure_is_equal_before_and_after(parts: Runtime, seed: int) -> None:
    with parts.sessions() as session:
        history = History(session, parts.context, seed)
        history.play(40)
        countings.catch_up(session, 100_000)
        ids = list(session.scalars(select(Ticket.id)))
        told = list(recomputed(session, ids))
        asked = periods(history.now)
        figures = [summary(session, history.context, period) for period in asked]
        rest = snapshot(session)
        # Halfway, so that some are closed out and some are not yet.
        for before in (history.now - (history.now - asked[1].start) / 2, history.now + DAY):
            foreseen = retention.plan(session, before).total
            assert sum(closed_out_all(session, history.context, before, limit=7)) == foreseen > 0
            assert [summary(session, history.context, period) for period in asked] == figures
            assert snapshot(session) == rest
        # Counted anew, a ticket without its caller would look as if nobody had called again.
        counting.count_tickets(session, ids)
        for period in asked:
            compare_counts(session, told, period, history.now)
        left = session.scalars(select(Ticket).where(Ticket.anonymised_at.is_(None))).all()
        assert {ticket.state in OPEN_STATES or ticket.merged_into is not None for ticket in left} == {True}


def closed_ticket(session: Session, context: Context) -> Ticket:
    """A closed ticket that left words everywhere."""
    ticket = ticket_after(session, context, Action.APPROVE, **CALL)
    session.add(
        Prediction(
            ticket_id=ticket.id, model_version="v", matter="E03", confidence=0.9, auto=True,
            top=[{"matter": "E03", "p": 0.9}], evidence=["路灯", "不亮"], type="投诉", urgency="normal",
        )
    )  # fmt: skip
    session.execute(update(Reply).values(unresolved_reason="等灯杆"))
    end = handling.EndTicket(number=ticket.number, reason="张建国说不用了")
    handling.withdraw(session, context, end, actor_named(session, "supervisor01"))
    ticket.answer = "已告知"
    session.flush()
    return ticket


def test_nothing_that_somebody_wrote_is_left(parts: Runtime, api: Any) -> None:
    with transaction(parts.sessions) as session:
        ticket = closed_ticket(session, parts.context)
        number, states = ticket.number, [event.to_state for event in ticket.events]
        later = replace(parts.context, now=lambda: parts.context.now() + 3 * DAY)
        assert closed_out_all(session, later, parts.context.now() + DAY) == [1]
    with transaction(parts.sessions) as session:
        for table in set(Base.metadata.tables) - {"catalogue_entry", "department", "account"}:
            rows = " ".join(session.scalars(text(f'SELECT to_jsonb(t)::text FROM "{table}" t')))
            assert not [word for word in ("张建国", "路灯", "幸福路", "已告知", "灯杆", "修好") if word in rows], table
        ticket = session.scalars(select(Ticket).where(Ticket.number == number)).one()
        assert ticket.caller is not None
        kept = (ticket.caller.name_sealed, ticket.caller.phone_sealed, ticket.caller.phone_index)
        assert kept == (None, None, None)
        assert [event.to_state for event in ticket.events] == states
        assert audit.verify(session, parts.context).broken_at is None
    agent: ApiClient = api("agent01")
    shown = agent.get(f"/api/v1/tickets/{number}").json
    assert (shown["content"], shown["answer"], shown["state"]) == (CLOSED_OUT, CLOSED_OUT, "withdrawn")
    assert shown["anonymised_at"]
    revealed = agent.post(f"/api/v1/tickets/{number}/reveal", {"reason": "回电"}).json
    assert revealed == {"name": None, "phone": None, "content": CLOSED_OUT}


def test_the_plan_counts_by_year_and_changes_nothing(parts: Runtime) -> None:
    with transaction(parts.sessions) as session:
        ticket = closed_ticket(session, parts.context)
        ticket.ended_early_at = ended = parts.context.now() - 400 * DAY
        found = retention.plan(session, parts.context.now() - 300 * DAY)
        assert (found.total, found.oldest, found.newest) == (1, ended, ended)
        assert list(found.by_year) == [(ended + timedelta(hours=8)).year]
        assert retention.plan(session, parts.context.now() - 500 * DAY).total == 0
        assert session.scalar(select(func.count()).where(Ticket.anonymised_at.is_not(None))) == 0


def test_open_tickets_and_what_they_carry_on_wait(parts: Runtime) -> None:
    with transaction(parts.sessions) as session:
        target, merged = receive(session, parts.context, **CALL), receive(session, parts.context, **CALL)
        command = merging.MergeTicket(number=merged.number, into=target.number)
        merging.merge(session, parts.context, command, actor_named(session, "supervisor01"))
        assert retention.plan(session, parts.context.now() + DAY).total == 0
        end = handling.EndTicket(number=target.number, reason="不用了")
        handling.withdraw(session, parts.context, end, actor_named(session, "supervisor01"))
        session.flush()
        assert retention.plan(session, parts.context.now() + DAY).total == 2


def test_an_interrupted_run_is_started_again_and_done_twice_does_nothing(parts: Runtime) -> None:
    before = parts.context.now() + DAY
    with transaction(parts.sessions) as session:
        for _ in range(5):
            closed_ticket(session, parts.context)
    with transaction(parts.sessions) as session:
        retention.close_out(session, parts.context, SYSTEM, before, limit=2)
    with parts.sessions() as session:
        # This batch is killed before it commits, and so is its audit entry.
        retention.close_out(session, parts.context, SYSTEM, before, limit=2)
    with transaction(parts.sessions) as session:
        assert closed_out_all(session, parts.context, before, limit=2) == [2, 1]
        assert closed_out_all(session, parts.context, before) == []
        entries = [found.entry for found in audit.find(session, audit.FindEntries(action="retention.closed_out"))]
        assert [entry.detail["tickets"] for entry in entries] == [1, 2, 2]
        assert session.scalar(select(func.count()).where(Caller.phone_index.is_not(None))) == 0


def test_the_database_lets_events_change_in_no_other_way(parts: Runtime) -> None:
    with transaction(parts.sessions) as session:
        closed_ticket(session, parts.context)
    for change in ({"reason": "不用了"}, {"kind": "sign"}, {"reason": CLOSED_OUT, "kind": "sign"}):
        with pytest.raises(DBAPIError, match="append-only"), transaction(parts.sessions) as session:
            session.execute(update(TicketEvent).values(change))


@pytest.mark.parametrize(("automatic", "left"), [(False, 1), (True, 0)])
def test_workers_close_out_only_where_the_city_has_said_so(
    parts: Runtime, settings: Any, automatic: bool, left: int
) -> None:
    chosen = settings.model_copy(update={"retention_automatic": automatic, "retention_days": 30})
    with transaction(parts.sessions) as session:
        closed_ticket(session, parts.context).ended_early_at = parts.context.now() - 40 * DAY
        enqueue(session, RETENTION, {})
    worker = bootstrap.start(chosen, doorbell=SilentDoorbell())
    try:
        assert Outcome.DONE in run_jobs(worker)
        worker.tick()
        with transaction(worker.sessions) as session:
            assert session.scalar(select(func.count()).where(Ticket.anonymised_at.is_(None))) == left
            planned = session.scalar(
                text("SELECT count(*) FROM job WHERE kind = 'retention' AND dedupe_key IS NOT NULL")
            )
            assert planned == int(automatic)
    finally:
        worker.close()
