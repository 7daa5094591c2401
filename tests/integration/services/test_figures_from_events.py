"""Every figure of the reports, recomputed from the raw events alone, is the same figure."""

from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from tests.integration.services.histories import START, History

from hotline.bootstrap import Runtime
from hotline.domain import kpi
from hotline.domain.facts import Counting
from hotline.domain.kpi import AGE_BANDS, Measure, Period, Rate, age_band
from hotline.domain.ticket import FollowupResult, Satisfaction
from hotline.services import countings
from hotline.services.countings import Verified, Waits, recomputed, verify
from hotline.storage.queries import figures
from hotline.storage.queries.figures import NONE, WHOLE, Count, Slice
from hotline.storage.tables import Department, Followup, Ticket, TicketEvent
from hotline.storage.tables.counted import PLACE

DAYS = timedelta(days=1)
SEEDS, TICKETS = range(5), 36
Told = list[tuple[Ticket, list[Counting], Waits]]


def periods(end: datetime) -> list[Period]:
    """The whole time, days and weeks of it, some told before they were over, and one with nothing in it."""
    midnight = START.replace(hour=16) - DAYS
    whole = Period(midnight, end + 60 * DAYS, end)
    weeks = [Period(midnight + n * 7 * DAYS, midnight + (n + 1) * 7 * DAYS, end) for n in range(3)]
    odd = [Period(START + n * DAYS, START + (n + 1) * DAYS, end) for n in (1, 9)]
    early = [Period(START, end, START + n * DAYS) for n in (2, 20)]
    return [whole, *weeks, *odd, *early, Period(START - 9 * DAYS, START - DAYS, end)]


@pytest.fixture(scope="module")
def met() -> Counter[str]:
    """What the histories of this module have met."""
    return Counter()


@pytest.mark.parametrize("seed", SEEDS)
def test_every_figure_equals_what_the_events_say(standing_parts: Runtime, seed: int, met: Counter[str]) -> None:
    with standing_parts.sessions() as session:
        history = History(session, standing_parts.context, seed)
        history.play(TICKETS // 2)
        # Counted half-way through their lives, and again at the end: what is carried forward must be right too.
        countings.catch_up(session, 10_000)
        history.play(TICKETS // 2)
        countings.catch_up(session, 10_000)
        ids = list(session.scalars(select(Ticket.id)))
        verified = Verified()
        verify(session, ids, verified)
        assert verified.differing == []
        told: Told = list(recomputed(session, ids))
        assert len(told) == verified.tickets == len(ids) >= TICKETS
        for period in periods(history.now):
            compare_counts(session, told, period, history.now)
            compare_times(session, told, period)
        for period in periods(history.now)[::4]:
            every = [counting for _, found, _ in told for counting in found]
            compare_cohorts(session, every, period)
        for days in (0, 3, 10, 40, 80):
            compare_backlog(session, told, START + days * DAYS)
        met.update(event.kind for event in session.scalars(select(TicketEvent)))
        met.update(f"{counting.measure}:{counting.hit_at is not None}" for _, found, _ in told for counting in found)
        met.update(f"result:{row.result}" for row in session.scalars(select(Followup)))
        met.update(f"rating:{row.satisfaction}" for row in session.scalars(select(Followup)))
        met.update("excluded" for ticket, _, _ in told if ticket.excluded_at)


def test_the_histories_held_what_figures_stumble_over(met: Counter[str]) -> None:
    """A comparison is worth something only when tickets are late, returned, merged, split, suspended and so on."""
    if not met:
        pytest.skip("the histories were played by another process")
    moves = {
        *("answer", "merge", "unmerge", "decline", "transfer", "withdraw", "split", "dispatch_on", "take_back"),
        *("request_return", "cancel_return", "accept_return", "reject_return", "adjudicate", "dues_recomputed"),
        *("approve_extension", "approve_suspension", "resume", "reclassify", "rework", "send_back", "queue", "close"),
        *("contact", "approve_exclusion"),
    }
    assert met.keys() >= moves
    assert met["excluded"]
    rates = set(Measure) - {Measure.HANDLED}
    assert met.keys() >= {f"{measure}:{hit}" for measure in rates for hit in (True, False)}
    assert met.keys() >= {f"result:{result}" for result in FollowupResult}
    assert met.keys() >= {f"rating:{rating}" for rating in Satisfaction}


Pairs = list[tuple[Ticket, Counting]]
Tally = dict[Any, dict[Measure, Count]]


def tally(cohort: Pairs, as_of: datetime, key: Callable[[Ticket, Counting], Any]) -> Tally:
    """Count a cohort by ``key``, with and without what is excluded."""
    numbers: dict[Any, dict[Measure, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0, 0, 0]))
    for ticket, counting in cohort:
        met, stays = counting.hit_at is not None and counting.hit_at <= as_of, not ticket.excluded_at
        added = (1, met, stays, met and stays)
        so_far = numbers[key(ticket, counting)]
        so_far[counting.measure] = [a + b for a, b in zip(so_far[counting.measure], added, strict=True)]
    return {name: {measure: Count(*four) for measure, four in found.items()} for name, found in numbers.items()}


def compare_counts(session: Session, told: Told, period: Period, now: datetime) -> None:
    """Hold the whole city and every department, district, task, matter, channel and type equal to the events."""
    every = [(ticket, counting) for ticket, found, _ in told for counting in found]
    ids = {code: str(number) for number, code in session.execute(select(Department.id, Department.code))}
    by: dict[str, Callable[[Ticket, Counting], Any]] = {
        "department_id": lambda ticket, counting: ids.get(counting.department or ""),
        **{name: lambda ticket, _, name=name: getattr(ticket, name) for name in PLACE},
    }
    cohort = [pair for pair in every if kpi.in_cohort(pair[1], period)]
    summed = figures.counts(session, period, Slice(), ("department_id", "district", "task"), now=now)
    for name in ("department_id", "district", "task"):
        assert summed[name] == tally(cohort, period.as_of, by[name]), (period, name)
    for measure in Measure:
        ours, count = (
            kpi.rate((counting for _, counting in every), measure, period),
            summed[WHOLE][""].get(measure, Count()),
        )
        assert (ours.numerator, ours.denominator) == (count.hits, count.n), (period, measure)
    complaints = [pair for pair in cohort if pair[0].type == "投诉"]
    for name in by:
        told_by = figures.counts(session, period, Slice(type="投诉"), (name,), now=now)
        assert told_by[name] == tally(complaints, period.as_of, by[name]), (period, name)
    matters = figures.counts(session, period, Slice(), ("matter",), now=now)["matter"]
    assert matters == tally(cohort, period.as_of, by["matter"]), period
    for chosen, keep in ((Slice(task="E"), "E"), (Slice(task=NONE), None)):
        part = [pair for pair in cohort if pair[0].task == keep]
        found = figures.counts(session, period, chosen, (), now=now)[WHOLE][""]
        assert found == tally(part, period.as_of, lambda *_: "").get("", {})


def compare_cohorts(session: Session, every: list[Counting], period: Period) -> None:
    """The list behind a figure holds exactly as many as the figure says."""
    for measure in Measure:
        ours = kpi.rate(every, measure, period)
        for met, number in ((None, ours.denominator), (True, ours.numerator), (False, ours.rest.numerator)):
            total, page = figures.cohort(session, period, Slice(), measure, met, offset=0, limit=10_000)
            assert total == len(page) == number, (measure, met)


def compare_times(session: Session, told: Told, period: Period) -> None:
    handled = [c for _, found, _ in told for c in found if c.measure is Measure.HANDLED and kpi.in_cohort(c, period)]
    ours = kpi.durations([counting.seconds or 0.0 for counting in handled])
    theirs = figures.handling_times(session, period, Slice(), ("department_id",))[WHOLE][""]
    for name in ("count", "mean", "median", "p90", "p95"):
        assert getattr(theirs, name) == pytest.approx(getattr(ours, name)), name


def compare_backlog(session: Session, told: Told, instant: datetime) -> None:
    ids = {code: str(number) for number, code in session.execute(select(Department.id, Department.code))}
    ours: dict[str | None, list[int]] = {"": [0] * len(AGE_BANDS)}
    for ticket, _, waits in told:
        for since, until, holder in waits:
            if since <= instant and (until is None or instant < until):
                for key in ("", ids.get(holder) if holder else None):
                    ours.setdefault(key, [0] * len(AGE_BANDS))[age_band(instant - ticket.received_at)] += 1
    theirs = figures.backlog(session, instant, Slice(), "department_id")
    assert {key: list(bands) for key, bands in theirs.items()} == ours
    total, page = figures.waiting(session, instant, Slice(), offset=0, limit=10_000)
    assert total == len(page) == sum(ours[""])


def test_nothing_counts_in_an_empty_city(standing_parts: Runtime) -> None:
    with standing_parts.sessions() as session:
        period = Period(START - 900 * DAYS, START - 800 * DAYS, START)
        assert figures.counts(session, period, Slice(), (), now=START)[WHOLE][""] == {}
        assert kpi.rate([], Measure.SIGNING, period) == Rate(0, 0)
