"""Connections that died are replaced before anybody works on them, and look-ups need no transaction."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text

from hotline.storage import engine as module
from hotline.storage.engine import looking_up, open_engine, open_sessions, transaction


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = open_engine(database_url, pool_size=1, max_overflow=1)
    yield engine
    engine.dispose()


def _backend(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.scalar(text("SELECT pg_backend_pid()")) or 0)


def _end(engine: Engine, database_url: str) -> None:
    """End the resting connection of ``engine`` from outside, as a restart of the server does."""
    resting = _backend(engine)
    other = open_engine(database_url)
    with other.connect() as connection:
        connection.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": resting})
    other.dispose()


def test_a_connection_is_kept(engine: Engine) -> None:
    assert _backend(engine) == _backend(engine)


def test_a_connection_that_the_server_ended_is_replaced(engine: Engine, database_url: str) -> None:
    before = _backend(engine)
    _end(engine, database_url)
    assert _backend(engine) not in (0, before)


def test_a_connection_that_rested_long_is_asked(
    engine: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the network was lost: nothing can be read from the socket, and only asking tells."""
    monkeypatch.setattr(module, "_has_something_to_read", lambda connection: False)
    monkeypatch.setattr(module, "_RESTED_SECONDS", 0.0)
    before = _backend(engine)
    assert _backend(engine) == before
    _end(engine, database_url)
    assert _backend(engine) not in (0, before)


def test_a_look_up_leaves_no_transaction_and_the_next_user_of_its_connection_has_one(engine: Engine) -> None:
    sessions = open_sessions(engine)
    state = text("SELECT txid_current()")
    with looking_up(sessions) as session:
        assert session.scalar(state) != session.scalar(state)
    with transaction(sessions) as session:
        assert session.scalar(state) == session.scalar(state)
