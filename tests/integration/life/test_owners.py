"""Whom a ticket goes to: down the tree, to a person, back again, and never to whom the rules forbid."""

import pytest
from sqlalchemy import select
from tests.factories import SettledClassifier, department, with_classifier
from tests.integration.life.conftest import Play, city

from hotline.domain.people import Actor, Role
from hotline.domain.ticket import Action, ComplaintType, QueueReason, State
from hotline.domain.transitions import TransitionRefused
from hotline.services import dispatch
from hotline.services.allowed import actions_for
from hotline.services.errors import Conflict, InvalidInput, NotFound
from hotline.services.triage import triage
from hotline.storage.tables import Assignment, Department, PushDownBan, Ticket


def sub_unit(play: Play) -> Department:
    """A sub-unit of 城市管理局."""
    lead = department(play.session, "CGJ")
    query = select(Department).where(Department.parent_id == lead.id, Department.active).order_by(Department.id)
    found = play.session.scalars(query.limit(1)).first()
    if found is None:
        found = Department(code="CGJ-SUB", name="城管局养护所", kind="district_bureau", parent_id=lead.id)
        play.session.add(found)
        play.session.flush()
    return found


def of(unit: Department, role: Role = Role.HANDLER) -> Actor:
    return Actor(role, None, unit.id)


def test_a_department_hands_on_to_its_sub_unit_and_takes_back_what_is_not_signed(play: Play) -> None:
    ticket, unit = play.after(Action.SIGN), sub_unit(play)
    due = ticket.handle_due
    play.now = city(11, 9, 10)
    play.do(dispatch.dispatch_on, dispatch.DispatchOn(number=ticket.number, department=unit.code), "cgj-lead")
    assert (ticket.state, ticket.lead_department_id) == (State.AWAITING_SIGN, unit.id)
    assert (ticket.sign_due, ticket.handle_due) == (city(11, 9, 12), due)
    lead, below = play.who("cgj-lead"), of(unit)
    assert Action.TAKE_BACK in actions_for(play.session, ticket, lead)
    assert Action.TAKE_BACK not in actions_for(play.session, ticket, below)
    with pytest.raises(Conflict):
        dispatch.take_back(play.session, play.context, dispatch.TakeBack(number=ticket.number, reason="误"), below)
    play.do(dispatch.take_back, dispatch.TakeBack(number=ticket.number, reason="自行办理"), "cgj-lead")
    assert (ticket.state, ticket.lead_department_id) == (State.HANDLING, department(play.session, "CGJ").id)
    open_ones = select(Assignment).where(Assignment.ticket_id == ticket.id, Assignment.ended_at.is_(None))
    assert play.session.scalars(open_ones).one().department_id == ticket.lead_department_id


def test_nothing_is_handed_on_outside_ones_own_tree(play: Play) -> None:
    ticket = play.after(Action.SIGN)
    for code in ("ZJJ", "CGJ"):
        with pytest.raises(InvalidInput) as refused:
            play.do(dispatch.dispatch_on, dispatch.DispatchOn(number=ticket.number, department=code), "cgj-lead")
        assert refused.value.field == "department"


def test_a_dispatch_is_undone_until_it_is_signed(play: Play) -> None:
    ticket = play.after(Action.DISPATCH)
    back = dispatch.TakeBack(number=ticket.number, reason="派错单位")
    play.do(dispatch.take_back, back, "dispatcher01")
    assert (ticket.state, ticket.queue_reason, ticket.lead_department_id) == (
        State.AWAITING_DISPATCH,
        QueueReason.TAKEN_BACK,
        None,
    )
    with pytest.raises(NotFound):
        play.do(dispatch.assign, dispatch.AssignTicket(number=ticket.number, username="cgj-handler"), "cgj-lead")
    play.take(ticket, Action.DISPATCH)
    play.take(ticket, Action.SIGN)
    with pytest.raises(TransitionRefused):
        play.do(dispatch.take_back, back, "dispatcher01")


def test_only_a_colleague_is_named_to_handle_it(play: Play) -> None:
    ticket = play.after(Action.SIGN)
    play.do(dispatch.assign, dispatch.AssignTicket(number=ticket.number, username="cgj-handler"), "cgj-lead")
    assert ticket.assignee_id == play.who("cgj-handler").account_id
    for stranger in ("zjj-handler", "nobody"):
        with pytest.raises(InvalidInput) as refused:
            play.do(dispatch.assign, dispatch.AssignTicket(number=ticket.number, username=stranger), "cgj-lead")
        assert refused.value.field == "username"
    play.do(dispatch.assign, dispatch.AssignTicket(number=ticket.number, username=None), "cgj-lead")
    assert ticket.assignee_id is None


def test_a_departmental_matter_is_not_handed_down_to_a_street(play: Play) -> None:
    street = play.session.scalars(select(Department).where(Department.kind == "street").limit(1)).one()
    banned = play.session.scalars(select(PushDownBan.matter).limit(1)).one()
    ticket = play.receive()
    command = dispatch.DispatchTicket(number=ticket.number, matter=banned, department=street.code)
    for who in ("dispatcher01", "supervisor01"):
        with pytest.raises(InvalidInput, match="handed down"):
            play.do(dispatch.dispatch, command, who)
    assert ticket.state == State.RECEIVED


ACCUSATION = "市城市管理局执法人员态度恶劣，收了摊主好处费不管占道"


def accused(play: Play) -> Ticket:
    """A complaint about 城市管理局 that the model is sure is 城市管理局's."""
    ticket = play.receive(content=ACCUSATION)
    sure = SettledClassifier(matter="E03", auto=True, type=ComplaintType.COMPLAINT)
    triage(play.session, with_classifier(play.context, sure), ticket.id)
    play.session.flush()
    return ticket


def test_a_complaint_about_a_department_waits_for_a_person(play: Play) -> None:
    ticket = accused(play)
    assert (ticket.state, ticket.queue_reason) == (State.AWAITING_DISPATCH, QueueReason.CONFLICT)
    assert ticket.about_department_id == department(play.session, "CGJ").id


def test_it_goes_to_the_accused_only_by_a_supervisor_and_never_alone(play: Play) -> None:
    ticket = accused(play)
    alone = dispatch.DispatchTicket(number=ticket.number, department="CGJ", matter="E03")
    watched = dispatch.DispatchTicket(number=ticket.number, department="CGJ", matter="E03", overseer="ZJJ")
    kin = dispatch.DispatchTicket(number=ticket.number, department="CGJ", matter="E03", overseer=sub_unit(play).code)
    for command, who in (
        (alone, "dispatcher01"),
        (alone, "supervisor01"),
        (watched, "dispatcher01"),
        (kin, "supervisor01"),
    ):
        with pytest.raises(InvalidInput) as refused:
            play.do(dispatch.dispatch, command, who)
        assert refused.value.field == "department"
    play.do(dispatch.dispatch, watched, "supervisor01")
    assert ticket.state == State.AWAITING_SIGN
    assert [helper.code for helper in ticket.cohandlers] == ["ZJJ"]


def test_its_sub_units_are_no_way_round(play: Play) -> None:
    ticket = accused(play)
    below = dispatch.DispatchTicket(number=ticket.number, department=sub_unit(play).code, matter="E03")
    with pytest.raises(InvalidInput):
        play.do(dispatch.dispatch, below, "dispatcher01")
    elsewhere = dispatch.DispatchTicket(number=ticket.number, department="ZJJ", matter="E03")
    assert play.do(dispatch.dispatch, elsewhere, "dispatcher01").state == State.AWAITING_SIGN


@pytest.mark.parametrize(
    "content", ["请城市管理局修一下路灯", "路灯坏了，城市管理局的电话是多少", "市城市管理局修的路灯很亮，谢谢"]
)
def test_a_department_that_is_only_named_is_not_accused(play: Play, content: str) -> None:
    ticket = play.receive(content=content)
    sure = SettledClassifier(matter="E03", auto=True, type=ComplaintType.COMPLAINT)
    triage(play.session, with_classifier(play.context, sure), ticket.id)
    assert (ticket.about_department_id, ticket.state) == (None, State.AWAITING_SIGN)
