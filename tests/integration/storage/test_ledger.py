"""The list of events only grows: PostgreSQL itself refuses to change, delete or empty it."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from tests.factories import ticket_after

from hotline.bootstrap import Runtime
from hotline.domain.ticket import Action
from hotline.storage.engine import transaction

CHANGES = (
    "UPDATE ticket_event SET at = now()",
    "UPDATE ticket_event SET kind = kind",
    "UPDATE ticket_event SET reason = 'another reason'",
    "UPDATE ticket_event SET data = '{}' WHERE kind = 'dispatch'",
    "UPDATE ticket_event SET to_state = 'closed' WHERE kind = 'sign'",
    "DELETE FROM ticket_event",
    "DELETE FROM ticket_event WHERE kind = 'sign'",
    "TRUNCATE ticket_event",
    "TRUNCATE ticket CASCADE",
    "INSERT INTO ticket_event (id, ticket_id, kind, at, role) OVERRIDING SYSTEM VALUE "
    "SELECT id, ticket_id, kind, at, role FROM ticket_event LIMIT 1 ON CONFLICT (id) DO UPDATE SET kind = 'x'",
)


@pytest.mark.parametrize("change", CHANGES)
def test_an_event_cannot_be_changed_or_removed(standing_parts: Runtime, change: str) -> None:
    with standing_parts.sessions() as session:
        ticket_after(session, standing_parts.context, Action.SIGN)
        session.flush()
        with pytest.raises(DBAPIError, match="append-only"):
            session.execute(text(change))


def test_a_ticket_with_events_cannot_be_deleted(standing_parts: Runtime) -> None:
    with standing_parts.sessions() as session:
        ticket_after(session, standing_parts.context, None)
        session.flush()
        with pytest.raises(DBAPIError, match="foreign key"):
            session.execute(text("DELETE FROM ticket"))


@pytest.mark.parametrize(
    ("column", "value"), [("state", "lost"), ("channel", "fax"), ("type", "闲聊"), ("urgency", "soon"), ("content", "")]
)
def test_a_ticket_holds_only_what_the_rules_know(standing_parts: Runtime, column: str, value: str) -> None:
    with standing_parts.sessions() as session:
        ticket_after(session, standing_parts.context, None)
        session.flush()
        with pytest.raises(DBAPIError, match=f"ck_ticket_{column}"):
            session.execute(text(f"UPDATE ticket SET {column} = :value"), {"value": value})


def test_numbers_are_never_used_twice_even_after_a_rollback(parts: Runtime) -> None:
    numbers = []
    for _ in range(3):
        with parts.sessions() as session:
            numbers.append(ticket_after(session, parts.context, None).number)
            session.rollback()
    with transaction(parts.sessions) as session:
        numbers.append(ticket_after(session, parts.context, None).number)
    assert len(set(numbers)) == 4
    assert numbers == sorted(numbers)


def test_errors_of_the_database_never_quote_what_was_stored(standing_parts: Runtime) -> None:
    words = "王小明 13912345678"
    with standing_parts.sessions() as session, pytest.raises(DBAPIError) as caught:
        session.execute(
            text("INSERT INTO district (code, name, residents) VALUES (:words, :words, NULL)"), {"words": words}
        )
    assert "hidden" in str(caught.value)
