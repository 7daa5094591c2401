"""Find and end processes that an earlier Hotline left behind when it was killed.

On Linux children get a signal when their supervisor dies, so this is for what slips through: other systems, and
processes two generations down. A process counts as an orphan of this data folder only on evidence that a recycled
process id cannot have: the recorded start time, a working directory inside the folder, or the folder's mark in the
environment.
"""

import contextlib
import json
import os
import signal
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import TypeVar

import psutil

from hotline.embedded.files import write_json

# Every supervised child carries this variable, set to its name and the data folder; its own children inherit it.
MARK = "HOTLINE_SUPERVISED_IN"

# Seconds by which two readings of one process's start may differ, since the kernel counts it in ticks since boot.
_SAME_START = 1.0

POLL_SECONDS = 0.05

_T = TypeVar("_T")


class ProcessRecords:
    """The process ids and start times written to DATA/run/pids.json, by name."""

    def __init__(self, run_dir: Path) -> None:
        self._path = run_dir / "pids.json"

    def remember(self, name: str, pid: int) -> None:
        """Record a child just started."""
        with contextlib.suppress(psutil.Error):
            self._write({**self._read(), name: {"pid": pid, "started": psutil.Process(pid).create_time()}})

    def forget(self, name: str) -> None:
        """Drop the record of a process that has ended."""
        records = self._read()
        if records.pop(name, None) is not None:
            self._write(records)

    def find(self, name: str) -> psutil.Process | None:
        """Return the recorded process when it still lives, and never another that got its process id since."""
        record = self._read().get(name)
        if record is None:
            return None
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(int(record["pid"]))
            if abs(process.create_time() - record["started"]) <= _SAME_START and is_alive(process):
                return process
        return None

    def names(self) -> list[str]:
        """Return the names on record, in the order in which they were started."""
        return list(self._read())

    def _read(self) -> dict[str, dict[str, float]]:
        try:
            return dict(json.loads(self._path.read_text(encoding="utf-8")))
        except (OSError, ValueError):
            # The record is a help, not a truth: without it the other two kinds of evidence remain.
            return {}

    def _write(self, records: dict[str, dict[str, float]]) -> None:
        write_json(self._path, records)


def working_in(folders: Collection[Path], names: Collection[str]) -> list[psutil.Process]:
    """Return the processes of these program names (a shell may look around too) that work in one of `folders`."""
    wanted = {str(folder) for folder in folders}
    named = (process for process in _others() if _read_of(process.name) in names)
    return [process for process in named if _read_of(process.cwd) in wanted]


def mark(name: str, folder: Path) -> dict[str, str]:
    """Return the environment variable that marks the child called `name` of the supervisor of `folder`."""
    return {MARK: f"{name}:{folder}"}


def marked(folder: Path, name: str | None = None) -> list[psutil.Process]:
    """Return the children of the supervisor of `folder` and their descendants: all, or those of the child `name`."""
    found = []
    for process in _others():
        child, _, where = (_read_of(process.environ) or {}).get(MARK, "").partition(":")
        if where == str(folder) and name in (None, child):
            found.append(process)
    return found


def is_alive(process: psutil.Process) -> bool:
    """Tell whether a process runs; one that has ended but was not yet collected by its parent does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
    except psutil.Error:
        return True


def end(processes: Collection[psutil.Process], steps: Collection[tuple[signal.Signals, float]]) -> bool:
    """Send each step's signal and wait up to its seconds, until all have ended; tell whether they have."""
    for step, patience in steps:
        for process in processes:
            with contextlib.suppress(psutil.Error):
                if is_alive(process):
                    process.send_signal(step)
        if wait_until(lambda: not any(is_alive(process) for process in processes), patience):
            return True
    return not processes


def descendants(pid: int) -> list[psutil.Process]:
    """Return the children of `pid`, their children, and so on; empty when it has ended."""
    with contextlib.suppress(psutil.Error):
        return psutil.Process(pid).children(recursive=True)
    return []


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Poll `condition` until it holds or `seconds` have passed; tell whether it held."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def _others() -> Iterator[psutil.Process]:
    """Yield every process except this one and those it runs in, such as the shell or a test run."""
    with contextlib.suppress(psutil.Error):
        own = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
        yield from (process for process in psutil.process_iter() if process.pid not in own)


def _read_of(read: Callable[[], _T]) -> _T | None:
    # Other users' processes may not be read, and any process may end at any moment.
    try:
        return read()
    except (psutil.Error, OSError):
        return None
