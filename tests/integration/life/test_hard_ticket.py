"""A hard ticket from the first call to the last: every side move, with the due that it leads to, to the second.

All times are the city's.  No public holiday falls into these weeks; a working day is 08:30–12:00 and 13:30–17:30.
"""

from dataclasses import replace
from datetime import date, datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from tests.integration.life.conftest import Play, city

from hotline.domain.ticket import (
    ComplaintType,
    FollowupResult,
    Overlay,
    ReturnReason,
    Satisfaction,
    State,
    Urgency,
)
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
from hotline.services.errors import Conflict
from hotline.storage.tables import ClockNotice, Followup, Ticket


def dues(ticket: Ticket) -> tuple[datetime | None, ...]:
    """The dues for signing, returning and handling."""
    return ticket.sign_due, ticket.return_due, ticket.handle_due


def test_a_hard_ticket_has_the_right_due_after_every_step(play: Play) -> None:
    session, context = play.session, play.context
    ticket = play.receive(caller_phone="13800001234", urgency=Urgency.URGENT)
    number = ticket.number
    assert ticket.dispatch_due == city(11, 9, 9, 30)

    # Dispatched at once; the handling limit of a complaint is fifteen working days from the next midnight.
    first = dispatch.DispatchTicket(number=number, matter="E03", type=ComplaintType.COMPLAINT)
    dispatch.dispatch(session, context, first, play.who("dispatcher01"))
    assert dues(ticket) == (city(11, 9, 11), city(11, 10, 17, 30), city(11, 30, 17, 30))

    # Returned in time and accepted: new limits for signing and returning, the handling due stays.
    play.now = city(11, 9, 10)
    back = returns.RequestReturn(
        number=number,
        reason_code=ReturnReason.NOT_OUR_DUTY,
        basis="职责清单",
        suggested_department="ZJJ",
    )
    returns.request_return(session, context, back, play.who("cgj-handler"))
    assert ticket.overlays == [Overlay.RETURN_PENDING]
    with pytest.raises(TransitionRefused):
        handling.sign(session, context, handling.SignTicket(number=number), play.who("cgj-handler"))
    play.now = city(11, 9, 14)
    accept = returns.AcceptReturn(number=number, department="ZJJ", reason="理由成立")
    returns.accept_return(session, context, accept, play.who("dispatcher01"))
    assert (ticket.state, ticket.overlays) == (State.AWAITING_SIGN, [])
    assert dues(ticket) == (city(11, 9, 16), city(11, 10, 17, 30), city(11, 30, 17, 30))

    # The second return is not the dispatcher's to decide; the adjudication grants a fresh handling limit.
    play.now = city(11, 10, 10)
    again = replace(back, suggested_department="CGJ")
    returns.request_return(session, context, again, play.who("zjj-handler"))
    assert ticket.overlays == [Overlay.ADJUDICATION_PENDING]
    with pytest.raises(TransitionRefused):
        returns.accept_return(session, context, accept, play.who("dispatcher01"))
    play.now = city(11, 10, 15)
    word = returns.Adjudicate(number=number, department="CGJ", reason="裁定", fresh_limit=True)
    returns.adjudicate(session, context, word, play.who("supervisor01"))
    assert dues(ticket) == (city(11, 10, 17), city(11, 11, 17, 30), city(12, 1, 17, 30))
    with pytest.raises(TransitionRefused):
        returns.request_return(session, context, back, play.who("cgj-handler"))
    play.now = city(11, 10, 16)
    handling.sign(session, context, handling.SignTicket(number=number), play.who("cgj-handler"))
    assert ticket.contact_due == city(11, 11, 17, 30)
    play.now = city(11, 11, 10)
    handling.contact(session, context, handling.ContactCitizen(number=number), play.who("cgj-handler"))

    # Suspended from Thursday 13:30 to Monday 13:30: fifteen working hours, which are two working days.
    play.now = city(11, 12, 8, 30)
    ask = suspensions.RequestSuspension(number=number, reason="待停电", plan="错峰施工", review_on=date(2026, 11, 20))
    suspensions.request_suspension(session, context, ask, play.who("cgj-lead"))
    assert ticket.handle_due == city(12, 1, 17, 30)
    play.now = city(11, 12, 13, 30)
    yes = suspensions.DecideSuspension(number=number, reason="同意")
    suspensions.approve_suspension(session, context, yes, play.who("supervisor01"))
    assert (ticket.handle_due, ticket.next_due) == (None, None)
    with pytest.raises(TransitionRefused):
        handling.reply(session, context, reply_to(number), play.who("cgj-handler"))
    play.now = city(11, 16, 13, 30)
    suspensions.resume(session, context, replace(yes, reason="已停电"), play.who("cgj-lead"))
    assert ticket.handle_due == city(12, 3, 17, 30)

    # Extended by five working days, once.
    play.now = city(11, 20, 9)
    more = extensions.RequestExtension(number=number, working_days=5, reason="需要材料")
    extensions.request_extension(session, context, more, play.who("cgj-lead"))
    granted = extensions.DecideExtension(number=number, reason="同意")
    extensions.approve_extension(session, context, granted, play.who("supervisor01"))
    assert (ticket.handle_due, ticket.next_due) == (city(12, 10, 17, 30), city(12, 10, 17, 30))
    with pytest.raises(TransitionRefused):
        extensions.request_extension(session, context, more, play.who("cgj-lead"))

    # Somebody else calls about it, and the first caller calls again.
    play.now = city(11, 23, 9)
    other = play.receive(caller_phone="13900005678")
    into = merging.MergeTicket(number=other.number, into=number)
    merging.merge(session, context, into, play.who("agent01"))
    assert (other.state, ticket.urges) == (State.MERGED, 0)
    same = play.receive(caller_phone="13800001234")
    merging.merge(session, context, replace(into, number=same.number), play.who("agent01"))
    assert ticket.urges == 1
    assert ticket.handle_due == city(12, 10, 17, 30)

    # Replied and approved on the last day; two callers are to be asked, and the one who called twice is asked once.
    play.now = city(12, 10, 10)
    handling.reply(session, context, reply_to(number), play.who("cgj-handler"))
    play.now = city(12, 10, 11)
    handling.approve(session, context, handling.ApproveReply(number=number), play.who("cgj-lead"))
    assert (ticket.completed_at, ticket.followup_due, ticket.next_due) == (play.now, city(12, 15, 17, 30), None)
    assert asked(session, ticket) == [(number, 0, None), (other.number, 0, None)]

    # One is content, the other is not: rework, with a limit of its own and the first completion untouched.
    play.now = city(12, 11, 9)
    call(play, ticket, FollowupResult.RESOLVED, Satisfaction.SATISFIED, caller=number)
    assert ticket.state == State.AWAITING_FOLLOWUP
    play.now = city(12, 11, 10)
    call(play, ticket, FollowupResult.UNRESOLVED, Satisfaction.DISSATISFIED, caller=other.number)
    assert (ticket.state, ticket.reworks) == (State.HANDLING, 1)
    assert (ticket.rework_due, ticket.next_due) == (city(12, 16, 17, 30), city(12, 16, 17, 30))
    assert (ticket.completed_at, ticket.handle_due) == (city(12, 10, 11), city(12, 10, 17, 30))

    # Done again; each caller is asked once more, and the ticket closes with the last answer.
    play.now = city(12, 14, 9)
    handling.reply(session, context, reply_to(number), play.who("cgj-handler"))
    handling.approve(session, context, handling.ApproveReply(number=number), play.who("cgj-lead"))
    call(play, ticket, FollowupResult.RESOLVED, Satisfaction.SATISFIED, caller=other.number)
    with pytest.raises(Conflict):
        call(play, ticket, FollowupResult.RESOLVED, None, caller=other.number)
    assert ticket.state == State.AWAITING_FOLLOWUP
    call(play, ticket, FollowupResult.RESOLVED, Satisfaction.SATISFIED)
    assert (ticket.state, ticket.closed_at, ticket.next_notice_at) == (State.CLOSED, play.now, None)

    # A change of type after the end moves nothing.
    wrong = supervision.Reclassify(number=number, type=ComplaintType.INQUIRY, reason="试")
    with pytest.raises(TransitionRefused):
        supervision.reclassify(session, context, wrong, play.who("supervisor01"))
    play.now = city(12, 31, 9)
    assert notices.sweep(session, context) == 0
    # The second department let the sign limit pass; the rest reckons with the suspension and the extension.
    assert said(session, ticket) == [
        ("sign_overdue", city(11, 9, 16)),
        ("reminder_50", city(11, 26, 17, 30)),
        ("reminder_80", city(12, 4, 17, 30)),
        ("yellow_card", city(12, 9, 17, 30)),
    ]


def reply_to(number: str) -> handling.ReplyToTicket:
    """A reply as departments write it."""
    return handling.ReplyToTicket(number=number, text="已更换灯头", valid=True, contacted=True, resolved=True)


def call(
    play: Play, ticket: Ticket, result: FollowupResult, rating: Satisfaction | None, caller: str | None = None
) -> None:
    """Follow up one caller."""
    told = followup.FollowUp(number=ticket.number, result=result, satisfaction=rating, caller=caller)
    followup.follow_up(play.session, play.context, told, play.who("followup01"))


def asked(session: Session, ticket: Ticket) -> list[tuple[str, int, str | None]]:
    """Whose follow-ups there are: number of the caller's ticket, round, result."""
    query = (
        select(Ticket.number, Followup.round, Followup.result)
        .join(Followup, Followup.caller_ticket_id == Ticket.id)
        .where(Followup.ticket_id == ticket.id)
        .order_by(Followup.id)
    )
    return [tuple(row) for row in session.execute(query)]


def said(session: Session, ticket: Ticket) -> list[tuple[str, datetime]]:
    """What the clock said, in its order."""
    query = select(ClockNotice).where(ClockNotice.ticket_id == ticket.id).order_by(ClockNotice.at, ClockNotice.id)
    return [(row.kind, row.at) for row in session.scalars(query)]
