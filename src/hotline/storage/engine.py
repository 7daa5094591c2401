"""The database engine and its sessions.

A plain SQLAlchemy ``Session`` is the unit of work; whoever opens it owns the transaction.
"""

import select
import time
from collections.abc import Iterator
from contextlib import contextmanager

from psycopg import Connection
from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError, InvalidatePoolError
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

SessionFactory = sessionmaker[Session]

# An intake must never hang behind a lock that somebody forgot: ten seconds is far beyond any honest wait.
_SESSION_OPTIONS = (
    "-c timezone=UTC -c lock_timeout=10s -c statement_timeout=60s -c idle_in_transaction_session_timeout=60s"
)

# A connection that rested longer is asked whether it lives; of a shorter rest the socket alone tells the truth.
_RESTED_SECONDS = 5.0
_USED_AT = "used_at"


def open_engine(url: str, *, pool_size: int = 5, max_overflow: int = 10) -> Engine:
    """Return an engine for ``url`` (``postgresql+psycopg://…``).

    Parameters never appear in error messages or logs (``hide_parameters``), because they carry personal data.
    """
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=max_overflow,
        pool_timeout=10,
        hide_parameters=True,
        connect_args={"options": _SESSION_OPTIONS, "connect_timeout": 5, "application_name": "hotline"},
    )
    event.listen(engine, "checkout", _refuse_dead)
    event.listen(engine, "checkin", _note_use)
    return engine


def _note_use(_connection: Connection, record: ConnectionPoolEntry) -> None:
    record.info[_USED_AT] = time.monotonic()


def _refuse_dead(connection: Connection, record: ConnectionPoolEntry, _proxy: PoolProxiedConnection) -> None:
    """Let the pool take another connection when this one has died; unlike its own ping, this mostly asks nobody.

    A server that ends a connection closes it, and then there is something to read where an idle one has nothing to say.
    Only a silent loss of the network leaves no such trace, and only on a connection that has rested.
    """
    used_at = record.info.get(_USED_AT)
    if used_at is None:
        return
    if time.monotonic() - used_at < _RESTED_SECONDS and not _has_something_to_read(connection):
        return
    try:
        connection.execute("SELECT 1")
        connection.rollback()
    except Exception as error:
        raise InvalidatePoolError from error


def _has_something_to_read(connection: Connection) -> bool:
    if connection.closed:
        return True
    waiting = select.poll()
    waiting.register(connection.fileno(), select.POLLIN | select.POLLHUP)
    return bool(waiting.poll(0))


def open_sessions(engine: Engine) -> SessionFactory:
    """Return a factory of sessions whose objects stay readable after commit."""
    return sessionmaker(engine, expire_on_commit=False)


@contextmanager
def transaction(sessions: SessionFactory) -> Iterator[Session]:
    """Open a session, commit when the block ends well and roll back when it does not."""
    with sessions() as session, session.begin():
        yield session


@contextmanager
def looking_up(sessions: SessionFactory) -> Iterator[Session]:
    """Open a session whose statements each are a transaction of their own.

    A single look-up is then one round trip instead of three, since nothing is begun and nothing committed.
    """
    with sessions() as session:
        session.connection(execution_options={"isolation_level": "AUTOCOMMIT"})
        yield session


def ping(engine: Engine) -> bool:
    """Tell whether the database answers."""
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
    except DBAPIError:
        return False
    return True
