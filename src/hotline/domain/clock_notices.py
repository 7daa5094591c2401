"""What the clock says about a ticket and when: reminders, yellow and red cards, escalations.

Each is a fact of timestamps and not of polling: whoever asks, and whenever, gets the same instants.  A message about
one may wait for working hours (``sent_at``); the fact does not.  Source: the time limits of the hotline's rules.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple
from zoneinfo import ZoneInfo

from hotline.domain.city_time import CITY_ZONE
from hotline.domain.limit import Limit, Unit
from hotline.domain.limits import ResolvedLimit, deadline
from hotline.domain.working_time import Calendar, Due, Pause, at_fraction, due, extend, next_working

# Limits of at least so many working days have cards by the day; shorter ones at 80 % and at the due (Shandong).
CARDS_BY_DAY_FROM = 3
WARNED_AT = Fraction(4, 5)
_TICK = timedelta(microseconds=1)


class NoticeKind(StrEnum):
    """What there is to say."""

    DISPATCH_OVERDUE = "dispatch_overdue"
    SIGN_OVERDUE = "sign_overdue"
    CONTACT_OVERDUE = "contact_overdue"
    REMINDER_50 = "reminder_50"
    REMINDER_80 = "reminder_80"
    REMINDER_100 = "reminder_100"
    YELLOW_CARD = "yellow_card"
    RED_CARD = "red_card"
    REVIEW = "review"
    FOLLOWUP_OVERDUE = "followup_overdue"


NOTICE_NAMES: dict[NoticeKind, str] = {
    NoticeKind.DISPATCH_OVERDUE: "派单超时",
    NoticeKind.SIGN_OVERDUE: "签收超时",
    NoticeKind.CONTACT_OVERDUE: "先行联系超时",
    NoticeKind.REMINDER_50: "时限过半",
    NoticeKind.REMINDER_80: "时限已过八成",
    NoticeKind.REMINDER_100: "办理到期",
    NoticeKind.YELLOW_CARD: "黄牌",
    NoticeKind.RED_CARD: "红牌",
    NoticeKind.REVIEW: "挂账复核",
    NoticeKind.FOLLOWUP_OVERDUE: "回访超时",
}

# These go to the supervisor as well as to the department: something has gone wrong, not only come near.
ESCALATED = frozenset({NoticeKind.DISPATCH_OVERDUE, NoticeKind.SIGN_OVERDUE, NoticeKind.RED_CARD, NoticeKind.REVIEW})


class Notice(NamedTuple):
    """``kind`` falls due at the instant ``at``; ``due`` is the deadline that it is about."""

    at: datetime
    kind: NoticeKind
    due: datetime


@dataclass(frozen=True, slots=True)
class HandlingClock:
    """The clock of one handling or rework: where it started, its limits, its pauses and its extension.

    ``extension`` is the number of working days granted on top, 0 for none.
    """

    calendar: Calendar
    start: datetime
    resolved: ResolvedLimit
    pauses: tuple[Pause, ...] = ()
    extension: int = 0

    @property
    def ordinary(self) -> Due:
        """The deadline without the extension."""
        return deadline(self.calendar, self.start, self.resolved, self.pauses)

    @property
    def due(self) -> Due:
        """The deadline that counts; its ``instant`` is None while an open pause holds it back."""
        before = self.ordinary
        if not self.extension or before.instant is None:
            return before
        return extend(self.calendar, before.instant, self.extension, self.pauses)

    def notices(self) -> Iterator[Notice]:
        """The reminders and cards about this deadline; none while the clock stands still."""
        governing, ends = self.ordinary.limit, self.due.instant
        if ends is None:
            return
        for kind, share in ((NoticeKind.REMINDER_50, Fraction(1, 2)), (NoticeKind.REMINDER_80, WARNED_AT)):
            yield Notice(self._at_share(governing, share), kind, ends)
        yield Notice(ends, NoticeKind.REMINDER_100, ends)
        yield Notice(self._warned_at(governing), NoticeKind.YELLOW_CARD, ends)
        yield Notice(self._overdue_at(governing, ends), NoticeKind.RED_CARD, ends)

    def _at_share(self, limit: Limit, share: Fraction) -> datetime:
        """When ``share`` of the whole time is used up; an extension makes a limit in working days longer."""
        if self.extension and limit.unit is Unit.WORKING_DAYS:
            limit = Limit(limit.amount + self.extension, Unit.WORKING_DAYS)
        found = at_fraction(self.calendar, self.start, limit, share, self.pauses)
        if self.extension and limit.unit is not Unit.WORKING_DAYS:
            before = self.ordinary.instant
            assert before is not None
            days = Limit(self.extension, Unit.WORKING_DAYS)
            found = at_fraction(self.calendar, before - _TICK, days, share, self.pauses)
        assert found is not None, "no pause is open"
        return found

    def _warned_at(self, limit: Limit) -> datetime:
        days = self._days(limit)
        if days < CARDS_BY_DAY_FROM:
            return self._at_share(limit, WARNED_AT)
        found = due(self.calendar, self.start, Limit(days - 1, Unit.WORKING_DAYS), self.pauses).instant
        assert found is not None, "no pause is open"
        return found

    def _overdue_at(self, limit: Limit, ends: datetime) -> datetime:
        if self._days(limit) < CARDS_BY_DAY_FROM:
            return ends
        # The day of a due at midnight is the one that it closes, like in an extension.
        after = due(self.calendar, ends - _TICK, Limit(1, Unit.WORKING_DAYS)).counts_from
        return next_working(self.calendar, after)

    def _days(self, limit: Limit) -> int:
        return limit.amount + self.extension if limit.unit is Unit.WORKING_DAYS else 0


def sent_at(calendar: Calendar, at: datetime, *, critical: bool) -> datetime:
    """Return when a message about a notice of ``at`` may go out: in working hours, if critical at once."""
    return at if critical else next_working(calendar, at)


def review_at(calendar: Calendar, day: date, zone: ZoneInfo | None = None) -> datetime:
    """Return the first working instant of the day on which a suspension is looked at again, or after it."""
    return next_working(calendar, datetime.combine(day, time(), tzinfo=zone or CITY_ZONE))
