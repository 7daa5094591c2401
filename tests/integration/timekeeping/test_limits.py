"""A set of limits holds for what starts at its day or later; what runs already and what is settled keep theirs."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from tests.factories import at, ticket_after
from tests.integration.timekeeping.city import run, run_waiting, written

from hotline.bootstrap import Runtime
from hotline.domain.limits import DEFAULT_RULES, rules_to_mapping
from hotline.domain.ticket import Action, ComplaintType
from hotline.storage.engine import transaction
from hotline.storage.tables import ClockNotice, LimitSetRow, Ticket

MONDAY = datetime(2026, 11, 2, 2, 0, tzinfo=UTC)


def shorter(version: str = "city-1", **changes: Any) -> dict[str, Any]:
    """Return the shipped set with three working days for a request for help instead of ten."""
    data = rules_to_mapping(DEFAULT_RULES)
    for rule in data["rules"]:
        if rule.get("type") == "求助":
            rule["limit"] = "3wd"
    return {**data, "version": version, **changes}


def ticket_of(parts: Runtime, instant: datetime, last: Action = Action.DISPATCH) -> str:
    with transaction(parts.sessions) as session:
        return ticket_after(session, at(parts.context, instant), last, type=ComplaintType.HELP).number


def read(parts: Runtime, number: str) -> Ticket:
    with parts.sessions() as session:
        return session.scalars(select(Ticket).where(Ticket.number == number)).one()


def imported(parts: Runtime, folder: Path, content: object, *words: str) -> None:
    done = run(parts, "limits", "import", written(folder, content), "--yes", *words)
    assert done.exit_code == 0, done.output
    parts.timekeeping.refresh()


def test_a_set_holds_for_what_starts_at_its_day_or_later(parts: Runtime, tmp_path: Path) -> None:
    before, after = ticket_of(parts, MONDAY), ticket_of(parts, MONDAY + timedelta(days=1))
    was = read(parts, before).handle_due
    imported(parts, tmp_path, shorter(), "--valid-from", "2026-11-03")
    run_waiting(parts, "recompute")
    assert read(parts, before).handle_due == was
    moved = read(parts, after)
    assert moved.handle_due == datetime(2026, 11, 6, 9, 30, tzinfo=UTC)
    assert moved.due_basis is not None and moved.due_basis["limits_version"] == "city-1"


def test_a_set_to_come_changes_nothing_that_runs(parts: Runtime, tmp_path: Path) -> None:
    number = ticket_of(parts, MONDAY)
    was = read(parts, number).handle_due
    imported(parts, tmp_path, shorter(), "--valid-from", "2099-01-01")
    assert run_waiting(parts, "recompute") == []
    assert (read(parts, number).handle_due, parts.context.limits.version) == (was, DEFAULT_RULES.version)
    assert parts.context.timekeeping().limits_at(datetime(2099, 1, 2, tzinfo=UTC)).version == "city-1"


def test_a_shortened_limit_that_is_over_by_now_has_its_red_card(parts: Runtime, tmp_path: Path) -> None:
    number = ticket_of(parts, MONDAY)
    imported(parts, tmp_path, shorter(valid_from="2026-11-01"))
    run_waiting(parts, "recompute")
    ticket = read(parts, number)
    with parts.sessions() as session:
        query = select(ClockNotice.kind).where(ClockNotice.ticket_id == ticket.id, ClockNotice.due == ticket.handle_due)
        assert {"reminder_100", "red_card"} <= set(session.scalars(query))


def test_a_settled_result_names_the_set_it_was_computed_with_for_ever(parts: Runtime, tmp_path: Path) -> None:
    number = ticket_of(parts, MONDAY, Action.APPROVE)
    was = read(parts, number)
    imported(parts, tmp_path, shorter(valid_from="2026-11-01"))
    run_waiting(parts, "recompute")
    now = read(parts, number)
    assert (now.handle_due, now.due_basis) == (was.handle_due, was.due_basis)
    assert now.due_basis is not None and now.due_basis["limits_version"] == DEFAULT_RULES.version


def test_the_dry_run_shows_rules_and_dues_and_changes_nothing(parts: Runtime, tmp_path: Path) -> None:
    number = ticket_of(parts, MONDAY)
    shown = run(parts, "limits", "import", written(tmp_path, shorter(valid_from="2026-11-01")), "--dry-run")
    assert shown.exit_code == 0, shown.output
    assert "~ handle 求助: 3wd (was 10wd)" in shown.output
    assert f"{number}  handle_due    2026-11-16 17:30 → 2026-11-05 17:30" in shown.output
    with parts.sessions() as session:
        assert session.scalars(select(LimitSetRow)).all() == []


def test_what_is_exported_is_the_set_in_force(parts: Runtime, tmp_path: Path) -> None:
    exported = run(parts, "limits", "export")
    path = tmp_path / "limits.yaml"
    path.write_text(exported.output, encoding="utf-8")
    again = run(parts, "limits", "import", path, "--yes")
    assert (again.exit_code, "already" in again.output) == (1, True)
    assert f"* {DEFAULT_RULES.version}" in run(parts, "limits", "list").output


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([], "no object"),
        ({"version": "x"}, "rules (list)"),
        ({"version": "x", "rules": []}, "no rule for the whole city"),
        (shorter(valid_from="soon"), "valid_from"),
        (shorter(rules=[*shorter()["rules"], {"kind": "handle", "limit": "3wd", "type": "抱怨"}]), "抱怨"),
        (shorter(rules=[*shorter()["rules"], {"kind": "handle", "limit": "3wd", "matter": "Z99"}]), "Z99"),
        (shorter(rules=[*shorter()["rules"], {"kind": "handle", "limit": "3 weeks", "matter": "E03"}]), "3 weeks"),
    ],
)
def test_a_set_that_cannot_be_used_is_refused_and_says_why(
    parts: Runtime, tmp_path: Path, content: object, said: str
) -> None:
    refused = run(parts, "limits", "import", written(tmp_path, content), "--yes")
    assert (refused.exit_code, said in refused.output) == (1, True), refused.output
