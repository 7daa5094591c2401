"""Real servers for the tests: one PostgreSQL and one Redis per run, a database of its own for every test that writes.

The first process of the run starts the servers; pytest-xdist's workers find them through the environment.
"""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import hypothesis
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.engine import URL
from tests.factories import ApiClient, token_for

from hotline import bootstrap
from hotline.bootstrap import Runtime
from hotline.demo.city import build_city
from hotline.embedded import DataFolder, EmbeddedPostgres, EmbeddedRedis
from hotline.jobs.doorbell import SilentDoorbell
from hotline.settings import Settings
from hotline.storage import migrate
from hotline.storage.engine import transaction
from hotline.web.app import create_app

POSTGRES, REDIS, TEMPLATE = "HOTLINE_TEST_POSTGRES", "HOTLINE_TEST_REDIS", "hotline_template"
CATALOGUE_SINCE = datetime(2020, 1, 1, tzinfo=UTC)
_servers = ExitStack()
_serial = count()


# How long an example takes is for `make bench`: the first one may load a dictionary on a busy machine.
hypothesis.settings.register_profile("house", deadline=None)
hypothesis.settings.load_profile("house")


def pytest_configure(config: pytest.Config) -> None:
    """Start the servers once, in the process that pytest-xdist's workers come from."""
    only_units = all(Path(arg.split("::")[0]).as_posix().startswith("tests/unit") for arg in config.args)
    if hasattr(config, "workerinput") or config.option.collectonly or only_units:
        return
    home = _servers.enter_context(tempfile.TemporaryDirectory(prefix="hotline-tests-"))
    folder = _servers.enter_context(DataFolder.open(Path(home) / "data"))
    postgres = EmbeddedPostgres(folder, {"fsync": "off", "full_page_writes": "off", "max_connections": "200"})
    redis = EmbeddedRedis(folder)
    os.environ[POSTGRES] = postgres.start()
    _servers.callback(postgres.stop)
    os.environ[REDIS] = redis.start()
    _servers.callback(redis.stop)
    _build_template()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop what this process started."""
    if not hasattr(config, "workerinput"):
        _servers.close()


def _build_template() -> None:
    """Make the database that every test's own is copied from: migrated, with the demo city but no tickets."""
    _run_sql(f"CREATE DATABASE {TEMPLATE}")
    parts = bootstrap.start(make_settings(_database(TEMPLATE), os.environ[REDIS]), doorbell=SilentDoorbell())
    migrate.upgrade(parts.settings.database_url)
    with transaction(parts.sessions) as session:
        build_city(session, CATALOGUE_SINCE)
    parts.close()


def _run_sql(statement: str) -> None:
    engine = create_engine(os.environ[POSTGRES], isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


def _database(name: str) -> str:
    url: URL = make_url(os.environ[POSTGRES]).set(database=name)
    return url.render_as_string(hide_password=False)


def make_settings(database_url: str, redis_url: str, **changes: object) -> Settings:
    """Return settings for a test."""
    values: dict[str, object] = {
        "database_url": database_url,
        "redis_url": redis_url,
        "secret_key": "a secret for tests, long enough to be one",
        "index_key": "another secret for tests, long enough too",
        "encryption_keys": "dGVzdHMgdXNlIHRoaXMga2V5IGFuZCBub2JvZHkgZWw=",
        "environment": "test",
        # Chance has no place in most tests; those of the blind check set their own share.
        "blind_share": 0,
        "answer_followup_share": 0,
    }
    return Settings(**(values | changes))


@pytest.fixture
def empty_database_url() -> Iterator[str]:
    """The URL of a database with nothing in it."""
    yield from _fresh_database("template1")


@pytest.fixture
def database_url() -> Iterator[str]:
    """The URL of a migrated database with the demo city's people and catalogue, and no tickets."""
    yield from _fresh_database(TEMPLATE)


def _fresh_database(template: str) -> Iterator[str]:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    name = f"test_{worker}_{os.getpid()}_{next(_serial)}"
    _run_sql(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield _database(name)
    _run_sql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def settings(database_url: str) -> Settings:
    """Settings over this test's database."""
    return make_settings(database_url, os.environ[REDIS])


@pytest.fixture
def parts(settings: Settings) -> Iterator[Runtime]:
    """The running parts.  Nobody answers the doorbell: a test runs the jobs it wants run."""
    parts = bootstrap.start(settings, doorbell=SilentDoorbell())
    yield parts
    parts.close()


@pytest.fixture
def app(parts: Runtime) -> Flask:
    """The web application."""
    app = create_app(parts)
    app.testing = False
    return app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser without a session."""
    return app.test_client()


@pytest.fixture
def api(app: Flask, parts: Runtime) -> Callable[..., ApiClient]:
    """Give an API client with an account's token, by username: ``api("agent01").post("/api/v1/tickets", {…})``."""
    return lambda username: ApiClient(app.test_client(), token_for(parts, username))
