"""What is measured: real PostgreSQL and Redis as ``make up`` runs them, and the programs that we ship, as processes."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
from redis import Redis
from sqlalchemy import select

from bench.load import Order, Result
from hotline import bootstrap
from hotline.cli.serve import beat_argv, web_argv, worker_argv
from hotline.demo.city import build_city
from hotline.embedded import DataFolder, EmbeddedPostgres, EmbeddedRedis, orphans
from hotline.embedded.service import Launch, Service, StopStep
from hotline.services.tokens import issue_token
from hotline.settings import Settings
from hotline.storage import migrate
from hotline.storage.engine import transaction
from hotline.storage.tables import Account

ROOT = Path(__file__).resolve().parents[1]
TICKETS = "/api/v1/tickets"
WEB_PROCESSES, WEB_THREADS = 2, 8

# The time of a commit tells when a ticket was dispatched for everybody to see.  All else is as `make up` has it.
POSTGRES_SETTINGS = {"track_commit_timestamp": "on"}

REFERENCE_TABLES = """
CREATE TABLE ticket (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, channel text NOT NULL, content text NOT NULL,
                     state text NOT NULL DEFAULT 'received', received_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE event (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ticket_id bigint NOT NULL REFERENCES ticket,
                    kind text NOT NULL, at timestamptz NOT NULL DEFAULT now());
CREATE TABLE job (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ticket_id bigint NOT NULL REFERENCES ticket,
                  kind text NOT NULL, state text NOT NULL DEFAULT 'queued',
                  created_at timestamptz NOT NULL DEFAULT now());
"""


class Program(Service):
    """A program in a process group of its own; it dies with the benchmark."""

    stop_steps = (StopStep(signal.SIGTERM, 15.0),)

    def __init__(
        self, folder: DataFolder, name: str, argv: Sequence[str], env: Mapping[str, str], address: str | None
    ) -> None:
        super().__init__(folder, name)
        self._argv, self._env, self._address = argv, env, address

    def launch(self) -> None:
        """Start it."""
        environment = {**self._env, **orphans.mark(self.name, self.folder.path)}
        self._spawn(self._argv, Launch(signal.SIGKILL), env=environment, cwd=ROOT)

    def is_ready(self) -> bool:
        """Tell whether it answers at its address; a program without one is ready when it runs."""
        return self._address is None or answers(self._address)


@dataclass(frozen=True)
class Hotline:
    """A running Hotline over a database of its own."""

    rig: "Rig"
    database_url: str
    env: Mapping[str, str]
    port: int
    token: str

    @contextmanager
    def worker(self) -> Iterator[Program]:
        """Run worker and beat, one child as with ``make up``, while the block runs."""
        beat = self.rig.program("beat", beat_argv(), self.env)
        with beat, self.rig.program("worker", worker_argv("triage,maintenance", 1), self.env) as worker:
            yield worker

    def order(self, bodies: list[str], seconds: float, **more: object) -> Order:
        """Return an order of load on this server."""
        return Order(self.port, TICKETS, bodies, seconds, token=self.token, **more)  # type: ignore[arg-type]

    def rows(self, query: str, *values: object) -> list[tuple[object, ...]]:
        """Run a query in this Hotline's database."""
        with psycopg.connect(_plain(self.database_url)) as connection:
            return connection.execute(query.encode(), values).fetchall()

    def run(self, statements: str) -> None:
        """Run statements in this Hotline's database, and let the planner know what they have changed."""
        with psycopg.connect(_plain(self.database_url), autocommit=True) as connection:
            connection.execute(statements.encode())
            connection.execute(b"VACUUM ANALYZE")

    def unfinished(self) -> int:
        """How many triage jobs have not come to their end."""
        ((number,),) = self.rows("SELECT count(*) FROM job WHERE kind = 'triage' AND state <> 'done'")
        return int(str(number))


@dataclass(frozen=True)
class Rig:
    """Running servers, and a prepared database from which each measurement gets a copy of its own."""

    folder: DataFolder
    postgres: EmbeddedPostgres
    redis: EmbeddedRedis
    env: Mapping[str, str]

    @contextmanager
    def program(
        self, name: str, argv: Sequence[str], env: Mapping[str, str], address: str | None = None
    ) -> Iterator[Program]:
        """Run a program while the block runs, and wait first until it answers at ``address`` when that is given."""
        program = Program(self.folder, name, argv, env, address)
        program.launch()
        program.wait_until_ready()
        try:
            yield program
        finally:
            program.stop()

    @contextmanager
    def hotline(self) -> Iterator[Hotline]:
        """Run web processes over a fresh database and an empty Redis; the demo city's people are there, no tickets."""
        with Redis.from_url(self.redis.url()) as broker:
            broker.flushall()
        with self.database("prepared") as url:
            env = {**self.env, "HOTLINE_DATABASE_URL": url}
            port = free_port()
            argv = web_argv("127.0.0.1", port, WEB_PROCESSES, WEB_THREADS)
            with self.program("web", argv, env, f"http://127.0.0.1:{port}/readyz"):
                yield Hotline(self, url, env, port, _token(url, env))

    @contextmanager
    def reference(self) -> Iterator[int]:
        """Run the reference under the same web server and settings, and give its port."""
        with self.database("template1") as url:
            with psycopg.connect(_plain(url)) as connection:
                connection.execute(REFERENCE_TABLES.encode())
            port = free_port()
            argv = web_argv("127.0.0.1", port, WEB_PROCESSES, WEB_THREADS)
            argv[argv.index("hotline.web.server:load()")] = "bench.reference:app"
            env = {**self.env, "BENCH_REFERENCE_DATABASE": _plain(url)}
            with self.program("reference", argv, env, f"http://127.0.0.1:{port}/"):
                yield port

    @contextmanager
    def database(self, template: str) -> Iterator[str]:
        """Give a copy of ``template`` while the block runs."""
        name = f"bench_{template}_{free_port()}"
        self._run_sql(f"CREATE DATABASE {name} TEMPLATE {template}")
        yield self.postgres.url(name)
        self._run_sql(f"DROP DATABASE {name} WITH (FORCE)")

    def _run_sql(self, statement: str) -> None:
        with psycopg.connect(_plain(self.postgres.url()), autocommit=True) as connection:
            connection.execute(statement.encode())

    def prepare(self) -> None:
        """Make the database that all others are copies of."""
        self._run_sql("CREATE DATABASE prepared")
        url = self.postgres.url("prepared")
        migrate.upgrade(url)
        parts = bootstrap.start(settings_of({**self.env, "HOTLINE_DATABASE_URL": url}))
        with transaction(parts.sessions) as session:
            build_city(session, datetime(2020, 1, 1, tzinfo=UTC))
        parts.close()


@contextmanager
def open_rig() -> Iterator[Rig]:
    """Start the servers in a temporary folder and end everything when the block ends."""
    with ExitStack() as exits:
        home = exits.enter_context(tempfile.TemporaryDirectory(prefix="hotline-bench-"))
        folder = exits.enter_context(DataFolder.open(Path(home) / "data"))
        postgres, redis = EmbeddedPostgres(folder, POSTGRES_SETTINGS), EmbeddedRedis(folder)
        for server in (postgres, redis):
            exits.callback(server.stop)
            server.start()
        secrets = {f"HOTLINE_{name.upper()}": folder.secret(name) for name in ("secret_key", "index_key")}
        env = {
            **clean_environment(),
            **secrets,
            "HOTLINE_DATABASE_URL": postgres.url(),
            "HOTLINE_REDIS_URL": redis.url(),
            "HOTLINE_ENCRYPTION_KEYS": folder.secret("encryption_key"),
            "HOTLINE_ENVIRONMENT": "demo",
            # Requests are counted as ever and none is refused.
            "HOTLINE_RATE_LIMIT_ACCOUNT": "1000000",
            "HOTLINE_RATE_LIMIT_ADDRESS": "1000000",
        }
        rig = Rig(folder, postgres, redis, env)
        rig.prepare()
        yield rig


def clean_environment() -> dict[str, str]:
    """Return the shell's environment without any Hotline's settings, with this tree's modules in reach."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("HOTLINE_")}
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    return {**inherited, "PYTHONPATH": path}


def send(order: Order) -> Result:
    """Carry out an order in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.load"],
        input=json.dumps(asdict(order)),
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
        timeout=order.seconds + 90,
    )
    result = Result(**json.loads(done.stdout))
    if result.broken or set(result.statuses) != {"201"}:
        raise RuntimeError(f"not every request was answered 201: {result.statuses}, {result.broken} broken")
    return result


def to_reference(order: Order, port: int) -> Order:
    """Return the same order for the reference on ``port``."""
    return replace(order, port=port)


def free_port() -> int:
    """Return a port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(url: str) -> bool:
    """Tell whether a server of ours answers anything below 500."""
    try:
        with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - our own address
            return True
    except urllib.error.HTTPError as error:
        return error.code < 500
    except OSError:
        return False


def settings_of(env: Mapping[str, str]) -> Settings:
    """Return the settings that the environment holds."""
    given = {name: value for name, value in env.items() if name.startswith("HOTLINE_")}
    return Settings(**{name.removeprefix("HOTLINE_").lower(): value for name, value in given.items()})  # type: ignore[arg-type]


def _token(url: str, env: Mapping[str, str]) -> str:
    parts = bootstrap.start(settings_of({**env, "HOTLINE_DATABASE_URL": url}))
    with transaction(parts.sessions) as session:
        agent = session.scalars(select(Account).where(Account.username == "agent01")).one()
        token = issue_token(session, agent, "bench", datetime.now(UTC) + timedelta(hours=2))
    parts.close()
    return token


def _plain(url: str) -> str:
    """Return SQLAlchemy's URL as psycopg reads it."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)
