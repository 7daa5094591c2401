"""``hotline up``: everything on one machine, from nothing; Ctrl-C stops all of it."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import click

from hotline.cli.installation import environment_of
from hotline.cli.serve import beat_argv, web_argv, worker_argv
from hotline.embedded import (
    Child,
    DataFolder,
    EmbeddedError,
    EmbeddedPostgres,
    EmbeddedRedis,
    Supervisor,
    check_port,
    orphans,
)
from hotline.embedded.service import Launch
from hotline.jobs.registry import QUICK_QUEUES, RETRAIN

HOST = "127.0.0.1"


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True, help="Port of the pages.")
@click.option(
    "--data",
    type=click.Path(readable=False, path_type=Path),
    default=Path(".hotline"),
    show_default=True,
    help="Data folder.",
)
@click.option("--processes", type=click.IntRange(1, 16), default=2, show_default=True, help="Web processes.")
@click.option(
    "--calls", type=click.IntRange(0, 20_000), default=3000, show_default=True, help="Calls of the demo city."
)
@click.option("--concurrency", type=click.IntRange(1, 16), default=1, show_default=True, help="Worker processes.")
def command(port: int, data: Path, processes: int, concurrency: int, calls: int) -> None:
    """Start everything on this machine: PostgreSQL, Redis, web, worker, beat.

    The first start creates the database and a fictional demo city in the data folder; later ones reuse it.
    Ctrl-C stops everything.  The programs' logs are in the folder's log/.

    \b
    Examples:
      hotline up
      hotline up --port 8001 --data /srv/hotline-demo
    """
    try:
        with DataFolder.open(data.absolute()) as folder, Supervisor(folder, say=_say) as supervisor:
            # The supervisor has ended what a killed start left behind, so whoever holds the port now is somebody else.
            check_port(HOST, port)
            _start(folder, supervisor, port, processes, concurrency, calls)
            supervisor.run()
    except EmbeddedError as error:
        click.echo(f"hotline up: {error}", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def _say(line: str) -> None:
    click.echo(line, err=True)


def _start(folder: DataFolder, supervisor: Supervisor, port: int, processes: int, concurrency: int, calls: int) -> None:
    began = time.monotonic()
    url = f"http://{HOST}:{port}"
    # The programs below and the preparation here read the same variables, as a real installation's would.
    os.environ.update(environment_of(folder, _start_postgres(folder, supervisor), _start_redis(folder, supervisor)))
    credentials = _prepare(folder, url, calls)
    _say("starting web, worker and beat …")
    supervisor.start(Child("worker", worker_argv(",".join(QUICK_QUEUES), concurrency)))
    if os.environ.get("HOTLINE_RETRAIN_EVERY_DAYS"):
        supervisor.start(Child("trainer", worker_argv(RETRAIN.queue, 1)))
    supervisor.start(Child("beat", beat_argv()))
    supervisor.start(Child("web", web_argv(HOST, port, processes, 8), ready=lambda: _answers(f"{url}/readyz")))
    _say(_welcome(credentials, folder.path, time.monotonic() - began))


def _start_postgres(folder: DataFolder, supervisor: Supervisor) -> str:
    if os.environ.get("HOTLINE_DATABASE_URL"):
        # A demo city must not be built into a database that somebody works with.
        _say(
            "HOTLINE_DATABASE_URL is not used here: for your own database run hotline web, hotline worker, hotline beat"
        )
    _say("starting PostgreSQL …")
    postgres = EmbeddedPostgres(folder)
    supervisor.start(postgres)
    return postgres.url()


def _start_redis(folder: DataFolder, supervisor: Supervisor) -> str:
    given = os.environ.get("HOTLINE_REDIS_URL")
    if given:
        return given
    _say("starting Redis …")
    redis = EmbeddedRedis(folder)
    supervisor.start(redis)
    return redis.url()


def _prepare(folder: DataFolder, url: str, calls: int) -> dict[str, Any]:
    """Migrate, build the demo city when it is not there yet, and return the demo's accounts and tokens."""
    file = folder.path / "demo.json"
    argv = Launch(signal.SIGKILL).command([sys.executable, "-m", "hotline.demo", str(file), url, str(calls)])
    environment = {**os.environ, **orphans.mark("demo", folder.path)}
    with subprocess.Popen(argv, env=environment, start_new_session=True) as building:
        try:
            status = building.wait()
        finally:
            # A Ctrl-C leaves by here; what is half built is rolled back.
            building.kill()
    if status != 0:
        raise EmbeddedError("the demo could not be prepared; what went wrong stands above")
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as response:  # noqa: S310 - our own address
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _welcome(credentials: dict[str, Any], data: Path, seconds: float) -> str:
    accounts = credentials["accounts"]
    lines = [
        "",
        f"  Hotline is running at {credentials['url']}  (ready in {seconds:.1f} s)",
        "",
        "  Demo accounts (password for all: " + next(iter(accounts.values()))["password"] + ")",
        *(f"    {role:<12} {account['username']}" for role, account in accounts.items()),
        "",
        f"  API tokens and all accounts: {data / 'demo.json'}",
        f"  Logs: {data / 'log'}",
        "  Ctrl-C stops everything.",
        "",
    ]
    return "\n".join(lines)
