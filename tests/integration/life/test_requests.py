"""What departments ask for and the hotline decides: more time, a stop of the clock, help, an exclusion."""

from dataclasses import replace
from datetime import date, datetime

import pytest
from sqlalchemy import select
from tests.factories import department
from tests.integration.life.conftest import Play, city

from hotline.domain.people import SYSTEM, Role
from hotline.domain.retention import CLOSED_OUT
from hotline.domain.ticket import Action, ComplaintType, ExclusionReason, Overlay, State, Urgency
from hotline.domain.transitions import TransitionRefused
from hotline.services import (
    archiving,
    cohandling,
    exclusions,
    extensions,
    followup,
    handling,
    notices,
    retention,
    supervision,
    suspensions,
)
from hotline.services.allowed import actions_for
from hotline.services.errors import Conflict, Forbidden, InvalidInput
from hotline.storage.tables import Account, ClockNotice, CohandlingTask, Extension, Ticket


def signed(play: Play) -> Ticket:
    """A complaint that is due on the thirtieth."""
    ticket = play.receive()
    ticket.type = ComplaintType.COMPLAINT
    for action in (Action.DISPATCH, Action.SIGN):
        play.take(ticket, action)
    assert ticket.next_due == city(11, 30, 17, 30)
    return ticket


def more(ticket: Ticket, days: int = 5) -> extensions.RequestExtension:
    return extensions.RequestExtension(number=ticket.number, working_days=days, reason="需要会商")


def waiting(ticket: Ticket, review_on: date) -> suspensions.RequestSuspension:
    return suspensions.RequestSuspension(number=ticket.number, reason="雨季", plan="雨后施工", review_on=review_on)


@pytest.mark.parametrize("days", [0, 11, -1])
def test_an_extension_is_at_most_ten_working_days(play: Play, days: int) -> None:
    with pytest.raises(InvalidInput) as refused:
        play.do(extensions.request_extension, more(signed(play), days), "cgj-lead")
    assert refused.value.field == "working_days"


def test_an_extension_is_asked_for_before_the_due_by_the_lead(play: Play) -> None:
    ticket = signed(play)
    with pytest.raises(TransitionRefused):
        play.do(extensions.request_extension, more(ticket), "cgj-handler")
    play.now = city(11, 30, 17, 30)
    with pytest.raises(Conflict):
        play.do(extensions.request_extension, more(ticket), "cgj-lead")


def test_an_extension_decided_late_counts_from_the_old_due(play: Play) -> None:
    ticket = signed(play)
    play.now = city(11, 30, 16)
    play.do(extensions.request_extension, more(ticket, 2), "cgj-lead")
    play.now = city(12, 1, 10)
    decided = extensions.DecideExtension(number=ticket.number, reason="同意")
    play.do(extensions.approve_extension, decided, "supervisor01")
    assert ticket.handle_due == city(12, 2, 17, 30)
    old = datetime.fromisoformat(play.told(ticket, "approve_extension")["old_due"])
    assert old == city(11, 30, 17, 30)


def test_a_refused_extension_leaves_the_due_and_may_be_asked_for_again(play: Play) -> None:
    ticket = signed(play)
    for _ in range(2):
        play.do(extensions.request_extension, more(ticket), "cgj-lead")
        no = extensions.DecideExtension(number=ticket.number, reason="理由不足")
        play.do(extensions.refuse_extension, no, "supervisor01")
        assert (ticket.handle_due, ticket.overlays) == (city(11, 30, 17, 30), [])


def test_a_suspension_needs_a_day_to_come(play: Play) -> None:
    ticket = signed(play)
    today = waiting(ticket, date(2026, 11, 9))
    with pytest.raises(InvalidInput) as refused:
        play.do(suspensions.request_suspension, today, "cgj-lead")
    assert refused.value.field == "review_on"


def test_while_it_is_suspended_the_clock_says_only_that_the_review_is_due(play: Play) -> None:
    ticket = signed(play)
    ask = waiting(ticket, date(2026, 11, 14))
    play.do(suspensions.request_suspension, ask, "cgj-lead")
    yes = suspensions.DecideSuspension(number=ticket.number, reason="同意")
    play.do(suspensions.approve_suspension, yes, "supervisor01")
    assert ticket.next_notice_at is not None
    play.now = city(12, 31, 9)
    notices.sweep(play.session, play.context)
    said = play.session.scalars(select(ClockNotice).where(ClockNotice.ticket_id == ticket.id)).all()
    # The fourteenth is a Saturday; the contact limit of the first day had run on.
    assert [(row.kind, row.at) for row in said if row.kind == "review"] == [("review", city(11, 16, 8, 30))]
    assert {row.kind for row in said} <= {"review", "contact_overdue"}
    assert ticket.handle_due is None


def test_a_withdrawn_ticket_leaves_nothing_pending(play: Play) -> None:
    ticket = signed(play)
    play.do(extensions.request_extension, more(ticket), "cgj-lead")
    play.do(handling.withdraw, handling.EndTicket(number=ticket.number, reason="市民撤诉"), "agent01")
    assert (ticket.state, ticket.overlays, ticket.next_due, ticket.next_notice_at) == (State.WITHDRAWN, [], None, None)


def test_a_co_handler_does_its_part_and_only_the_lead_goes_on(play: Play) -> None:
    ticket = signed(play)
    ask = cohandling.AskCohandler(
        number=ticket.number, department="ZJJ", request="核实房屋权属", due=city(11, 12, 17, 30)
    )
    play.do(cohandling.ask_cohandler, ask, "cgj-lead")
    with pytest.raises(Conflict):
        play.do(cohandling.ask_cohandler, ask, "cgj-lead")
    helper = play.who("zjj-handler")
    assert actions_for(play.session, ticket, helper) == (Action.COHANDLE,)
    play.now = city(11, 12, 10)
    done = cohandling.ReportCohandling(number=ticket.number, report="权属清晰")
    play.do(cohandling.report_cohandling, done, "zjj-handler")
    assert actions_for(play.session, ticket, helper) == ()
    assert play.told(ticket, "cohandle")["on_time"] is True
    with pytest.raises(Conflict):
        play.do(cohandling.report_cohandling, done, "zjj-handler")
    with pytest.raises(Forbidden):
        handling.reply(
            play.session,
            play.context,
            handling.ReplyToTicket(number=ticket.number, text="好", valid=True, contacted=True, resolved=True),
            helper,
        )


def test_what_co_handlers_have_not_done_is_called_off_with_the_reply(play: Play) -> None:
    ticket = signed(play)
    ask = cohandling.AskCohandler(number=ticket.number, department="ZJJ", request="核实房屋权属")
    play.do(cohandling.ask_cohandler, ask, "cgj-lead")
    play.take(ticket, Action.REPLY)
    play.take(ticket, Action.APPROVE)
    states = play.session.scalars(select(CohandlingTask.state).where(CohandlingTask.ticket_id == ticket.id)).all()
    assert set(states) == {"cancelled"}


def second_supervisor(play: Play, username: str) -> str:
    """Another supervisor."""
    boss = play.session.scalars(select(Account).where(Account.username == "supervisor01")).one()
    play.session.add(
        Account(
            username=username,
            display_name="督办",
            role=Role.SUPERVISOR,
            department_id=boss.department_id,
            password_hash=boss.password_hash,
        )
    )
    play.session.flush()
    return username


def test_an_exclusion_takes_two_people_who_did_not_ask(play: Play) -> None:
    ticket = signed(play)
    two, three = second_supervisor(play, "supervisor-two"), second_supervisor(play, "supervisor-three")
    ask = exclusions.RequestExclusion(
        number=ticket.number, reason_code=ExclusionReason.UNREASONABLE, evidence="要求停用合法设施"
    )
    play.do(exclusions.request_exclusion, ask, "supervisor01")
    yes = exclusions.DecideExclusion(number=ticket.number, reason="属实")
    with pytest.raises(Forbidden):
        play.do(exclusions.approve_exclusion, yes, "supervisor01")
    play.do(exclusions.approve_exclusion, yes, two)
    assert ticket.excluded_at is None
    with pytest.raises(Forbidden):
        play.do(exclusions.approve_exclusion, yes, two)
    play.do(exclusions.approve_exclusion, yes, three)
    assert (ticket.excluded_at, ticket.overlays) == (play.now, [Overlay.EXCLUDED])


def test_a_corrected_type_moves_the_due_from_its_original_start_and_says_so(play: Play) -> None:
    ticket = signed(play)
    play.now = city(11, 12, 9)
    right = supervision.Reclassify(number=ticket.number, type=ComplaintType.INQUIRY, reason="实为咨询")
    play.do(supervision.reclassify, right, "supervisor01")
    assert ticket.handle_due == city(11, 11, 17, 30)
    assert play.told(ticket, "reclassify")["changes"] == {"type": ["投诉", "咨询"]}
    kinds = play.session.scalars(select(ClockNotice.kind).where(ClockNotice.ticket_id == ticket.id)).all()
    assert "red_card" in kinds, "a due that has been moved into the past is over"


def test_a_ticket_that_becomes_critical_is_due_by_the_clock(play: Play) -> None:
    ticket = signed(play)
    urgent = supervision.Reclassify(number=ticket.number, urgency=Urgency.CRITICAL, reason="有人员被困")
    play.do(supervision.reclassify, urgent, "dispatcher01")
    assert ticket.handle_due == city(11, 9, 11)
    with pytest.raises(InvalidInput):
        play.do(supervision.reclassify, urgent, "dispatcher01")


def test_what_is_answered_closes_after_a_day_and_what_is_closed_is_archived_after_thirty(play: Play) -> None:
    answered = play.receive()
    play.do(handling.answer, handling.AnswerTicket(number=answered.number, answer="已告知"), "agent01")
    closed = play.after(Action.FOLLOW_UP)
    archiving.archive(play.session, play.context)
    assert (answered.state, closed.state) == (State.ANSWERED, State.CLOSED)
    play.now = city(11, 10, 9, 1)
    archiving.archive(play.session, play.context)
    assert (answered.state, answered.closed_at) == (State.CLOSED, play.now)
    play.now = city(12, 9, 9, 1)
    archiving.archive(play.session, play.context)
    assert (answered.state, closed.state, closed.archived_at) == (State.CLOSED, State.ARCHIVED, play.now)
    assert department(play.session, "CGJ").id == closed.lead_department_id


def test_what_desks_write_to_one_another_names_no_citizen_and_goes_with_retention(play: Play) -> None:
    ticket = play.receive(caller_phone="13800001234")
    ticket.type = ComplaintType.COMPLAINT
    for action in (Action.DISPATCH, Action.SIGN):
        play.take(ticket, action)
    told = "联系13800001234未果"
    ask = cohandling.AskCohandler(number=ticket.number, department="ZJJ", request=told)
    play.do(cohandling.ask_cohandler, ask, "cgj-lead")
    play.do(extensions.request_extension, replace(more(ticket), reason=told), "cgj-lead")
    asked = select(CohandlingTask.request).where(CohandlingTask.ticket_id == ticket.id)
    reasons = select(Extension.reason).where(Extension.ticket_id == ticket.id)
    assert "联系138****1234未果" in play.session.scalars(asked).all()
    assert play.session.scalars(reasons).one() == "联系138****1234未果"
    play.do(handling.withdraw, handling.EndTicket(number=ticket.number, reason="撤诉"), "agent01")
    play.now = city(12, 31)
    retention.close_out(play.session, play.context, SYSTEM, play.now)
    assert {*play.session.scalars(asked), *play.session.scalars(reasons)} == {CLOSED_OUT}


def test_a_type_corrected_during_rework_leaves_the_first_result_as_it_was(play: Play) -> None:
    ticket = signed(play)
    for action in (Action.REPLY, Action.APPROVE):
        play.take(ticket, action)
    play.do(followup.order_rework, followup.OrderRework(number=ticket.number, reason="复核发现未办结"), "supervisor01")
    settled = (ticket.handle_due, ticket.completed_at, ticket.due_basis)
    right = supervision.Reclassify(number=ticket.number, type=ComplaintType.INQUIRY, reason="实为咨询")
    play.do(supervision.reclassify, right, "supervisor01")
    assert (ticket.handle_due, ticket.completed_at, ticket.due_basis) == settled
    assert ticket.next_due == ticket.rework_due
