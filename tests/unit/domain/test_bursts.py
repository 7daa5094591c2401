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
