"""Bulletins (日报、周报、月报): a day, a week or a month on one page, in a workbook and on paper.

All three are made of the same content, so that a figure on the screen, in a cell and in print is the same figure.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hotline.domain.city_time import CITY_ZONE
from hotline.domain.kpi import Measure, Period
from hotline.domain.people import SYSTEM
from hotline.domain.ticket import OPEN_STATES, STATE_NAMES, Overlay, State, Urgency
from hotline.services.bursts import Burst, bursts_during
from hotline.services.context import Context
from hotline.services.countings import catch_up
from hotline.services.masking import mask_for
from hotline.services.reporting import Choice, Report, earlier, report
from hotline.services.topics import Topic, kept_topics
from hotline.storage.queries import figures
from hotline.storage.queries.figures import Count, Counts
from hotline.storage.queries.slices import Slice
from hotline.storage.tables import Ticket

HOT, EXAMPLES, SHORT = 8, 2, 60
# What is to be the theme of a month has so many calls at least.
THEME_FROM = 5


class Kind(StrEnum):
    """Which bulletin."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


KIND_NAMES = {Kind.DAILY: "日报", Kind.WEEKLY: "周报", Kind.MONTHLY: "月报"}


@dataclass(frozen=True, slots=True)
class HotMatter:
    """A matter with many calls: how many, how many in the period before, and what callers say, masked."""

    matter: str
    name: str
    received: int
    before: int
    places: tuple[tuple[str, int], ...]
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Overdue:
    """A ticket that is overdue: who has it, since when, and why as far as the record says."""

    number: str
    matter: str
    department: str
    due: datetime
    state: str
    why: str


@dataclass(frozen=True)
class Bulletin:
    """What a bulletin says.  ``overdue`` lists all of them, longest overdue first.

    ``topics`` are those that were kept for its days: none before they are over.
    """

    kind: Kind
    title: str
    first: date
    last: date
    report: Report
    headline: str
    urgent: int
    matters: tuple[HotMatter, ...]
    topics: tuple[Topic, ...]
    bursts: tuple[Burst, ...]
    overdue: tuple[Overdue, ...]

    @property
    def theme(self) -> tuple[str, ...]:
        """Candidates for the monthly theme (每月一题): topics with many calls that did not become fewer.

        Matters stand in for topics where none were found.
        """
        topics = [topic.name for topic in self.topics if topic.size >= max(THEME_FROM, topic.before)]
        matters = [matter.name for matter in self.matters if matter.received >= max(THEME_FROM, matter.before)]
        return tuple(topics or matters)[:5]


def days_of(kind: Kind, day: date) -> tuple[date, date]:
    """Return the first and last day of the day, week (from Monday) or month that holds ``day``."""
    if kind is Kind.DAILY:
        return day, day
    if kind is Kind.WEEKLY:
        monday = day - timedelta(days=day.weekday())
        return monday, monday + timedelta(days=6)
    first = day.replace(day=1)
    return first, (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)


def latest(kind: Kind, today: date) -> date:
    """Return a day of the last day, week or month that is over on ``today``."""
    first, _ = days_of(kind, today)
    return first - timedelta(days=1)


def period_of(first: date, last: date, as_of: datetime) -> Period:
    """Return whole days of the city as a period."""
    start, end = (datetime(day.year, day.month, day.day, tzinfo=CITY_ZONE) for day in (first, last + timedelta(days=1)))
    return Period(start, end, as_of)


def bulletin(session: Session, context: Context, kind: Kind, day: date) -> Bulletin:
    """Make the bulletin of the day, week or month that holds ``day``, as of now."""
    catch_up(session)
    first, last = days_of(kind, day)
    period = period_of(first, last, context.now())
    found = report(session, context, period, Choice())
    urgent = _urgent(session, period)
    overdue = _overdue(session, context, min(period.end, period.as_of))
    return Bulletin(
        kind=kind,
        title=f"12345热线{KIND_NAMES[kind]}",
        first=first,
        last=last,
        report=found,
        headline=_headline(kind, found, urgent, len(overdue)),
        urgent=urgent,
        matters=_hot(session, context, period),
        topics=kept_topics(session, first, last),
        bursts=tuple(bursts_during(session, context, period.start, min(period.end, period.as_of))),
        overdue=overdue,
    )


def percentage(value: float | None) -> str:
    """Write a share, "—" when nothing counts."""
    return "—" if value is None else f"{value:.1%}"


def _headline(kind: Kind, found: Report, urgent: int, overdue: int) -> str:
    total, before = found.total, found.previous
    span = {Kind.DAILY: "当日", Kind.WEEKLY: "本周", Kind.MONTHLY: "本月"}[kind]
    change = ""
    if before.received:
        by = (total.received - before.received) / before.received
        change = f"，环比{'上升' if by >= 0 else '下降'} {abs(by):.1%}"
    rates = total.rates
    return (
        f"{span}受理诉求 {total.received} 件{change}，其中紧急、特急 {urgent} 件；"
        f"按期办结率 {percentage(rates['completion'].value)}"
        f"（{rates['completion'].numerator}/{rates['completion'].denominator}），"
        f"解决率 {percentage(rates['resolution'].value)}"
        f"（{rates['resolution'].numerator}/{rates['resolution'].denominator}），"
        f"满意率 {percentage(rates['satisfaction'].value)}"
        f"（{rates['satisfaction'].numerator}/{rates['satisfaction'].denominator}）；期末逾期未办 {overdue} 件。"
    )


def _urgent(session: Session, period: Period) -> int:
    query = select(func.count()).where(
        Ticket.received_at >= period.start,
        Ticket.received_at < period.end,
        Ticket.received_at <= period.as_of,
        Ticket.urgency.in_((Urgency.URGENT, Urgency.CRITICAL)),
    )
    return session.scalar(query) or 0


def _hot(session: Session, context: Context, period: Period) -> tuple[HotMatter, ...]:
    now, by = context.now(), ("matter",)
    received = figures.counts(session, period, Slice(), by, now=now)["matter"]
    before = figures.counts(session, earlier(period), Slice(), by, now=now)["matter"]

    def number(found: Mapping[str, Counts], matter: str) -> int:
        return found.get(matter, {}).get(Measure.RECEIVED, Count()).n

    matters = [matter for matter in received if matter is not None and number(received, matter)]
    matters.sort(key=lambda matter: (-number(received, matter), matter))
    return tuple(
        _hot_matter(session, context, period, matter, number(received, matter), number(before, matter))
        for matter in matters[:HOT]
    )


def _hot_matter(
    session: Session, context: Context, period: Period, matter: str, received: int, before: int
) -> HotMatter:
    query = select(Ticket).where(
        Ticket.matter == matter, Ticket.received_at >= period.start, Ticket.received_at < period.end
    )
    # The newest are enough to say where it is and how it sounds; the counts are of all.
    tickets = session.scalars(query.order_by(Ticket.id.desc()).limit(200)).all()
    places = Counter(ticket.district for ticket in tickets if ticket.district)
    open_ones = [ticket for ticket in tickets if not ticket.confidential]
    # Different words, since a burst brings the same ones again and again.
    examples = tuple(dict.fromkeys(_excerpt(context, ticket) for ticket in open_ones))[:EXAMPLES]
    name = context.taxonomy.matters[matter].name
    return HotMatter(matter, name, received, before, tuple(places.most_common(3)), examples)


def _excerpt(context: Context, ticket: Ticket) -> str:
    """Return the beginning of a citizen's words, masked: a bulletin goes to people who need no names."""
    words = mask_for(ticket, context, SYSTEM).text(ticket.content)
    return words if len(words) <= SHORT else f"{words[: SHORT - 1]}…"


def _overdue(session: Session, context: Context, at: datetime) -> tuple[Overdue, ...]:
    query = (
        select(Ticket)
        .where(Ticket.state.in_(OPEN_STATES - {State.AWAITING_FOLLOWUP}), Ticket.next_due < at)
        .order_by(Ticket.next_due)
    )
    return tuple(_overdue_line(context, ticket) for ticket in session.scalars(query))


def _overdue_line(context: Context, ticket: Ticket) -> Overdue:
    assert ticket.next_due is not None
    reasons = {
        "退单待审": {Overlay.RETURN_PENDING, Overlay.ADJUDICATION_PENDING},
        "延期待审": {Overlay.EXTENSION_PENDING},
        "挂账待审": {Overlay.SUSPENSION_PENDING},
        "已延期仍逾期": {Overlay.EXTENDED},
    }
    why = [name for name, overlays in reasons.items() if overlays & set(ticket.overlays)]
    if ticket.returns:
        why.append(f"退单 {ticket.returns} 次")
    if ticket.reworks:
        why.append(f"重办 {ticket.reworks} 次")
    if ticket.urges:
        why.append(f"催办 {ticket.urges} 次")
    state = State(ticket.state)
    if state is State.AWAITING_SIGN:
        why.append("未签收")
    return Overdue(
        number=ticket.number,
        matter=context.taxonomy.matters[ticket.matter].name if ticket.matter else "待分类",
        department=ticket.lead_department.name if ticket.lead_department else "热线中心（待派单）",
        due=ticket.next_due,
        state=STATE_NAMES[state],
        why="；".join(why) or "无说明",
    )


def rows_of_departments(found: Bulletin) -> Sequence[tuple[str, int, list[tuple[int, int]], float | None]]:
    """Return a bulletin's table of departments: name, received, the four rates as pairs, and hours on average."""
    keys = ("signing", "completion", "resolution", "satisfaction")
    return [
        (
            line.name,
            line.received,
            [(line.rates[key].numerator, line.rates[key].denominator) for key in keys],
            None if line.handling.mean is None else line.handling.mean / 3600,
        )
        for line in found.report.by_department
    ]
