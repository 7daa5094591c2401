"""One long-running child process: how it is started, watched and stopped. PostgreSQL, Redis and children share this."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hotline.embedded import launcher, orphans
from hotline.embedded.data_folder import DataFolder
from hotline.embedded.errors import EmbeddedError
from hotline.embedded.files import last_lines, open_log, trim_log
from hotline.embedded.privileges import Identity


@dataclass(frozen=True)
class StopStep:
    """A signal, the seconds to wait after it, and how long to wait instead when the user is in a hurry."""

    signal: signal.Signals
    patience: float
    hurried: float = 0.0


@dataclass(frozen=True)
class Launch:
    """What the launcher sets before the program starts; see `launcher.py`."""

    death_signal: signal.Signals
    umask: int | None = None
    identity: Identity | None = None
    capability: int | None = None

    def command(self, argv: Sequence[str]) -> list[str]:
        """Return the command line that starts `argv` in this way."""
        spec = {
            "parent": os.getpid(),
            "death_signal": int(self.death_signal),
            "umask": self.umask,
            "identity": [self.identity.uid, self.identity.gid] if self.identity else None,
            "capability": self.capability,
        }
        return [sys.executable, "-I", "-S", launcher.__file__, json.dumps(spec), *argv]


class Service(ABC):
    """A child process in its own session, so that a terminal's Ctrl-C reaches only the supervisor.

    Start it from a thread that outlives it: on Linux the child is signalled when that thread ends.
    """

    stop_steps: tuple[StopStep, ...] = (StopStep(signal.SIGTERM, 20.0),)
    ready_within: float = 60.0

    def __init__(self, folder: DataFolder, name: str) -> None:
        self.folder = folder
        self.name = name
        self.log_path = folder.log_path(name)
        self._records = orphans.ProcessRecords(folder.run_dir)
        self._process: subprocess.Popen[bytes] | None = None
        self._log_start = 0

    @abstractmethod
    def launch(self) -> None:
        """End what an earlier run left, start the process and return without waiting for it to be ready."""

    @abstractmethod
    def is_ready(self) -> bool:
        """Tell whether the process does its work yet."""

    @property
    def pid(self) -> int | None:
        """The process id, None when not started."""
        return self._process.pid if self._process else None

    def poll(self) -> int | None:
        """Return None while the process runs, else its exit code (negative: the signal that ended it)."""
        return self._process.poll() if self._process else None

    def wait_until_ready(self) -> None:
        """Wait until `is_ready`, for at most `ready_within` seconds; the process is stopped when that fails.

        Raises:
            EmbeddedError: it ended or took too long; the message carries the last lines of its log.
        """
        try:
            ready = orphans.wait_until(lambda: self.poll() is not None or self.is_ready(), self.ready_within)
            if not ready or self.poll() is not None:
                self._fail("did not start" if ready else f"was not ready within {self.ready_within:.0f} s")
        except BaseException:
            self.stop()
            raise

    def stop(self, hurry: Callable[[], bool] = lambda: False) -> None:
        """Stop the process and everything it started; does nothing when it is not running.

        `hurry` is asked all the while; once it says True the patient steps are cut short.
        """
        process = self._process
        if process is None:
            return
        family = orphans.descendants(process.pid)
        for step in self.stop_steps:
            if process.poll() is None:
                process.send_signal(step.signal)
                self._wait_for_end(process, step, hurry)
        self.clear_up()
        # Some descendants open sessions of their own (PostgreSQL's do), where the group's signal does not reach.
        orphans.end(family, [(signal.SIGKILL, 5.0)])

    def clear_up(self) -> None:
        """Kill what is left of the process and its group, such as pool workers that outlive their parent."""
        process = self._process
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        self._process = None
        self._records.forget(self.name)

    def _wait_for_end(self, process: subprocess.Popen[bytes], step: StopStep, hurry: Callable[[], bool]) -> None:
        orphans.wait_until(lambda: process.poll() is not None or hurry(), step.patience)
        orphans.wait_until(lambda: process.poll() is not None, step.hurried)

    def _spawn(self, argv: Sequence[str], launch: Launch, *, env: Mapping[str, str], cwd: Path | None) -> None:
        trim_log(self.log_path)
        with os.fdopen(open_log(self.log_path), "ab") as log:
            self._log_start = log.tell()
            self._process = subprocess.Popen(
                launch.command(argv),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=dict(env),
                cwd=cwd,
                start_new_session=True,
            )
        self._records.remember(self.name, self._process.pid)

    def _fail(self, what: str) -> None:
        reason = last_lines(self.log_path, self._log_start) or "it wrote nothing"
        raise EmbeddedError(f"{self.name} {what}: {reason} (see {self.log_path})")


def server_environment() -> dict[str, str]:
    """Return the environment of the embedded servers: none of ours, whose secrets and PG… settings are not for them."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
