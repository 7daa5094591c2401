"""Countings: what has not changed stays untouched, and what changes is carried into every sum that holds it."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session
from tests.factories import MovableClock, actor_named, at, ticket_after

from hotline.bootstrap import Runtime
from hotline.domain.kpi import Period
from hotline.domain.people import Role
from hotline.domain.ticket import Action, ExclusionReason
from hotline.services import countings, exclusions
from hotline.storage.engine import transaction
from hotline.storage.queries.handled import handling_times
from hotline.storage.queries.slices import WHOLE, Slice
from hotline.storage.tables import COUNTED_DAY, COUNTED_DAY_BY, Ticket

AFTER = Slice(after_exclusion=True)
TOUCHED = ("counted", "counted_day", "counted_day_by", "waited")


def test_a_day_that_is_over_is_told_anew_when_one_of_its_tickets_is_excluded(parts: Runtime) -> None:
    now = MovableClock().instant
    past = at(parts.context, now - timedelta(days=3))
    period = Period(now - timedelta(days=10), now, now)
    with transaction(parts.sessions) as session:
        one, *_ = [ticket_after(session, past, Action.FOLLOW_UP) for _ in range(2)]
        countings.catch_up(session)
        assert countings.pack_days(session, now) == 1
        assert countings.pack_days(session, now) == 0, "a day is packed once"
        assert handling_times(session, period, AFTER, ())[WHOLE][""].count == 2
        wish = exclusions.RequestExclusion(number=one.number, reason_code=ExclusionReason.MALICIOUS, evidence="录音")
        exclusions.request_exclusion(session, parts.context, wish, actor_named(session, "cgj-lead"))
        agree = exclusions.DecideExclusion(number=one.number, reason="属实")
        exclusions.approve_exclusion(session, parts.context, agree, actor_named(session, "supervisor01"))
        second = replace(actor_named(session, "dispatcher01"), role=Role.SUPERVISOR)
        exclusions.approve_exclusion(session, parts.context, agree, second)
        countings.catch_up(session)
        for packed in (0, 1):
            assert handling_times(session, period, AFTER, ())[WHOLE][""].count == 1
            assert handling_times(session, period, Slice(), ("task",))["task"]["E"].count == 2
            assert countings.pack_days(session, now) == 1 - packed


def test_counting_again_what_has_not_changed_touches_nothing(parts: Runtime) -> None:
    with transaction(parts.sessions) as session:
        tickets = [ticket_after(session, parts.context, last) for last in (None, Action.SIGN, Action.FOLLOW_UP)]
        countings.catch_up(session)
        places = [session.execute(text(f"SELECT ctid, * FROM {table} ORDER BY 1")).all() for table in TOUCHED]
        for ticket in tickets:
            session.execute(text("INSERT INTO uncounted (ticket_id) VALUES (:id)"), {"id": ticket.id})
        assert countings.catch_up(session) == 3
        assert [session.execute(text(f"SELECT ctid, * FROM {table} ORDER BY 1")).all() for table in TOUCHED] == places


def test_sums_are_the_same_when_all_is_made_anew(parts: Runtime) -> None:
    with transaction(parts.sessions) as session:
        for last in (None, Action.DISPATCH, Action.SIGN, Action.FOLLOW_UP, Action.FOLLOW_UP):
            ticket_after(session, parts.context, last)
            countings.catch_up(session)
        kept = session.scalars(select(Ticket).where(Ticket.closed_at.is_not(None)).limit(1)).one()
        # As retention leaves it: what was counted of it stays, and is summed from there.
        kept.anonymised_at = parts.context.now()
        before = sums(session)
    assert sum(countings.rebuild(parts.sessions)) == 5
    with transaction(parts.sessions) as session:
        assert sums(session) == before
        session.execute(delete(COUNTED_DAY_BY))
        assert sums(session) != before


def sums(session: Session) -> list[list[tuple[object, ...]]]:
    return [
        sorted((tuple(row) for row in session.execute(select(table).where(table.c.n != 0))), key=str)
        for table in (COUNTED_DAY, COUNTED_DAY_BY)
    ]
