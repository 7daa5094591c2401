"""Follow-up: each caller's answer counts; who is not reached is tried three times, who is unhappy gets a rework."""

from dataclasses import replace

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from tests.factories import actor_named, take, ticket_after

from hotline.bootstrap import Runtime
from hotline.domain.ticket import Action, FollowupResult, Satisfaction, State
from hotline.services import followup
from hotline.services.context import Context
from hotline.services.errors import InvalidInput
from hotline.storage.tables import Ticket, TicketEvent


def call(session: Session, context: Context, ticket: Ticket, result: str, rating: str | None = None) -> Ticket:
    satisfaction = Satisfaction(rating) if rating else None
    command = followup.FollowUp(number=ticket.number, result=FollowupResult(result), satisfaction=satisfaction)
    return followup.follow_up(session, context, command, actor_named(session, "followup01"))


def kinds(session: Session, ticket: Ticket) -> list[str]:
    session.flush()
    query = select(TicketEvent.kind).where(TicketEvent.ticket_id == ticket.id).order_by(TicketEvent.id)
    return [kind for kind in session.scalars(query) if kind in ("follow_up", "close", "rework")]


def test_the_third_call_that_nobody_answers_closes_the_ticket(standing_parts: Runtime) -> None:
    with standing_parts.sessions() as session:
        ticket = ticket_after(session, standing_parts.context, Action.APPROVE)
        for tried in (1, 2):
            call(session, standing_parts.context, ticket, "unreachable")
            assert (ticket.state, ticket.followup_result) == (State.AWAITING_FOLLOWUP, None)
            assert kinds(session, ticket) == ["follow_up"] * tried
        call(session, standing_parts.context, ticket, "unreachable")
        assert (ticket.state, ticket.followup_result) == (State.CLOSED, "unreachable")
        assert kinds(session, ticket) == ["follow_up"] * 3 + ["close"]


def test_somebody_reached_at_the_second_try_decides(standing_parts: Runtime) -> None:
    with standing_parts.sessions() as session:
        ticket = ticket_after(session, standing_parts.context, Action.APPROVE)
        call(session, standing_parts.context, ticket, "unreachable")
        call(session, standing_parts.context, ticket, "resolved", "neutral")
        assert (ticket.state, ticket.followup_result, ticket.satisfaction) == ("closed", "resolved", "neutral")
        assert ticket.closed_at == ticket.followed_up_at


@pytest.mark.parametrize("result", ["resolved", "refused", "wrong_number"])
def test_every_other_result_closes_at_once(standing_parts: Runtime, result: str) -> None:
    with standing_parts.sessions() as session:
        ticket = ticket_after(session, standing_parts.context, Action.APPROVE)
        call(session, standing_parts.context, ticket, result)
        assert (ticket.state, ticket.followup_result) == (State.CLOSED, result)


@pytest.mark.parametrize("result", ["refused", "unreachable", "wrong_number", "anonymous"])
def test_only_a_citizen_who_was_reached_can_rate(standing_parts: Runtime, result: str) -> None:
    with standing_parts.sessions() as session:
        ticket = ticket_after(session, standing_parts.context, Action.APPROVE)
        with pytest.raises(InvalidInput) as refused:
            call(session, standing_parts.context, ticket, result, "satisfied")
        assert refused.value.field == "satisfaction"
        assert kinds(session, ticket) == []


def test_only_an_anonymous_caller_is_skipped_as_one(standing_parts: Runtime) -> None:
    with standing_parts.sessions() as session:
        known = ticket_after(session, standing_parts.context, Action.APPROVE)
        with pytest.raises(InvalidInput) as refused:
            call(session, standing_parts.context, known, "anonymous")
        assert refused.value.field == "result"


def test_nobody_is_asked_about_an_anonymous_ticket_and_it_closes_by_itself(standing_parts: Runtime) -> None:
    with standing_parts.sessions() as session:
        ticket = ticket_after(session, standing_parts.context, Action.APPROVE, anonymous=True)
        assert (ticket.state, ticket.followup_result) == (State.CLOSED, "anonymous")
        assert ticket.closed_at == ticket.completed_at


@pytest.mark.parametrize(("result", "rating"), [("unresolved", None), ("resolved", "dissatisfied")])
def test_an_unhappy_caller_sends_it_back_for_rework_and_twice_is_the_most(
    standing_parts: Runtime, result: str, rating: str | None
) -> None:
    with standing_parts.sessions() as session:
        ticket = ticket_after(session, standing_parts.context, Action.APPROVE)
        first = (ticket.completed_at, ticket.handle_due)
        for rounds in (1, 2):
            call(session, standing_parts.context, ticket, result, rating)
            assert (ticket.state, ticket.reworks, ticket.closed_at) == (State.HANDLING, rounds, None)
            assert ticket.rework_due is not None
            assert ticket.next_due == ticket.rework_due
            take(session, standing_parts.context, ticket, Action.REPLY)
            take(session, standing_parts.context, ticket, Action.APPROVE)
        call(session, standing_parts.context, ticket, result, rating)
        assert (ticket.state, ticket.followup_result) == (State.CLOSED, result)
        assert (ticket.completed_at, ticket.handle_due) == first, "the first handling's result is changed by no rework"


def test_a_ticket_is_closed_unresolved_without_rework_only_with_a_reason(standing_parts: Runtime) -> None:
    with standing_parts.sessions() as session:
        ticket = ticket_after(session, standing_parts.context, Action.APPROVE)
        result = FollowupResult.UNRESOLVED
        plain = followup.FollowUp(number=ticket.number, result=result, rework=False)
        with pytest.raises(InvalidInput) as refused:
            followup.follow_up(session, standing_parts.context, plain, actor_named(session, "followup01"))
        assert refused.value.field == "comment"
        told = replace(plain, comment="诉求超出政策范围，已解释")
        followup.follow_up(session, standing_parts.context, told, actor_named(session, "followup01"))
        assert (ticket.state, ticket.followup_result, ticket.reworks) == (State.CLOSED, "unresolved", 0)


def test_a_try_in_another_state_is_refused_and_not_counted(standing_parts: Runtime) -> None:
    with standing_parts.sessions() as session:
        ticket = ticket_after(session, standing_parts.context, Action.REPLY)
        with pytest.raises(Exception, match="follow_up"):
            call(session, standing_parts.context, ticket, "unreachable")
        assert kinds(session, ticket) == []
