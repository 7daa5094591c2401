"""The hotline's figures, defined once over plain facts.

Every figure is a pair of counts, never only a percentage.  Each function names its cohort: which tickets, by which
timestamp.  All instants are timezone-aware; periods are half-open, ``[start, end)``.
The reports compute the same figures in SQL; a test recomputes them here from the raw events and holds the two equal.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from hotline.domain.ticket import FollowupResult, Satisfaction


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
    def interval(self) -> tuple[float, float] | None:
        """Where the true share lies with 95 % confidence, None for an empty denominator.

        Source: Wilson's score interval, which stays sensible for few cases and for shares near 0 and 1.
        """
        if not self.denominator:
            return None
        share, n, z = self.numerator / self.denominator, self.denominator, 1.96
        middle = (share + z * z / (2 * n)) / (1 + z * z / n)
        reach = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
        return max(0.0, middle - reach), min(1.0, middle + reach)


@dataclass(frozen=True, slots=True)
class Period:
    """The period of a report and the instant it is told at."""

    start: datetime
    end: datetime
    as_of: datetime

    def has(self, instant: datetime | None) -> bool:
        """Tell whether ``instant`` lies in the period and is already past."""
        return instant is not None and self.start <= instant < self.end and instant <= self.as_of


@dataclass(frozen=True, slots=True)
class TicketFacts:
    """What the figures need to know of one ticket.

    ``ended_early_at`` is when it was withdrawn, merged, declined or transferred: from then on nothing more was due.
    """

    received_at: datetime
    task: str | None = None
    department: str | None = None
    dispatched_at: datetime | None = None
    sign_due: datetime | None = None
    signed_at: datetime | None = None
    handle_due: datetime | None = None
    completed_at: datetime | None = None
    followed_up_at: datetime | None = None
    followup_result: FollowupResult | None = None
    satisfaction: Satisfaction | None = None
    ended_early_at: datetime | None = None


Facts = Iterable[TicketFacts]

# A follow-up is valid when the citizen was reached and said whether the matter is solved.
VALID_RESULTS = frozenset({FollowupResult.RESOLVED, FollowupResult.UNRESOLVED})
CONTENT = frozenset({Satisfaction.SATISFIED, Satisfaction.BASICALLY_SATISFIED})


def _on_time(
    facts: Facts,
    period: Period,
    due: Callable[[TicketFacts], datetime | None],
    done: Callable[[TicketFacts], datetime | None],
) -> Rate:
    numerator = denominator = 0
    for ticket in facts:
        due_at, done_at = due(ticket), done(ticket)
        if due_at is None or not period.has(due_at):
            continue
        if done_at is None and ticket.ended_early_at is not None and ticket.ended_early_at <= due_at:
            continue
        denominator += 1
        numerator += done_at is not None and done_at <= due_at
    return Rate(numerator, denominator)


def on_time_signing(facts: Facts, period: Period) -> Rate:
    """按时签收率: signed on time ÷ those whose signing fell due in the period."""
    return _on_time(facts, period, lambda t: t.sign_due, lambda t: t.signed_at)


def on_time_completion(facts: Facts, period: Period) -> Rate:
    """按期办结率: completed on time ÷ due in the period; open and overdue counts and fails, not yet due is out."""
    return _on_time(facts, period, lambda t: t.handle_due, lambda t: t.completed_at)


def resolution(facts: Facts, period: Period) -> Rate:
    """解决率: followed up as resolved ÷ valid follow-ups in the period."""
    valid = [t for t in facts if period.has(t.followed_up_at) and t.followup_result in VALID_RESULTS]
    return Rate(sum(t.followup_result == FollowupResult.RESOLVED for t in valid), len(valid))


def satisfaction(facts: Facts, period: Period) -> Rate:
    """满意率: satisfied or basically satisfied ÷ ratings given in the period."""
    rated = [t for t in facts if period.has(t.followed_up_at) and t.satisfaction is not None]
    return Rate(sum(t.satisfaction in CONTENT for t in rated), len(rated))


def volume(facts: Facts, period: Period) -> int:
    """受理量: tickets received in the period."""
    return sum(period.has(t.received_at) for t in facts)
