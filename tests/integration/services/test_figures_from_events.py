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
from hotline.domain.city_time import CITY_ZONE
from hotline.domain.facts import Counting
from hotline.domain.kpi import AGE_BANDS, Measure, Period, Rate, age_band
from hotline.domain.ticket import FollowupResult, Satisfaction
from hotline.services import countings
from hotline.services.countings import Verified, Waits, recomputed, verify
from hotline.storage.queries import figures
from hotline.storage.queries.figures import Count
from hotline.storage.queries.handled import handling_times
from hotline.storage.queries.slices import NONE, WHOLE, Slice
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
        assert countings.pack_days(session, history.now)
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
            compare_days(session, told, period, history.now)
        compare_settling(session, told)
        # Days that changed were unpacked; times are the same whether read from packed days or not.
        while countings.pack_days(session, history.now):
            pass
        for period in periods(history.now):
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
    numbers = {code: number for number, code in session.execute(select(Department.id, Department.code))}
    some = tuple(sorted(numbers.values())[:4])
    for chosen, keep in (
        (Slice(task="E"), lambda ticket, _: ticket.task == "E"),
        (Slice(task=NONE), lambda ticket, _: ticket.task is None),
        (Slice(channel="phone"), lambda ticket, _: ticket.channel == "phone"),
        (Slice(departments=some), lambda _, counting: numbers.get(counting.department) in some),
        (Slice(departments=()), lambda _, counting: counting.department is None),
        (Slice(task="E", channel="phone"), lambda ticket, _: ticket.task == "E" and ticket.channel == "phone"),
    ):
        part = [pair for pair in cohort if keep(*pair)]
        found = figures.counts(session, period, chosen, (), now=now)[WHOLE][""]
        assert found == tally(part, period.as_of, lambda *_: "").get("", {}), (period, chosen)


def compare_settling(session: Session, told: Told) -> None:
    """A closing counts for 一次办结率 from the very second on in which thirty days have passed."""
    every = [counting for _, found, _ in told for counting in found]
    for counting in [counting for counting in every if counting.measure is Measure.ONE_PASS][:8]:
        for seconds in (-1, 0, DAYS.total_seconds() - 1):
            now = counting.at + kpi.ONE_PASS_SETTLES + timedelta(seconds=seconds)
            period = Period(START.replace(hour=16) - DAYS, now, now)
            ours = kpi.rate(every, Measure.ONE_PASS, period)
            count = figures.counts(session, period, Slice(), (), now=now)[WHOLE][""].get(Measure.ONE_PASS, Count())
            assert (ours.numerator, ours.denominator) == (count.hits, count.n), now
            together = figures.counts(session, period, Slice(), ("matter", "task"), now=now)["task"]
            assert sum(found.get(Measure.ONE_PASS, Count()).n for found in together.values()) == ours.denominator


def compare_cohorts(session: Session, every: list[Counting], period: Period) -> None:
    """The list behind a figure holds exactly as many as the figure says."""
    for measure in Measure:
        ours = kpi.rate(every, measure, period)
        for met, number in ((None, ours.denominator), (True, ours.numerator), (False, ours.rest.numerator)):
            total, page = figures.cohort(session, period, Slice(), measure, met, offset=0, limit=10_000)
            assert total == len(page) == number, (measure, met)


def compare_times(session: Session, told: Told, period: Period) -> None:
    """Hold the handling times of the city, of parts of it and of every department equal to the events."""
    ids = {code: str(number) for number, code in session.execute(select(Department.id, Department.code))}
    handled = [
        (ticket, counting)
        for ticket, found, _ in told
        for counting in found
        if counting.measure is Measure.HANDLED and kpi.in_cohort(counting, period)
    ]
    theirs = handling_times(session, period, Slice(), ("department_id", "task"))
    assert_same_times(theirs[WHOLE][""], handled)
    for name, key in (
        ("department_id", lambda ticket, counting: ids.get(counting.department)),
        ("task", lambda ticket, _: ticket.task),
    ):
        keys = {key(*pair) for pair in handled}
        assert theirs[name].keys() == keys
        for one in keys:
            assert_same_times(theirs[name][one], [pair for pair in handled if key(*pair) == one])
    for chosen, keep in (
        (Slice(type="投诉"), lambda ticket: ticket.type == "投诉"),
        (Slice(task=NONE), lambda ticket: ticket.task is None),
        (Slice(after_exclusion=True), lambda ticket: not ticket.excluded_at),
        (Slice(task="E", after_exclusion=True), lambda ticket: ticket.task == "E" and not ticket.excluded_at),
        (Slice(task="E", type="投诉"), lambda ticket: ticket.task == "E" and ticket.type == "投诉"),
    ):
        part = handling_times(session, period, chosen, ())[WHOLE][""]
        assert_same_times(part, [pair for pair in handled if keep(pair[0])])


def assert_same_times(theirs: kpi.Durations, cohort: Pairs) -> None:
    ours = kpi.durations([counting.seconds or 0.0 for _, counting in cohort])
    for name in ("count", "mean", "median", "p90", "p95"):
        assert getattr(theirs, name) == pytest.approx(getattr(ours, name)), name


def compare_days(session: Session, told: Told, period: Period, now: datetime) -> None:
    """The trend's days and the heat map's hours hold the calls of the events, of the city and of one thing chosen."""
    received = [
        (ticket, counting)
        for ticket, found, _ in told
        for counting in found
        if counting.measure is Measure.RECEIVED and kpi.in_cohort(counting, period)
    ]
    for chosen, keep in (
        (Slice(), lambda ticket: True),
        (Slice(after_exclusion=True), lambda ticket: not ticket.excluded_at),
        (Slice(channel="phone"), lambda ticket: ticket.channel == "phone"),
        (Slice(channel="phone", task="E"), lambda ticket: ticket.channel == "phone" and ticket.task == "E"),
    ):
        instants = [counting.at.astimezone(CITY_ZONE) for ticket, counting in received if keep(ticket)]
        days = figures.daily(session, period, chosen, Measure.RECEIVED, now=now)
        assert {day: count.n for day, count in days.items()} == Counter(at.date() for at in instants)
        hours = figures.by_hour(session, period, chosen, now=now)
        assert hours == Counter((at.isoweekday(), at.hour) for at in instants)


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
