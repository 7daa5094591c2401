"""What intake writes, and that a refused intake writes nothing even when its transaction goes on."""

import pytest
from sqlalchemy import inspect, select, text
from tests.factories import STREET_LIGHT, actor_named, receive, row_counts

from hotline.bootstrap import Runtime
from hotline.domain.ticket import Channel
from hotline.services.errors import Conflict, InvalidInput
from hotline.services.intake import ReceiveTicket, Retry
from hotline.services.intake import receive as log_call
from hotline.storage.engine import transaction
from hotline.storage.tables import Job, TicketEvent

CALL = ReceiveTicket(channel=Channel.PHONE, content=STREET_LIGHT, caller_name="王小明", caller_phone="13912345678")


def test_ticket_caller_event_and_job_belong_together(parts: Runtime) -> None:
    with transaction(parts.sessions) as session:
        agent = actor_named(session, "agent01")
        ticket = log_call(session, parts.context, CALL, agent).ticket
        event, job = session.scalars(select(TicketEvent)).one(), session.scalars(select(Job)).one()
        assert (event.ticket_id, event.kind, event.from_state, event.to_state) == (
            ticket.id,
            "received",
            None,
            "received",
        )
        assert (event.account_id, event.role, event.at) == (agent.account_id, "agent", ticket.received_at)
        assert event.data == {"channel": "phone", "matter": None}
        assert (job.kind, job.queue, job.args) == ("triage", "triage", {"ticket_id": ticket.id})
        assert (job.dedupe_key, job.max_attempts) == (f"triage:{ticket.id}", 8)
        assert ticket.caller is not None
        assert parts.context.vault.open(ticket.caller.phone_sealed) == "13912345678"
        # All of it is read back as it was written, what nobody gave included.
        known = [
            (row, column.key, getattr(row, column.key))
            for row in (ticket, ticket.caller)
            for column in inspect(row).mapper.column_attrs
        ]
        session.expire_all()
        assert [(row, name, getattr(row, name)) for row, name, _ in known] == known
        assert (ticket.content, ticket.created_by, ticket.caller.ticket_id) == (
            STREET_LIGHT,
            agent.account_id,
            ticket.id,
        )


def test_a_district_is_found_by_code_and_by_name(parts: Runtime) -> None:
    with transaction(parts.sessions) as session:
        code, name = session.execute(text("SELECT code, name FROM district ORDER BY code LIMIT 1")).one()
        found = [receive(session, parts.context, district=given).district for given in (code, name, None)]
    assert found == [code, code, None]


def test_what_is_refused_writes_nothing(parts: Runtime) -> None:
    with transaction(parts.sessions) as session:
        agent = actor_named(session, "agent01")
        log_call(session, parts.context, CALL, agent, Retry("call-1", "this"))
    before = row_counts(parts)
    # The transactions are committed all the same, as one that goes on after a refusal would be.
    with transaction(parts.sessions) as session:
        with pytest.raises(Conflict):
            log_call(session, parts.context, CALL, agent, Retry("call-1", "that"))
        with pytest.raises(InvalidInput, match="district"):
            receive(session, parts.context, district="nowhere")
    assert row_counts(parts) == before


def test_numbers_go_on_after_a_million(parts: Runtime) -> None:
    with transaction(parts.sessions) as session:
        session.execute(text("SELECT setval('ticket_number_seq', 999998)"))
        numbers = [receive(session, parts.context).number.partition("-")[2] for _ in range(2)]
    assert numbers == ["999999", "1000000"]
