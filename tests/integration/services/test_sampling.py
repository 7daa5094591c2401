"""The sample of answers: risky ones are always asked, the page tells what it says; handled tickets are all asked."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session
from tests.factories import MovableClock, actor_named, at, receive, take, ticket_after
from tests.integration.browser import Browser

from hotline.bootstrap import Runtime
from hotline.domain.kpi import Period
from hotline.domain.sampling import Risk
from hotline.domain.ticket import Action, ComplaintType, FollowupResult
from hotline.services import followup
from hotline.services.context import Context
from hotline.services.followup import FollowUp, OrderRework
from hotline.services.sampling import sample
from hotline.storage.engine import transaction
from hotline.storage.tables import Followup, Ticket
from hotline.web.app import create_app


def answered(session: Session, context: Context, phone: str, **given: object) -> Ticket:
    """Receive a ticket that is answered at once; an inquiry about street lamps unless told otherwise."""
    usual = {"content": "路灯几点开", "type": ComplaintType.INQUIRY, "matter": "E03", "answer": "日落时分自动亮灯。"}
    return receive(
        session,
        context,
        **(usual | given),
        disposition="answered",
        caller_phone=phone,
    )


def test_the_risky_ones_are_asked_and_all_are_estimated(parts: Runtime) -> None:
    clock = MovableClock()
    context = replace(at(parts.context, clock.instant), answer_followup_share=1e-9)
    period = Period(clock.instant - timedelta(days=1), clock.instant + timedelta(days=1), clock.instant)
    with transaction(parts.sessions) as session:
        low = [answered(session, context, f"1390000{number:04d}") for number in range(6)]
        again = answered(session, context, "13900000000")
        complaint = answered(session, context, "13911110000", type=ComplaintType.COMPLAINT)
        drawn = set(session.scalars(select(Followup.ticket_id)))
        assert drawn == {again.id, complaint.id}
        assert not drawn & {ticket.id for ticket in low}
        agent = actor_named(session, "followup01")
        for ticket, result in ((again, FollowupResult.UNRESOLVED), (complaint, FollowupResult.RESOLVED)):
            followup.follow_up(session, context, FollowUp(number=ticket.number, result=result), agent)
        found = sample(session, period)
        assert (found.answered, found.drawn) == (8, 2)
        high = found.strata[Risk.HIGH]
        assert (high.answered, high.helped.numerator, high.helped.denominator) == (2, 1, 2)
        # None of those whose words stand in no entry of the knowledge base was asked: nothing is said of all.
        assert found.strata[Risk.RAISED].answered == 6
        assert found.helped is None
        everybody = replace(context, answer_followup_share=1.0)
        last = answered(session, everybody, "13922220000")
        command = FollowUp(number=last.number, result=FollowupResult.RESOLVED)
        followup.follow_up(session, everybody, command, agent)
        found = sample(session, period)
        assert found.helped is not None
        assert found.helped.value == (2 * 0.5 + 7 * 1.0) / 9
        assert found.helped.low < found.helped.value < found.helped.high
    browser = Browser.of(create_app(parts))
    browser.sign_in("supervisor01")
    page = browser.text("/reports/integrity")
    assert "直接答复的抽样回访" in page
    assert "88.9%" in page


def test_a_share_of_nought_asks_nobody(parts: Runtime) -> None:
    with transaction(parts.sessions) as session:
        answered(session, parts.context, "13900000001", type=ComplaintType.COMPLAINT)
        assert session.scalars(select(Followup.id)).all() == []


def test_supervised_and_reworked_tickets_are_always_asked(parts: Runtime) -> None:
    """Whatever the share: every ticket that a department has handled is, in every round."""
    with transaction(parts.sessions) as session:
        boss = actor_named(session, "supervisor01")
        ticket = ticket_after(session, parts.context, Action.APPROVE)
        assert session.scalars(select(Followup.round).where(Followup.ticket_id == ticket.id)).all() == [0]
        again = OrderRework(number=ticket.number, reason="复核发现未到现场")
        followup.order_rework(session, parts.context, again, boss)
        for step in (Action.REPLY, Action.APPROVE):
            take(session, parts.context, ticket, step)
        assert session.scalars(select(Followup.round).where(Followup.ticket_id == ticket.id)).all() == [0, 1]
