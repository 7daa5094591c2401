"""Sampling by risk: what is risky is always asked, and the estimate finds the truth as often as its interval says."""

import random

import pytest

from hotline.domain.kpi import Rate
from hotline.domain.sampling import Risk, Stratum, estimate, risk_of, share_of


@pytest.mark.parametrize(
    ("given", "risk"),
    [
        ({}, Risk.LOW),
        ({"kind": "求助"}, Risk.RAISED),
        ({"from_knowledge": False}, Risk.RAISED),
        ({"kind": "投诉"}, Risk.HIGH),
        ({"kind": "举报"}, Risk.HIGH),
        ({"urgency": "urgent"}, Risk.HIGH),
        ({"repeated": True}, Risk.HIGH),
        ({"kind": None}, Risk.LOW),
    ],
)
def test_the_risk_of_an_answer(given: dict[str, object], risk: Risk) -> None:
    usual = {"urgency": "normal", "kind": "咨询", "repeated": False, "from_knowledge": True}
    assert risk_of(**(usual | given)) is risk  # type: ignore[arg-type]


def test_high_risks_are_all_asked_unless_nobody_is() -> None:
    assert [share_of(risk, 0.1) for risk in Risk] == [1.0, pytest.approx(0.3), 0.1]
    assert [share_of(risk, 0.5) for risk in Risk] == [1.0, 1.0, 0.5]
    assert [share_of(risk, 0.0) for risk in Risk] == [0.0, 0.0, 0.0]


def test_each_risk_weighs_as_much_as_it_has_answers() -> None:
    strata = {
        Risk.HIGH: Stratum(100, 100, Rate(20, 100)),
        Risk.LOW: Stratum(900, 90, Rate(81, 90)),
        Risk.RAISED: Stratum(),
    }
    found = estimate(strata)
    assert found is not None
    # Of all who were asked only 53 % were helped: mostly those who were likely not to be.
    assert found.value == pytest.approx(0.1 * 0.2 + 0.9 * 0.9)
    assert found.low < found.value < found.high
    everybody = estimate({Risk.LOW: Stratum(50, 50, Rate(40, 50))})
    assert everybody is not None
    assert everybody.low == everybody.value == everybody.high == 0.8


def test_a_guess_is_no_estimate() -> None:
    assert estimate({}) is None
    assert estimate({risk: Stratum() for risk in Risk}) is None
    assert estimate({Risk.LOW: Stratum(10, 5, Rate(4, 5)), Risk.HIGH: Stratum(3, 3, Rate(0, 0))}) is None


def test_the_interval_holds_the_truth_in_about_95_of_100_samples() -> None:
    draw, held, rounds = random.Random(5), 0, 600
    shares = {Risk.HIGH: (120, 0.5, 1.0), Risk.RAISED: (500, 0.7, 0.3), Risk.LOW: (2000, 0.9, 0.1)}
    for _ in range(rounds):
        strata, helped = {}, 0
        for risk, (size, good, share) in shares.items():
            answers = [draw.random() < good for _ in range(size)]
            asked = [answer for answer in answers if draw.random() < share]
            helped += sum(answers)
            strata[risk] = Stratum(size, len(asked), Rate(sum(asked), len(asked)))
        found = estimate(strata)
        assert found is not None
        held += found.low <= helped / sum(size for size, _, _ in shares.values()) <= found.high
    assert 0.92 < held / rounds < 0.985
