"""The database engine and its sessions.

A plain SQLAlchemy ``Session`` is the unit of work; whoever opens it owns the transaction.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker

SessionFactory = sessionmaker[Session]

# An intake must never hang behind a lock that somebody forgot: ten seconds is far beyond any honest wait.
_SESSION_OPTIONS = (
    "-c timezone=UTC -c lock_timeout=10s -c statement_timeout=60s -c idle_in_transaction_session_timeout=60s"
)


def open_engine(url: str, *, pool_size: int = 5, max_overflow: int = 10) -> Engine:
    """Return an engine for ``url`` (``postgresql+psycopg://…``).

    Parameters never appear in error messages or logs (``hide_parameters``), because they carry personal data.
    """
    return create_engine(
        url,
        pool_size=pool_size,
        max_overflow=max_overflow,
        pool_timeout=10,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={"options": _SESSION_OPTIONS, "connect_timeout": 5, "application_name": "hotline"},
    )


def open_sessions(engine: Engine) -> SessionFactory:
    """Return a factory of sessions whose objects stay readable after commit."""
    return sessionmaker(engine, expire_on_commit=False)


@contextmanager
def transaction(sessions: SessionFactory) -> Iterator[Session]:
    """Open a session, commit when the block ends well and roll back when it does not."""
    with sessions() as session, session.begin():
        yield session


def ping(engine: Engine) -> bool:
    """Tell whether the database answers."""
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
    except DBAPIError:
        return False
    return True
