"""Every figure of the summary, recomputed from the events alone, is the same figure."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from tests.integration.services.histories import START, History

from hotline.bootstrap import Runtime
from hotline.domain import kpi
from hotline.domain.kpi import Period, Rate, TicketFacts
from hotline.domain.ticket import Action, FollowupResult, Satisfaction
from hotline.services.reporting import Figures, Summary, summary
from hotline.storage.tables import TicketEvent

ENDINGS = frozenset({Action.ANSWER, Action.MERGE, Action.DECLINE, Action.TRANSFER, Action.WITHDRAW})
DAYS = timedelta(days=1)


def read_events(session: Session) -> list[TicketFacts]:
    """Fold every ticket's events into its facts; nothing but events is read."""
    facts: dict[int, TicketFacts] = {}
    for event in session.scalars(select(TicketEvent).order_by(TicketEvent.id)):
        before = facts.get(event.ticket_id) or TicketFacts(received_at=event.at)
        facts[event.ticket_id] = replace(before, **told_by(event, before))
    return list(facts.values())


def told_by(event: TicketEvent, before: TicketFacts) -> dict[str, Any]:
    """Return what the event tells of the ticket."""
    data = event.data
    match event.kind:
        case "received":
            return {"task": data["matter"][0] if data["matter"] else None}
        case "triaged":
            return {"task": before.task or data["matter"][0]}
        case "dues_recomputed":
            return _dues(data)
        case Action.DISPATCH:
            dispatched = before.dispatched_at or event.at
            named = {"department": data["department"], "task": data["matter"][0], "dispatched_at": dispatched}
            return named | _dues(data)
        case Action.SIGN:
            return {"signed_at": event.at}
        case Action.APPROVE:
            return {"completed_at": before.completed_at or event.at}
        case Action.CLOSE if before.followup_result is None:
            return {"followed_up_at": event.at, "followup_result": FollowupResult.ANONYMOUS}
        case Action.FOLLOW_UP if data["final"] and data["own"]:
            rating = data["satisfaction"]
            result = {"followed_up_at": event.at, "followup_result": FollowupResult(data["result"])}
            return result | {"satisfaction": Satisfaction(rating) if rating else None}
        case kind if kind in ENDINGS:
            return {"ended_early_at": event.at}
        case _:
            return {}


def _dues(data: dict[str, Any]) -> dict[str, datetime]:
    return {name: datetime.fromisoformat(data[name]) for name in ("sign_due", "handle_due") if data[name]}


def recomputed(facts: list[TicketFacts], period: Period) -> tuple[int, Rate, Rate, Rate, Rate]:
    return (
        kpi.volume(facts, period),
        kpi.on_time_signing(facts, period),
        kpi.on_time_completion(facts, period),
        kpi.resolution(facts, period),
        kpi.satisfaction(facts, period),
    )


def told(line: Figures) -> tuple[int, Rate, Rate, Rate, Rate]:
    return line.received, line.signing, line.completion, line.resolution, line.satisfaction


def periods(end: datetime) -> list[Period]:
    """The whole time, days and weeks of it, some told before they were over, and one with nothing in it."""
    whole = Period(START - DAYS, end + 60 * DAYS, end)
    weeks = [Period(START + n * 7 * DAYS, START + (n + 1) * 7 * DAYS, end) for n in range(4)]
    days = [Period(START + n * DAYS, START + (n + 1) * DAYS, end) for n in (0, 1, 5, 9)]
    early = [Period(START, end, START + n * DAYS) for n in (0, 2, 8, 20)]
    return [whole, *weeks, *days, *early, Period(START - 9 * DAYS, START - DAYS, end)]


NOTHING = (0, Rate(0, 0), Rate(0, 0), Rate(0, 0), Rate(0, 0))


def test_the_summary_equals_what_the_events_say(standing_parts: Runtime) -> None:
    met: set[str] = set()
    everything: list[TicketFacts] = []
    for seed in range(5):
        with standing_parts.sessions() as session:
            history = History(session, standing_parts.context, seed)
            history.play(40)
            facts = read_events(session)
            assert len(facts) == 40
            for period in periods(history.now):
                compare(summary(session, history.context, period), facts, period)
            met |= {event.kind for event in session.scalars(select(TicketEvent))}
            everything += facts
    holds_what_figures_stumble_over(met, everything)


def compare(report: Summary, facts: list[TicketFacts], period: Period) -> None:
    """Hold the whole report, its tasks and its departments equal to the events."""
    assert told(report.total) == recomputed(facts, period)
    tasks = {line.code: told(line) for line in report.by_task}
    departments = {line.code: told(line) for line in report.by_department}
    assert set(tasks) >= set("ABCDEFG")
    for task in {fact.task for fact in facts} | set(tasks):
        ours = [fact for fact in facts if fact.task == task]
        assert tasks.get(task, NOTHING) == recomputed(ours, period), (period, task)
    for code in {fact.department for fact in facts} | set(departments):
        ours = [fact for fact in facts if fact.department == code]
        assert departments.get(code, NOTHING) == recomputed(ours, period), (period, code)


def holds_what_figures_stumble_over(met: set[str], facts: list[TicketFacts]) -> None:
    """A comparison is worth something only when tickets are late, withdrawn, merged, recomputed and not reached."""
    assert met >= set(ENDINGS) | {"dues_recomputed", "send_back", "queue", "rework", "close"}
    assert {fact.followup_result for fact in facts} == {None, *FollowupResult}
    assert {fact.satisfaction for fact in facts} == {None, *Satisfaction}
    assert {fact.signed_at <= fact.sign_due for fact in facts if fact.signed_at and fact.sign_due} == {True, False}
    done = [(fact.completed_at, fact.handle_due) for fact in facts]
    assert {at <= due for at, due in done if at and due} == {True, False}
    ended = [(fact.ended_early_at, fact.sign_due) for fact in facts if fact.signed_at is None]
    assert {at <= due for at, due in ended if at and due} == {True, False}
