"""Bursts: rare without one, found with one, by simulation of a city's hours."""

import math
import random

import pytest

from hotline.domain.bursts import ALARM, Baseline, baseline, is_burst, tail

WINDOWS = 10_000


def poisson(draw: random.Random, mean: float) -> int:
    """Draw from a Poisson distribution (Knuth)."""
    limit, product, number = math.exp(-mean), draw.random(), 0
    while product > limit:
        product *= draw.random()
        number += 1
    return number


def clustered(draw: random.Random, mean: float, dispersion: float) -> int:
    """Draw a count whose variance is ``dispersion`` times its mean."""
    shape = mean / (dispersion - 1)
    return poisson(draw, draw.gammavariate(shape, dispersion - 1))


def simulate(mean: float, dispersion: float, extra: int) -> float:
    """Return the share of windows in which an alarm is raised when ``extra`` calls come on top of the season."""
    draw = random.Random(20261125)
    alarms = 0
    for _ in range(WINDOWS):
        weeks = [clustered(draw, mean, dispersion) for _ in range(8)]
        alarms += is_burst(clustered(draw, mean, dispersion) + extra, baseline(weeks, mean))
    return alarms / WINDOWS


@pytest.mark.parametrize(("mean", "dispersion"), [(0.05, 1.2), (0.3, 1.3), (1.0, 1.5), (3.0, 1.5)])
def test_a_city_without_bursts_is_quiet(mean: float, dispersion: float) -> None:
    """One false alarm in a thousand windows at most."""
    assert simulate(mean, dispersion, 0) < 1e-3


@pytest.mark.parametrize(
    ("mean", "dispersion", "extra"), [(0.05, 1.3, 12), (0.3, 1.3, 15), (1.0, 1.5, 20), (3.0, 1.5, 25)]
)
def test_a_burst_is_found(mean: float, dispersion: float, extra: int) -> None:
    assert simulate(mean, dispersion, extra) > 0.98


def test_the_tail_is_the_negative_binomials() -> None:
    expected = Baseline(2.0, 2.0)
    exact = [math.comb(n + 1, n) * 0.5**2 * 0.5**n for n in range(200)]
    for calls in (1, 2, 5, 12):
        assert tail(calls, expected) == pytest.approx(sum(exact[calls:]), abs=1e-12)
    assert tail(0, expected) == 1
    assert tail(3, Baseline(0.0, 1.3)) == 0


def test_few_calls_are_never_a_burst() -> None:
    quiet = baseline([0] * 8, 0.0001)
    assert tail(3, quiet) < ALARM
    assert not is_burst(3, quiet)
    assert is_burst(6, quiet)


# The matters of a city's districts, with very different shares of its calls, and how busy each three hours are.
PAIRS, CALLS_A_DAY, DAYS = 528, 1370, 40
BUSY = (0.15, 0.1, 1.0, 1.9, 1.5, 1.6, 1.1, 0.65)


@pytest.fixture(scope="module")
def means() -> list[list[float]]:
    """What each pair brings in each three hours of a day."""
    draw = random.Random(1)
    shares = [draw.lognormvariate(0, 1.2) for _ in range(PAIRS)]
    each = [CALLS_A_DAY * share / sum(shares) / len(BUSY) for share in shares]
    return [[mean * busy * len(BUSY) / sum(BUSY) for busy in BUSY] for mean in each]


def test_a_city_has_about_one_false_alarm_in_two_days(means: list[list[float]]) -> None:
    """The page says half an alarm a day; more than one would be switched off."""
    draw, alarms = random.Random(2), 0
    for pair in means:
        overall = sum(pair) / len(pair)
        for mean in pair:
            weeks = [clustered(draw, mean, 1.3) for _ in range(8)]
            expected = baseline(weeks, overall)
            alarms += sum(is_burst(clustered(draw, mean, 1.3), expected) for _ in range(DAYS))
    assert alarms / DAYS < 1


@pytest.mark.parametrize(("extra", "found"), [(10, 0.8), (15, 0.95)])
def test_most_bursts_of_a_city_are_found(means: list[list[float]], extra: int, found: float) -> None:
    draw, alarms, windows = random.Random(3), 0, 0
    for pair in means:
        for mean in pair[2:7]:
            weeks = [clustered(draw, mean, 1.3) for _ in range(8)]
            alarms += is_burst(clustered(draw, mean, 1.3) + extra, baseline(weeks, sum(pair) / len(pair)))
            windows += 1
    assert alarms / windows > found
