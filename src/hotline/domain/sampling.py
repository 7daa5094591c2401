"""Which of the inquiries answered at once are followed up (抽样回访), and what the sample says of all of them.

Every ticket that a department has handled is followed up, supervised and reworked ones with it; only what the hotline
answers itself is sampled, the more the likelier it is that the answer did not help.  Estimates weigh each risk by how
many tickets it has, so that asking more of the risky ones does not make the whole look worse.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from hotline.domain.kpi import Rate
from hotline.domain.ticket import ComplaintType, Urgency


class Risk(StrEnum):
    """How likely it is that an answer at once did not help."""

    HIGH = "high"
    RAISED = "raised"
    LOW = "low"


RISK_NAMES = {Risk.HIGH: "高", Risk.RAISED: "较高", Risk.LOW: "一般"}

# How many times the share of the low ones; the high ones are all followed up.
RAISED_TIMES = 3

# Half of the width of a 95 % interval, in standard errors.
_Z = 1.959964


def risk_of(*, urgency: str, kind: str | None, repeated: bool, from_knowledge: bool) -> Risk:
    """Return the risk of an answer.

    High: urgent, a complaint or report that ought to have gone to a department, or a caller who had called about the
    same matter within a month.  Raised: a request for help, or words that no entry of the knowledge base stands behind.
    """
    if repeated or urgency != Urgency.NORMAL or kind in (ComplaintType.COMPLAINT, ComplaintType.REPORT):
        return Risk.HIGH
    if kind == ComplaintType.HELP or not from_knowledge:
        return Risk.RAISED
    return Risk.LOW


def share_of(risk: Risk, share: float) -> float:
    """Return which share of the answers of ``risk`` is followed up, given that of the low ones; 0 follows up none."""
    if not share:
        return 0.0
    return {Risk.HIGH: 1.0, Risk.RAISED: min(1.0, RAISED_TIMES * share), Risk.LOW: share}[risk]


NOBODY = Rate(0, 0)


@dataclass(frozen=True, slots=True)
class Stratum:
    """The answers of one risk: how many, how many were drawn, and of those who said so how many are helped."""

    answered: int = 0
    drawn: int = 0
    helped: Rate = NOBODY


@dataclass(frozen=True, slots=True)
class Estimate:
    """The share of all that were answered, with the bounds of its 95 % interval."""

    value: float
    low: float
    high: float


def estimate(strata: Mapping[Risk, Stratum]) -> Estimate | None:
    """Estimate which share of all answers helped, from the sample of each risk (Cochran 1977, §5.3).

    None when nothing was answered, or nobody of some risk that was answered has been asked: its part would be a guess.
    """
    there = [stratum for stratum in strata.values() if stratum.answered]
    if not there or any(not stratum.helped.denominator for stratum in there):
        return None
    total = sum(stratum.answered for stratum in there)
    value = variance = 0.0
    for stratum in there:
        weight, asked = stratum.answered / total, stratum.helped.denominator
        value += weight * stratum.helped.numerator / asked
        # Agresti and Coull's two more of each side: a small sample that is all of one mind still leaves doubt.
        share = (stratum.helped.numerator + 2) / (asked + 4)
        unseen = max(0.0, 1 - asked / stratum.answered)
        variance += weight**2 * unseen * share * (1 - share) / asked
    half = _Z * math.sqrt(variance)
    return Estimate(value, max(0.0, value - half), min(1.0, value + half))
