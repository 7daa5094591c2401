"""Several callers, one event: merged, taken out again, split; each is informed and asked exactly once."""

from dataclasses import replace

import pytest
from sqlalchemy import select
from tests.factories import SettledClassifier, with_classifier
from tests.integration.life.conftest import Play

from hotline.domain.ticket import Action, Channel, FollowupResult, QueueReason, State
from hotline.domain.transitions import TransitionRefused
from hotline.services import followup, handling, intake, merging, splitting
from hotline.services.errors import Conflict, InvalidInput
from hotline.services.triage import triage
from hotline.storage.tables import Followup, Ticket

ONE, TWO, THREE = "13800001234", "13900005678", "13700009999"


def merged(play: Play, one: Ticket, into: Ticket, who: str = "agent01") -> Ticket:
    return play.do(merging.merge, merging.MergeTicket(number=one.number, into=into.number), who)


def asked(play: Play, ticket: Ticket) -> list[str]:
    """The numbers of those whose callers are to be asked, in order."""
    query = select(Ticket.number).join(Followup, Followup.caller_ticket_id == Ticket.id)
    return list(play.session.scalars(query.where(Followup.ticket_id == ticket.id).order_by(Followup.id)))


def test_each_caller_is_asked_once_however_the_tickets_were_joined(play: Play) -> None:
    main = play.after(Action.SIGN, caller_phone=ONE)
    first, second = play.receive(caller_phone=TWO), play.receive(caller_phone=THREE)
    merged(play, second, first)
    merged(play, first, main)
    again = play.receive(caller_phone=TWO)
    merged(play, again, main)
    assert main.urges == 1
    play.take(main, Action.REPLY)
    play.take(main, Action.APPROVE)
    assert asked(play, main) == [main.number, first.number, second.number]
    for _ in range(3):
        play.take(main, Action.FOLLOW_UP)
    assert main.state == State.CLOSED
    with pytest.raises(TransitionRefused):
        play.take(main, Action.FOLLOW_UP)


def test_a_caller_who_comes_while_others_are_asked_is_asked_too(play: Play) -> None:
    main = play.after(Action.APPROVE, caller_phone=ONE)
    late = merged(play, play.receive(caller_phone=TWO), main)
    assert asked(play, main) == [main.number, late.number]
    hidden = merged(play, play.receive(anonymous=True), main)
    play.take(main, Action.FOLLOW_UP)
    assert main.state == State.AWAITING_FOLLOWUP
    play.take(main, Action.FOLLOW_UP)
    assert main.state == State.CLOSED
    results = dict(
        play.session.execute(
            select(Followup.caller_ticket_id, Followup.result).where(Followup.ticket_id == main.id)
        ).all()
    )
    assert results[hidden.id] == FollowupResult.ANONYMOUS


@pytest.mark.parametrize("last", [None, Action.DISPATCH, Action.SIGN])
def test_an_undone_merge_leaves_the_ticket_where_it_was(play: Play, last: Action | None) -> None:
    main = play.after(Action.SIGN, caller_phone=ONE)
    other = play.after(last, caller_phone=TWO)
    before = (other.state, other.lead_department_id, other.handle_due, other.sign_due, other.next_due)
    merged(play, other, main, "dispatcher01")
    assert (other.state, other.merged_into_id, other.next_due) == (State.MERGED, main.id, None)
    play.do(merging.unmerge, merging.UnmergeTicket(number=other.number, reason="不是同一处"), "dispatcher01")
    assert (other.state, other.lead_department_id, other.handle_due, other.sign_due, other.next_due) == before
    assert (other.merged_into_id, other.ended_early_at) == (None, None)
    if last is Action.SIGN:
        play.take(other, Action.REPLY)
        play.take(other, Action.APPROVE)
        assert asked(play, other) == [other.number]
    play.take(main, Action.REPLY)
    play.take(main, Action.APPROVE)
    assert asked(play, main) == [main.number]


def test_a_merge_undone_after_triage_goes_to_the_human_queue(play: Play) -> None:
    main, other = play.after(Action.SIGN), play.receive(caller_phone=TWO)
    merged(play, other, main)
    triage(play.session, with_classifier(play.context, SettledClassifier()), other.id)
    assert other.state == State.MERGED
    play.do(merging.unmerge, merging.UnmergeTicket(number=other.number, reason="另一处"), "agent01")
    assert (other.state, other.queue_reason) == (State.AWAITING_DISPATCH, QueueReason.UNMERGED)
    assert other.dispatch_due is not None


def test_who_has_been_called_about_it_is_not_taken_out_again(play: Play) -> None:
    main = play.after(Action.APPROVE, caller_phone=ONE)
    other = merged(play, play.receive(caller_phone=TWO), main)
    result = FollowupResult.UNREACHABLE
    call = followup.FollowUp(number=main.number, result=result, caller=other.number)
    play.do(followup.follow_up, call, "followup01")
    with pytest.raises(Conflict):
        play.do(merging.unmerge, merging.UnmergeTicket(number=other.number, reason="误并"), "agent01")
    assert other.state == State.MERGED


def test_when_the_last_one_to_be_asked_is_taken_out_the_ticket_closes(play: Play) -> None:
    main = play.after(Action.APPROVE, caller_phone=ONE)
    first = merged(play, play.receive(caller_phone=TWO), main)
    play.take(main, Action.FOLLOW_UP)
    assert main.state == State.AWAITING_FOLLOWUP
    play.do(merging.unmerge, merging.UnmergeTicket(number=first.number, reason="另一处"), "dispatcher01")
    assert (main.state, first.state) == (State.CLOSED, State.RECEIVED)
    assert asked(play, main) == [main.number]


def test_a_ticket_taken_out_of_a_chain_is_not_asked_with_the_one_in_hand(play: Play) -> None:
    main = play.after(Action.SIGN, caller_phone=ONE)
    first, second = play.receive(caller_phone=TWO), play.receive(caller_phone=THREE)
    merged(play, second, first)
    merged(play, first, main)
    play.take(main, Action.REPLY)
    play.take(main, Action.APPROVE)
    play.do(merging.unmerge, merging.UnmergeTicket(number=second.number, reason="另一处"), "dispatcher01")
    assert asked(play, main) == [main.number, first.number]


def test_a_ticket_joins_no_closed_one_and_not_itself(play: Play) -> None:
    closed, other = play.after(Action.FOLLOW_UP), play.receive()
    for into in (closed, other):
        with pytest.raises(InvalidInput) as refused:
            merged(play, other, into)
        assert refused.value.field == "into"
    assert other.state == State.RECEIVED


def test_each_part_of_a_split_call_goes_its_own_way(play: Play) -> None:
    ticket = play.receive(caller_phone=ONE, caller_name="王芳", district="澜东区", content="路灯不亮，楼下烧烤油烟也大")
    parts = (splitting.Part(content="楼下烧烤油烟大", matter="D02"), splitting.Part(content="楼道堆满杂物"))
    play.do(splitting.split, splitting.SplitTicket(number=ticket.number, parts=parts), "dispatcher01")
    children = play.session.scalars(select(Ticket).where(Ticket.parent_id == ticket.id).order_by(Ticket.id)).all()
    assert [(child.content, child.matter, child.state) for child in children] == [
        ("楼下烧烤油烟大", "D02", State.AWAITING_SIGN),
        ("楼道堆满杂物", None, State.RECEIVED),
    ]
    assert ticket.caller is not None
    for child in children:
        assert child.caller is not None
        assert child.caller.phone_index == ticket.caller.phone_index
        assert child.district == ticket.district
    assert ticket.state == State.RECEIVED
    assert play.told(ticket, "split")["into"] == [child.number for child in children]


def test_a_split_into_an_unknown_matter_makes_nothing(play: Play) -> None:
    ticket = play.receive()
    parts = (splitting.Part(content="甲", matter="E03"), splitting.Part(content="乙", matter="Z99"))
    with pytest.raises(InvalidInput, match="Z99"):
        play.do(splitting.split, splitting.SplitTicket(number=ticket.number, parts=parts), "dispatcher01")
    assert play.session.scalars(select(Ticket).where(Ticket.parent_id == ticket.id)).all() == []


def test_what_is_answered_at_once_is_followed_up_when_it_is_in_the_sample(play: Play) -> None:
    play.context = replace(play.context, answer_followup_share=1.0)
    known = play.receive(caller_phone=ONE)
    hidden = play.receive(anonymous=True)
    for ticket in (known, hidden):
        play.do(handling.answer, handling.AnswerTicket(number=ticket.number, answer="凭身份证办理"), "agent01")
        assert ticket.state == State.ANSWERED
    play.take(known, Action.FOLLOW_UP)
    assert (known.state, known.followup_result) == (State.CLOSED, FollowupResult.RESOLVED)
    with pytest.raises(Conflict):
        play.take(hidden, Action.FOLLOW_UP)


def test_an_answer_names_an_entry_that_exists(play: Play) -> None:
    command = intake.ReceiveTicket(
        channel=Channel.PHONE,
        content="怎么办居住证",
        disposition="answered",
        answer="带证件",
        knowledge_entry=99,
    )
    with pytest.raises(InvalidInput) as refused:
        intake.receive(play.session, play.context, command, play.who("agent01"))
    assert refused.value.field == "knowledge_entry"
