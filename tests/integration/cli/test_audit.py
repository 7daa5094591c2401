"""``hotline audit``: exit codes that a nightly job can rely on."""

import json
from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text
from tests.factories import settings_environment

from hotline.bootstrap import Runtime
from hotline.cli import main
from hotline.domain.people import SYSTEM
from hotline.services import audit
from hotline.settings import Settings
from hotline.storage.engine import transaction

Run = Callable[..., Result]


@pytest.fixture
def run(settings: Settings) -> Run:
    """Run ``hotline audit …`` over this test's database."""
    environment = settings_environment(settings)
    return lambda *words: CliRunner().invoke(main, ("audit", *words), env=environment)


@pytest.fixture
def seals(parts: Runtime) -> list[str]:
    """The seals of five entries."""
    with transaction(parts.sessions) as session:
        return [audit.append(session, parts.context, SYSTEM, "test.done", subject=f"thing:{n}").seal for n in range(5)]


def behind_its_back(parts: Runtime, statement: str) -> None:
    with transaction(parts.sessions) as session:
        session.execute(text("SET LOCAL session_replication_role = replica"))
        session.execute(text(statement))


def test_a_log_that_holds(run: Run, seals: list[str]) -> None:
    done = run("verify")
    assert (done.exit_code, done.output) == (0, f"the audit log holds: 5 entries, newest seal {seals[-1]}\n")


def test_a_log_that_was_changed(run: Run, seals: list[str], parts: Runtime) -> None:
    behind_its_back(parts, "UPDATE audit_entry SET subject = 'thing:x' WHERE subject = 'thing:2'")
    done = run("verify")
    assert done.exit_code == 1
    assert "broken at entry 3" in done.output
    assert "the 2 entries before it hold" in done.output


def test_a_log_whose_end_is_gone(run: Run, seals: list[str], parts: Runtime) -> None:
    noted = run("seal").stdout.strip()
    assert noted == seals[-1]
    assert run("verify", "--expect", noted).exit_code == 0
    assert run("verify", "--expect", seals[0].upper()).exit_code == 0
    behind_its_back(parts, "DELETE FROM audit_entry WHERE subject = 'thing:4'")
    assert run("verify").exit_code == 0
    done = run("verify", "--expect", noted)
    assert done.exit_code == 1
    assert "the end of the log was cut off" in done.output


def test_entries_are_listed_as_json_lines(run: Run, seals: list[str]) -> None:
    lines = [json.loads(line) for line in run("list", "--limit", "2").output.splitlines()]
    assert [line["subject"] for line in lines] == ["thing:4", "thing:3"]
    assert lines[0]["seal"] == seals[-1]
    assert lines[0]["at"].endswith("+08:00")
    assert run("list", "--action", "nothing").output == ""
    assert run("list", "--until", "2020-01-01").output == ""
    assert len(run("list", "--since", "2020-01-01").output.splitlines()) == 5


def test_a_day_that_is_none_is_refused(run: Run) -> None:
    assert run("list", "--since", "yesterday").exit_code == 2
