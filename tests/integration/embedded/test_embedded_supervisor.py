"""The supervisor: Ctrl-C leaves nothing behind, what dies comes back, and one Hotline never fights its predecessor."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from tests.integration.embedded.helpers import FAST, Scripts, processes_of, wait_for

from hotline.embedded import Child, DataFolder, EmbeddedError, EmbeddedPostgres, EmbeddedRedis, Supervisor
from hotline.embedded.files import trim_log
from hotline.embedded.orphans import ProcessRecords, is_alive

# A child with a pool of its own, one member of which hides in another session.
FAMILY = """
import subprocess, sys, time
sleep = [sys.executable, "-c", "import time; time.sleep(600)"]
subprocess.Popen(sleep)
subprocess.Popen(sleep, start_new_session=True)
print("family", flush=True)
time.sleep(600)
"""

STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("stubborn", flush=True)
time.sleep(600)
"""

UP = """
import sys
from pathlib import Path
from hotline.embedded import Child, DataFolder, EmbeddedPostgres, EmbeddedRedis, Supervisor

def child(name, code):
    log = folder.log_path(name)
    return Child(name, [sys.executable, "-c", code], ready=lambda: log.read_text().endswith(name + "\\n"), grace=30)

with DataFolder.open(sys.argv[1]) as folder, Supervisor(folder, backoff=(0.1, 0.2), stable_after=60) as supervisor:
    if "servers" in sys.argv:
        supervisor.start(EmbeddedPostgres(folder, {"fsync": "off"}))
        supervisor.start(EmbeddedRedis(folder))
    for name, code in zip(("family", "stubborn"), sys.argv[2:4]):
        if code:
            supervisor.start(child(name, code))
    print("up", flush=True)
    supervisor.run()
print("down", flush=True)
"""


def up(
    scripts: Scripts, data: Path, *, family: str = FAMILY, stubborn: str = "", servers: bool = False
) -> subprocess.Popen[str]:
    """Start a supervisor in a process of its own and wait until everything runs."""
    script = scripts.start(UP, data, family, stubborn, *(["servers"] if servers else []))
    assert script.stdout
    assert script.stdout.readline() == "up\n", script.communicate()
    return script


def recorded(data: Path, name: str) -> psutil.Process | None:
    """Return the living process that the supervisor last recorded under `name`."""
    return ProcessRecords(data / "run").find(name)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_stop_signal_leaves_no_process_behind(tmp_path: Path, scripts: Scripts, number: signal.Signals) -> None:
    data = tmp_path / "data"
    script = up(scripts, data, servers=number == signal.SIGINT)
    assert len(processes_of(data)) >= 4
    script.send_signal(number)
    output, errors = script.communicate(timeout=60)
    assert (script.returncode, output, errors) == (0, "down\n", "")
    assert processes_of(data) == []


def test_second_ctrl_c_hurries(tmp_path: Path, scripts: Scripts) -> None:
    data = tmp_path / "data"
    script = up(scripts, data, family="", stubborn=STUBBORN)
    # `make` passes on what the terminal has sent already; two at once are one request.
    for _ in ("terminal", "make"):
        script.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        script.wait(1.0)
    script.send_signal(signal.SIGINT)
    # Far less than the grace of 30 s.
    script.wait(15.0)
    assert processes_of(data) == []


def test_ctrl_c_while_starting_leaves_no_process_behind(tmp_path: Path, scripts: Scripts) -> None:
    data = tmp_path / "data"
    # It never says that it is ready.
    script = scripts.start(UP, data, FAMILY.replace('"family"', '"waiting"'), "", "servers")
    wait_for(lambda: (data / "log" / "family.log").exists() and "waiting" in (data / "log" / "family.log").read_text())
    script.send_signal(signal.SIGTERM)
    output, errors = script.communicate(timeout=60)
    assert (script.returncode, output, errors) == (0, "down\n", "")
    assert processes_of(data) == []


def test_killed_child_comes_back_and_the_console_says_so(tmp_path: Path, scripts: Scripts) -> None:
    data = tmp_path / "data"
    script = up(scripts, data)
    first = recorded(data, "family")
    assert first
    family = [first, *first.children()]
    first.kill()
    wait_for(lambda: (again := recorded(data, "family")) and again.pid != first.pid)
    script.send_signal(signal.SIGINT)
    _, errors = script.communicate(timeout=60)
    assert errors.splitlines() == [
        f"family stopped (killed by SIGKILL); starting it again in 0.1 s, see {data}/log/family.log"
    ]
    assert not any(is_alive(process) for process in family)
    assert processes_of(data) == []


def test_child_that_keeps_failing_is_tried_ever_less_often(tmp_path: Path, scripts: Scripts) -> None:
    data = tmp_path / "data"
    script = up(scripts, data, family="print('family', flush=True)\nimport time\ntime.sleep(0.5)\nraise SystemExit(3)")
    assert script.stderr
    lines = [script.stderr.readline() for _ in range(3)]
    assert ["exit code 3" in line for line in lines] == [True] * 3
    assert [line.partition(" again in ")[2].partition(" s,")[0] for line in lines] == ["0.1", "0.2", "0.2"]
    script.send_signal(signal.SIGINT)
    script.wait(30)
    assert processes_of(data) == []


def test_killed_servers_come_back(tmp_path: Path, scripts: Scripts) -> None:
    data = tmp_path / "data"
    script = up(scripts, data, family="", servers=True)
    before = {name: recorded(data, name) for name in ("postgresql", "redis")}
    for process in before.values():
        assert process
        process.kill()

    def back(name: str) -> bool:
        now, then = recorded(data, name), before[name]
        return now is not None and then is not None and now.pid != then.pid

    wait_for(lambda: back("postgresql") and back("redis"))
    log = data / "log" / "postgresql.log"
    wait_for(lambda: log.read_text().count("ready to accept connections") == 2)
    script.send_signal(signal.SIGINT)
    script.wait(60)
    assert processes_of(data) == []


@pytest.mark.skipif(sys.platform != "linux", reason="death signals are Linux's")
def test_kill_9_of_the_supervisor_ends_its_children(tmp_path: Path, scripts: Scripts) -> None:
    data = tmp_path / "data"
    script = up(scripts, data, servers=True)
    members = [process for name in ("postgresql", "redis", "family") if (process := recorded(data, name))]
    assert len(members) == 3
    script.kill()
    script.wait()
    wait_for(lambda: not any(is_alive(process) for process in members))


def test_what_a_killed_supervisor_left_is_ended_at_the_next_start(tmp_path: Path, scripts: Scripts) -> None:
    data = tmp_path / "data"
    # The stubborn one ignores the death signal, and nobody tells the family's own children.
    script = up(scripts, data, stubborn=STUBBORN)
    script.kill()
    script.wait()
    wait_for(lambda: recorded(data, "family") is None)
    left = processes_of(data)
    assert len(left) >= 3
    with DataFolder.open(data) as folder, pytest.MonkeyPatch.context() as patch:
        # SIGKILL need not wait ten seconds in a test.
        patch.setattr("hotline.embedded.processes._ORPHAN_STEPS", ((signal.SIGTERM, 0.5), (signal.SIGKILL, 10.0)))
        with Supervisor(folder):
            assert processes_of(data) == []


def test_child_that_fails_to_start_says_why_and_takes_all_down(tmp_path: Path) -> None:
    with DataFolder.open(tmp_path / "data") as folder:
        with (
            pytest.raises(EmbeddedError, match=r"web did not start: .*no model found"),
            Supervisor(folder) as supervisor,
        ):
            supervisor.start(Child("beat", ["sleep", "600"]))
            supervisor.start(Child("web", ["sh", "-c", "echo no model found; exit 1"], ready=lambda: False))
        with (
            pytest.raises(EmbeddedError, match="worker did not start: hotline: cannot start no-such-program"),
            Supervisor(folder) as supervisor,
        ):
            supervisor.start(Child("worker", ["no-such-program"], ready=lambda: False))
        with pytest.raises(EmbeddedError, match="web was not ready within 0 s"), Supervisor(folder) as supervisor:
            supervisor.start(Child("web", ["sleep", "600"], ready=lambda: False, ready_within=0.2))
        assert processes_of(folder.path) == []


def test_servers_may_be_started_first_and_supervised_later(tmp_path: Path) -> None:
    with DataFolder.open(tmp_path / "data") as folder:
        with Supervisor(folder) as supervisor:
            postgres, redis = EmbeddedPostgres(folder, FAST), EmbeddedRedis(folder)
            assert postgres.start() == postgres.url()
            pid = postgres.pid
            supervisor.start(postgres)
            supervisor.start(redis)
            assert postgres.pid == pid
            assert redis.is_ready()
        assert processes_of(folder.path) == []


def test_handlers_are_given_back(tmp_path: Path) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    with DataFolder.open(tmp_path / "data") as folder, Supervisor(folder):
        assert signal.getsignal(signal.SIGINT) != before[0]
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)] == before


def test_log_of_a_chatty_child_is_trimmed_while_it_writes(tmp_path: Path) -> None:
    with DataFolder.open(tmp_path / "data") as folder, Supervisor(folder) as supervisor:
        chatty = "import time\nwhile True: print('x' * 99, flush=True); time.sleep(0.001)"
        supervisor.start(Child("chatty", [sys.executable, "-c", chatty]))
        log = folder.log_path("chatty")
        wait_for(lambda: log.exists() and log.stat().st_size > 5000)
        trim_log(log, limit=5000)
        size = log.stat().st_size
        started = time.monotonic()
        wait_for(lambda: log.stat().st_size > size)
        assert log.stat().st_size < 5000 or time.monotonic() - started > 1
        assert (folder.log_dir / "chatty.log.1").stat().st_size > 5000
        # It goes on from the new beginning; a gap of NULs would show a writer that does not append.
        assert b"\0" not in log.read_bytes()
