"""The figures by their formulas: counted one by one, never above the whole, and the sum of their parts."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from statistics import mean, median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hotline.domain import kpi
from hotline.domain.facts import Asked, Counting, Held, TicketFacts, countings
from hotline.domain.kpi import Measure, Period, Rate, Tier, Weights
from hotline.domain.ticket import FollowupResult, Satisfaction

DAY = timedelta(days=1)

# A busy machine is no reason to fail, and each run tries the same examples.
steadily = settings(deadline=None, derandomize=True)
MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
WEEK = Period(MONDAY, MONDAY + 7 * DAY, MONDAY + 60 * DAY)

INSTANTS = st.integers(-50, 150).map(lambda quarters: MONDAY + quarters * DAY / 4)
COUNTINGS = st.lists(
    st.builds(
        Counting,
        measure=st.sampled_from(Measure),
        at=INSTANTS,
        hit_at=st.none() | INSTANTS,
        department=st.none() | st.sampled_from(["CGJ", "ZJJ"]),
    ),
    max_size=12,
)
PERIODS = st.tuples(INSTANTS, INSTANTS, INSTANTS).map(lambda three: Period(*sorted(three[:2]), three[2]))


def at(days: float | None) -> datetime | None:
    return None if days is None else MONDAY + days * DAY


def rate(measure: Measure, *, period: Period = WEEK, **facts: object) -> Rate:
    """Return one ticket's part of a rate."""
    ticket = TicketFacts(**{"received_at": MONDAY, **facts})  # type: ignore[arg-type]
    return kpi.rate(countings(ticket), measure, period)


DUES = [
    ({"due": 1, "done": 0.5}, (1, 1)),
    ({"due": 1, "done": 1}, (1, 1)),
    ({"due": 1, "done": 1.01}, (0, 1)),
    ({"due": 1}, (0, 1)),
    ({"due": 0, "done": -1}, (1, 1)),
    ({"due": 7, "done": 1}, (0, 0)),
    ({"due": -0.01, "done": -1}, (0, 0)),
    ({"due": 1, "ended": 0.5}, (0, 0)),
    ({"due": 1, "ended": 1}, (0, 0)),
    ({"due": 1, "ended": 1.01}, (0, 1)),
    ({"due": 1, "done": 0.5, "ended": 0.7}, (1, 1)),
    ({"due": 1, "done": 2, "ended": 0.7}, (0, 1)),
]


@pytest.mark.parametrize(("case", "counted"), DUES)
def test_what_fell_due_counts_and_what_was_late_fails(case: dict[str, float], counted: tuple[int, int]) -> None:
    due, done, ended = at(case["due"]), at(case.get("done")), at(case.get("ended"))
    assert due is not None
    held = Held("CGJ", MONDAY - 5 * DAY, due, ended_at=ended, signed_at=done)
    assert rate(Measure.SIGNING, held=(held,)) == Rate(*counted)
    assert rate(Measure.COMPLETION, handle_due=due, completed_at=done, ended_early_at=ended) == Rate(*counted)
    assert rate(Measure.CONTACT, contact_due=due, contacted_at=done, ended_early_at=ended) == Rate(*counted)


def test_what_is_suspended_or_not_due_yet_is_out() -> None:
    assert rate(Measure.COMPLETION, handle_due=None) == Rate(0, 0)
    told = replace(WEEK, as_of=MONDAY + DAY)
    for days, counted in ((1, 1), (1.01, 0)):
        assert rate(Measure.COMPLETION, period=told, handle_due=at(days)).denominator == counted


def test_nobody_is_late_in_signing_while_a_return_is_decided() -> None:
    held = Held("CGJ", MONDAY, MONDAY + DAY, leaving_at=MONDAY + DAY / 2)
    assert rate(Measure.SIGNING, held=(held,)) == Rate(0, 0)
    assert rate(Measure.SIGNING, held=(replace(held, leaving_at=MONDAY + 2 * DAY),)) == Rate(0, 1)


def test_a_figure_is_the_department_s_that_held_the_ticket_then() -> None:
    first = Held("CGJ", MONDAY, MONDAY + DAY, ended_at=MONDAY + 2 * DAY)
    second = Held("ZJJ", MONDAY + 3 * DAY, MONDAY + 4 * DAY)
    for days, holder in ((0, "CGJ"), (1.9, "CGJ"), (2, None), (2.5, None), (3, "ZJJ"), (50, "ZJJ")):
        ticket = TicketFacts(received_at=MONDAY, held=(first, second), handle_due=at(days), department="ZJJ")
        (due,) = [counting for counting in countings(ticket) if counting.measure is Measure.COMPLETION]
        assert due.department == holder


def test_an_extension_is_also_told_apart() -> None:
    for extended, counted in ((True, Rate(1, 1)), (False, Rate(0, 0))):
        facts = {"handle_due": at(2), "completed_at": at(1), "extended": extended}
        assert rate(Measure.EXTENDED, **facts) == counted
        assert rate(Measure.COMPLETION, **facts) == Rate(1, 1)


def test_a_nameless_caller_cannot_be_called() -> None:
    facts = {"contact_due": at(1), "replied": (at(2),), "anonymous": True}
    assert rate(Measure.CONTACT, **facts) == rate(Measure.FOLLOWUP_DUE, **facts) == Rate(0, 0)
    facts["anonymous"] = False
    assert rate(Measure.CONTACT, **facts) == rate(Measure.FOLLOWUP_DUE, **facts) == Rate(0, 1)


@pytest.mark.parametrize(
    ("result", "counted"),
    [
        (FollowupResult.RESOLVED, (1, 1)),
        (FollowupResult.UNRESOLVED, (0, 1)),
        *((result, (0, 0)) for result in list(FollowupResult)[2:]),
    ],
)
def test_only_citizens_who_were_reached_say_whether_it_is_solved(
    result: FollowupResult, counted: tuple[int, int]
) -> None:
    asked = Asked(MONDAY + DAY, 0, result)
    assert rate(Measure.RESOLUTION, asked=(asked,)) == Rate(*counted)
    assert rate(Measure.RESOLUTION, asked=(replace(asked, at=MONDAY + 8 * DAY),)) == Rate(0, 0)
    reached = result is not FollowupResult.ANONYMOUS
    assert rate(Measure.FOLLOWED_UP, asked=(asked,)) == Rate(counted[1], int(reached))


def test_satisfied_and_basically_satisfied_are_content() -> None:
    asked = tuple(Asked(MONDAY, 0, FollowupResult.RESOLVED, rating) for rating in Satisfaction)
    assert rate(Measure.SATISFACTION, asked=asked) == Rate(2, 4)
    assert rate(Measure.SATISFACTION, asked=(replace(asked[0], satisfaction=None),)) == Rate(0, 0)


def test_returns_count_against_the_dispatch_and_accepted_ones_against_the_first() -> None:
    first = Held("CGJ", MONDAY, MONDAY, returned_at=MONDAY + DAY, accepted_at=MONDAY + DAY, ended_at=MONDAY + DAY)
    second = Held("ZJJ", MONDAY + DAY, MONDAY + 2 * DAY, returned_at=MONDAY + 2 * DAY, signed_at=MONDAY + DAY)
    assert rate(Measure.DISPATCHED, held=(first, second)) == Rate(2, 2)
    assert rate(Measure.FIRST_DISPATCH, held=(first, second)) == Rate(1, 1)
    assert rate(Measure.FIRST_DISPATCH, held=(second,)) == Rate(0, 1)


def test_each_round_that_was_followed_up_is_reworked_or_not() -> None:
    asked = tuple(Asked(MONDAY + n * DAY, n, FollowupResult.UNRESOLVED) for n in range(2))
    assert rate(Measure.REWORK, asked=asked, reworked=(MONDAY + DAY / 2,)) == Rate(1, 2)
    assert rate(Measure.REWORK, asked=(), reworked=(MONDAY,)) == Rate(1, 1), "ordered without asking"


@pytest.mark.parametrize(
    ("spoilt", "passes"), [({}, 1), ({"returns": 1}, 0), ({"reworked": (MONDAY,)}, 0), ({"repeated": True}, 0)]
)
def test_one_pass_is_final_after_thirty_days(spoilt: dict[str, object], passes: int) -> None:
    closed = MONDAY + DAY
    facts = {"dispatched_at": MONDAY, "closed_at": closed, **spoilt}
    assert rate(Measure.ONE_PASS, **facts) == Rate(passes, 1)
    assert rate(Measure.ONE_PASS, period=replace(WEEK, as_of=closed + 30 * DAY), **facts) == Rate(passes, 1)
    assert rate(Measure.ONE_PASS, period=replace(WEEK, as_of=closed + 29.9 * DAY), **facts) == Rate(0, 0)


def test_nothing_of_nothing_is_no_percentage() -> None:
    assert Rate(0, 0).value is Rate(0, 0).interval is None
    assert Rate(0, 4).value == 0
    assert Rate(1, 4).value == 0.25
    assert Rate(1, 4).rest == Rate(3, 4)
    assert [kpi.rate([], measure, WEEK) for measure in Measure] == [Rate(0, 0)] * len(Measure)
    assert kpi.per_ten_thousand(5, 0) is None
    assert kpi.per_ten_thousand(5, 20_000) == 2.5


def test_wilsons_interval_is_the_published_one() -> None:
    """Source: Newcombe 1998, Statistics in Medicine 17, table I, method 3 (score, without continuity correction)."""
    for hits, of, low, high in (
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ):
        found = Rate(hits, of).interval
        assert found == pytest.approx((low, high), abs=6e-5)
    assert [Rate(1, n).is_small for n in (1, 29, 30)] == [True, True, False]


def test_the_composite_weighs_its_three_and_is_none_without_one_of_them() -> None:
    half, whole = Rate(1, 2), Rate(2, 2)
    assert kpi.composite(half, whole, whole, Weights()) == pytest.approx(85)
    assert kpi.composite(half, whole, whole, Weights(1, 0, 0)) == 50
    assert kpi.composite(half, whole, whole, Weights(3, 3.5, 3.5)) == pytest.approx(85)
    assert kpi.composite(half, Rate(0, 0), whole, Weights()) is None


@pytest.mark.parametrize(
    ("score", "smallest", "expected"),
    [
        (95.0, 30, Tier.GOOD),
        (90.0, 30, Tier.GOOD),
        (89.9, 30, Tier.FAIR),
        (79.9, 99, Tier.WATCH),
        (99.0, 29, Tier.FEW),
        (None, 99, Tier.FEW),
    ],
)
def test_a_tier_needs_enough_cases(score: float | None, smallest: int, expected: Tier) -> None:
    assert kpi.tier(score, smallest) is expected


def test_ages_fall_into_bands() -> None:
    days = (0, 2.99, 3, 6.9, 7, 14.9, 15, 29.9, 30, 400)
    assert [kpi.age_band(day * DAY) for day in days] == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]


@steadily
@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=40))
def test_handling_times_are_ordered(seconds: list[float]) -> None:
    found = kpi.durations(seconds)
    assert found.mean == pytest.approx(mean(seconds))
    assert found.median == pytest.approx(median(seconds))
    assert min(seconds) <= found.median <= found.p90 <= found.p95 <= max(seconds)  # type: ignore[operator]


def test_handling_times_of_nothing_are_unknown() -> None:
    assert kpi.durations([]) == kpi.Durations(0, None, None, None, None)


def test_a_period_holds_its_first_instant_and_not_its_last() -> None:
    assert WEEK.has(WEEK.start)
    assert not WEEK.has(WEEK.end)
    assert not WEEK.has(None)
    assert not replace(WEEK, as_of=MONDAY).has(MONDAY + timedelta(microseconds=1))


@steadily
@given(COUNTINGS, PERIODS)
def test_a_part_is_never_more_than_the_whole(found: list[Counting], period: Period) -> None:
    for measure in Measure:
        told = kpi.rate(found, measure, period)
        assert 0 <= told.numerator <= told.denominator <= len(found)
        assert (told.value is None) == (told.denominator == 0)
        if told.interval is not None and told.value is not None:
            low, high = told.interval
            assert 0 <= low <= told.value + 1e-12
            assert told.value - 1e-12 <= high <= 1


@steadily
@given(COUNTINGS, COUNTINGS, PERIODS)
def test_a_citys_figure_is_the_sum_of_its_departments(one: list[Counting], two: list[Counting], period: Period) -> None:
    for measure in Measure:
        parts, whole = [kpi.rate(part, measure, period) for part in (one, two)], kpi.rate(one + two, measure, period)
        assert whole == Rate(sum(part.numerator for part in parts), sum(part.denominator for part in parts))


@steadily
@given(COUNTINGS, PERIODS, st.integers(0, 200))
def test_two_halves_of_a_period_are_the_whole(found: list[Counting], period: Period, quarters: int) -> None:
    middle = min(period.start + quarters * DAY / 4, period.end)
    halves = (replace(period, end=middle), replace(period, start=middle))
    for measure in Measure:
        parts, whole = [kpi.rate(found, measure, half) for half in halves], kpi.rate(found, measure, period)
        assert whole == Rate(sum(part.numerator for part in parts), sum(part.denominator for part in parts))


@steadily
@given(COUNTINGS, PERIODS)
def test_what_happens_after_the_report_changes_no_rate_of_it(found: list[Counting], period: Period) -> None:
    """Whoever asks again as of the same instant gets the same answer, however much has been done since."""
    then = [replace(c, hit_at=c.hit_at if c.hit_at and c.hit_at <= period.as_of else None) for c in found]
    for measure in Measure:
        assert kpi.rate(then, measure, period) == kpi.rate(found, measure, period)
