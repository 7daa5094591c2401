"""The hotline's figures: what is counted, from which instant on, and how rates, times and scores come of it.

Every figure is a pair of counts, never only a percentage.  A *counting* (``hotline.domain.facts``) is one thing that
counts for one figure at one instant: its cohort is "``at`` lies in the period and is past", its numerator is those
that were met by then.  All instants are timezone-aware; periods are half-open, ``[start, end)``.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from hotline.domain.ticket import FollowupResult, Satisfaction

if TYPE_CHECKING:
    from hotline.domain.facts import Counting


class Measure(StrEnum):
    """What is counted.  The instant of the cohort, and when it is met, stand in ``hotline.domain.facts.countings``."""

    RECEIVED = "received"
    SIGNING = "signing"
    COMPLETION = "completion"
    EXTENDED = "extended"
    CONTACT = "contact"
    DISPATCHED = "dispatched"
    FIRST_DISPATCH = "first_dispatch"
    FOLLOWUP_DUE = "followup_due"
    FOLLOWED_UP = "followed_up"
    RESOLUTION = "resolution"
    SATISFACTION = "satisfaction"
    REWORK = "rework"
    ONE_PASS = "one_pass"  # noqa: S105 - not a password
    HANDLED = "handled"


# A closed ticket may be complained about again for so long; until then nobody knows whether one pass was enough.
ONE_PASS_SETTLES = timedelta(days=30)

# A rate over fewer cases is shown with its interval: a single case would move it by more than three points.
SMALL_SAMPLE = 30

# A follow-up is valid when the citizen was reached and said whether the matter is solved.
VALID_RESULTS = frozenset({FollowupResult.RESOLVED, FollowupResult.UNRESOLVED})
CONTENT = frozenset({Satisfaction.SATISFIED, Satisfaction.BASICALLY_SATISFIED})


@dataclass(frozen=True, slots=True)
class Rate:
    """``numerator`` of ``denominator``; its value is None (shown as "—") when nothing counts."""

    numerator: int
    denominator: int

    @property
    def value(self) -> float | None:
        """The share between 0 and 1, or None for an empty denominator."""
        return self.numerator / self.denominator if self.denominator else None

    @property
    def is_small(self) -> bool:
        """Tell whether there are some cases, but too few for a percentage to mean much."""
        return 0 < self.denominator < SMALL_SAMPLE

    @property
    def rest(self) -> "Rate":
        """The rate of those that were not met."""
        return Rate(self.denominator - self.numerator, self.denominator)

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % interval of the share after Wilson (1927), None for an empty denominator."""
        if not self.denominator:
            return None
        n, p, z = self.denominator, self.numerator / self.denominator, 1.959964
        middle = p + z * z / (2 * n)
        half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        scale = 1 + z * z / n
        return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)


@dataclass(frozen=True, slots=True)
class Period:
    """The period of a report and the instant it is told at."""

    start: datetime
    end: datetime
    as_of: datetime

    def has(self, instant: datetime | None) -> bool:
        """Tell whether ``instant`` lies in the period and is already past."""
        return instant is not None and self.start <= instant < self.end and instant <= self.as_of


def settles_after(measure: Measure) -> timedelta:
    """Return how long after its instant a counting is final and begins to count."""
    return ONE_PASS_SETTLES if measure is Measure.ONE_PASS else timedelta(0)


def in_cohort(counting: "Counting", period: Period) -> bool:
    """Tell whether the counting belongs to the period's cohort: its instant lies in it, and it is final by now."""
    return period.has(counting.at) and counting.at + settles_after(counting.measure) <= period.as_of


def rate(countings: Iterable["Counting"], measure: Measure, period: Period) -> Rate:
    """Return the rate of ``measure``: those met by the period's ``as_of`` ÷ those that count in it."""
    cohort = [counting for counting in countings if counting.measure is measure and in_cohort(counting, period)]
    met = sum(counting.hit_at is not None and counting.hit_at <= period.as_of for counting in cohort)
    return Rate(met, len(cohort))


@dataclass(frozen=True, slots=True)
class Durations:
    """Handling times (办理时长) in seconds: first dispatch to first approved reply.  None where nothing was handled."""

    count: int = 0
    mean: float | None = None
    median: float | None = None
    p90: float | None = None
    p95: float | None = None


def durations(seconds: Sequence[float]) -> Durations:
    """Return the figures of ``seconds``; percentiles are interpolated as PostgreSQL's ``percentile_cont`` does."""
    if not seconds:
        return Durations()
    ordered = sorted(seconds)
    return Durations(
        len(ordered), sum(ordered) / len(ordered), *(_percentile(ordered, share) for share in (0.5, 0.9, 0.95))
    )


def _percentile(ordered: Sequence[float], share: float) -> float:
    place = share * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


@dataclass(frozen=True, slots=True)
class Weights:
    """What response, resolution and satisfaction weigh in the composite score (综合分)."""

    response: float = 0.30
    resolution: float = 0.35
    satisfaction: float = 0.35


DEFAULT_WEIGHTS = Weights()


def composite(response: Rate, resolution: Rate, satisfaction: Rate, weights: Weights) -> float | None:
    """Return the composite between 0 and 100, None while one of its three has no cases: a part cannot stand for all."""
    values = (response.value, resolution.value, satisfaction.value)
    shares = (weights.response, weights.resolution, weights.satisfaction)
    if any(value is None for value in values):
        return None
    weighed = sum((value or 0.0) * share for value, share in zip(values, shares, strict=True))
    return 100 * weighed / sum(shares)


# Age bands of the backlog in days since the call; the last one has no end.
AGE_BANDS: tuple[tuple[int, int | None], ...] = ((0, 3), (3, 7), (7, 15), (15, 30), (30, None))


def age_band(age: timedelta) -> int:
    """Return the number of the band that ``age`` lies in."""
    starts = [timedelta(days=first) for first, _ in AGE_BANDS]
    return max(number for number, start in enumerate(starts) if age >= start or number == 0)


def per_ten_thousand(received: int, residents: int) -> float | None:
    """Return complaints per 10,000 residents (万人诉求比), None where nobody is known to live."""
    return 10_000 * received / residents if residents else None


class Tier(StrEnum):
    """Where a department stands.  Tiers take the place of rankings: a tenth of a point is no difference."""

    GOOD = "good"
    FAIR = "fair"
    WATCH = "watch"
    FEW = "few"


TIER_NAMES = {Tier.GOOD: "优良", Tier.FAIR: "达标", Tier.WATCH: "关注", Tier.FEW: "样本不足"}

# The lowest composite of the two upper tiers.
TIER_FROM: Mapping[Tier, float] = {Tier.GOOD: 90.0, Tier.FAIR: 80.0}


def tier(score: float | None, smallest: int) -> Tier:
    """Return the tier of a composite score, whose smallest denominator is ``smallest``."""
    if score is None or smallest < SMALL_SAMPLE:
        return Tier.FEW
    if score >= TIER_FROM[Tier.GOOD]:
        return Tier.GOOD
    return Tier.FAIR if score >= TIER_FROM[Tier.FAIR] else Tier.WATCH
