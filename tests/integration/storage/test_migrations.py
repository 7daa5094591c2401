"""Migrations on a real database: up from nothing, down and up again, with data, two at once, and never hanging."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, inspect, text
from sqlalchemy.exc import OperationalError
from tests.factories import row_counts, settings_environment, ticket_after

from hotline.bootstrap import Runtime
from hotline.domain.ticket import Action
from hotline.settings import Settings
from hotline.storage import migrate
from hotline.storage.engine import transaction
from hotline.storage.tables import Base

LOCK_TIMEOUT_SECONDS = 5


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    engine = create_engine(url)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def tables(url: str) -> set[str]:
    with connected(url) as connection:
        return set(inspect(connection).get_table_names())


def revision(url: str) -> str | None:
    with connected(url) as connection:
        return MigrationContext.configure(connection).get_current_revision()


def revisions() -> list[str]:
    """Return all revisions, the oldest first."""
    script = ScriptDirectory.from_config(migrate.alembic_config(""))
    return [step.revision for step in script.walk_revisions()][::-1]


def test_from_empty_to_the_newest_down_to_nothing_and_up_again(empty_database_url: str) -> None:
    expected = set(Base.metadata.tables) | {"alembic_version"}
    for _ in range(2):
        migrate.upgrade(empty_database_url)
        assert tables(empty_database_url) == expected
        assert revision(empty_database_url) == migrate.head()
        migrate.downgrade(empty_database_url, "base")
        assert tables(empty_database_url) == {"alembic_version"}
        assert revision(empty_database_url) is None


def test_going_down_leaves_no_function_sequence_or_type_behind(empty_database_url: str) -> None:
    migrate.upgrade(empty_database_url)
    migrate.downgrade(empty_database_url, "base")
    left = """
        SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname NOT LIKE 'alembic_version%'
        UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    """
    with connected(empty_database_url) as connection:
        assert connection.scalars(text(left)).all() == []


def test_every_step_goes_up_down_and_up_alone(empty_database_url: str) -> None:
    before = "base"
    for step in revisions():
        migrate.upgrade(empty_database_url, step)
        migrate.downgrade(empty_database_url, before)
        migrate.upgrade(empty_database_url, step)
        assert revision(empty_database_url) == step
        before = step
    assert before == migrate.head()


def test_the_newest_version_is_what_the_tables_say(empty_database_url: str) -> None:
    migrate.upgrade(empty_database_url)
    with connected(empty_database_url) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []


def test_checks_in_the_database_are_those_of_the_tables(database_url: str) -> None:
    """Alembic does not compare check constraints, so their names are compared here."""
    expected = {
        str(constraint.name)
        for table in Base.metadata.tables.values()
        for constraint in table.constraints
        if type(constraint).__name__ == "CheckConstraint"
    }
    with connected(database_url) as connection:
        ours = "SELECT conname FROM pg_constraint WHERE contype = 'c' AND connamespace = 'public'::regnamespace"
        assert set(connection.scalars(text(ours))) == expected


def test_up_again_with_a_citys_data_changes_nothing(parts: Runtime) -> None:
    with transaction(parts.sessions) as session:
        ticket_after(session, parts.context, Action.FOLLOW_UP, caller_name="王小明", caller_phone="13912345678")
    before = row_counts(parts)
    migrate.upgrade(parts.settings.database_url)
    assert row_counts(parts) == before


def test_the_last_step_down_and_up_keeps_tickets_and_events(parts: Runtime) -> None:
    with transaction(parts.sessions) as session:
        ticket_after(session, parts.context, Action.FOLLOW_UP, caller_name="王小明", caller_phone="13912345678")
    kept = ("ticket", "ticket_event", "reply", "caller", "account", "job", "department")
    before = row_counts(parts)
    parts.engine.dispose()
    for step in reversed(revisions()[:-1]):
        migrate.downgrade(parts.settings.database_url, step)
    migrate.upgrade(parts.settings.database_url)
    after = row_counts(parts)
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}


def test_a_migration_that_cannot_get_its_lock_gives_up_changes_nothing_and_blocks_nobody(parts: Runtime) -> None:
    url = parts.settings.database_url
    before = row_counts(parts)
    with connected(url) as reader:
        # An open transaction that has only read is enough to stop a migration.
        reader.execute(text("SELECT count(*) FROM ticket"))
        began = time.monotonic()
        with pytest.raises(OperationalError, match="lock timeout") as kept:
            migrate.downgrade(url, "base")
        assert LOCK_TIMEOUT_SECONDS - 1 < time.monotonic() - began < LOCK_TIMEOUT_SECONDS + 20
    assert (row_counts(parts), revision(url)) == (before, migrate.head())
    # The process that failed still lives and still knows its error; another one can migrate at once.
    command = [sys.executable, "-c", f"from hotline.storage import migrate; migrate.upgrade({url!r})"]
    subprocess.run(command, check=True, timeout=60)
    assert kept.value is not None


def test_two_processes_that_migrate_at_once_do_it_once(empty_database_url: str, settings: Settings) -> None:
    environment = os.environ | settings_environment(settings) | {"HOTLINE_DATABASE_URL": empty_database_url}
    command = [Path(sys.executable).with_name("hotline"), "db", "upgrade"]
    both = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)
    ]
    for process in both:
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err.decode()
        assert migrate.head() in out.decode()
    assert revision(empty_database_url) == migrate.head()


def test_the_version_of_an_unreachable_database_is_unknown() -> None:
    engine = create_engine("postgresql+psycopg://nobody@127.0.0.1:1/nothing", connect_args={"connect_timeout": 2})
    assert migrate.current(engine) is None
    engine.dispose()
