"""A database with as many tickets as a city has in a year or two, written directly since playing them would take hours.

Words, places and callers are the demo city's; states and departments are spread as in a city that keeps up.
"""

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice
from typing import Any

import psycopg

from bench.rig import Hotline
from bench.texts import SEED, call_bodies
from hotline.domain.masking import mask_address, mask_text
from hotline.ml.pairs import document_vector
from hotline.storage.vault import Vault

TICKETS = 200_000

# What is open came last; the rest is closed.
OPEN_SHARE = 0.06
OPEN = ("awaiting_dispatch", "awaiting_sign", "handling", "handling", "handling", "awaiting_followup")
_DISTINCT = 20_000


def fill(hotline: Hotline, tickets: int = TICKETS) -> list[dict[str, Any]]:
    """Write ``tickets`` tickets with callers and words; return the bodies that they were made from."""
    bodies = [json.loads(body) for body in call_bodies(min(tickets, _DISTINCT))]
    keys = tuple(hotline.env["HOTLINE_ENCRYPTION_KEYS"].split(","))
    vault = Vault(keys, hotline.env["HOTLINE_INDEX_KEY"])
    with psycopg.connect(hotline.database_url.replace("+psycopg", "")) as connection, connection.cursor() as cursor:
        departments = [row[0] for row in cursor.execute("SELECT id FROM department ORDER BY id")]
        columns = "id, number, state, channel, type, content, address, district, task, matter, received_at, "
        columns += "lead_department_id, dispatched_at, assigned_at, sign_due, handle_due, next_due, closed_at"
        with cursor.copy(f"COPY ticket ({columns}) FROM STDIN") as copy:
            for row in _tickets(bodies, departments, tickets):
                copy.write_row(row)
        with cursor.copy("COPY caller (ticket_id, phone_sealed, phone_index, anonymous) FROM STDIN") as copy:
            known = [_caller(vault, body) for body in bodies]
            for number, row in enumerate(islice(cycle(known), tickets), start=1):
                copy.write_row((number, *row))
        vectors = [document_vector(mask_text(body["content"]), mask_address(body["address"])) for body in bodies]
        with cursor.copy("COPY ticket_words (ticket_id, words) FROM STDIN") as copy:
            for number, vector in enumerate(islice(cycle(vectors), tickets), start=1):
                copy.write_row((number, vector))
        for sequence in ("ticket_number_seq", "ticket_id_seq"):
            cursor.execute("SELECT setval(%s, %s)", (sequence, tickets + 1))
    with psycopg.connect(hotline.database_url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
    return bodies


def number_of(ticket: int) -> str:
    """Return the number of the ticket with this id."""
    return f"20260101-{ticket:06d}"


def _caller(vault: Vault, body: dict[str, Any]) -> tuple[str | None, str | None, bool]:
    phone = body.get("caller", {}).get("phone")
    return (vault.seal(phone), vault.index(phone), False) if phone else (None, None, True)


def _tickets(bodies: list[dict[str, Any]], departments: list[int], tickets: int) -> Iterator[tuple[Any, ...]]:
    chance = random.Random(SEED)  # noqa: S311 - a benchmark, and the same one every time
    now = datetime.now(UTC)
    matters = [f"{task}{number:02d}" for task in "ACDEF" for number in range(1, 9)]
    for number, body in enumerate(islice(cycle(bodies), tickets), start=1):
        received = now - timedelta(minutes=4 * (tickets - number) + 1)
        state = chance.choice(OPEN) if number > tickets * (1 - OPEN_SHARE) else "closed"
        department = None if state == "awaiting_dispatch" else chance.choice(departments)
        assigned = received + timedelta(minutes=1) if department else None
        due = received + timedelta(days=10) if department else None
        closed = received + timedelta(days=6) if state == "closed" else None
        matter = chance.choice(matters)
        yield (
            *(number, number_of(number), state, "phone", "投诉", body["content"], body["address"], body["district"]),
            *(matter[0], matter, received, department, assigned, assigned, due, due),
            *(due if state == "handling" else None, closed),
        )
