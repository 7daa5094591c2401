"""Returns: asked for in time and with reasons, decided by whoever may, and counted where the catalogue was wrong."""

from dataclasses import replace

import pytest
from sqlalchemy import select
from tests.integration.life.conftest import Play, city

from hotline.domain.ticket import Action, Overlay, QueueReason, ReturnReason, State
from hotline.domain.transitions import TransitionRefused
from hotline.services import returns
from hotline.services.access import find_ticket
from hotline.services.errors import Conflict, Forbidden, InvalidInput, NotFound
from hotline.storage.tables import Assignment, CohandlingTask, Label, ReturnRequest, Ticket


def asking(ticket: Ticket, suggested: str | None = "ZJJ") -> returns.RequestReturn:
    """A department's reasons."""
    reason = ReturnReason.NOT_OUR_DUTY
    return returns.RequestReturn(
        number=ticket.number, reason_code=reason, basis="职责清单第三条", suggested_department=suggested
    )


def test_after_the_return_limit_the_department_keeps_the_ticket(play: Play) -> None:
    ticket = play.after(Action.SIGN)
    play.now = city(11, 10, 17, 31)
    with pytest.raises(Conflict, match="return limit"):
        play.do(returns.request_return, asking(ticket), "cgj-handler")
    play.now = city(11, 10, 17, 30)
    assert play.do(returns.request_return, asking(ticket), "cgj-handler").overlays == [Overlay.RETURN_PENDING]


def test_whoever_returns_says_who_should_have_it(play: Play) -> None:
    ticket = play.after(Action.DISPATCH)
    for suggested in (None, "CGJ", "NOBODY"):
        with pytest.raises(InvalidInput) as refused:
            play.do(returns.request_return, asking(ticket, suggested), "cgj-handler")
        assert refused.value.field == "suggested_department"
    duplicate = replace(asking(ticket, None), reason_code=ReturnReason.DUPLICATE)
    assert play.do(returns.request_return, duplicate, "cgj-handler").returns == 1


def test_a_co_handler_returns_nothing(play: Play) -> None:
    ticket = play.after(Action.DISPATCH)
    with pytest.raises(Forbidden):
        play.do(returns.request_return, asking(ticket), "gdgs-handler")


def test_an_accepted_return_with_a_matter_goes_to_its_owner_and_teaches_the_model(play: Play) -> None:
    ticket = play.after(Action.SIGN)
    first_entry = ticket.catalogue_entry_id
    play.do(returns.request_return, asking(ticket), "cgj-handler")
    accept = returns.AcceptReturn(number=ticket.number, matter="C01", reason="属物业管理")
    play.do(returns.accept_return, accept, "dispatcher01")
    assert (ticket.state, ticket.matter, ticket.signed_at) == (State.AWAITING_SIGN, "C01", None)
    assert ticket.catalogue_entry_id not in (None, first_entry)
    label = play.session.scalars(select(Label).where(Label.ticket_id == ticket.id, Label.source == "return")).one()
    assert label.matter == "C01"
    assert play.told(ticket, "request_return")["entry"] == first_entry
    spans = play.session.scalars(select(Assignment).where(Assignment.ticket_id == ticket.id).order_by(Assignment.id))
    assert [(span.ended_by, span.ended_at is None) for span in spans] == [("returned", False), (None, True)]


def test_an_accepted_return_that_nobody_owns_waits_for_a_dispatcher(play: Play) -> None:
    ticket = play.after(Action.SIGN)
    play.do(returns.request_return, asking(ticket), "cgj-handler")
    play.now = city(11, 9, 14)
    accept = returns.AcceptReturn(number=ticket.number, reason="理由成立")
    play.do(returns.accept_return, accept, "dispatcher01")
    assert (ticket.state, ticket.queue_reason) == (State.AWAITING_DISPATCH, QueueReason.RETURNED)
    assert (ticket.lead_department_id, ticket.overlays) == (None, [])
    assert ticket.dispatch_due == city(11, 9, 14, 30)
    assert (ticket.sign_due, ticket.return_due, ticket.next_due) == (None, None, None), "no department has to sign it"
    assert ticket.handle_due == city(11, 30, 17, 30), "the handling limit runs on from the first dispatch"


def test_no_later_dispatch_starts_the_handling_limit_anew(play: Play) -> None:
    ticket = play.after(Action.DISPATCH)
    first = ticket.dispatched_at
    play.do(returns.request_return, asking(ticket), "cgj-handler")
    play.now = city(11, 12, 9)
    accept = returns.AcceptReturn(number=ticket.number, department="ZJJ", reason="理由成立")
    play.do(returns.accept_return, accept, "dispatcher01")
    assert (ticket.dispatched_at, ticket.handle_due) == (first, city(11, 30, 17, 30))
    assert ticket.sign_due == city(11, 12, 11)


def test_who_helped_the_department_that_returned_it_sees_it_no_longer(play: Play) -> None:
    ticket = play.after(Action.SIGN)
    helper = play.who("gdgs-handler")
    assert find_ticket(play.session, helper, ticket.number).id == ticket.id
    play.do(returns.request_return, asking(ticket), "cgj-handler")
    accept = returns.AcceptReturn(number=ticket.number, department="ZJJ", reason="理由成立")
    play.do(returns.accept_return, accept, "dispatcher01")
    with pytest.raises(NotFound):
        find_ticket(play.session, helper, ticket.number)
    tasks = play.session.scalars(select(CohandlingTask.state).where(CohandlingTask.ticket_id == ticket.id)).all()
    assert set(tasks) == {"cancelled"}


def test_only_the_first_dispatch_of_a_blind_check_is_a_blind_label(play: Play) -> None:
    ticket = play.receive()
    ticket.blind = True
    for action in (Action.DISPATCH, Action.SIGN):
        play.take(ticket, action)
    play.do(returns.request_return, asking(ticket), "cgj-handler")
    accept = returns.AcceptReturn(number=ticket.number, matter="C01", reason="属物业管理")
    play.do(returns.accept_return, accept, "dispatcher01")
    labels = select(Label.source, Label.matter).where(Label.ticket_id == ticket.id).order_by(Label.id)
    assert [tuple(label) for label in play.session.execute(labels)] == [("blind", "E03"), ("return", "C01")]


def test_a_rejected_return_gives_the_sign_limit_anew_and_nothing_else(play: Play) -> None:
    ticket = play.after(Action.DISPATCH)
    before = ticket.return_due, ticket.handle_due
    play.do(returns.request_return, asking(ticket), "cgj-handler")
    play.now = city(11, 9, 14)
    reject = returns.RejectReturn(number=ticket.number, reason="由你单位承办")
    play.do(returns.reject_return, reject, "dispatcher01")
    assert (ticket.state, ticket.overlays) == (State.AWAITING_SIGN, [])
    assert ticket.sign_due == city(11, 9, 16)
    assert (ticket.return_due, ticket.handle_due) == before
    play.do(returns.request_return, asking(ticket), "cgj-handler")
    assert ticket.overlays == [Overlay.ADJUDICATION_PENDING], "the second one is the supervisor's"


def test_a_cancelled_return_does_not_count(play: Play) -> None:
    ticket = play.after(Action.DISPATCH)
    play.do(returns.request_return, asking(ticket), "cgj-handler")
    play.do(returns.cancel_return, returns.CancelReturn(number=ticket.number), "cgj-handler")
    assert (ticket.returns, ticket.overlays) == (0, [])
    play.do(returns.request_return, asking(ticket), "cgj-handler")
    assert ticket.overlays == [Overlay.RETURN_PENDING]
    states = play.session.scalars(select(ReturnRequest.state).where(ReturnRequest.ticket_id == ticket.id)).all()
    assert sorted(states) == ["cancelled", "pending"]


def test_an_adjudication_that_keeps_it_there_is_final(play: Play) -> None:
    ticket = play.after(Action.SIGN)
    play.do(returns.request_return, asking(ticket), "cgj-handler")
    play.do(returns.reject_return, returns.RejectReturn(number=ticket.number, reason="承办"), "dispatcher01")
    play.do(returns.request_return, asking(ticket), "cgj-handler")
    due = ticket.handle_due
    word = returns.Adjudicate(number=ticket.number, department="CGJ", reason="裁定")
    with pytest.raises(TransitionRefused):
        play.do(returns.adjudicate, word, "dispatcher01")
    play.do(returns.adjudicate, word, "supervisor01")
    assert (ticket.state, ticket.handle_due, ticket.overlays) == (State.HANDLING, due, [Overlay.RETURN_BARRED])
    with pytest.raises(TransitionRefused, match="return_barred"):
        play.do(returns.request_return, asking(ticket), "cgj-handler")
    assert play.told(ticket, "adjudicate") | {"fresh_limit": False, "stays": True} == play.told(ticket, "adjudicate")
