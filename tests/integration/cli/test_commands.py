"""The command line: it lists itself, speaks plainly when something is missing, and looks after jobs and database."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select, update
from tests.factories import receive, settings_environment

from hotline.bootstrap import Runtime
from hotline.cli import COMMANDS, main
from hotline.jobs.registry import KINDS
from hotline.settings import Settings
from hotline.storage import migrate
from hotline.storage.engine import transaction
from hotline.storage.tables import Job


def run(settings: Settings | None, *words: str, type_in: str = "", **changes: str) -> Result:
    """Run the command in this process with the settings as its environment, or with none."""
    empty = dict.fromkeys([name for name in os.environ if name.startswith("HOTLINE_")])
    environment = empty | (settings_environment(settings) if settings else {}) | changes
    return CliRunner(env=environment).invoke(main, list(words), input=type_in)


def make_job(parts: Runtime, **values: object) -> int:
    with transaction(parts.sessions) as session:
        ticket = receive(session, parts.context)
        job_id = session.scalars(select(Job.id).where(Job.dedupe_key == f"triage:{ticket.id}")).one()
        if values:
            session.execute(update(Job).where(Job.id == job_id).values(values))
    return job_id


def test_help_lists_every_command_with_its_line() -> None:
    shown = run(None, "--help")
    assert shown.exit_code == 0
    for name, (_, line) in COMMANDS.items():
        assert name in shown.output
        assert " ".join(line.split()[:4]) in shown.output


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_helps(name: str) -> None:
    shown = run(None, name, "--help")
    assert shown.exit_code == 0, shown.output
    assert shown.output.startswith(f"Usage: main {name}")


def test_a_command_that_does_not_exist_is_refused() -> None:
    refused = run(None, "ticket")
    assert (refused.exit_code, "No such command" in refused.output) == (2, True)


def test_the_installed_program_answers_quickly_and_knows_its_version() -> None:
    program = Path(sys.executable).with_name("hotline")
    shown = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=30, check=True)
    assert shown.stdout.startswith("hotline, version ")


@pytest.mark.parametrize("words", [("jobs", "counts"), ("db", "current"), ("web",), ("worker",), ("beat",)])
def test_without_settings_each_command_says_what_to_set(words: tuple[str, ...]) -> None:
    refused = run(None, *words)
    assert refused.exit_code == 2
    for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "INDEX_KEY", "ENCRYPTION_KEYS"):
        assert f"HOTLINE_{name} is not set; " in refused.output
    assert "Traceback" not in refused.output


def test_a_worker_of_an_unknown_queue_is_refused(settings: Settings) -> None:
    refused = run(settings, "worker", "--queues", "triage,typos")
    assert refused.exit_code == 2
    assert "no such queue: typos" in refused.output


def test_an_unreachable_database_is_said_in_a_line(settings: Settings) -> None:
    nowhere = "postgresql+psycopg://hotline:hidden@127.0.0.1:1/hotline"
    for words in (("jobs", "counts"), ("jobs", "list"), ("jobs", "prune"), ("db", "upgrade")):
        refused = run(settings, *words, HOTLINE_DATABASE_URL=nowhere)
        assert refused.exit_code == 1, words
        assert "database" in refused.output
        assert "hidden" not in refused.output
        assert isinstance(refused.exception, SystemExit), words


def test_a_database_that_was_never_migrated_is_said_in_a_line(settings: Settings, empty_database_url: str) -> None:
    refused = run(settings, "jobs", "list", HOTLINE_DATABASE_URL=empty_database_url)
    assert refused.exit_code == 1
    assert refused.output == "Error: the database is older than this program: run `hotline db upgrade`\n"


def test_jobs_counts_by_kind_and_state(parts: Runtime) -> None:
    assert run(parts.settings, "jobs", "counts").output == "there are no jobs\n"
    make_job(parts)
    make_job(parts, state="dead")
    lines = run(parts.settings, "jobs", "counts").output.split("\n")
    assert [line.split() for line in lines if line] == [["triage", "dead", "1"], ["triage", "queued", "1"]]


def test_jobs_list_shows_what_could_not_be_done_and_why(parts: Runtime) -> None:
    assert run(parts.settings, "jobs", "list").output == "no jobs match\n"
    waiting = make_job(parts)
    dead = make_job(parts, state="dead", attempts=8, last_error="ValueError in hotline.services.triage:30")
    shown = run(parts.settings, "jobs", "list").output.splitlines()
    assert [line.split()[0] for line in shown] == [str(dead), str(waiting)]
    (only,) = run(parts.settings, "jobs", "list", "--state", "dead", "--kind", "triage").output.splitlines()
    assert "8/8" in only
    assert only.endswith("ValueError in hotline.services.triage:30")
    assert len(run(parts.settings, "jobs", "list", "--limit", "1").output.splitlines()) == 1


def test_jobs_list_shows_a_job_that_waits_for_its_next_try(parts: Runtime) -> None:
    job_id = make_job(parts)
    failing = parts.runner.__class__(parts.sessions, {}, "test", 60)
    assert failing.run(job_id) == "queued"
    shown = run(parts.settings, "jobs", "list")
    assert shown.exit_code == 0
    assert "1/8" in shown.output
    assert "LookupError" in shown.output


def test_jobs_replay_takes_ids_or_all_and_never_neither(parts: Runtime) -> None:
    dead = [make_job(parts, state="dead", attempts=8) for _ in range(3)]
    waiting = make_job(parts)
    for words in ((), ("--all", str(dead[0])), ("--kind", "triage")):
        assert run(parts.settings, "jobs", "replay", *words).exit_code == 2
    assert run(parts.settings, "jobs", "replay", str(dead[0]), str(waiting)).output == "1 dead job queued anew\n"
    assert run(parts.settings, "jobs", "replay", "--all", "--kind", "prune").output == "0 dead jobs queued anew\n"
    assert run(parts.settings, "jobs", "replay", "--all").output == "2 dead jobs queued anew\n"
    with transaction(parts.sessions) as session:
        assert {(job.state, job.attempts) for job in session.scalars(select(Job))} == {("queued", 0)}


def test_jobs_prune_deletes_what_is_done_and_keeps_the_rest(parts: Runtime) -> None:
    done = make_job(parts)
    assert parts.run_job(done) == "done"
    kept = make_job(parts, state="dead")
    assert run(parts.settings, "jobs", "prune").output == "0 done jobs deleted\n"
    assert run(parts.settings, "jobs", "prune", "--days", "0").output == "1 done job deleted\n"
    with transaction(parts.sessions) as session:
        assert session.scalars(select(Job.id)).all() == [kept]


@pytest.mark.parametrize("words", [("--state", "lost"), ("--kind", "typo"), ("--limit", "0"), ("--limit", "many")])
def test_jobs_refuse_words_they_do_not_know(settings: Settings, words: tuple[str, ...]) -> None:
    assert run(settings, "jobs", "list", *words).exit_code == 2


def test_every_kind_of_job_can_be_asked_for(settings: Settings) -> None:
    for kind in KINDS:
        assert run(settings, "jobs", "list", "--kind", kind).exit_code == 0


def test_the_database_is_created_told_and_taken_down(settings: Settings, empty_database_url: str) -> None:
    url = {"HOTLINE_DATABASE_URL": empty_database_url}
    assert "database: empty" in run(settings, "db", "current", **url).output
    assert run(settings, "db", "upgrade", **url).output.endswith(f"the database is at {migrate.head()}\n")
    assert f"database: {migrate.head()}\n" in run(settings, "db", "current", **url).output
    refused = run(settings, "db", "downgrade", "base", type_in="n\n", **url)
    assert (refused.exit_code, "dropped with their data" in refused.output) == (1, True)
    assert f"database: {migrate.head()}\n" in run(settings, "db", "current", **url).output
    assert run(settings, "db", "downgrade", "base", "--yes", **url).exit_code == 0
    assert "database: empty" in run(settings, "db", "current", **url).output


def test_a_version_that_does_not_exist_is_said_in_a_line(settings: Settings) -> None:
    for words in (("upgrade", "9999"), ("downgrade", "9999", "--yes")):
        refused = run(settings, "db", *words)
        assert refused.exit_code == 1
        assert "9999" in refused.output
        assert isinstance(refused.exception, SystemExit)
