"""What the program costs at rest: memory of the whole stack, the command line's start, the demo city's build."""

import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

from bench.report import Line
from bench.rig import ROOT, clean_environment, free_port

IDLE_SECONDS = 15.0
START_SECONDS = 240.0

Say = Callable[[str], None]


def stack(say: Say, calls: int) -> Iterator[Line]:
    """Start everything as ``make up`` does: time the demo city's build, then look at the memory of the idle stack."""
    with tempfile.TemporaryDirectory(prefix="hotline-bench-up-") as home:
        words = ["up", "--port", str(free_port()), "--data", str(Path(home) / "data"), "--calls", str(calls)]
        up = subprocess.Popen(
            [sys.executable, "-c", "from hotline.cli import main; main()", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env=clean_environment(),
            cwd=ROOT,
            start_new_session=True,
        )
        try:
            build = _watch_build(up)
            yield Line(f"demo city of {calls:,} calls, build", build, "s", target="≤ 90 s", met=build <= 90)
            time.sleep(IDLE_SECONDS)
            shares = _memory(up.pid)
            say(", ".join(f"{name} {size / 2**20:.0f}" for name, size in shares.items()) + " MiB")
            total = sum(shares.values()) / 1e9
            yield Line("whole stack idle, resident (PSS)", total, "GB", target="≤ 1.2 GB", met=total <= 1.2)
        finally:
            up.send_signal(signal.SIGTERM)
            up.wait(60)


def _watch_build(up: "subprocess.Popen[str]") -> float:
    """Return the seconds between the lines that announce the build and the programs after it."""
    assert up.stderr is not None
    deadline, began, built = time.monotonic() + START_SECONDS, 0.0, 0.0
    for line in up.stderr:
        if "building the demo city" in line:
            began = time.monotonic()
        elif line.startswith("starting web"):
            built = time.monotonic()
        elif "Ctrl-C" in line:
            return built - began
        if time.monotonic() > deadline:
            break
    raise RuntimeError("hotline up did not come up")


def _memory(pid: int) -> dict[str, int]:
    """Return the proportional set size in bytes of the process and all it started, summed by what they are."""
    shares: dict[str, int] = {}
    for process in [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]:
        rollup = Path(f"/proc/{process.pid}/smaps_rollup").read_text()
        size = next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")) * 1024
        name = _kind(process)
        shares[name] = shares.get(name, 0) + size
    return shares


def _kind(process: psutil.Process) -> str:
    words = " ".join(process.cmdline())
    for kind in ("gunicorn", "worker", "beat", "postgres", "redis"):
        if kind in words:
            return kind
    return "supervisor"


def command_line(rounds: int) -> Iterator[Line]:
    """Time ``hotline --help`` by turns with a Python that does nothing."""
    help_words = [sys.executable, "-c", "from hotline.cli import main; main()", "--help"]
    ours, theirs = [], []
    for _ in range(rounds):
        ours.append(_seconds(help_words))
        theirs.append(_seconds([sys.executable, "-c", "pass"]))
    median = statistics.median(ours)
    yield Line("hotline --help", median, "s", statistics.median(theirs), "≤ 0.3 s", median <= 0.3)


def _seconds(argv: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(argv, check=True, capture_output=True, env={**os.environ, **clean_environment()})
    return time.perf_counter() - began
