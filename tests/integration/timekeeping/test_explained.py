"""A deadline explained: the stretches add up to the limit exactly; a settled one is explained by its own editions."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.orm import Session
from tests.factories import ApiClient, MovableClock, actor_named, at, take, ticket_after
from tests.integration.timekeeping.city import run, run_waiting, written
from tests.integration.timekeeping.test_limits import shorter

from hotline.bootstrap import Runtime
from hotline.domain.limits import Kind
from hotline.domain.people import SYSTEM
from hotline.domain.ticket import Action, ComplaintType, Urgency
from hotline.services import extensions, suspensions
from hotline.services.context import Context
from hotline.services.errors import NotFound
from hotline.services.explaining import Explanation, explain
from hotline.storage.engine import transaction
from hotline.storage.tables import Ticket

MONDAY = datetime(2026, 11, 2, 2, 0, 0, 123456, tzinfo=UTC)


def explained(session: Session, context: Context, ticket: Ticket) -> dict[Kind, Explanation]:
    session.flush()
    return {each.kind: each for each in explain(session, context, ticket.number, SYSTEM)}


def add_up(found: dict[Kind, Explanation]) -> None:
    for kind, each in found.items():
        assert each.agrees, kind
        counted = sum((part.counted for part in each.segments), timedelta(0))
        assert each.due is None or counted == each.amount, kind
        for before, after in zip(each.segments, each.segments[1:], strict=False):
            assert before.end <= after.start


def test_every_due_along_the_road_adds_up(standing_parts: Runtime) -> None:
    clock = MovableClock()
    clock.instant = MONDAY
    context = replace(standing_parts.context, now=clock)
    with standing_parts.sessions() as session:
        ticket = ticket_after(session, context, None, type=ComplaintType.HELP)
        seen = {None: set(explained(session, context, ticket))}
        for action in (Action.DISPATCH, Action.SIGN, Action.REPLY, Action.APPROVE):
            clock.advance(hours=3, minutes=17, seconds=41)
            take(session, context, ticket, action)
            found = explained(session, context, ticket)
            add_up(found)
            seen[action] = set(found)
    assert seen[None] == {Kind.DISPATCH}
    assert seen[Action.DISPATCH] == {Kind.SIGN, Kind.RETURN, Kind.CONTACT, Kind.HANDLE}
    assert Kind.FOLLOW_UP in seen[Action.APPROVE]


def test_a_suspension_and_an_extension_are_told_apart_from_what_counts(standing_parts: Runtime) -> None:
    clock = MovableClock()
    clock.instant = MONDAY
    context = replace(standing_parts.context, now=clock)
    with standing_parts.sessions() as session:
        lead, boss = actor_named(session, "cgj-lead"), actor_named(session, "supervisor01")
        ticket = ticket_after(session, context, Action.SIGN, type=ComplaintType.HELP)
        before = explained(session, context, ticket)[Kind.HANDLE]
        clock.advance(days=1)
        asked = suspensions.RequestSuspension(
            number=ticket.number, reason="等配件", plan="到货即修", review_on=(MONDAY + timedelta(days=9)).date()
        )
        suspensions.request_suspension(session, context, asked, lead)
        decided = suspensions.DecideSuspension(number=ticket.number, reason="同意")
        suspensions.approve_suspension(session, context, decided, boss)
        clock.advance(days=1)
        standing = explained(session, context, ticket)[Kind.HANDLE]
        assert (standing.due, standing.agrees) == (None, True)
        suspensions.resume(session, context, decided, lead)
        add_up(explained(session, context, ticket))
        paused = explained(session, context, ticket)[Kind.HANDLE]
        # One whole working day of seven and a half hours stood still.
        assert sum((part.counted for part in paused.pauses), timedelta(0)) == timedelta(hours=7, minutes=30)
        assert before.due is not None and paused.due is not None and paused.due > before.due
        more = extensions.RequestExtension(number=ticket.number, working_days=3, reason="工程量大")
        extensions.request_extension(session, context, more, lead)
        extensions.approve_extension(
            session, context, extensions.DecideExtension(number=ticket.number, reason="同意"), boss
        )
        found = explained(session, context, ticket)
        add_up(found)
        extended = found[Kind.HANDLE]
        assert extended.extension == 3
        assert extended.amount - paused.amount == 3 * timedelta(hours=7, minutes=30)
        assert extended.due is not None and extended.due > paused.due


def test_urgency_explains_itself_by_its_ceiling(standing_parts: Runtime) -> None:
    context = at(standing_parts.context, MONDAY)
    with standing_parts.sessions() as session:
        ticket = ticket_after(session, context, Action.DISPATCH, type=ComplaintType.HELP, urgency=Urgency.CRITICAL)
        handle = explained(session, context, ticket)[Kind.HANDLE]
    assert str(handle.resolved.ceiling) == str(handle.ordinary.limit) == "2h clock"
    assert [part.counted for part in handle.segments] == [timedelta(hours=2)]


def test_a_settled_due_is_explained_by_the_editions_it_was_computed_with(parts: Runtime, tmp_path: Path) -> None:
    context = at(parts.context, MONDAY)
    with transaction(parts.sessions) as session:
        done = ticket_after(session, context, Action.APPROVE, type=ComplaintType.HELP)
        before = explained(session, context, done)[Kind.HANDLE]
    imported = run(parts, "limits", "import", written(tmp_path, shorter(valid_from="2026-11-01")), "--yes")
    assert imported.exit_code == 0, imported.output
    notice = {"year": 2026, "holidays": [{"name": "测试", "from": "2026-11-03", "to": "2026-11-06"}], "makeup_days": []}
    imported = run(parts, "calendar", "import", written(tmp_path, notice), "--yes")
    assert imported.exit_code == 0, imported.output
    parts.timekeeping.refresh()
    run_waiting(parts, "recompute")
    with parts.sessions() as session:
        after = explained(session, context, session.merge(done))[Kind.HANDLE]
        assert after == before
        assert (after.settled, after.agrees, after.resolved.version) == (True, True, "2026-01-01")
        assert "3wd" not in str(after.resolved.limit)


def test_only_who_may_see_the_ticket_sees_its_deadlines(standing_parts: Runtime) -> None:
    context = at(standing_parts.context, MONDAY)
    with standing_parts.sessions() as session:
        ticket = ticket_after(session, context, Action.DISPATCH)
        session.flush()
        assert explain(session, context, ticket.number, actor_named(session, "cgj-lead"))
        with pytest.raises(NotFound):
            explain(session, context, ticket.number, actor_named(session, "zjj-lead"))


def test_the_api_tells_it_in_the_citys_time_and_adds_up(parts: Runtime, api: Callable[[str], ApiClient]) -> None:
    with transaction(parts.sessions) as session:
        number = ticket_after(session, at(parts.context, MONDAY), Action.SIGN, type=ComplaintType.HELP).number
    answer = api("supervisor01").get(f"/api/v1/tickets/{number}/deadline")
    assert answer.status_code == 200
    handle = next(each for each in answer.get_json()["deadlines"] if each["kind"] == "handle")
    assert (handle["limit"], handle["source"], handle["due"]) == ("10wd", "Guangdong 2022", "2026-11-16T17:30:00+08:00")
    assert sum(part["seconds"] for part in handle["segments"]) == handle["seconds"] == 10 * 7.5 * 3600
    assert handle["segments"][0]["from"] == "2026-11-03T08:30:00+08:00"
    assert handle["counts_from"] == "2026-11-03T00:00:00+08:00"
    assert api("auditor").get(f"/api/v1/tickets/{number}/deadline").status_code == 403
