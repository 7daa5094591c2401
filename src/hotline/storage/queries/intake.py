"""Everything an intake writes, in one statement: key, ticket, caller, first event and triage job, or nothing at all.

Row by row these were ten round trips, and the waiting and unit-of-work bookkeeping for them half of a request's time.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Table, inspect, select, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session, contains_eager
from sqlalchemy.orm.attributes import set_committed_value

from hotline.storage.tables import Caller, Job, Ticket

# What the caller of `write_intake` gives, beside the district as somebody named it.
TICKET = (
    *("state", "channel", "type", "title", "content", "wish", "address", "occurred_at", "confidential", "urgency"),
    *("task", "matter", "matter_source", "created_by", "received_at"),
)
CALLER = ("name_sealed", "phone_sealed", "phone_index", "anonymous")

# A key that an earlier transaction has committed makes nothing; one that is being written is waited for.
_CLAIMED = """
    INSERT INTO idempotency_key (account_id, key, fingerprint, ticket_id)
    SELECT :created_by, :key, :fingerprint, nextval(pg_get_serial_sequence('ticket', 'id')) FROM place
    WHERE place.known ON CONFLICT DO NOTHING RETURNING ticket_id"""
_UNCLAIMED = "SELECT nextval(pg_get_serial_sequence('ticket', 'id')) AS ticket_id FROM place WHERE place.known"

_POSTGRESQL = postgresql.dialect()  # type: ignore[no-untyped-call]


def _columns(table: Any, name: str) -> str:
    mapped: Table = inspect(table).local_table
    return ", ".join(f"{name}.{column.name}" for column in mapped.columns)


def _given(table: Any, names: tuple[str, ...]) -> str:
    """List the parameters with their types, which PostgreSQL could not tell in a SELECT."""
    types = {column.name: column.type for column in inspect(table).local_table.columns}
    return ", ".join(f"CAST(:{name} AS {types[name].compile(dialect=_POSTGRESQL)})" for name in names)


def _statement(fresh: str) -> Any:
    written = text(f"""
WITH named AS (
    SELECT code FROM district WHERE code = :district OR name = :district ORDER BY code <> :district LIMIT 1
), place AS (
    SELECT (SELECT code FROM named) AS code, CAST(:district AS text) IS NULL OR EXISTS (SELECT FROM named) AS known
), fresh AS ({fresh}
), numbered AS (
    SELECT fresh.ticket_id, place.code, CAST(nextval('ticket_number_seq') AS text) AS serial FROM fresh, place
), ticket AS (
    INSERT INTO ticket (id, number, district, {", ".join(TICKET)})
    SELECT ticket_id, :day || '-' || lpad(serial, greatest(6, length(serial)), '0'), code, {_given(Ticket, TICKET)}
    FROM numbered RETURNING *
), caller AS (
    INSERT INTO caller (ticket_id, {", ".join(CALLER)})
    SELECT id, {_given(Caller, CALLER)} FROM ticket RETURNING *
), event AS (
    INSERT INTO ticket_event (ticket_id, kind, to_state, at, account_id, role, data)
    SELECT id, 'received', state, received_at, created_by, :role,
           jsonb_build_object('channel', channel, 'matter', matter)
    FROM ticket
), job AS (
    INSERT INTO job (kind, queue, args, dedupe_key, max_attempts)
    SELECT :job_kind, :job_queue, jsonb_build_object('ticket_id', id), :job_kind || ':' || id, :job_max_attempts
    FROM ticket RETURNING id
)
SELECT {_columns(Ticket, "ticket")}, {_columns(Caller, "caller")}, job.id FROM ticket, caller, job
""")  # noqa: S608 - put together from this module's and the tables' own words
    columns = (*inspect(Ticket).local_table.columns, *inspect(Caller).local_table.columns, Job.id)
    chosen = select(Ticket, Job.id).from_statement(written.columns(*columns))
    return chosen.options(contains_eager(Ticket.caller))


_WITH_KEY, _WITHOUT_KEY = _statement(_CLAIMED), _statement(_UNCLAIMED)


def write_intake(session: Session, values: Mapping[str, Any]) -> tuple[Ticket, int] | None:
    """Write the rows and return the ticket and its job's id; None, and nothing is written, when one cannot be made.

    That is so when the district is not known or the idempotency key has been used.  ``values`` are those of `TICKET`
    and `CALLER` by name, ``district`` (code or name), ``day`` (the number's first part), ``role``, ``job_kind``,
    ``job_queue``, ``job_max_attempts`` and, for a request with a key, ``key`` and ``fingerprint``.
    """
    written = session.execute(_WITH_KEY if "key" in values else _WITHOUT_KEY, values).one_or_none()
    if written is None:
        return None
    ticket, job_id = written
    # Nobody helps with a new ticket, which is known without asking.
    set_committed_value(ticket, "cohandlers", [])
    return ticket, job_id
