"""The clock of a handling: neither a suspension nor an extension ever makes a due, or what is said of it, earlier."""

from datetime import UTC, datetime, timedelta

from hypothesis import assume, given
from hypothesis import strategies as st

from hotline.domain.clock_notices import HandlingClock, Notice, NoticeKind, sent_at
from hotline.domain.limit import Limit
from hotline.domain.limits import DEFAULT_RULES, Kind, ResolvedLimit, Rule
from hotline.domain.working_time import is_working
from hotline.reference.calendars import load_calendar

CN = load_calendar("cn")
FIRST = datetime(2025, 1, 2, tzinfo=UTC)

instants = st.integers(0, 400 * 86_400).map(lambda seconds: FIRST + timedelta(seconds=seconds))
limits = st.sampled_from(["30m", "2h", "1wd", "2wd", "3wd", "10wd", "15wd", "2h clock", "24h clock"]).map(Limit.parse)
ceilings = st.sampled_from([None, "2h clock", "24h clock"])
days = st.integers(1, 10)
lengths = st.integers(1, 20 * 86_400).map(lambda seconds: timedelta(seconds=seconds))


def clock(start: datetime, limit: Limit, ceiling: str | None = None) -> HandlingClock:
    above = Rule(Kind.HANDLE, Limit.parse(ceiling), urgency="critical") if ceiling else None
    return HandlingClock(CN, start, ResolvedLimit(Rule(Kind.HANDLE, limit), above, DEFAULT_RULES.version))


def due_of(found: HandlingClock) -> datetime:
    instant = found.due.instant
    assert instant is not None
    return instant


def said(found: HandlingClock) -> dict[NoticeKind, datetime]:
    return {notice.kind: notice.at for notice in found.notices()}


@given(instants, limits, ceilings, days)
def test_an_extension_makes_nothing_earlier(start: datetime, limit: Limit, ceiling: str | None, more: int) -> None:
    before = clock(start, limit, ceiling)
    after = HandlingClock(CN, start, before.resolved, extension=more)
    assert due_of(after) > due_of(before)
    earlier, later = said(before), said(after)
    assert all(later[kind] >= earlier[kind] for kind in earlier)


@given(instants, limits, ceilings, lengths, lengths, st.integers(0, 10))
def test_a_suspension_makes_nothing_earlier(
    start: datetime, limit: Limit, ceiling: str | None, after: timedelta, length: timedelta, more: int
) -> None:
    free = HandlingClock(CN, start, clock(start, limit, ceiling).resolved, extension=more)
    held = HandlingClock(CN, start, free.resolved, ((start + after, start + after + length),), more)
    assert due_of(held) >= due_of(free)
    # When another limit governs now, shares of that one are told, which are other instants.
    assume(held.ordinary.limit == free.ordinary.limit)
    earlier, later = said(free), said(held)
    assert all(later[kind] >= earlier[kind] for kind in earlier)


@given(instants, limits, ceilings, st.integers(0, 10))
def test_what_is_said_comes_in_order_and_ends_with_the_due(
    start: datetime, limit: Limit, ceiling: str | None, more: int
) -> None:
    found = HandlingClock(CN, start, clock(start, limit, ceiling).resolved, extension=more)
    at = said(found)
    assert start < at[NoticeKind.REMINDER_50] <= at[NoticeKind.REMINDER_80] <= at[NoticeKind.REMINDER_100]
    assert at[NoticeKind.YELLOW_CARD] <= at[NoticeKind.REMINDER_100] == due_of(found) <= at[NoticeKind.RED_CARD]
    assert all(isinstance(notice, Notice) and notice.due == due_of(found) for notice in found.notices())


@given(instants)
def test_a_message_waits_for_working_hours_unless_critical(at: datetime) -> None:
    assert sent_at(CN, at, critical=True) == at
    sent = sent_at(CN, at, critical=False)
    assert sent >= at and is_working(CN, sent)
    assert not is_working(CN, at) or sent == at
