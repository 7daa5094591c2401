"""What the clock says are facts of timestamps: it does not matter when anybody comes to hear them.

One random history is lived through several times: with a sweep at every minute in which there is something to say, with
sweeps now and then, and with none until the end, as if all workers had been stopped.
"""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session
from tests.factories import actor_named, receive, take

from hotline.bootstrap import Runtime
from hotline.domain.clock_notices import NoticeKind
from hotline.domain.ticket import Action, ComplaintType, FollowupResult, ReturnReason, Satisfaction, Urgency
from hotline.domain.transitions import TransitionRefused
from hotline.services import (
    dispatch,
    extensions,
    followup,
    handling,
    merging,
    notices,
    returns,
    supervision,
    suspensions,
)
from hotline.services.errors import Conflict, Forbidden, InvalidInput, NotFound
from hotline.storage.tables import ClockNotice, Job, Ticket, TicketEvent

START = datetime(2026, 3, 2, 1, 7, 13, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PAUSES = (1, 7, 31, 95, 240, 700, 1500, 4400)
Sweeps = Callable[["Life", datetime], None]


class Life:
    """A random history.  Its choices depend on the seed and on the tickets' states, never on what the clock said."""

    def __init__(self, session: Session, parts: Runtime, seed: int) -> None:
        self.session, self.random, self.now = session, random.Random(seed), START
        self.context = replace(parts.context, now=lambda: self.now, notifies=True)
        self.tickets: list[Ticket] = []

    def live(self, steps: int, sweeps: Sweeps) -> list[tuple[Any, ...]]:
        """Take ``steps`` steps; return what the clock has said by the end, by ticket and time."""
        for _ in range(steps):
            later = self.now + MINUTE * self.random.choice(PAUSES)
            sweeps(self, later)
            self.now = later
            if len(self.tickets) < 3 and self.random.random() < 0.4:
                self.tickets.append(self._call())
            elif self.tickets:
                self._attempt(self.random.choice(self.tickets))
        while notices.sweep(self.session, self.context):
            pass
        return self.said()

    def said(self) -> list[tuple[Any, ...]]:
        """All notices as (which ticket, kind, when it fell due, for which due, department)."""
        order = {ticket.id: place for place, ticket in enumerate(self.tickets)}
        rows = self.session.scalars(select(ClockNotice).where(ClockNotice.ticket_id.in_(order)))
        return sorted((order[row.ticket_id], row.at, row.kind, row.due, row.department_id) for row in rows)

    def sweep_until(self, until: datetime) -> None:
        """Sweep in every minute before ``until`` in which the clock has something to say; in the others it is idle."""
        while True:
            self.session.flush()
            first = self.session.scalar(select(func.min(Ticket.next_notice_at)))
            if first is None or first >= until - MINUTE:
                return
            self.now = max(self.now, first.replace(second=0, microsecond=0) + MINUTE)
            notices.sweep(self.session, self.context)

    def _call(self) -> Ticket:
        kind = self.random.choice([ComplaintType.INQUIRY, ComplaintType.HELP, ComplaintType.COMPLAINT])
        urgency = self.random.choice([Urgency.NORMAL, Urgency.NORMAL, Urgency.CRITICAL])
        return receive(self.session, self.context, type=kind, urgency=urgency)

    def _attempt(self, ticket: Ticket) -> None:
        step = self.random.choice(STEPS)
        # Drawn in any case, so that every run draws the same.
        luck = self.random.random()
        try:
            with self.session.begin_nested():
                step(self, ticket, luck)
                self.session.flush()
        except (TransitionRefused, Conflict, Forbidden, InvalidInput, NotFound):
            pass

    def do(self, service: Any, command: Any, username: str) -> None:
        """Call a service as ``username``."""
        service(self.session, self.context, command, actor_named(self.session, username))


def _ordinary(life: Life, ticket: Ticket, luck: float) -> None:
    road = {
        "received": Action.DISPATCH,
        "awaiting_dispatch": Action.DISPATCH,
        "awaiting_sign": Action.SIGN,
        "handling": Action.REPLY,
        "replied": Action.APPROVE,
    }
    action = road.get(ticket.state)
    if action is not None:
        take(life.session, life.context, ticket, action)


def _follow_up(life: Life, ticket: Ticket, luck: float) -> None:
    happy = luck < 0.4
    result = FollowupResult.RESOLVED if happy else FollowupResult.UNRESOLVED
    rating = Satisfaction.SATISFIED if happy else Satisfaction.DISSATISFIED
    command = followup.FollowUp(number=ticket.number, result=result, satisfaction=rating)
    life.do(followup.follow_up, command, "followup01")


def _reclassify(life: Life, ticket: Ticket, luck: float) -> None:
    kind = (ComplaintType.INQUIRY, ComplaintType.HELP, ComplaintType.COMPLAINT)[int(luck * 3)]
    urgency = Urgency.CRITICAL if luck > 0.8 else Urgency.NORMAL
    command = supervision.Reclassify(number=ticket.number, reason="更正", type=kind, urgency=urgency)
    life.do(supervision.reclassify, command, "dispatcher01")


def _suspend(life: Life, ticket: Ticket, luck: float) -> None:
    if "suspended" in ticket.overlays:
        life.do(suspensions.resume, suspensions.DecideSuspension(number=ticket.number, reason="到货"), "cgj-lead")
        return
    review = (life.now + timedelta(days=1 + int(luck * 5))).date()
    asked = suspensions.RequestSuspension(number=ticket.number, reason="等配件", plan="到货即修", review_on=review)
    life.do(suspensions.request_suspension, asked, "cgj-lead")
    decided = suspensions.DecideSuspension(number=ticket.number, reason="同意")
    life.do(suspensions.approve_suspension, decided, "supervisor01")


def _extend(life: Life, ticket: Ticket, luck: float) -> None:
    asked = extensions.RequestExtension(number=ticket.number, working_days=1 + int(luck * 9), reason="工程量大")
    life.do(extensions.request_extension, asked, "cgj-lead")
    life.do(
        extensions.approve_extension, extensions.DecideExtension(number=ticket.number, reason="同意"), "supervisor01"
    )


def _return(life: Life, ticket: Ticket, luck: float) -> None:
    if "return_pending" in ticket.overlays:
        if luck < 0.5:
            life.do(
                returns.reject_return, returns.RejectReturn(number=ticket.number, reason="本局职责"), "dispatcher01"
            )
        else:
            life.do(returns.cancel_return, returns.CancelReturn(number=ticket.number), "cgj-lead")
        return
    asked = returns.RequestReturn(
        number=ticket.number, reason_code=ReturnReason.NOT_OUR_DUTY, basis="三定方案", suggested_department="ZJJ"
    )
    life.do(returns.request_return, asked, "cgj-lead")


def _merge(life: Life, ticket: Ticket, luck: float) -> None:
    if ticket.state == "merged":
        life.do(merging.unmerge, merging.UnmergeTicket(number=ticket.number, reason="并非一事"), "dispatcher01")
        return
    other = life.tickets[int(luck * len(life.tickets))]
    life.do(merging.merge, merging.MergeTicket(number=ticket.number, into=other.number), "dispatcher01")


def _take_back(life: Life, ticket: Ticket, luck: float) -> None:
    life.do(dispatch.take_back, dispatch.TakeBack(number=ticket.number, reason="派错"), "dispatcher01")


def _send_back(life: Life, ticket: Ticket, luck: float) -> None:
    life.do(handling.send_back, handling.EndTicket(number=ticket.number, reason="不完整"), "cgj-lead")


STEPS = (
    *(_ordinary, _ordinary, _ordinary, _ordinary, _follow_up, _reclassify, _suspend, _suspend),
    *(_extend, _return, _return, _merge, _take_back, _send_back),
)


def each_minute(life: Life, until: datetime) -> None:
    life.sweep_until(until)


def now_and_then(life: Life, until: datetime) -> None:
    # Of its own luck, so that the history's choices stay the same.
    if int(until.timestamp()) % 3 == 0:
        life.now += (until - life.now) / 2
        notices.sweep(life.session, life.context)


def never(life: Life, until: datetime) -> None:
    """All workers are stopped."""


@pytest.mark.parametrize("seed", range(8))
def test_the_same_is_said_whenever_anybody_comes_to_hear_it(standing_parts: Runtime, seed: int) -> None:
    told = []
    for sweeps in (each_minute, now_and_then, never):
        with standing_parts.sessions() as session:
            told.append(Life(session, standing_parts, seed).live(60, sweeps))
    assert told[1] == told[0]
    assert told[2] == told[0]


def test_the_histories_meet_every_kind_of_notice(standing_parts: Runtime) -> None:
    met: set[str] = set()
    for seed in range(8):
        with standing_parts.sessions() as session:
            met |= {row[2] for row in Life(session, standing_parts, seed).live(60, never)}
    assert met == set(NoticeKind)


def test_each_notice_has_one_event_at_its_own_time_and_one_message(standing_parts: Runtime) -> None:
    with standing_parts.sessions() as session:
        life = Life(session, standing_parts, 1)
        said = life.live(60, never)
        again = notices.sweep(session, life.context)
        ids = [ticket.id for ticket in life.tickets]
        events = session.execute(
            select(TicketEvent.kind, TicketEvent.at).where(
                TicketEvent.ticket_id.in_(ids), TicketEvent.kind.in_(list(NoticeKind))
            )
        ).all()
        subjects = session.scalars(select(Job.args["subject"].astext).where(Job.kind == "notify")).all()
    assert again == 0
    assert sorted((row.kind, row.at) for row in events) == sorted((kind, at) for _, at, kind, _, _ in said)
    assert sum(subject in set(NoticeKind) for subject in subjects) == len(said)


def test_an_hour_without_workers_over_a_deadline_changes_neither_card_nor_time(standing_parts: Runtime) -> None:
    with standing_parts.sessions() as session:
        life = Life(session, standing_parts, 0)
        ticket = receive(session, life.context, type=ComplaintType.INQUIRY)
        life.tickets.append(ticket)
        take(session, life.context, ticket, Action.DISPATCH)
        assert ticket.sign_due is not None
        life.now = ticket.sign_due + timedelta(hours=1)
        notices.sweep(session, life.context)
        assert [(row[1], row[2]) for row in life.said()] == [(ticket.sign_due, NoticeKind.SIGN_OVERDUE)]


def test_the_sweep_reads_the_index_of_what_is_to_be_heard_however_many_are_closed(standing_parts: Runtime) -> None:
    with standing_parts.sessions() as session:
        now = standing_parts.context.now()
        session.execute(
            text("""
                INSERT INTO ticket (number, state, channel, content, urgency, received_at, closed_at)
                SELECT 'closed-' || n, 'closed', 'phone', '路灯不亮', 'normal', :now, :now
                FROM generate_series(1, 20000) AS n
            """),
            {"now": now},
        )
        receive(session, standing_parts.context)
        session.flush()
        session.execute(text("ANALYZE ticket"))
        query = notices.heard_next(now)
        compiled = query.compile(session.get_bind(), compile_kwargs={"literal_binds": True})
        plan = "\n".join(session.scalars(text(f"EXPLAIN {compiled}")).all())
    assert "ix_ticket_next_notice_at" in plan, plan
    assert "Seq Scan" not in plan, plan


def test_a_ticket_whose_rows_contradict_each_other_does_not_silence_the_others(standing_parts: Runtime) -> None:
    with standing_parts.sessions() as session:
        life = Life(session, standing_parts, 0)
        sound, broken = (receive(session, life.context, type=ComplaintType.HELP) for _ in range(2))
        for ticket in (broken, sound):
            take(session, life.context, ticket, Action.DISPATCH)
            life.tickets.append(ticket)
        # Marked as extended without any extension: its dues cannot be told.
        broken.overlays = ["extended"]
        life.now += timedelta(days=30)
        assert notices.sweep(session, life.context) == 2
        assert {row[0] for row in life.said()} == {life.tickets.index(sound)}
        assert notices.sweep(session, life.context) == 0
        life.now += timedelta(hours=2)
        assert notices.sweep(session, life.context) == 1
