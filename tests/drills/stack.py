"""One drill's own installation: real PostgreSQL, real Redis, and the programs that we ship, as processes.

    with open_stack() as stack:
        web = stack.start_web()
        stack.start_worker()
        stack.start_beat()

Leaving the block ends every process, also when the drill has failed; the ends of all logs are then written to standard
error, which pytest shows for a failed test only.
"""

import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from redis import Redis
from sqlalchemy import text
from tests.drills.web import Web
from tests.factories import token_for

from hotline import bootstrap
from hotline.bootstrap import Runtime
from hotline.cli.serve import beat_argv, web_argv, worker_argv
from hotline.demo.city import build_city
from hotline.embedded import DataFolder, EmbeddedPostgres, EmbeddedRedis, orphans
from hotline.embedded.service import Launch, Service, StopStep
from hotline.jobs.registry import QUEUES
from hotline.settings import Settings
from hotline.storage import migrate
from hotline.storage.engine import transaction

ROOT = Path(__file__).resolve().parents[2]
SHIPPED_APP = "hotline_workers.app"

# Nothing here pulls the plug.  `synchronous_commit` stays on, because an immediate stop must not lose a commit.
POSTGRES_SETTINGS = {"fsync": "off", "full_page_writes": "off", "shared_buffers": "32MB"}

# What takes minutes in production takes seconds here.
SETTINGS = {
    "HOTLINE_SECRET_KEY": "a secret for drills, long enough to be one",
    "HOTLINE_INDEX_KEY": "another secret for drills, long enough too",
    "HOTLINE_ENCRYPTION_KEYS": "dGVzdHMgdXNlIHRoaXMga2V5IGFuZCBub2JvZHkgZWw=",
    "HOTLINE_ENVIRONMENT": "test",
    "HOTLINE_BLIND_SHARE": "0",
    "HOTLINE_JOB_LEASE_SECONDS": "4",
    "HOTLINE_JOB_RING_AGAIN_SECONDS": "1",
    "HOTLINE_TICK_SECONDS": "0.5",
}

# Every change of a job's state is kept, so that a drill sees what happened and not only how it ended.  A transaction
# that is rolled back leaves no line, as it should.
JOURNAL = """
CREATE TABLE drill_journal (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job_id bigint NOT NULL,
    state text NOT NULL,
    attempts integer NOT NULL,
    worker text,
    wait interval NOT NULL
);
CREATE FUNCTION drill_note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO drill_journal (job_id, state, attempts, worker, wait)
    VALUES (NEW.id, NEW.state, NEW.attempts, NEW.worker, NEW.available_at - now());
    RETURN NULL;
END
$$;
CREATE TRIGGER drill_note AFTER UPDATE ON job FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state)
EXECUTE FUNCTION drill_note();
"""


def wait_for(what: str, condition: Callable[[], object], seconds: float = 30.0) -> None:
    """Poll until ``condition`` holds; fail the drill, naming ``what`` it waited for, after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds:g} s in vain: {what}"
        time.sleep(0.05)


class Program(Service):
    """One of the programs that we ship, in a process group of its own; it dies with the test run."""

    stop_steps = (StopStep(signal.SIGTERM, 15.0),)

    def __init__(self, folder: DataFolder, name: str, argv: Sequence[str], environment: Mapping[str, str]) -> None:
        super().__init__(folder, name)
        self._argv, self._environment = argv, environment

    def launch(self) -> None:
        """Start it."""
        environment = {**self._environment, **orphans.mark(self.name, self.folder.path)}
        self._spawn(self._argv, Launch(signal.SIGKILL), env=environment, cwd=ROOT)

    def is_ready(self) -> bool:
        """Tell whether it runs; a drill waits for what it needs to see instead."""
        return self.poll() is None

    def signal_all(self, number: signal.Signals) -> None:
        """Send a signal to the program and all processes it started."""
        assert self.pid is not None
        os.killpg(self.pid, number)

    def kill(self) -> None:
        """kill -9 the whole process group, without any warning."""
        self.clear_up()

    def log(self) -> str:
        """What it has written so far."""
        return self.log_path.read_text(encoding="utf-8", errors="replace")


@dataclass
class Stack:
    """The running installation.  Change ``environment`` before starting a program to change that program's settings."""

    folder: DataFolder
    postgres: EmbeddedPostgres
    redis: EmbeddedRedis
    environment: dict[str, str]
    parts: Runtime
    broker: Redis
    programs: list[Program] = field(default_factory=list)

    def start_worker(
        self, name: str = "worker", *, concurrency: int = 1, queues: str = ",".join(QUEUES), app: str = SHIPPED_APP
    ) -> Program:
        """Start a worker, of all queues when none are named."""
        argv = worker_argv(queues, concurrency)
        return self._start(name, [app if word == SHIPPED_APP else word for word in argv])

    def start_beat(self, name: str = "beat") -> Program:
        """Start a beat."""
        return self._start(name, beat_argv())

    def start_web(self, name: str = "web") -> Web:
        """Start a web server, wait until it answers and return a client of it."""
        port = _free_port()
        program = self._start(name, web_argv("127.0.0.1", port, 1, 8))
        web = Web(port, token_for(self.parts, "agent01"))
        wait_for("the web server answers", lambda: program.poll() is None and web.answers(), 60)
        return web

    def run(self, *arguments: str) -> str:
        """Run ``hotline …`` to its end and return what it printed."""
        program = self._start("cli", [sys.executable, "-c", "from hotline.cli import main; main()", *arguments])
        wait_for(f"hotline {' '.join(arguments)} ends", lambda: program.poll() is not None, 60)
        assert program.poll() == 0, program.log()
        self.programs.remove(program)
        program.clear_up()
        printed = program.log()
        program.log_path.unlink()
        return printed

    def _start(self, name: str, argv: Sequence[str]) -> Program:
        program = Program(self.folder, name, argv, dict(self.environment))
        self.programs.append(program)
        program.launch()
        return program

    @contextmanager
    def triage_held(self) -> Iterator[None]:
        """Make every triage wait in the middle, at the writing of its prediction, while the block runs.

        Tickets can still be logged and jobs claimed.
        """
        url = self.parts.engine.url
        with psycopg.connect(
            host=str(url.query["host"]), port=5432, user=url.username, password=url.password, dbname=url.database
        ) as connection:
            connection.execute("LOCK TABLE prediction IN SHARE ROW EXCLUSIVE MODE")
            yield
            # A drill that stops PostgreSQL has ended this lock already.
            with suppress(psycopg.OperationalError):
                connection.rollback()

    def waiting_in_triage(self) -> int:
        """How many triages wait for `triage_held`."""
        return int(
            self.rows("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'prediction'::regclass")[0][0]
        )

    def rows(self, query: str, **parameters: object) -> list[tuple[Any, ...]]:
        """Run a query and return its rows."""
        with transaction(self.parts.sessions) as session:
            return [tuple(row) for row in session.execute(text(query), parameters)]

    def execute(self, statement: str, **parameters: object) -> None:
        """Run a statement that returns nothing."""
        with transaction(self.parts.sessions) as session:
            session.execute(text(statement), parameters)

    def close(self) -> None:
        """End every program, however it stands."""
        for program in reversed(self.programs):
            # A stopped process does not see its SIGTERM.
            program.kill()
        orphans.end(orphans.marked(self.folder.path), [(signal.SIGKILL, 5.0)])


@contextmanager
def open_stack() -> Iterator[Stack]:
    """Start the servers, prepare the database with the demo city, and end everything when the block ends."""
    with ExitStack() as exits:
        home = exits.enter_context(tempfile.TemporaryDirectory(prefix="hotline-drill-"))
        folder = exits.enter_context(DataFolder.open(Path(home) / "data"))
        exits.callback(_show_logs, folder)
        postgres, redis = EmbeddedPostgres(folder, POSTGRES_SETTINGS), EmbeddedRedis(folder)
        for server in (postgres, redis):
            exits.callback(server.stop, hurry=lambda: True)
            server.start()
        environment = _environment(postgres.url(), redis.url())
        parts = bootstrap.start(_settings(environment))
        exits.callback(parts.close)
        _prepare(parts)
        broker = exits.enter_context(Redis.from_url(redis.url()))
        stack = Stack(folder, postgres, redis, environment, parts, broker)
        exits.callback(stack.close)
        yield stack


def _environment(database_url: str, redis_url: str) -> dict[str, str]:
    """The shell's environment, with this drill's Hotline in the place of any other."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("HOTLINE_")}
    servers = {"HOTLINE_DATABASE_URL": database_url, "HOTLINE_REDIS_URL": redis_url}
    # A drill's own Celery application is found from the top of the tree.
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    return {**inherited, "PYTHONPATH": path, **SETTINGS, **servers}


def _settings(environment: Mapping[str, str]) -> Settings:
    given = {name: value for name, value in environment.items() if name.startswith("HOTLINE_")}
    return Settings(**{name.removeprefix("HOTLINE_").lower(): value for name, value in given.items()})


def _prepare(parts: Runtime) -> None:
    migrate.upgrade(parts.settings.database_url)
    with transaction(parts.sessions) as session:
        build_city(session, datetime(2020, 1, 1, tzinfo=UTC))
        session.execute(text(JOURNAL))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _show_logs(folder: DataFolder) -> None:
    for path in sorted(folder.log_dir.iterdir()):
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()[-40:]
        sys.stderr.write(f"--- {path.name}\n" + "".join(f"{line}\n" for line in lines))
