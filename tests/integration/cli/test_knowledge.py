"""``hotline knowledge``: a table in, the same table out, and nothing half done."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select
from tests.factories import settings_environment

from hotline.bootstrap import Runtime
from hotline.cli import main
from hotline.domain.people import SYSTEM
from hotline.services import knowledge
from hotline.settings import Settings
from hotline.storage.engine import transaction
from hotline.storage.tables import AuditEntry

Run = Callable[..., Result]

HEAD = "question,answer,matter,source,owner,valid_from,valid_to"
LOST = "身份证丢失后怎么补办？,带户口簿到任一派出所申请补领。,A01,户籍规定,CGJ,2026-01-01,2027-06-30"
RENT = '公租房怎么申请？,"向街道提交申请，审核后轮候。\n材料：身份证、户口簿",,,,2026-01-01,'


@pytest.fixture
def run(settings: Settings) -> Run:
    """Run ``hotline knowledge …`` over this test's database."""
    environment = settings_environment(settings)
    return lambda *words: CliRunner().invoke(main, ("knowledge", *map(str, words)), env=environment)


@pytest.fixture
def table(tmp_path: Path) -> Callable[..., Path]:
    """Write lines as a CSV table below its head."""

    def write(*lines: str, head: str = HEAD, encoding: str = "utf-8") -> Path:
        path = tmp_path / "entries.csv"
        path.write_text("\n".join([head, *lines]) + "\n", encoding=encoding)
        return path

    return write


def questions(parts: Runtime) -> list[str]:
    with transaction(parts.sessions) as session:
        return [text.question for _, text in knowledge.entries(session)]


def told(done: Result) -> str:
    """The last line; before it the program may note in its log that it has loaded the model."""
    assert done.exit_code == 0, done.output
    return done.stdout.splitlines()[-1]


def test_a_dry_run_counts_and_changes_nothing(run: Run, table: Callable[..., Path], parts: Runtime) -> None:
    assert told(run("import", table(LOST, RENT), "--dry-run")) == "2 would be added, 0 would be changed, 0 as before"
    assert questions(parts) == []


def test_an_import_adds_changes_and_leaves(run: Run, table: Callable[..., Path], parts: Runtime) -> None:
    assert told(run("import", table(LOST, RENT))) == "2 added, 0 changed, 0 as before"
    better = LOST.replace("任一派出所", "就近派出所")
    done = run("import", table(better, "医保卡怎么办？,到社区办理。,,,,,"))
    assert told(done) == "1 added, 1 changed, 0 as before"
    assert questions(parts) == ["身份证丢失后怎么补办？", "公租房怎么申请？", "医保卡怎么办？"]
    with transaction(parts.sessions) as session:
        found = knowledge.search(session, parts.context, "身份证丢了在哪里补办")
        assert found[0].entry.answer == "带户口簿到就近派出所申请补领。"
        # Who did it stands in the audit log, once for each import.
        noted = [entry for entry in session.scalars(select(AuditEntry)) if entry.action.startswith("knowledge")]
        assert len(noted) == 2
        assert all(entry.address.startswith("cli:") for entry in noted)


def test_what_was_written_out_reads_back_as_before(
    run: Run, table: Callable[..., Path], parts: Runtime, tmp_path: Path
) -> None:
    run("import", table(LOST, RENT, "=1+1等于几？,-2以上都不对,,@某处,,2026-01-01,"))
    out = tmp_path / "out.csv"
    done = run("export", out)
    assert done.exit_code == 0
    assert "3 entries written" in done.stderr
    written = out.read_text(encoding="utf-8-sig")
    # A spreadsheet program must not take a citizen's question for a formula.
    assert "'=1+1等于几？,'-2以上都不对,,'@某处" in written
    assert told(run("import", out)) == "0 added, 0 changed, 3 as before"
    assert "=1+1等于几？" in questions(parts)


def test_what_is_out_of_use_is_not_written_out(run: Run, table: Callable[..., Path], parts: Runtime) -> None:
    run("import", table(LOST, RENT))
    with transaction(parts.sessions) as session:
        (entry, _), _ = knowledge.entries(session)
        knowledge.retire(session, parts.context, entry.id, SYSTEM)
    shown = run("export")
    assert shown.exit_code == 0
    assert shown.stdout.startswith(HEAD)
    assert "公租房" in shown.stdout
    assert "身份证丢失" not in shown.stdout


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (",没有问题的答案,,,,,", "row 2, question: must have 1 to 500 characters"),
        ("怎么办？,,,,,,", "row 2, answer: is empty"),
        ("怎么办？,这样办。,Z99,,,,", "row 2, matter: is not a matter of the taxonomy"),
        ("怎么办？,这样办。,,,NOBODY,,", "row 2, owner: there is no department with this code"),
        ("怎么办？,这样办。,,,,2027-01-01,2026-01-01", "row 2, valid_to: lies before valid_from"),
        ("怎么办？,这样办。,,,,明年,", "row 2: dates look like 2027-06-30"),
        ("怎么办？,这样办。,,,,,,多了一格", "row 2: has more cells than there are columns"),
    ],
)
def test_one_wrong_row_stops_all_and_is_named(
    run: Run, table: Callable[..., Path], parts: Runtime, line: str, said: str
) -> None:
    for words in ((), ("--dry-run",)):
        done = run("import", table(LOST, line), *words)
        assert done.exit_code == 1
        assert said in done.output
        assert "Traceback" not in done.output
    assert questions(parts) == []


@pytest.mark.parametrize(
    ("head", "encoding", "said"),
    [
        (HEAD.replace("answer", "reply"), "utf-8", "unknown column reply; columns are question, answer"),
        (HEAD, "gb18030", "cannot be read as CSV in UTF-8"),
    ],
)
def test_a_table_that_is_no_such_table(
    run: Run, table: Callable[..., Path], head: str, encoding: str, said: str
) -> None:
    done = run("import", table(LOST, head=head, encoding=encoding))
    assert done.exit_code == 1
    assert said in done.output


def test_without_entries_there_is_a_head_to_fill_in(run: Run) -> None:
    assert run("export").output.strip() == HEAD
