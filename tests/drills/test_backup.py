"""The database is lost and comes back from its backup: nothing in it is missing, and work goes on."""

import json
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import create_engine, select, text
from tests.drills.checks import wait_until_triaged
from tests.drills.stack import Stack
from tests.drills.web import load
from tests.factories import actor_named, receive

from hotline import bootstrap
from hotline.bootstrap import Runtime
from hotline.cli import main
from hotline.cli.installation import environment_of
from hotline.demo.city import build_city
from hotline.embedded import DataFolder, EmbeddedPostgres, EmbeddedRedis
from hotline.jobs.doorbell import SilentDoorbell
from hotline.services import attachments, audit
from hotline.settings import Settings
from hotline.storage import dump, migrate
from hotline.storage.dump import NUMBERS_LEFT_OUT
from hotline.storage.engine import transaction
from hotline.storage.tables import Attachment, Caller, Ticket

pytestmark = pytest.mark.drill

PHONE = "13800005678"


def everything(parts: Runtime) -> dict[str, list[str]]:
    """Return every row of every table."""
    with transaction(parts.sessions) as session:
        tables = session.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")).all()
        query = 'SELECT to_jsonb(t)::text FROM "{}" t ORDER BY 1'
        return {table: list(session.scalars(text(query.format(table)))) for table in tables}


def sequences(parts: Runtime) -> dict[str, int]:
    """Return where every sequence stands."""
    with transaction(parts.sessions) as session:
        rows = session.execute(text("SELECT sequencename, coalesce(last_value, 0) FROM pg_sequences"))
        return {name: int(value) for name, value in rows}


def destroy(stack: Stack) -> None:
    """Lose the database: drop it with everybody connected, and make an empty one as a new server would have."""
    stack.parts.engine.dispose()
    engine = create_engine(stack.postgres.url("postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("DROP DATABASE hotline WITH (FORCE)"))
        connection.execute(text("CREATE DATABASE hotline"))
    engine.dispose()


def open_everything(parts: Runtime) -> None:
    """Assert that the audit chain verifies and every sealed value opens."""
    with transaction(parts.sessions) as session:
        assert audit.verify(session, parts.context).broken_at is None
        for caller in session.scalars(select(Caller).where(Caller.phone_sealed.is_not(None))):
            assert parts.context.vault.open(caller.phone_sealed) == PHONE


def test_a_backup_made_while_calls_come_in_brings_everything_back(stack: Stack, tmp_path: Path) -> None:
    """Calls come in during the backup.  Then the database is lost.

    Everything acknowledged before the backup began must come back, each ticket whole, and work must go on.
    """
    web, file = stack.start_web(), tmp_path / "city.dump"
    worker, beat = stack.start_worker(), stack.start_beat()
    body = {"channel": "phone", "content": "路灯坏了", "caller": {"name": "张三", "phone": PHONE}}
    early = [web.request("POST", "/api/v1/tickets", body).body["number"] for _ in range(20)]
    revealed = web.request("POST", f"/api/v1/tickets/{early[0]}/reveal", {"reason": "回电"})
    assert revealed.body["phone"] == PHONE
    with load(web, 60) as calls:
        said = stack.run("backup", str(file))
        late = calls.finish()
    held = int(said.split(" tickets")[0].rpartition(" ")[2])
    assert 20 <= held <= 80
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    for program in (web_program(stack), worker, beat):
        program.stop()
    destroy(stack)
    said = stack.run("restore", str(file))
    assert f"{held} tickets" in said
    assert "the audit log holds" in said
    kept = {number for (number,) in stack.rows("SELECT number FROM ticket")}
    assert len(kept) == held
    assert set(early) <= kept <= {*early, *late}
    whole = "SELECT count(*) FROM ticket t WHERE NOT EXISTS (SELECT 1 FROM {} x WHERE {})"
    for table, condition in (
        ("ticket_event", "x.ticket_id = t.id"),
        ("caller", "x.ticket_id = t.id"),
        ("job", "x.dedupe_key = 'triage:' || t.id"),
    ):
        assert stack.rows(whole.format(table, condition)) == [(0,)], table
    open_everything(stack.parts)
    web = stack.start_web()
    stack.start_worker("worker-2")
    stack.start_beat("beat-2")
    number = web.request("POST", "/api/v1/tickets", body).body["number"]
    assert number not in {*early, *late}
    wait_until_triaged(stack)
    assert web.request("GET", f"/api/v1/tickets/{number}").status == 200


def web_program(stack: Stack) -> Any:
    """Return the web server's process."""
    return next(program for program in stack.programs if program.name == "web")


def test_every_row_is_equal_after_two_rounds(stack: Stack, tmp_path: Path) -> None:
    """A quiet database is backed up, lost and restored, twice over; a restored database is like any other."""
    with transaction(stack.parts.sessions) as session:
        for _ in range(5):
            receive(session, stack.parts.context, caller_name="张三", caller_phone=PHONE)
    for number in (1, 2):
        file = tmp_path / f"{number}.dump"
        before, counted = everything(stack.parts), sequences(stack.parts)
        stack.run("backup", str(file))
        destroy(stack)
        stack.run("restore", str(file))
        after = everything(stack.parts)
        # The backup's own entry was written after the snapshot; the restore's is new.
        entries = after.pop("audit_entry")
        assert before.pop("audit_entry") == entries[:-1]
        assert "database.restored" in entries[-1]
        assert after == before
        counted["ticket_number_seq"] += NUMBERS_LEFT_OUT
        assert {name: value for name, value in sequences(stack.parts).items() if name != "audit_entry_id_seq"} == {
            name: value for name, value in counted.items() if name != "audit_entry_id_seq"
        }


@pytest.fixture
def city(tmp_path: Path) -> Iterator[tuple[Path, Settings]]:
    """A data folder that was used once and in which nothing runs, and its settings."""
    data = tmp_path / "city"
    with running(data) as settings:
        migrate.upgrade(settings.database_url)
        parts = bootstrap.start(settings, doorbell=SilentDoorbell())
        with transaction(parts.sessions) as session:
            build_city(session, bootstrap.utc_now())
            receive(session, parts.context, caller_name="张三", caller_phone=PHONE)
        parts.close()
    yield data, settings


@contextmanager
def running(data: Path) -> Iterator[Settings]:
    """Hold the folder and run its PostgreSQL, as ``hotline up`` does."""
    with DataFolder.open(data) as folder:
        postgres = EmbeddedPostgres(folder, {"fsync": "off"})
        url = postgres.start()
        try:
            given = environment_of(folder, url, EmbeddedRedis(folder).url())
            yield Settings(**{name.removeprefix("HOTLINE_").lower(): value for name, value in given.items()})
        finally:
            postgres.stop()


def hotline(*words: str, type_in: str = "") -> Result:
    """Run a command that is told its installation by --data alone."""
    return CliRunner(env={"HOTLINE_DATABASE_URL": None}).invoke(main, list(words), input=type_in)


def test_a_data_folder_moves_with_its_keys(city: tuple[Path, Settings], tmp_path: Path) -> None:
    data, _ = city
    file, other = tmp_path / "city.dump", tmp_path / "other"
    made = hotline("backup", str(file), "--data", str(data), "--with-secrets")
    assert made.exit_code == 0, made.output
    assert "1 tickets" in made.output
    keys = tmp_path / "city.dump.secrets.json"
    assert stat.S_IMODE(keys.stat().st_mode) == 0o600
    assert set(json.loads(keys.read_text())) == {"secret_key", "index_key", "encryption_key"}
    # A new folder has keys of its own, which open nothing.
    alone = hotline("restore", str(file), "--data", str(other))
    assert alone.exit_code == 1
    assert "--secrets" in alone.output
    again = hotline("restore", str(file), "--data", str(other), "--secrets", str(keys), "--replace", "--yes")
    assert again.exit_code == 0, again.output
    with running(other) as settings:
        parts = bootstrap.start(settings, doorbell=SilentDoorbell())
        open_everything(parts)
        parts.close()
        # The folder is in use now, and a backup is made all the same; other keys are refused.
        assert hotline("backup", str(tmp_path / "live.dump"), "--data", str(other)).exit_code == 0
        refused = hotline("restore", str(file), "--data", str(other), "--secrets", str(keys), "--replace", "--yes")
        assert "stop it" in refused.output


def test_attachments_move_with_their_tickets(city: tuple[Path, Settings], tmp_path: Path) -> None:
    data, _ = city
    file, other = tmp_path / "city.dump", tmp_path / "other"
    sound = b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(28)
    with running(data) as settings:
        parts = bootstrap.start(settings, doorbell=SilentDoorbell())
        with transaction(parts.sessions) as session:
            number = session.scalars(select(Ticket.number)).one()
            attachments.attach(session, parts.context, number, sound, actor_named(session, "agent01"))
        parts.close()
    made = hotline("backup", str(file), "--data", str(data), "--with-secrets")
    assert "1 attachments" in made.output, made.output
    again = hotline("backup", str(tmp_path / "another.dump"), "--data", str(data), "--without-attachments")
    assert "1 attachments are NOT in it" in again.output, again.output
    assert not (tmp_path / "another.dump.attachments.tar").exists()
    archive, keys = tmp_path / "city.dump.attachments.tar", tmp_path / "city.dump.secrets.json"
    words = ["restore", str(file), "--data", str(other), "--secrets", str(keys), "--replace", "--yes"]
    kept = archive.read_bytes()
    archive.unlink()
    without = hotline(*words)
    assert (without.exit_code, "1 attachments' files are missing" in without.output) == (1, True), without.output
    archive.write_bytes(kept)
    assert hotline(*words).exit_code == 0
    with running(other) as settings:
        parts = bootstrap.start(settings, doorbell=SilentDoorbell())
        with transaction(parts.sessions) as session:
            row = session.scalars(select(Attachment)).one()
            found = attachments.content_of(session, parts.context, number, row.id, actor_named(session, "agent01"))
        parts.close()
    assert found[1] == sound


def test_a_database_with_tickets_is_replaced_only_when_that_is_meant(stack: Stack, tmp_path: Path) -> None:
    file = tmp_path / "city.dump"
    with transaction(stack.parts.sessions) as session:
        receive(session, stack.parts.context)
    stack.run("backup", str(file))
    with transaction(stack.parts.sessions) as session:
        receive(session, stack.parts.context)
    run = lambda *words, type_in="": CliRunner(env=stack.environment).invoke(main, [*words], input=type_in)  # noqa: E731
    count = lambda: stack.rows("SELECT count(*) FROM ticket")[0][0]  # noqa: E731
    assert "--replace" in run("restore", str(file)).output
    assert "connections of web servers" in run("restore", str(file), "--replace").output
    stack.parts.engine.dispose()
    assert run("restore", str(file), "--replace", type_in="n\n").exit_code == 1
    assert count() == 2
    stack.parts.engine.dispose()
    assert run("restore", str(file), "--replace", type_in="y\n").exit_code == 0
    assert count() == 1
    # With somebody connected, who goes on with what was restored.
    assert run("restore", str(file), "--replace", "--yes", "--online").exit_code == 0
    assert count() == 1


def test_a_damaged_or_foreign_file_changes_nothing(stack: Stack, tmp_path: Path) -> None:
    file = tmp_path / "city.dump"
    with transaction(stack.parts.sessions) as session:
        receive(session, stack.parts.context, content="路灯坏了" * 1000)
    stack.run("backup", str(file))
    before = everything(stack.parts)
    stack.parts.engine.dispose()
    whole = file.read_bytes()
    (tmp_path / "cut.dump").write_bytes(whole[: len(whole) * 2 // 3])
    # Damage that is met only after half of the tables have been loaded.
    (tmp_path / "garbled.dump").write_bytes(whole[:-600] + b"\xff" * 500 + whole[-100:])
    (tmp_path / "text.dump").write_text("no dump")
    for name in ("cut", "garbled", "text", "none"):
        words = ["restore", str(tmp_path / f"{name}.dump"), "--replace", "--yes"]
        result = CliRunner(env=stack.environment).invoke(main, words)
        assert result.exit_code == 1, name
        said = {"cut": "pg_restore failed", "garbled": "nothing was restored", "text": "pg_restore", "none": "no file"}
        assert said[name] in result.output
        assert not isinstance(result.exception, Exception), result.exception
    assert everything(stack.parts) == before
    taken = CliRunner(env=stack.environment).invoke(main, ["backup", str(file)])
    assert "exists already" in taken.output
    assert file.read_bytes() == whole


def test_no_password_stands_on_a_command_line(stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    real = dump.subprocess.run
    monkeypatch.setattr(
        dump.subprocess, "run", lambda argv, **more: seen.append(f"{argv} {more['env']}") or real(argv, **more)
    )
    CliRunner(env=stack.environment).invoke(main, ["backup", str(tmp_path / "x.dump")])
    password = stack.parts.engine.url.password
    assert seen
    assert password
    assert not [line for line in seen if password in line]
