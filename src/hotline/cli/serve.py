"""``hotline web``, ``hotline worker`` and ``hotline beat``: the processes of an installation, one command each.

They replace themselves by gunicorn or Celery, so that signals and exit codes are those programs' own.
"""

import os
import sys

import click

from hotline.cli.runtime import settings_or_exit
from hotline.jobs.registry import QUEUES, QUICK_QUEUES


def web_argv(host: str, port: int, processes: int, threads: int) -> list[str]:
    """Return the command line of a web server."""
    return [
        *(sys.executable, "-m", "gunicorn"),
        *("--bind", f"{host}:{port}", "--workers", str(processes), "--threads", str(threads)),
        # A worker that dies with its arbiter leaves no process behind; /dev/shm keeps heartbeats off slow disks.
        *("--worker-class", "hotline.web.worker.Worker"),
        *("--timeout", "60", "--graceful-timeout", "10", "--keep-alive", "5"),
        *("--limit-request-line", "4094", "--no-control-socket"),
        "hotline.web.server:load()",
    ]


def worker_argv(queues: str, concurrency: int) -> list[str]:
    """Return the command line of a worker."""
    return [
        *(sys.executable, "-m", "celery", "--app", "hotline_workers.app", "worker"),
        *("--queues", queues, "--concurrency", str(concurrency), "--loglevel", "warning"),
        *("--without-gossip", "--without-mingle", "--without-heartbeat"),
    ]


def beat_argv() -> list[str]:
    """Return the command line of a beat.  It keeps no schedule file: what is due is told by the database."""
    return [
        *(sys.executable, "-m", "celery", "--app", "hotline_workers.app", "beat"),
        "--loglevel",
        "warning",
        "--pidfile",
        "",
    ]


@click.command("web")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True)
@click.option("--processes", type=click.IntRange(1, 64), default=2, show_default=True)
@click.option("--threads", type=click.IntRange(1, 64), default=8, show_default=True, help="Threads of each process.")
def web(host: str, port: int, processes: int, threads: int) -> None:
    """Serve the API and the pages.

    \b
    Examples:
      hotline web
      hotline web --host 0.0.0.0 --port 80 --processes 4
    """
    settings_or_exit()
    _become(web_argv(host, port, processes, threads))


@click.command("worker")
@click.option(
    "--queues", default=",".join(QUICK_QUEUES), show_default=True, help="Which queues to serve, comma-separated."
)
@click.option("--concurrency", type=click.IntRange(1, 64), default=2, show_default=True, help="Child processes.")
def worker(queues: str, concurrency: int) -> None:
    """Run background jobs.  Any number of workers may run, on any number of machines.

    \b
    Examples:
      hotline worker
      hotline worker --queues triage --concurrency 8
      hotline worker --queues training --concurrency 1
    """
    unknown = sorted(set(queues.split(",")) - set(QUEUES))
    if unknown:
        raise click.BadParameter(f"no such queue: {', '.join(unknown)}; queues are {', '.join(QUEUES)}")
    settings_or_exit()
    _become(worker_argv(queues, concurrency))


@click.command("beat")
def beat() -> None:
    """Tick: sweep the job queue and start periodic work.  One suffices; a second does no harm."""
    settings_or_exit()
    _become(beat_argv())


def _become(argv: list[str]) -> None:
    os.execv(argv[0], argv)  # noqa: S606 - the command line is built above
