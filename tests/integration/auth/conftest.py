"""An application whose clock the test moves."""

import os
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from sqlalchemy import select
from tests import conftest as root
from tests.factories import MovableClock
from tests.integration.browser import Browser

from hotline import bootstrap
from hotline.bootstrap import Runtime
from hotline.jobs.doorbell import SilentDoorbell
from hotline.storage.engine import transaction
from hotline.storage.tables import Account, AuditEntry
from hotline.web.app import create_app


@pytest.fixture
def clock() -> MovableClock:
    """The clock of ``parts``."""
    return MovableClock()


@pytest.fixture
def changes() -> dict[str, object]:
    """What a test module sets otherwise than usual; override it."""
    return {}


@pytest.fixture
def parts(database_url: str, clock: MovableClock, changes: dict[str, object]) -> Iterator[Runtime]:
    """The running parts over the movable clock."""
    settings = root.make_settings(database_url, os.environ[root.REDIS], **changes)
    parts = bootstrap.start(settings, clock=clock, doorbell=SilentDoorbell())
    yield parts
    parts.close()


@pytest.fixture
def app(parts: Runtime) -> Flask:
    """The web application over the movable clock."""
    return create_app(parts)


@pytest.fixture
def browser(app: Flask) -> Browser:
    """A browser that was never here."""
    return Browser.of(app)


@pytest.fixture
def account(parts: Runtime) -> Callable[[str], Account]:
    """Read an account as it stands now."""

    def read(username: str) -> Account:
        with transaction(parts.sessions) as session:
            return session.scalars(select(Account).where(Account.username == username)).one()

    return read


@pytest.fixture
def audited(parts: Runtime) -> Callable[[], list[AuditEntry]]:
    """Read the audit log, the oldest entry first."""

    def read() -> list[AuditEntry]:
        with transaction(parts.sessions) as session:
            return list(session.scalars(select(AuditEntry).order_by(AuditEntry.id)))

    return read
