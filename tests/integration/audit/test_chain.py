"""The chain of seals: what was changed, deleted or reordered behind the program's back is found."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from hotline.bootstrap import Runtime, make_vault
from hotline.domain.people import SYSTEM
from hotline.services import audit
from hotline.services.audit import SEAL_MISSING, Verification
from hotline.storage.engine import transaction


def write(parts: Runtime, number: int = 6) -> list[tuple[int, str]]:
    """Write entries; return id and seal of each."""
    with transaction(parts.sessions) as session:
        entries = [
            audit.append(
                session, parts.context, SYSTEM, "test.done", subject=f"thing:{n}", reason="因为", detail={"n": n}
            )
            for n in range(number)
        ]
        return [(entry.id, entry.seal) for entry in entries]


def verify(parts: Runtime, expected: str | None = None) -> Verification:
    with transaction(parts.sessions) as session:
        return audit.verify(session, parts.context, expected)


def behind_its_back(parts: Runtime, *statements: str) -> None:
    """Change rows as somebody with all rights in the database could, past the trigger."""
    with transaction(parts.sessions) as session:
        session.execute(text("SET LOCAL session_replication_role = replica"))
        for statement in statements:
            session.execute(text(statement))


def test_an_untouched_log_holds(parts: Runtime) -> None:
    written = write(parts)
    assert verify(parts) == Verification(6, written[-1][1], None)
    assert verify(parts, written[2][1]).broken_at is None


def test_an_empty_log_holds(parts: Runtime) -> None:
    assert verify(parts) == Verification(0, audit.FIRST_SEAL, None)


@pytest.mark.parametrize(
    "change",
    [
        "subject = 'thing:9'",
        "action = 'test.undone'",
        "reason = NULL",
        "role = 'agent'",
        "address = '10.0.0.1'",
        "at = at + interval '1 microsecond'",
        "detail = '{\"n\": 2.5}'",
        "account_id = (SELECT min(id) FROM account)",
        "seal = repeat('0', 63) || '1'",
    ],
)
def test_a_changed_entry_is_found(parts: Runtime, change: str) -> None:
    written = write(parts)
    behind_its_back(parts, f"UPDATE audit_entry SET {change} WHERE id = {written[2][0]}")
    found = verify(parts)
    assert found.broken_at == written[2][0]
    assert found.entries == 2


@pytest.mark.parametrize("place", [0, 3, 4])
def test_a_deleted_entry_is_found_at_the_one_after_it(parts: Runtime, place: int) -> None:
    written = write(parts)
    behind_its_back(parts, f"DELETE FROM audit_entry WHERE id = {written[place][0]}")
    assert verify(parts).broken_at == written[place + 1][0]


def test_two_entries_that_changed_places_are_found(parts: Runtime) -> None:
    written = write(parts)
    one, other = written[1][0], written[2][0]
    behind_its_back(
        parts,
        f"UPDATE audit_entry SET id = 1000000 WHERE id = {one}",
        f"UPDATE audit_entry SET id = {one} WHERE id = {other}",
        f"UPDATE audit_entry SET id = {other} WHERE id = 1000000",
    )
    assert verify(parts).broken_at == one


def test_an_entry_put_in_between_is_found(parts: Runtime) -> None:
    written = write(parts)
    behind_its_back(
        parts,
        f"UPDATE audit_entry SET id = id + 100 WHERE id > {written[2][0]}",
        f"INSERT INTO audit_entry (id, at, role, action, detail, seal) OVERRIDING SYSTEM VALUE "
        f"VALUES ({written[2][0]} + 1, now(), 'system', 'test.forged', '{{}}', repeat('a', 64))",
    )
    assert verify(parts).broken_at == written[2][0] + 1


def test_an_end_that_was_cut_off_is_found_by_a_seal_noted_before(parts: Runtime) -> None:
    written = write(parts)
    behind_its_back(parts, f"DELETE FROM audit_entry WHERE id >= {written[4][0]}")
    assert verify(parts).broken_at is None
    assert verify(parts, written[-1][1]).broken_at == SEAL_MISSING
    behind_its_back(parts, "DELETE FROM audit_entry")
    assert verify(parts, written[-1][1]).broken_at == SEAL_MISSING


def test_a_chain_made_with_another_key_is_found(parts: Runtime) -> None:
    """Whoever writes to the database without the key of the installation cannot forge a chain."""
    other = parts.settings.model_copy(update={"index_key": type(parts.settings.index_key)("x" * 40)})
    forger = replace(parts.context, vault=make_vault(other))
    with transaction(parts.sessions) as session:
        first = audit.append(session, forger, SYSTEM, "test.forged")
        entry_id = first.id
    assert verify(parts).broken_at == entry_id


@pytest.mark.parametrize(
    "statement",
    ["UPDATE audit_entry SET subject = 'x'", "DELETE FROM audit_entry", "TRUNCATE audit_entry"],
)
def test_the_database_itself_refuses_changes(parts: Runtime, statement: str) -> None:
    write(parts)
    with pytest.raises(DBAPIError, match="append-only"), transaction(parts.sessions) as session:
        session.execute(text(statement))
    assert verify(parts).entries == 6


def test_appends_at_once_keep_the_chain(parts: Runtime) -> None:
    def one(number: int) -> None:
        # What is rolled back leaves no gap in the chain.
        with suppress(KeyError), transaction(parts.sessions) as session:
            audit.append(session, parts.context, SYSTEM, "test.done", detail={"n": number})
            if number % 5 == 0:
                raise KeyError

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(one, range(40)))
    found = verify(parts)
    assert (found.entries, found.broken_at) == (32, None)


def test_people_s_own_words_are_masked_since_they_stay_for_ever(parts: Runtime) -> None:
    with transaction(parts.sessions) as session:
        entry = audit.append(session, parts.context, SYSTEM, "test.done", reason="回拨 13800001234 核实")
        assert entry.reason == "回拨 138****1234 核实"


@pytest.fixture
def searched(parts: Runtime) -> Callable[..., list[str | None]]:
    """Search the log; return the subjects that are found."""
    write(parts)

    def search(**given: Any) -> list[str | None]:
        with transaction(parts.sessions) as session:
            return [found.entry.subject for found in audit.find(session, audit.FindEntries(**given))]

    return search


def test_entries_are_found_newest_first_and_by_what_is_asked(searched: Callable[..., list[str | None]]) -> None:
    assert searched(limit=2) == ["thing:5", "thing:4"]
    assert searched(action="nothing") == []
    assert searched(account="agent01") == []
    assert len(searched(action="test.done")) == 6
