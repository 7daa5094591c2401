"""The figures by their formulas: counted ticket by ticket, never above the whole, and the sum of their parts."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hotline.domain import kpi
from hotline.domain.kpi import Period, Rate, TicketFacts
from hotline.domain.ticket import FollowupResult, Satisfaction

DAY = timedelta(days=1)

# A busy machine is no reason to fail, and each run tries the same examples.
steadily = settings(deadline=None, derandomize=True)
MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
WEEK = Period(MONDAY, MONDAY + 7 * DAY, MONDAY + 30 * DAY)
FIGURES = (kpi.on_time_signing, kpi.on_time_completion, kpi.resolution, kpi.satisfaction)

INSTANTS = st.integers(-50, 150).map(lambda quarters: MONDAY + quarters * DAY / 4)
MAYBE = st.none() | INSTANTS
FACTS = st.lists(
    st.builds(
        TicketFacts,
        received_at=INSTANTS,
        sign_due=MAYBE,
        signed_at=MAYBE,
        handle_due=MAYBE,
        completed_at=MAYBE,
        followed_up_at=MAYBE,
        followup_result=st.none() | st.sampled_from(FollowupResult),
        satisfaction=st.none() | st.sampled_from(Satisfaction),
        ended_early_at=MAYBE,
    ),
    max_size=12,
)
PERIODS = st.tuples(INSTANTS, INSTANTS, INSTANTS).map(lambda three: Period(*sorted(three[:2]), three[2]))


def signing(*, due: float | None, signed: float | None = None, ended: float | None = None) -> Rate:
    """Return the rate of one ticket; times are days since Monday."""
    at = [None if days is None else MONDAY + days * DAY for days in (due, signed, ended)]
    fact = TicketFacts(received_at=MONDAY, sign_due=at[0], signed_at=at[1], ended_early_at=at[2])
    other = TicketFacts(received_at=MONDAY, handle_due=at[0], completed_at=at[1], ended_early_at=at[2])
    rate = kpi.on_time_signing([fact], WEEK)
    assert kpi.on_time_completion([other], WEEK) == rate, "signing and completion count alike"
    return rate


@pytest.mark.parametrize(
    ("case", "counted"),
    [
        ({"due": 1, "signed": 0.5}, (1, 1)),
        ({"due": 1, "signed": 1}, (1, 1)),
        ({"due": 1, "signed": 1.01}, (0, 1)),
        ({"due": 1}, (0, 1)),
        ({"due": None}, (0, 0)),
        ({"due": 0, "signed": -1}, (1, 1)),
        ({"due": 7, "signed": 1}, (0, 0)),
        ({"due": -0.01, "signed": -1}, (0, 0)),
        ({"due": 1, "ended": 0.5}, (0, 0)),
        ({"due": 1, "ended": 1}, (0, 0)),
        ({"due": 1, "ended": 1.01}, (0, 1)),
        ({"due": 1, "signed": 0.5, "ended": 0.7}, (1, 1)),
        ({"due": 1, "signed": 2, "ended": 0.7}, (0, 1)),
    ],
)
def test_what_fell_due_counts_and_what_was_late_fails(case: dict[str, float | None], counted: tuple[int, int]) -> None:
    assert signing(**case) == Rate(*counted)  # type: ignore[arg-type]


def test_what_is_not_due_yet_is_out() -> None:
    told = replace(WEEK, as_of=MONDAY + DAY)
    for days, counted in ((1, 1), (1.01, 0)):
        fact = TicketFacts(received_at=MONDAY, sign_due=MONDAY + days * DAY)
        assert kpi.on_time_signing([fact], told).denominator == counted


@pytest.mark.parametrize(
    ("result", "counted"),
    [
        (FollowupResult.RESOLVED, (1, 1)),
        (FollowupResult.UNRESOLVED, (0, 1)),
        *((result, (0, 0)) for result in list(FollowupResult)[2:]),
        (None, (0, 0)),
    ],
)
def test_only_citizens_who_were_reached_say_whether_it_is_solved(
    result: FollowupResult | None, counted: tuple[int, int]
) -> None:
    fact = TicketFacts(received_at=MONDAY, followed_up_at=MONDAY + DAY, followup_result=result)
    assert kpi.resolution([fact], WEEK) == Rate(*counted)
    assert kpi.resolution([replace(fact, followed_up_at=MONDAY + 8 * DAY)], WEEK) == Rate(0, 0)


def test_satisfied_and_basically_satisfied_are_content() -> None:
    rated = [TicketFacts(received_at=MONDAY, followed_up_at=MONDAY, satisfaction=rating) for rating in Satisfaction]
    assert kpi.satisfaction(rated, WEEK) == Rate(2, 4)
    assert kpi.satisfaction([replace(rated[0], satisfaction=None)], WEEK) == Rate(0, 0)


def test_nothing_of_nothing_is_no_percentage() -> None:
    assert Rate(0, 0).value is None
    assert Rate(0, 4).value == 0
    assert Rate(1, 4).value == 0.25
    assert [figure([], WEEK) for figure in FIGURES] == [Rate(0, 0)] * 4
    assert kpi.volume([], WEEK) == 0


def test_a_period_holds_its_first_instant_and_not_its_last() -> None:
    assert WEEK.has(WEEK.start)
    assert not WEEK.has(WEEK.end)
    assert not WEEK.has(None)
    assert not replace(WEEK, as_of=MONDAY).has(MONDAY + timedelta(microseconds=1))


@steadily
@given(FACTS, PERIODS)
def test_a_part_is_never_more_than_the_whole(facts: list[TicketFacts], period: Period) -> None:
    for figure in FIGURES:
        rate = figure(facts, period)
        assert 0 <= rate.numerator <= rate.denominator <= len(facts)
        assert (rate.value is None) == (rate.denominator == 0)


@steadily
@given(FACTS, FACTS, PERIODS)
def test_a_citys_figure_is_the_sum_of_its_departments(
    one: list[TicketFacts], two: list[TicketFacts], period: Period
) -> None:
    for figure in FIGURES:
        parts, whole = [figure(one, period), figure(two, period)], figure(one + two, period)
        assert whole.numerator == sum(part.numerator for part in parts)
        assert whole.denominator == sum(part.denominator for part in parts)
    assert kpi.volume(one + two, period) == kpi.volume(one, period) + kpi.volume(two, period)


@steadily
@given(FACTS, PERIODS, st.integers(0, 200))
def test_two_halves_of_a_period_are_the_whole(facts: list[TicketFacts], period: Period, quarters: int) -> None:
    middle = min(period.start + quarters * DAY / 4, period.end)
    first, second = replace(period, end=middle), replace(period, start=middle)
    for figure in FIGURES:
        halves, whole = [figure(facts, first), figure(facts, second)], figure(facts, period)
        assert (whole.numerator, whole.denominator) == (
            sum(half.numerator for half in halves),
            sum(half.denominator for half in halves),
        )


@steadily
@given(FACTS, PERIODS)
def test_what_happens_after_the_report_changes_no_rate_of_it(facts: list[TicketFacts], period: Period) -> None:
    """Whoever asks again as of the same instant gets the same cohort, however late things were done since."""

    def known(instant: datetime | None) -> datetime | None:
        return instant if instant is not None and instant <= period.as_of else None

    then = [
        replace(
            fact,
            signed_at=known(fact.signed_at),
            completed_at=known(fact.completed_at),
            followed_up_at=known(fact.followed_up_at),
            ended_early_at=known(fact.ended_early_at),
        )
        for fact in facts
    ]
    for figure in (kpi.resolution, kpi.satisfaction):
        assert figure(then, period) == figure(facts, period)
    for figure in (kpi.on_time_signing, kpi.on_time_completion):
        assert figure(then, period).numerator == figure(facts, period).numerator


@pytest.mark.parametrize(
    ("rate", "low", "high"),
    [
        (Rate(81, 263), 0.2553, 0.3662),
        (Rate(15, 148), 0.0624, 0.1605),
        (Rate(0, 20), 0.0, 0.1611),
        (Rate(1, 29), 0.0061, 0.1718),
    ],
)
def test_a_share_of_few_says_little(rate: Rate, low: float, high: float) -> None:
    """The four examples of Newcombe, Statistics in Medicine 17 (1998), method 3."""
    assert rate.interval == pytest.approx((low, high), abs=0.0001)
    assert Rate(0, 0).interval is None
