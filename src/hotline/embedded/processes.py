"""The supervisor behind `hotline up`: starts everything in order, restarts what dies, and leaves no process behind."""

import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Self

from hotline.embedded import orphans
from hotline.embedded.data_folder import DataFolder
from hotline.embedded.errors import EmbeddedError
from hotline.embedded.files import trim_log
from hotline.embedded.service import Launch, Service, StopStep

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_ORPHAN_STEPS = ((signal.SIGTERM, 10.0), (signal.SIGKILL, 5.0))
_POLL_SECONDS = 0.1
_TRIM_SECONDS = 60.0
_SAME_REQUEST_SECONDS = 0.5


@dataclass(frozen=True)
class Child:
    """A program to supervise.

    `env` is added to this process's environment. `ready` is asked until it says True, for at most `ready_within`
    seconds. After SIGTERM the program has `grace` seconds before it and all it started are killed.
    """

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    ready: Callable[[], bool] | None = None
    ready_within: float = 60.0
    grace: float = 20.0
    cwd: Path | None = None


class Supervisor:
    """Starts services and children, watches them, and stops them in reverse order when the `with` block ends.

    From entering the block on, SIGINT, SIGTERM and SIGHUP mean "stop": while things are being started they leave the
    block at once (by a KeyboardInterrupt that ends with it), during `run` they make it return. Another one while
    stopping kills what takes its time. Must be used from the main thread.
    """

    def __init__(
        self,
        folder: DataFolder,
        say: Callable[[str], None] | None = None,
        backoff: Sequence[float] = (1, 2, 4, 8, 16, 30),
        stable_after: float = 60.0,
    ) -> None:
        """Prepare; `say` gets one-line messages for the console (standard error when None).

        A process that dies is started again after `backoff[0]` seconds, then `backoff[1]`, … and the last value from
        then on; one that ran for `stable_after` seconds begins anew.
        """
        self._folder = folder
        self._say = say or _say
        self._backoff = backoff
        self._stable_after = stable_after
        self._watched: list[_Watched] = []
        self._stop_requests = 0
        self._asked_at = float("-inf")
        self._interruptible = True
        self._former_handlers: dict[signal.Signals, Any] = {}
        self._trimmed_at = time.monotonic()

    def __enter__(self) -> Self:
        for number in _STOP_SIGNALS:
            # Under nohup a hangup is ignored, and must stay so.
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                self._former_handlers[number] = signal.signal(number, self._on_signal)
        try:
            self._end_orphans()
        except BaseException:
            self._restore_handlers()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self.stop()
        self._restore_handlers()
        # Being asked to stop while starting is no error; whoever needs to know finds `stop_requested`.
        return isinstance(error, KeyboardInterrupt) and self.stop_requested

    @property
    def stop_requested(self) -> bool:
        """Tell whether a signal has asked to stop."""
        return self._stop_requests > 0

    def start(self, what: Child | Service) -> None:
        """Start a child or an embedded service, wait until it is ready, and watch it from now on.

        Raises:
            EmbeddedError: it ended or was not ready in time; the message carries the last lines of its log.
        """
        service = _ChildService(self._folder, what) if isinstance(what, Child) else what
        # It is on the list before it runs, so that a Ctrl-C at any moment finds it there.
        self._watched.append(_Watched(service, time.monotonic()))
        # An EmbeddedPostgres or EmbeddedRedis may have been started before, to have its URL.
        if service.pid is None:
            service.launch()
            service.wait_until_ready()

    def run(self) -> None:
        """Watch everything and restart what dies, until a signal asks to stop; then stop everything and return."""
        self._interruptible = False
        while not self._stop_requests:
            for watched in self._watched:
                self._look_after(watched)
            self._trim_logs()
            time.sleep(_POLL_SECONDS)
        self.stop()

    def stop(self) -> None:
        """Stop everything in the reverse order of starting. May be called again; there is then nothing to do."""
        self._interruptible = False
        requests = self._stop_requests
        while self._watched:
            # It leaves the list afterwards, so that an error here does not lose it from sight.
            self._watched[-1].service.stop(hurry=lambda: self._stop_requests > max(requests, 1))
            self._watched.pop()

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        now = time.monotonic()
        # One Ctrl-C may arrive twice, from the terminal and passed on by `make`; that is nobody in a hurry.
        if now - self._asked_at < _SAME_REQUEST_SECONDS:
            return
        self._stop_requests, self._asked_at = self._stop_requests + 1, now
        if self._interruptible:
            self._interruptible = False
            raise KeyboardInterrupt

    def _restore_handlers(self) -> None:
        for number, handler in self._former_handlers.items():
            signal.signal(number, handler)
        self._former_handlers.clear()

    def _look_after(self, watched: "_Watched") -> None:
        if self._stop_requests:
            return
        now = time.monotonic()
        if watched.retry_at is None:
            code = watched.service.poll()
            if code is not None:
                self._plan_restart(watched, _describe(code))
        elif now >= watched.retry_at:
            watched.launched_at, watched.retry_at = now, None
            try:
                watched.service.launch()
            except (EmbeddedError, OSError) as error:
                self._plan_restart(watched, str(error))

    def _plan_restart(self, watched: "_Watched", reason: str) -> None:
        service, now = watched.service, time.monotonic()
        service.clear_up()
        if now - watched.launched_at > self._stable_after:
            watched.failures = 0
        delay = self._backoff[min(watched.failures, len(self._backoff) - 1)]
        watched.failures += 1
        watched.retry_at = now + delay
        self._say(f"{service.name} stopped ({reason}); starting it again in {delay:g} s, see {service.log_path}")

    def _trim_logs(self) -> None:
        if time.monotonic() - self._trimmed_at >= _TRIM_SECONDS:
            self._trimmed_at = time.monotonic()
            for watched in self._watched:
                trim_log(watched.service.log_path)

    def _end_orphans(self) -> None:
        """End the children of an earlier supervisor; the embedded servers see to theirs when they are launched."""
        left = orphans.marked(self._folder.path)
        if left and not orphans.end(left, _ORPHAN_STEPS):
            raise EmbeddedError(f"a process of an earlier run (pid {left[0].pid}) does not end: end it by hand")


class _ChildService(Service):
    """A `Child` being run."""

    def __init__(self, folder: DataFolder, child: Child) -> None:
        super().__init__(folder, child.name)
        self._child = child
        self.ready_within = child.ready_within
        self.stop_steps = (StopStep(signal.SIGTERM, child.grace),)

    def launch(self) -> None:
        env = {**os.environ, **self._child.env, **orphans.mark(self.name, self.folder.path)}
        self._spawn(self._child.argv, Launch(signal.SIGTERM), env=env, cwd=self._child.cwd)

    def clear_up(self) -> None:
        super().clear_up()
        # A member of the family that opened a session of its own and lost its parent is known by its mark alone.
        orphans.end(orphans.marked(self.folder.path, self.name), [(signal.SIGKILL, 5.0)])

    def is_ready(self) -> bool:
        return self._child.ready is None or self._child.ready()


@dataclass
class _Watched:
    service: Service
    launched_at: float
    failures: int = 0
    retry_at: float | None = None


def _describe(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()
