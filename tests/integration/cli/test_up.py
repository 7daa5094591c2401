"""``hotline up`` while its demo is built: what goes wrong is told in a line, and stopping it leaves nothing behind."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.integration.embedded.helpers import processes_of

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def start(data: Path) -> Iterator[Start]:
    """Start ``hotline up`` with these settings; whatever still runs at the end is killed."""
    started = []

    def run(**settings: str) -> "subprocess.Popen[str]":
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        program = [str(Path(sys.executable).with_name("hotline")), "up", "--port", str(port), "--data", str(data)]
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("HOTLINE_")}
        process = subprocess.Popen(
            program, env=inherited | settings, stderr=subprocess.PIPE, text=True, start_new_session=True
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate(timeout=30)


def test_a_wrong_setting_is_named_and_nothing_is_left_running(start: Start, data: Path) -> None:
    process = start(HOTLINE_BLIND_SHARE="5")
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 1
    assert "HOTLINE_BLIND_SHARE is wrong" in said
    assert "Traceback" not in said
    assert processes_of(data) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_stopping_while_the_demo_is_built_leaves_nothing_running(
    start: Start, data: Path, number: signal.Signals
) -> None:
    process = start()
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("building the demo city"):
            break
    assert len(processes_of(data)) >= 4, "the supervisor, both servers, and who builds the demo"
    process.send_signal(number)
    process.communicate(timeout=60)
    assert processes_of(data) == []
    assert not (data / "demo.json").exists()
