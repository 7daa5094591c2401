"""Everything an intake writes, in one statement: key, ticket, caller, first event and triage job, or nothing at all.

Row by row these were ten round trips, and the waiting and unit-of-work bookkeeping for them half of a request's time.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

from sqlalchemy import TextClause, inspect, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session, make_transient_to_detached
from sqlalchemy.orm.attributes import set_committed_value

from hotline.storage.tables import Caller, Ticket

# What the caller of `write_intake` gives, beside the district as somebody named it.
TICKET = (
    *("state", "channel", "type", "title", "content", "wish", "address", "occurred_at", "confidential", "urgency"),
    *("task", "matter", "matter_source", "created_by", "received_at", "dispatch_due", "next_notice_at"),
)
CALLER = ("name_sealed", "phone_sealed", "phone_index", "anonymous")
Row = TypeVar("Row", Ticket, Caller)

# A key that an earlier transaction has committed makes nothing; one that is being written is waited for.
_CLAIMED = """
    INSERT INTO idempotency_key (account_id, key, fingerprint, ticket_id)
    SELECT :created_by, :key, :fingerprint, nextval(pg_get_serial_sequence('ticket', 'id')) FROM place
    WHERE place.known ON CONFLICT DO NOTHING RETURNING ticket_id"""
_UNCLAIMED = "SELECT nextval(pg_get_serial_sequence('ticket', 'id')) AS ticket_id FROM place WHERE place.known"

_POSTGRESQL = postgresql.dialect()  # type: ignore[no-untyped-call]


def _defaults(table: Any) -> dict[str, Any]:
    columns = inspect(table).local_table.columns
    # A list is a default that is made anew for each row.
    plain = {column.name: column.default.arg if column.default is not None else None for column in columns}
    return {name: None if callable(default) else default for name, default in plain.items()}


_DEFAULTS: dict[Any, dict[str, Any]] = {table: _defaults(table) for table in (Ticket, Caller)}


def _given(table: Any, names: tuple[str, ...]) -> str:
    """List the parameters with their types, which PostgreSQL could not tell in a SELECT."""
    types = {column.name: column.type for column in inspect(table).local_table.columns}
    return ", ".join(f"CAST(:{name} AS {types[name].compile(dialect=_POSTGRESQL)})" for name in names)


def _statement(fresh: str) -> TextClause:
    return text(f"""
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
    SELECT id, {_given(Caller, CALLER)} FROM ticket RETURNING id
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
SELECT ticket.id, ticket.number, ticket.district, caller.id, job.id FROM ticket, caller, job
""")  # noqa: S608 - put together from this module's and the tables' own words


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
    ticket_id, number, district, caller_id, job_id = written
    known = {"id": ticket_id, "number": number, "district": district}
    ticket = _as_read(session, Ticket, {**{name: values[name] for name in TICKET}, **known})
    known = {"id": caller_id, "ticket_id": ticket_id}
    caller = _as_read(session, Caller, {**{name: values[name] for name in CALLER}, **known})
    set_committed_value(ticket, "caller", caller)
    # Nobody helps with a new ticket, which is known without asking.
    set_committed_value(ticket, "cohandlers", [])
    set_committed_value(ticket, "overlays", [])
    return ticket, job_id


def _as_read(session: Session, table: type[Row], given: Mapping[str, Any]) -> Row:
    """Return a row just written as an object of ``session``, as if it had been read.

    Reading all its columns back would be a tenth of what the processor does for a request.  A
    column that is not given holds its default.
    """
    row = table()
    for name, default in _DEFAULTS[table].items():
        set_committed_value(row, name, given.get(name, default))
    make_transient_to_detached(row)
    session.add(row)
    return row
