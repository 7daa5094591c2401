"""Triage: once per ticket, with or without a model, and a person's word stands."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from tests.factories import SettledClassifier, actor_named, at, receive, take, with_classifier

from hotline.bootstrap import Runtime
from hotline.domain.limits import Kind, deadline, resolve
from hotline.domain.ticket import Action, Channel, ComplaintType, State, Urgency
from hotline.services import intake
from hotline.services.context import Context
from hotline.services.triage import TRIAGED, triage
from hotline.storage.tables import Job, Prediction, Ticket, TicketEvent


def events(session: Session, ticket: Ticket, kind: str) -> list[TicketEvent]:
    session.flush()
    query = select(TicketEvent).where(TicketEvent.ticket_id == ticket.id, TicketEvent.kind == kind)
    return list(session.scalars(query.order_by(TicketEvent.id)))


def settled(parts: Runtime, **says: object) -> Context:
    return with_classifier(parts.context, SettledClassifier(**says))  # type: ignore[arg-type]


def due(context: Context, ticket: Ticket, kind: Kind) -> object:
    assert ticket.dispatched_at is not None
    limit = resolve(context.limits, kind, ticket.type or "", ticket.matter, ticket.district, ticket.urgency)
    return deadline(context.calendar, ticket.dispatched_at, limit).instant


def test_a_sure_model_dispatches_and_its_words_are_kept(standing_parts: Runtime) -> None:
    context = settled(standing_parts, type="求助", urgency="urgent")
    with standing_parts.sessions() as session:
        ticket = receive(session, context)
        assert triage(session, context, ticket.id) is True
        session.flush()
        assert (ticket.state, ticket.matter, ticket.task) == (State.AWAITING_SIGN, "E03", "E")
        assert (ticket.type, ticket.urgency, ticket.matter_source) == ("求助", "urgent", "model")
        kept = session.scalars(select(Prediction)).one()
        assert (kept.model_version, kept.matter, kept.confidence, kept.auto) == ("settled-1", "E03", 0.95, True)
        assert [line["matter"] for line in kept.top] == ["E03", "G09", "A01"]
        assert kept.evidence == ["路灯"]
        (event,) = events(session, ticket, TRIAGED)
        assert (event.role, event.account_id) == ("system", None)
        assert event.data["model_version"] == "settled-1"


def test_a_ticket_is_triaged_once_however_often_it_is_asked(standing_parts: Runtime) -> None:
    context = settled(standing_parts)
    with standing_parts.sessions() as session:
        ticket = receive(session, context)
        assert [triage(session, context, ticket.id) for _ in range(3)] == [True, False, False]
        other = with_classifier(context, SettledClassifier(matter="C04", version="settled-2"))
        assert triage(session, other, ticket.id) is False
        assert len(events(session, ticket, TRIAGED)) == 1
        assert len(events(session, ticket, Action.DISPATCH)) == 1
        assert session.scalar(select(func.count()).select_from(Prediction)) == 1


def test_a_ticket_that_does_not_exist_is_nothing_to_do(standing_parts: Runtime) -> None:
    with standing_parts.sessions() as session:
        assert triage(session, settled(standing_parts), 987_654_321) is False


def test_without_a_model_the_ticket_goes_to_people_and_says_why(standing_parts: Runtime) -> None:
    context = with_classifier(standing_parts.context, None)
    with standing_parts.sessions() as session:
        ticket = receive(session, context)
        assert triage(session, context, ticket.id) is True
        assert triage(session, settled(standing_parts), ticket.id) is False
        assert (ticket.state, ticket.matter, ticket.confidence) == (State.AWAITING_DISPATCH, None, None)
        assert [event.reason for event in events(session, ticket, TRIAGED)] == ["no_model"]
        assert [event.reason for event in events(session, ticket, Action.QUEUE)] == ["no_model"]
        assert session.scalar(select(func.count()).select_from(Prediction)) == 0


def test_an_unsure_model_proposes_and_people_decide(standing_parts: Runtime) -> None:
    context = settled(standing_parts, auto=False, confidence=0.4)
    with standing_parts.sessions() as session:
        ticket = receive(session, context)
        triage(session, context, ticket.id)
        assert (ticket.state, ticket.matter, ticket.confidence) == (State.AWAITING_DISPATCH, "E03", 0.4)
        assert [event.reason for event in events(session, ticket, Action.QUEUE)] == ["not_confident"]
        assert ticket.lead_department_id is None


def test_an_agents_own_matter_is_dispatched_at_intake_and_stays(standing_parts: Runtime) -> None:
    context = settled(standing_parts, matter="C12", auto=True)
    with standing_parts.sessions() as session:
        ticket = receive(session, context, matter="E03")
        assert (ticket.state, ticket.matter_source, ticket.task) == (State.AWAITING_SIGN, "agent", "E")
        assert ticket.lead_department is not None
        assert triage(session, context, ticket.id) is True
        session.flush()
        assert (ticket.matter, ticket.matter_source, ticket.confidence) == ("E03", "agent", None)
        assert ticket.lead_department.code == "CGJ"
        # What the model would have said is kept beside the agent's label: later it learns from the difference.
        assert session.scalars(select(Prediction)).one().matter == "C12"
        assert [event.data["matter"] for event in events(session, ticket, "received")] == ["E03"]
        assert len(events(session, ticket, Action.DISPATCH)) == 1


@pytest.mark.parametrize("said", Urgency)
@pytest.mark.parametrize("read", Urgency)
def test_urgency_only_rises(standing_parts: Runtime, said: Urgency, read: Urgency) -> None:
    context = settled(standing_parts, urgency=read, auto=False)
    with standing_parts.sessions() as session:
        ticket = receive(session, context, urgency=said)
        triage(session, context, ticket.id)
        assert Urgency(ticket.urgency).rank == max(said.rank, read.rank)


def test_when_triage_raises_the_urgency_both_dues_are_recomputed_from_the_start(standing_parts: Runtime) -> None:
    context = settled(standing_parts, urgency="critical", type="投诉")
    with standing_parts.sessions() as session:
        ticket = receive(session, context, matter="E03")
        before = (ticket.sign_due, ticket.handle_due)
        later = at(context, context.now() + timedelta(minutes=7))
        triage(session, later, ticket.id)
        (event,) = events(session, ticket, "dues_recomputed")
        told = {"sign_due": before[0].isoformat(), "handle_due": before[1].isoformat()}
        assert event.data["before"].items() >= told.items()
        assert event.data["sign_due"] == ticket.sign_due.isoformat()
        assert (event.reason, event.role, event.at) == ("triaged", "system", later.now())
        assert ticket.sign_due == due(context, ticket, Kind.SIGN) == ticket.dispatched_at + timedelta(minutes=30)
        assert ticket.handle_due == due(context, ticket, Kind.HANDLE) == ticket.dispatched_at + timedelta(hours=2)


def test_a_type_that_triage_adds_sets_the_handling_limit(standing_parts: Runtime) -> None:
    context = settled(standing_parts, type="咨询")
    with standing_parts.sessions() as session:
        ticket = receive(session, context, matter="E03")
        longest = ticket.handle_due
        triage(session, context, ticket.id)
        assert ticket.type == "咨询"
        assert ticket.handle_due == due(context, ticket, Kind.HANDLE)
        assert ticket.handle_due < longest
        assert len(events(session, ticket, "dues_recomputed")) == 1


def test_when_triage_changes_nothing_no_due_is_recomputed(standing_parts: Runtime) -> None:
    context = settled(standing_parts, type="投诉", urgency="normal")
    with standing_parts.sessions() as session:
        ticket = receive(session, context, matter="E03", type=ComplaintType.INQUIRY, urgency=Urgency.URGENT)
        dues = (ticket.sign_due, ticket.handle_due)
        triage(session, context, ticket.id)
        assert (ticket.type, ticket.urgency) == ("咨询", "urgent")
        assert (ticket.sign_due, ticket.handle_due) == dues
        assert events(session, ticket, "dues_recomputed") == []


def test_triage_after_a_person_moved_the_ticket_leaves_its_state(standing_parts: Runtime) -> None:
    context = settled(standing_parts, matter="C12")
    with standing_parts.sessions() as session:
        dispatched = receive(session, context)
        take(session, context, dispatched, Action.DISPATCH)
        answered = receive(session, context, disposition="answered", answer="已告知")
        for ticket, state in ((dispatched, State.AWAITING_SIGN), (answered, State.ANSWERED)):
            assert triage(session, context, ticket.id) is True
            assert ticket.state == state
        assert (dispatched.matter, dispatched.matter_source) == ("E03", "dispatcher")
        assert (answered.matter, answered.matter_source) == ("C12", "model")


def test_intake_leaves_one_triage_job_that_names_the_ticket_only(standing_parts: Runtime) -> None:
    with standing_parts.sessions() as session:
        ticket = receive(session, standing_parts.context, caller_name="王小明", caller_phone="13912345678")
        job = session.scalars(select(Job)).one()
        assert (job.kind, job.queue, job.state) == ("triage", "triage", "queued")
        assert (job.args, job.dedupe_key) == ({"ticket_id": ticket.id}, f"triage:{ticket.id}")


def test_a_merged_call_joins_the_open_ticket_and_asks_for_nothing_more(standing_parts: Runtime) -> None:
    context = standing_parts.context
    with standing_parts.sessions() as session:
        first = receive(session, context)
        command = intake.ReceiveTicket(
            channel=Channel.PHONE, content="同一盏路灯", disposition="merge", merge_into=first.number
        )
        second = intake.receive(session, context, command, actor_named(session, "agent02")).ticket
        assert (second.state, second.merged_into_id) == (State.MERGED, first.id)
        assert second.ended_early_at is not None
        assert [event.data["into"] for event in events(session, second, Action.MERGE)] == [first.number]
