"""From a move to a message: who is told, what is said, when, and how often when workers die in between."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text, update
from tests.factories import actor_named, at, department, receive, take, ticket_after

from hotline import bootstrap
from hotline.bootstrap import Runtime
from hotline.domain.clock_notices import NoticeKind
from hotline.domain.ticket import Action, ComplaintType, Urgency
from hotline.jobs.doorbell import SilentDoorbell
from hotline.jobs.runner import Outcome, Runner
from hotline.notify import Message, NotifyError
from hotline.services import dispatch, notices, sending, supervision
from hotline.services.sending import compose
from hotline.settings import Settings
from hotline.storage.engine import transaction
from hotline.storage.tables import Account, Job, Ticket

MORNING = datetime(2026, 11, 9, 2, 0, tzinfo=UTC)
NIGHT = datetime(2026, 11, 9, 14, 0, tzinfo=UTC)
OPENING = datetime(2026, 11, 10, 0, 30, tzinfo=UTC)
IDLE_IN_TRANSACTION = """
    SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'
"""
WORDS, NAME, PHONE = "楼下烧烤摊油烟熏人", "赵德柱", "13800138000"


@dataclass
class Outbox:
    """A notifier that keeps what it is given; ``fails`` says how often it refuses first."""

    sent: list[tuple[str, Message]] = field(default_factory=list)
    fails: int = 0

    def send(self, key: str, message: Message) -> None:
        self.sent.append((key, message))
        if self.fails:
            self.fails -= 1
            raise NotifyError("the test says so")


@pytest.fixture
def outbox() -> Outbox:
    return Outbox()


@pytest.fixture
def telling(settings: Settings, outbox: Outbox) -> Iterator[Runtime]:
    """The running parts with a notifier and at ten in the morning."""
    asked = settings.model_copy(update={"notifier": "console", "public_url": "https://12345.example/"})
    parts = bootstrap.start(asked, clock=lambda: MORNING, doorbell=SilentDoorbell())
    yield with_outbox(parts, outbox, MORNING)
    parts.close()


def with_outbox(parts: Runtime, outbox: Outbox, now: datetime) -> Runtime:
    """Return the same parts whose messages go into ``outbox``, at another time."""
    context = at(parts.context, now)
    handlers = bootstrap._notify_handler(context, parts.settings, outbox)
    runner = Runner(parts.sessions, handlers, "test", lease_seconds=60)
    return replace(parts, context=context, runner=runner)


def told(parts: Runtime) -> list[Outcome]:
    """Run the notify jobs that may run now."""
    with transaction(parts.sessions) as session:
        due = Job.available_at <= func.greatest(func.now(), parts.context.now())
        query = select(Job.id).where(Job.kind == "notify", Job.state == "queued", due).order_by(Job.id)
        waiting = session.scalars(query).all()
        # The database's clock is the real one; the test's says that their time has come.
        session.execute(update(Job).where(Job.id.in_(waiting)).values(available_at=func.now()))
    return [parts.run_job(job_id) for job_id in waiting]


def dispatched(parts: Runtime, **given: Any) -> Ticket:
    with transaction(parts.sessions) as session:
        members = {"content": WORDS, "caller_name": NAME, "caller_phone": PHONE} | given
        ticket = receive(session, parts.context, **members)
        return take(session, parts.context, ticket, Action.DISPATCH)


def test_a_dispatch_tells_the_department_and_nothing_of_the_citizen(telling: Runtime, outbox: Outbox) -> None:
    ticket = dispatched(telling, confidential=True)
    assert told(telling) == [Outcome.DONE]
    ((_, message),) = outbox.sent
    assert [each.username for each in message.recipients] == ["cgj-handler", "cgj-lead"]
    assert message.ticket is not None
    assert (message.code, message.ticket.number, message.ticket.matter) == ("dispatch", ticket.number, "E03")
    assert message.ticket.due == ticket.sign_due
    assert message.ticket.link == f"https://12345.example/tickets/{ticket.number}"
    said = f"{message}"
    assert not any(part in said for part in (WORDS, WORDS[:4], NAME, PHONE, PHONE[-4:]))


def test_who_handles_it_is_told_with_the_lead_and_not_the_whole_department(telling: Runtime, outbox: Outbox) -> None:
    ticket = dispatched(telling)
    told(telling)
    outbox.sent.clear()
    with transaction(telling.sessions) as session:
        handler = session.scalars(select(Account).where(Account.username == "cgj-handler")).one()
        session.add(
            Account(
                username="cgj-second",
                display_name="第二位",
                role="handler",
                department_id=handler.department_id,
                password_hash=handler.password_hash,
            )
        )
        named = dispatch.AssignTicket(number=ticket.number, username="cgj-handler")
        dispatch.assign(session, telling.context, named, actor_named(session, "cgj-lead"))
        urge = supervision.Urge(number=ticket.number, reason="又来电")
        supervision.urge(session, telling.context, urge, actor_named(session, "agent01"))
    told(telling)
    assert [[each.username for each in message.recipients] for _, message in outbox.sent] == [
        ["cgj-handler", "cgj-lead"]
    ]


def test_an_overdue_dispatch_tells_dispatchers_and_supervisors(telling: Runtime, outbox: Outbox) -> None:
    with transaction(telling.sessions) as session:
        receive(session, telling.context)
        late = at(telling.context, MORNING.replace(hour=3))
        assert notices.sweep(session, late) == 1
    told(with_outbox(telling, outbox, MORNING.replace(hour=3)))
    ((_, message),) = outbox.sent
    assert message.code == NoticeKind.DISPATCH_OVERDUE
    names = {each.username for each in message.recipients}
    assert {"dispatcher01", "supervisor01"} <= names
    assert not any(name.startswith("cgj") for name in names)


def test_a_street_without_people_is_told_through_the_department_above_it(telling: Runtime) -> None:
    with transaction(telling.sessions) as session:
        ticket = ticket_after(session, telling.context, Action.DISPATCH)
        child = department(session, "LD-CGJ")
        session.execute(update(Account).where(Account.department_id == child.id).values(active=False))
        child.parent_id = ticket.lead_department_id
        session.flush()
        args = {"ticket_id": ticket.id, "subject": "dispatch", "department_id": child.id, "escalate": False}
        message = compose(session, telling.context, args, None)
    assert message is not None
    assert "cgj-lead" in {each.username for each in message.recipients}


def test_at_night_a_message_waits_for_the_morning_and_a_critical_one_does_not(telling: Runtime, outbox: Outbox) -> None:
    night = with_outbox(telling, outbox, NIGHT)
    dispatched(night)
    critical = dispatched(night, urgency=Urgency.CRITICAL)
    assert told(night) == [Outcome.DONE, Outcome.DONE]
    assert [message.ticket.number for _, message in outbox.sent if message.ticket] == [critical.number]
    with telling.sessions() as session:
        (args,) = session.scalars(select(Job.args).where(Job.kind == "notify", Job.state == "queued"))
        assert sending.waits_until(session, night.context, args) == OPENING
    told(with_outbox(telling, outbox, OPENING))
    assert len(outbox.sent) == 2


def test_at_night_an_urgent_ticket_is_told_of_and_its_reminder_waits(telling: Runtime, outbox: Outbox) -> None:
    night = with_outbox(telling, outbox, NIGHT)
    urgent = dispatched(night, urgency=Urgency.URGENT)
    told(night)
    assert [message.ticket.number for _, message in outbox.sent if message.ticket] == [urgent.number]
    with telling.sessions() as session:
        reminder = {"ticket_id": urgent.id, "subject": NoticeKind.REMINDER_80}
        assert sending.waits_until(session, night.context, reminder) == OPENING


def test_a_sweep_that_comes_at_night_sends_nothing_at_night(telling: Runtime, outbox: Outbox) -> None:
    with transaction(telling.sessions) as session:
        receive(session, telling.context)
        assert notices.sweep(session, at(telling.context, NIGHT)) == 1
    told(with_outbox(telling, outbox, NIGHT))
    assert outbox.sent == []
    told(with_outbox(telling, outbox, OPENING))
    assert [message.code for _, message in outbox.sent] == [NoticeKind.DISPATCH_OVERDUE]


def test_a_refused_message_is_tried_again_under_the_same_key(telling: Runtime, outbox: Outbox) -> None:
    outbox.fails = 1
    dispatched(telling)
    assert told(telling) == [Outcome.RETRY]
    with transaction(telling.sessions) as session:
        session.execute(update(Job).where(Job.kind == "notify").values(available_at=func.now()))
    assert told(telling) == [Outcome.DONE]
    assert len({key for key, _ in outbox.sent}) == 1
    assert told(telling) == []


def test_a_worker_that_dies_after_sending_leads_to_a_repetition_with_the_same_key(
    telling: Runtime, outbox: Outbox
) -> None:
    dispatched(telling)

    class Dying(Outbox):
        def send(self, key: str, message: Message) -> None:
            outbox.send(key, message)
            # Neither the job's end nor its failure is written: as if the process were gone.
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        told(with_outbox(telling, Dying(), MORNING))
    with transaction(telling.sessions) as session:
        assert session.scalars(select(Job.state).where(Job.kind == "notify")).all() == ["running"]
        session.execute(update(Job).where(Job.kind == "notify").values(lease_until=func.now() - timedelta(hours=1)))
        bootstrap.queue.sweep(session, ring_again_seconds=0)
    assert told(telling) == [Outcome.DONE]
    assert len(outbox.sent) == 2
    assert len({key for key, _ in outbox.sent}) == 1


def test_two_workers_with_one_job_send_once(telling: Runtime, outbox: Outbox) -> None:
    dispatched(telling)
    with telling.sessions() as session:
        (job_id,) = session.scalars(select(Job.id).where(Job.kind == "notify"))
    assert [telling.run_job(job_id), telling.run_job(job_id)] == [Outcome.DONE, Outcome.NOT_CLAIMED]
    assert len(outbox.sent) == 1


def test_no_transaction_is_open_while_a_message_is_on_its_way(telling: Runtime) -> None:
    open_ones: list[int] = []

    class Looking(Outbox):
        def send(self, key: str, message: Message) -> None:
            with telling.sessions() as session:
                open_ones.append(session.execute(text(IDLE_IN_TRANSACTION)).scalar_one())

    dispatched(telling)
    assert told(with_outbox(telling, Looking(), MORNING)) == [Outcome.DONE]
    assert open_ones == [0]


def test_a_reminder_about_a_ticket_that_is_over_by_now_is_not_sent(telling: Runtime, outbox: Outbox) -> None:
    with transaction(telling.sessions) as session:
        ticket = ticket_after(session, telling.context, Action.FOLLOW_UP, type=ComplaintType.HELP)
        args = {"ticket_id": ticket.id, "subject": NoticeKind.REMINDER_80, "department_id": ticket.lead_department_id}
        assert compose(session, telling.context, args, None) is None


def test_without_a_notifier_nothing_is_written_down(parts: Runtime) -> None:
    dispatched(replace(parts, context=at(parts.context, MORNING)))
    with parts.sessions() as session:
        assert session.scalars(select(Job.id).where(Job.kind == "notify")).all() == []
