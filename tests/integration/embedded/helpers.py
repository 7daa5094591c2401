"""What the tests of the embedded servers share: scripts run as other processes and users, and who is still alive."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from hotline.embedded.privileges import Identity, permitted_capabilities
from hotline.embedded.service import Launch

# Nothing here pulls the plug, and syncing slows the disk for every other test. `synchronous_commit` stays on: without
# it a kill -9 may lose what was committed last.
FAST = {"fsync": "off", "full_page_writes": "off"}

# CAP_DAC_READ_SEARCH: an ordinary user who may read the interpreter wherever it lies, and write nothing more.
_READ_ANYTHING = 2


def wait_for(condition: Callable[[], object], seconds: float = 30.0) -> None:
    """Poll until `condition` holds; fail the test when it does not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def processes_of(data: Path) -> list[str]:
    """Return what runs on a data folder: by working directory, command line or mark."""
    found = []
    for process in psutil.process_iter():
        try:
            traces = [process.cwd(), *process.cmdline(), process.environ().get("HOTLINE_SUPERVISED_IN", "")]
            alive = process.status() != psutil.STATUS_ZOMBIE
        except psutil.Error:
            continue
        if alive and process.pid != os.getpid() and any(str(data) in trace for trace in traces):
            found.append(f"{process.pid} {process.name()}")
    return found


# Whoever runs the tests with nohup ignores hang-ups, and so would every script that they start.
_AS_A_TERMINAL_STARTS_IT = "import signal\nsignal.signal(signal.SIGHUP, signal.SIG_DFL)\n"


@dataclass
class Scripts:
    """Starts Python scripts as processes and kills what is left of them at the end of a test."""

    folder: Path
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def start(self, code: str, *arguments: object, identity: Identity | None = None) -> subprocess.Popen[str]:
        """Run `code` with `arguments` in sys.argv, as `identity` when one is given."""
        argv = [sys.executable, "-c", _AS_A_TERMINAL_STARTS_IT + code, *map(str, arguments)]
        if identity:
            if not permitted_capabilities() >> _READ_ANYTHING & 1:
                pytest.skip("this root lacks CAP_DAC_READ_SEARCH, so it cannot give an ordinary user the interpreter")
            argv = Launch(signal.SIGKILL, identity=identity, capability=_READ_ANYTHING).command(argv)
        process = subprocess.Popen(
            argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True, cwd=self.folder
        )
        self.started.append(process)
        return process

    def run(self, code: str, *arguments: object, identity: Identity | None = None) -> str:
        """Run `code` to its end and return what it printed; fail the test when it failed."""
        process = self.start(code, *arguments, identity=identity)
        output, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
        return output

    def finish(self) -> None:
        """Kill what still runs."""
        for process in self.started:
            if process.poll() is None:
                process.kill()
            process.communicate()
