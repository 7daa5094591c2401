"""Similar tickets and the knowledge base in the database: who finds what, and what is gone after retention."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session
from tests.factories import actor_named, at, department, receive, run_jobs, ticket_after

from hotline.bootstrap import Runtime
from hotline.domain.people import SYSTEM
from hotline.domain.ticket import OPEN_STATES, Action, State
from hotline.services import knowledge, retention, similar, vectors
from hotline.services.errors import InvalidInput, NotFound
from hotline.storage.engine import transaction
from hotline.storage.tables import KnowledgeEntry, OpenVector, Ticket, TicketVector

LIFT = "金茂小区3栋的电梯坏了三天，老人上下楼很不方便"
LIFT_AGAIN = "金茂小区3栋的电梯坏了三天，老人上下楼很不方便，希望尽快修好"
BUS = "702路公交车等了一小时也不来，上班都迟到了"


@pytest.fixture
def session(parts: Runtime) -> Iterator[Session]:
    with transaction(parts.sessions) as session:
        yield session


def logged(session: Session, parts: Runtime, content: str, **given: object) -> Ticket:
    """A ticket with its vector, as after triage."""
    ticket = receive(session, parts.context, content=content, **given)
    vectors.keep_vectors(session, parts.context, [ticket])
    session.flush()
    return ticket


def found(session: Session, parts: Runtime, content: str, who: str = "agent01", **how: int) -> dict[str, bool]:
    command = similar.SimilarTo(content=content, **how)
    near = similar.similar_open(session, parts.context, actor_named(session, who), command)
    return {each.ticket.number: each.same for each in near}


def test_triage_makes_a_ticket_findable(parts: Runtime) -> None:
    with transaction(parts.sessions) as session:
        number = receive(session, parts.context, content=LIFT).number
    run_jobs(parts)
    with transaction(parts.sessions) as session:
        assert found(session, parts, LIFT_AGAIN) == {number: True}


def test_another_trouble_is_not_taken_for_the_same_event(session: Session, parts: Runtime) -> None:
    lift, bus = logged(session, parts, LIFT), logged(session, parts, BUS)
    answers = found(session, parts, LIFT_AGAIN)
    assert answers[lift.number]
    assert not answers[bus.number]
    assert list(answers) == [lift.number, bus.number]


def test_only_open_tickets_within_the_window_and_of_the_served_version(session: Session, parts: Runtime) -> None:
    lift = logged(session, parts, LIFT)
    row = session.get_one(TicketVector, lift.id)
    row.received_at -= timedelta(days=40)
    session.flush()
    assert lift.number in found(session, parts, LIFT_AGAIN, days=60)
    assert found(session, parts, LIFT_AGAIN, days=30) == {}
    row.version = "another"
    session.flush()
    assert found(session, parts, LIFT_AGAIN, days=60) == {}


def test_a_department_finds_its_own_only_and_no_confidential_ones(session: Session, parts: Runtime) -> None:
    ours = ticket_after(session, parts.context, Action.SIGN, content=LIFT)
    secret = ticket_after(session, parts.context, Action.SIGN, content=LIFT, confidential=True)
    elsewhere = logged(session, parts, LIFT)
    vectors.keep_vectors(session, parts.context, [ours, secret])
    assert set(found(session, parts, LIFT_AGAIN)) == {ours.number, secret.number, elsewhere.number}
    assert set(found(session, parts, LIFT_AGAIN, "cgj-handler")) == {ours.number}
    assert found(session, parts, LIFT_AGAIN, "auditor") == {}
    handler = actor_named(session, "cgj-handler")
    with pytest.raises(NotFound):
        similar.similar_to_ticket(session, parts.context, elsewhere.number, handler)


@pytest.mark.parametrize("state", State)
def test_whatever_moved_a_ticket_it_is_found_while_it_is_open(session: Session, parts: Runtime, state: State) -> None:
    """A trigger keeps the vectors of open tickets; it has to mean the same by "open" as the domain does."""
    lift = logged(session, parts, LIFT)
    vectors_in_view = select(func.count()).select_from(OpenVector)
    for there in (state, State.HANDLING, state):
        lift.state = there
        session.flush()
        assert session.scalar(vectors_in_view) == (there in OPEN_STATES)
        assert (lift.number in found(session, parts, LIFT_AGAIN)) == (there in OPEN_STATES)
    # Written anew, as after a change of its words, it comes back only if it is open.
    vectors.keep_vectors(session, parts.context, [lift])
    assert session.scalar(vectors_in_view) == (state in OPEN_STATES)


def test_a_merged_ticket_is_found_again_when_the_merge_is_undone(session: Session, parts: Runtime) -> None:
    lift, again = logged(session, parts, LIFT), logged(session, parts, LIFT_AGAIN)
    again.merged_into_id = lift.id
    session.flush()
    assert set(found(session, parts, LIFT_AGAIN)) == {lift.number}
    again.merged_into_id = None
    session.flush()
    assert set(found(session, parts, LIFT_AGAIN)) == {lift.number, again.number}


def test_a_ticket_is_not_similar_to_itself(session: Session, parts: Runtime) -> None:
    one, other = logged(session, parts, LIFT), logged(session, parts, LIFT_AGAIN)
    near = similar.similar_to_ticket(session, parts.context, one.number, actor_named(session, "agent01"))
    assert [each.ticket.number for each in near] == [other.number]


def test_a_handler_sees_how_similar_tickets_were_solved_without_who_called(session: Session, parts: Runtime) -> None:
    solved = ticket_after(session, parts.context, Action.APPROVE, content=LIFT, caller_name="王小明")
    secret = ticket_after(session, parts.context, Action.APPROVE, content=LIFT, confidential=True)
    waiting = ticket_after(session, parts.context, Action.REPLY, content=LIFT)
    asked = ticket_after(session, parts.context, Action.SIGN, content=LIFT_AGAIN)
    vectors.keep_vectors(session, parts.context, [solved, secret, waiting, asked])
    session.expire_all()
    solved.replies[0].text = "已联系王小明（13912345678），电梯已修好"
    session.flush()
    precedents = similar.similar_solved(session, parts.context, asked.number, actor_named(session, "cgj-handler"))
    assert [precedent.ticket.number for precedent in precedents] == [solved.number]
    assert "电梯已修好" in precedents[0].reply
    assert "王小明" not in precedents[0].reply
    assert "13912345678" not in precedents[0].reply


def test_what_retention_closes_out_has_no_vector(session: Session, parts: Runtime) -> None:
    ended = ticket_after(session, parts.context, Action.FOLLOW_UP, content=LIFT)
    vectors.keep_vectors(session, parts.context, [ended])
    later = at(parts.context, parts.context.now() + timedelta(days=1))
    session.flush()
    closed = retention.close_out(session, later, SYSTEM, later.now())
    assert closed.tickets == 1
    assert session.scalar(select(func.count()).select_from(TicketVector)) == 0


def test_backfill_reads_what_has_no_vector_once(parts: Runtime) -> None:
    with transaction(parts.sessions) as session:
        for _ in range(3):
            receive(session, parts.context, content=LIFT)
        knowledge.add(session, parts.context, ENTRY, SYSTEM)
        session.execute(update(TicketVector).values(version="old"))
    model = parts.context.similar()
    assert model is not None
    with transaction(parts.sessions) as session:
        assert vectors.count_without_vector(session, model.version) == 3
    assert list(vectors.backfill(parts.sessions, parts.context, model)) == [3]
    assert list(vectors.backfill(parts.sessions, parts.context, model)) == []


ENTRY = knowledge.EntryText(
    question="身份证丢失后怎么补办？",
    answer="带户口簿到任一派出所申请补领，约10个工作日可取。",
    matter="A01",
    owner="CGJ",
)
OTHER = knowledge.EntryText(question="公租房怎么申请？", answer="向街道提交申请，审核后轮候配租。")


def asked(session: Session, parts: Runtime, question: str = "我身份证丢了在哪里补办") -> list[str]:
    return [each.entry.question for each in knowledge.search(session, parts.context, question)]


def test_a_question_finds_its_answer(session: Session, parts: Runtime) -> None:
    for text in (OTHER, ENTRY):
        knowledge.add(session, parts.context, text, SYSTEM)
    assert asked(session, parts)[0] == ENTRY.question
    assert knowledge.search(session, parts.context, "身份证补办")[0].entry.owner == department(session, "CGJ")


def test_expired_future_and_retired_entries_are_not_found(session: Session, parts: Runtime) -> None:
    entry = knowledge.add(session, parts.context, ENTRY, SYSTEM)
    assert asked(session, parts) == [ENTRY.question]
    today = parts.context.now().date()
    entry.valid_from, entry.valid_to = today - timedelta(days=9), today - timedelta(days=2)
    session.flush()
    assert asked(session, parts) == []
    entry.valid_from, entry.valid_to = today + timedelta(days=2), None
    session.flush()
    assert asked(session, parts) == []
    entry.valid_from = today - timedelta(days=9)
    knowledge.retire(session, parts.context, entry.id, SYSTEM)
    assert asked(session, parts) == []


def test_a_changed_entry_is_found_by_its_new_words(session: Session, parts: Runtime) -> None:
    entry = knowledge.add(session, parts.context, OTHER, SYSTEM)
    knowledge.edit(session, parts.context, entry.id, ENTRY, SYSTEM)
    assert asked(session, parts) == [ENTRY.question]


def test_an_import_counts_first_and_changes_after(session: Session, parts: Runtime) -> None:
    load = knowledge.load
    knowledge.add(session, parts.context, ENTRY, SYSTEM)
    better = knowledge.EntryText(question=ENTRY.question, answer="到任一派出所补领。", matter="A01", owner="CGJ")
    expected = knowledge.Changes(added=1, changed=1, unchanged=0)
    assert load(session, parts.context, [better, OTHER], SYSTEM, dry_run=True) == expected
    assert session.scalar(select(func.count()).select_from(KnowledgeEntry)) == 1
    assert load(session, parts.context, [better, OTHER], SYSTEM, dry_run=False) == expected
    assert load(session, parts.context, [better, OTHER], SYSTEM, dry_run=False) == knowledge.Changes(0, 0, 2)


@pytest.mark.parametrize(("wrong", "field"), [({"matter": "Z99"}, "matter"), ({"owner": "NOBODY"}, "owner")])
def test_a_row_that_cannot_be_used_is_named(
    session: Session, parts: Runtime, wrong: dict[str, str], field: str
) -> None:
    rows = [OTHER, knowledge.EntryText(question="问", answer="答", **wrong)]
    with pytest.raises(InvalidInput, match=f"row 2, {field}"):
        knowledge.load(session, parts.context, rows, SYSTEM, dry_run=True)
