"""A draft of the catalogue: replayed over the last tickets, imported at an instant, and never changing the past."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select
from tests.factories import ApiClient, actor_named, department, settings_environment, take, ticket_after

from hotline.bootstrap import Runtime
from hotline.cli import main
from hotline.domain.city_time import CITY_ZONE
from hotline.domain.ticket import Action, ReturnReason
from hotline.services import returns
from hotline.services.ownership import owner_of, push_down_basis
from hotline.storage.engine import transaction
from hotline.storage.tables import AuditEntry, CatalogueEntryRow, Ticket


def run(parts: Runtime, *words: object) -> Result:
    return CliRunner(env=settings_environment(parts.settings)).invoke(main, [str(word) for word in words])


def exported(parts: Runtime) -> dict[str, Any]:
    shown = run(parts, "catalogue", "export", "--format", "json")
    assert shown.exit_code == 0, shown.output
    draft: dict[str, Any] = json.loads(shown.output)
    return draft


def changed(parts: Runtime, lead: str = "ZJJ") -> dict[str, Any]:
    """Return the present catalogue with another lead for the city's street lights."""
    draft = exported(parts)
    for entry in draft["entries"]:
        if (entry["matter"], entry["district"]) == ("E03", None):
            entry.update(lead=lead, cohandlers=["CGJ"])
    return draft


def written(folder: Path, draft: object) -> Path:
    path = folder / "draft.json"
    path.write_text(json.dumps(draft, ensure_ascii=False), encoding="utf-8")
    return path


def lead_at(parts: Runtime, at: datetime, matter: str = "E03") -> str | None:
    with parts.sessions() as session:
        entry = owner_of(session, matter, None, at)
        return entry.lead_department.code if entry else None


def returned(parts: Runtime, accept: bool) -> str:
    """Return a ticket that 城市管理局 got by the catalogue and returned."""
    with transaction(parts.sessions) as session:
        context = parts.context
        ticket = ticket_after(session, context, Action.DISPATCH)
        asked = returns.RequestReturn(
            number=ticket.number,
            reason_code=ReturnReason.NOT_OUR_DUTY,
            basis="三定方案",
            suggested_department="ZJJ",
        )
        returns.request_return(session, context, asked, actor_named(session, "cgj-lead"))
        boss = actor_named(session, "dispatcher01")
        if accept:
            command = returns.AcceptReturn(number=ticket.number, reason="确属住建", department="ZJJ")
            returns.accept_return(session, context, command, boss)
        else:
            returns.reject_return(session, context, returns.RejectReturn(number=ticket.number, reason="本局职责"), boss)
        return ticket.number


@pytest.mark.parametrize("form", ["csv", "json"])
def test_what_is_exported_can_be_imported_and_says_nothing_new(parts: Runtime, tmp_path: Path, form: str) -> None:
    path = tmp_path / f"catalogue.{form}"
    path.write_text(run(parts, "catalogue", "export", "--format", form).output, encoding="utf-8")
    again = run(parts, "catalogue", "import", path, "--yes")
    assert (again.exit_code, "nothing would change" in again.output) == (1, True), again.output


def test_an_import_changes_owners_from_its_instant_and_keeps_what_fired(parts: Runtime, tmp_path: Path) -> None:
    with transaction(parts.sessions) as session:
        before = ticket_after(session, parts.context, Action.DISPATCH).number
    earlier = parts.context.now()
    done = run(parts, "catalogue", "import", written(tmp_path, changed(parts)), "--yes")
    assert done.exit_code == 0, done.output
    assert "- E03 * CGJ" in done.output and "+ E03 * ZJJ CGJ" in done.output
    assert (lead_at(parts, earlier), lead_at(parts, parts.context.now())) == ("CGJ", "ZJJ")
    with transaction(parts.sessions) as session:
        after = ticket_after(session, parts.context, Action.DISPATCH)
        assert after.lead_department is not None and after.lead_department.code == "ZJJ"
        old = session.scalars(select(Ticket).where(Ticket.number == before)).one()
        fired = session.get_one(CatalogueEntryRow, old.catalogue_entry_id)
        assert fired.lead_department.code == "CGJ" and fired.valid_to is not None
        assert session.scalars(select(AuditEntry.action)).all().count("catalogue.imported") == 1


def test_an_import_for_a_day_to_come_waits_and_can_be_dropped(parts: Runtime, tmp_path: Path) -> None:
    path, day = written(tmp_path, changed(parts)), datetime(2099, 1, 1, tzinfo=CITY_ZONE)
    assert run(parts, "catalogue", "import", path, "--from", "2099-01-01", "--yes").exit_code == 0
    tick = timedelta(microseconds=1)
    assert (lead_at(parts, day - tick), lead_at(parts, day)) == ("CGJ", "ZJJ")
    refused = run(parts, "catalogue", "import", path, "--yes")
    assert (refused.exit_code, "begin at" in refused.output) == (1, True)
    assert run(parts, "catalogue", "drop", "--yes").exit_code == 0
    assert lead_at(parts, day) == "CGJ"


def test_a_dry_run_and_the_past_change_nothing(parts: Runtime, tmp_path: Path) -> None:
    path = written(tmp_path, changed(parts))
    assert run(parts, "catalogue", "import", path, "--dry-run").exit_code == 0
    refused = run(parts, "catalogue", "import", path, "--from", "2026-01-01", "--yes")
    assert (refused.exit_code, "lies in the past" in refused.output) == (1, True)
    assert lead_at(parts, parts.context.now()) == "CGJ"


def test_bans_come_and_go_with_the_draft(parts: Runtime, tmp_path: Path) -> None:
    draft = exported(parts)
    assert "A01" in {ban["matter"] for ban in draft["must_not_push_down"]}
    draft["must_not_push_down"] = [{"matter": "E03", "reason": "路灯归市管"}]
    done = run(parts, "catalogue", "import", written(tmp_path, draft), "--yes")
    assert done.exit_code == 0, done.output
    with parts.sessions() as session:
        street, now = department(session, "LD-LHJD"), parts.context.now()
        assert push_down_basis(session, "E03", street, now) == "路灯归市管"
        assert push_down_basis(session, "A01", street, now) is None


def test_each_entry_tells_how_often_it_was_returned(parts: Runtime, api: Callable[[str], ApiClient]) -> None:
    returned(parts, accept=True)
    returned(parts, accept=False)
    with transaction(parts.sessions) as session:
        take(session, parts.context, ticket_after(session, parts.context, None), Action.DISPATCH)
    answer = api("dispatcher01").get("/api/v1/catalogue")
    assert answer.status_code == 200
    entries = {(entry["matter"], entry["district"]): entry for entry in answer.get_json()["entries"]}
    light, other = entries["E03", None], entries["A01", None]
    assert (light["dispatches"], light["returns"], light["returns_accepted"]) == (3, 2, 1)
    assert (other["dispatches"], other["returns"]) == (0, 0)
    listed = run(parts, "catalogue", "list", "--matter", "E03")
    city = next(line for line in listed.output.splitlines() if " * " in line)
    assert city.split()[-3:] == ["3", "2", "1"]
    assert {ban["matter"] for ban in answer.get_json()["must_not_push_down"]} >= {"A01", "C04"}


def test_a_replay_names_the_tickets_that_would_have_gone_elsewhere(parts: Runtime, tmp_path: Path) -> None:
    sent_back, kept = returned(parts, accept=True), returned(parts, accept=False)
    shown = run(parts, "catalogue", "replay", written(tmp_path, changed(parts)), "--last", "10", "--tickets")
    assert shown.exit_code == 0, shown.output
    assert "of 2 tickets 2 would have gone elsewhere; 1 of these were returned" in shown.output
    assert "2  E03  CGJ → ZJJ" in shown.output
    assert f"{sent_back}  E03 *  CGJ → ZJJ  returned" in shown.output
    assert f"{kept}  E03 *  CGJ → ZJJ\n" in shown.output
    same = run(parts, "catalogue", "replay", written(tmp_path, exported(parts)), "--last", "1")
    assert "of 1 tickets 0 would" in same.output
    banned = changed(parts, lead="LD-LHJD")
    banned["must_not_push_down"].append({"matter": "E03", "reason": "测试"})
    assert "CGJ → nobody" in run(parts, "catalogue", "replay", written(tmp_path, banned)).output


@pytest.mark.parametrize(
    ("draft", "said"),
    [
        ({"entries": [{"matter": "Z99", "lead": "CGJ"}]}, "'Z99' is the code of no matter"),
        ({"entries": [{"matter": "E03", "lead": "NOBODY"}]}, "no active department"),
        ({"entries": [{"matter": "E03", "lead": "CGJ", "district": "XX"}]}, "no district"),
        ({"entries": [{"matter": "E03", "lead": "CGJ", "cohandlers": ["CGJ"]}]}, "names a department twice"),
        ({"entries": [{"matter": "E03", "lead": "CGJ"}] * 2}, "again"),
        ({"entries": [{"matter": "E03", "lead": "CGJ", "leed": 1}]}, "unknown key 'leed'"),
        ({"entries": [], "must_not_push_down": [{"matter": "E03"}]}, "has no reason"),
        ([], "list of entries"),
    ],
)
def test_a_draft_that_cannot_be_used_is_refused_and_names_the_line(
    parts: Runtime, tmp_path: Path, draft: object, said: str
) -> None:
    refused = run(parts, "catalogue", "import", written(tmp_path, draft), "--yes")
    assert (refused.exit_code, said in refused.output) == (1, True), refused.output
