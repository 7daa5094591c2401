"""What moves figures without work being done (指标真实性), and replies that look as if nobody had been there.

These are changes of type, exclusions, extensions and closings in the last minutes.

Nothing here is a verdict.  Each line says what happened and who decided it, and opens its ticket.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from hotline.domain.kpi import Period, Rate
from hotline.domain.people import SYSTEM
from hotline.domain.ticket import Action, ComplaintType
from hotline.services.context import Context
from hotline.services.masking import mask_for
from hotline.storage.queries.live_accuracy import live_accuracy
from hotline.storage.tables import Account, Department, Exclusion, Extension, Reply, ReturnRequest, Ticket, TicketEvent

# An inquiry has a limit of two working days and seldom a follow-up: making one of a complaint makes figures better.
HARD = (ComplaintType.COMPLAINT, ComplaintType.REPORT, ComplaintType.HELP)
EASY = (ComplaintType.INQUIRY, ComplaintType.SUGGESTION, ComplaintType.PRAISE)
LAST_MINUTES = timedelta(minutes=30)
# The same words, but for numbers and spaces, in so many tickets are a text block.
COPIES = 3
SHORTEST = 12
LISTED = 200


@dataclass(frozen=True, slots=True)
class Change:
    """One decision that moves a figure: which ticket, what was changed, when, by whom, why."""

    number: str
    what: str
    at: datetime
    by: str
    reason: str
    department: str = "—"


class Signal(StrEnum):
    """What about a reply asks for a second look."""

    OFF_TOPIC = "off_topic"
    BOILERPLATE = "boilerplate"
    COPIED = "copied"
    NO_CONTACT = "no_contact"
    LAST_MINUTES = "last_minutes"


SIGNAL_NAMES = {
    Signal.OFF_TOPIC: "答非所问",
    Signal.BOILERPLATE: "套话过短",
    Signal.COPIED: "与其他工单答复雷同",
    Signal.NO_CONTACT: "无联系记录",
    Signal.LAST_MINUTES: "到期前数分钟办结",
}


@dataclass(frozen=True, slots=True)
class Suspect:
    """A reply with its signals, most of them first; ``reply`` is its beginning, masked."""

    number: str
    department: str
    at: datetime
    signals: tuple[Signal, ...]
    reply: str


@dataclass(frozen=True, slots=True)
class Overridden:
    """How often people chose another matter than the model, and how often tickets of the matter were returned."""

    matter: str
    name: str
    overridden: Rate
    returned: int


@dataclass(frozen=True)
class Integrity:
    """The page of one period."""

    retyped: Sequence[Change]
    excluded: Sequence[Change]
    extended: Sequence[Change]
    last_minute: Sequence[Change]
    suspects: Sequence[Suspect]
    overridden: Sequence[Overridden]


def integrity(session: Session, context: Context, period: Period) -> Integrity:
    """Gather what happened in the period."""
    return Integrity(
        retyped=_retyped(session, period),
        excluded=_excluded(session, context, period),
        extended=_extended(session, context, period),
        last_minute=_last_minute(session, period),
        suspects=_suspects(session, context, period),
        overridden=_overridden(session, context, period),
    )


def _retyped(session: Session, period: Period) -> list[Change]:
    query = (
        select(TicketEvent, Ticket.number, Account.display_name, Department.name)
        .join(Ticket, Ticket.id == TicketEvent.ticket_id)
        .outerjoin(Account, Account.id == TicketEvent.account_id)
        .outerjoin(Department, Department.id == Ticket.lead_department_id)
        .where(TicketEvent.kind == Action.RECLASSIFY, TicketEvent.at >= period.start, TicketEvent.at < period.end)
        .order_by(TicketEvent.at.desc())
    )
    found = []
    for event, number, by, department in session.execute(query):
        before, after = event.data.get("changes", {}).get("type") or (None, None)
        if before in HARD and after in EASY:
            what = f"{before} → {after}"
            found.append(Change(number, what, event.at, by or "—", event.reason or "", department or "—"))
    return found[:LISTED]


def _excluded(session: Session, context: Context, period: Period) -> list[Change]:
    first, second = aliased(Account), aliased(Account)
    query = (
        select(Exclusion, Ticket, first.display_name, second.display_name, Department.name)
        .join(Ticket, Ticket.id == Exclusion.ticket_id)
        .outerjoin(first, first.id == Exclusion.first_approved_by)
        .outerjoin(second, second.id == Exclusion.decided_by)
        .outerjoin(Department, Department.id == Exclusion.department_id)
        .where(Exclusion.state == "approved", Exclusion.decided_at >= period.start, Exclusion.decided_at < period.end)
        .order_by(Exclusion.decided_at.desc())
        .limit(LISTED)
    )
    return [
        _decided(context, ticket, row, row.reason_code, f"{one or '—'}、{two or '—'}", name)
        for row, ticket, one, two, name in session.execute(query)
    ]


def _extended(session: Session, context: Context, period: Period) -> list[Change]:
    query = (
        select(Extension, Ticket, Account.display_name, Department.name)
        .join(Ticket, Ticket.id == Extension.ticket_id)
        .outerjoin(Account, Account.id == Extension.decided_by)
        .outerjoin(Department, Department.id == Extension.department_id)
        .where(Extension.state == "approved", Extension.decided_at >= period.start, Extension.decided_at < period.end)
        .order_by(Extension.decided_at.desc())
        .limit(LISTED)
    )
    return [
        _decided(context, ticket, row, f"+{row.working_days} 个工作日", by or "—", name)
        for row, ticket, by, name in session.execute(query)
    ]


def _decided(
    context: Context, ticket: Ticket, row: Exclusion | Extension, what: str, by: str, department: str | None
) -> Change:
    reason = mask_for(ticket, context, SYSTEM).text(row.decision or "")
    return Change(ticket.number, what, row.decided_at or row.asked_at, by, reason, department or "—")


def _last_minute(session: Session, period: Period) -> list[Change]:
    query = (
        select(Ticket, Account.display_name, Department.name)
        .outerjoin(Reply, (Reply.ticket_id == Ticket.id) & (Reply.approved_at == Ticket.completed_at))
        .outerjoin(Account, Account.id == Reply.approved_by)
        .outerjoin(Department, Department.id == Ticket.lead_department_id)
        .where(
            Ticket.completed_at >= period.start,
            Ticket.completed_at < period.end,
            Ticket.completed_at <= Ticket.handle_due,
            Ticket.completed_at > Ticket.handle_due - LAST_MINUTES,
        )
        .order_by(Ticket.completed_at.desc())
        .limit(LISTED)
    )
    found = []
    for ticket, by, name in session.execute(query):
        due, done = ticket.handle_due, ticket.completed_at
        assert due is not None and done is not None
        left = int((due - done).total_seconds() // 60)
        found.append(Change(ticket.number, f"{left} 分钟", done, by or "—", "", name or "—"))
    return found


def _suspects(session: Session, context: Context, period: Period) -> list[Suspect]:
    skeleton = func.regexp_replace(Reply.text, r"[\s\d[:punct:]]+", "", "g")
    copies = (select(skeleton).group_by(skeleton).having(func.count(Reply.ticket_id.distinct()) >= COPIES)).where(
        Reply.at >= period.start - timedelta(days=90), Reply.at < period.end
    )
    query = (
        select(Reply, Ticket, skeleton.in_(copies))
        .join(Ticket, Ticket.id == Reply.ticket_id)
        .where(Reply.approved_at >= period.start, Reply.approved_at < period.end, Ticket.anonymised_at.is_(None))
        .order_by(Reply.approved_at.desc())
        .limit(5000)
    )
    found = []
    for reply, ticket, copied in session.execute(query):
        signals = signals_of(reply, ticket, copied=copied)
        if asks_for_review(signals):
            words = mask_for(ticket, context, SYSTEM).text(reply.text)[:60]
            name = ticket.lead_department.name if ticket.lead_department else "—"
            found.append(Suspect(ticket.number, name, reply.approved_at or reply.at, signals, words))
    found.sort(key=lambda suspect: (-len(suspect.signals), suspect.number))
    return found[:LISTED]


def signals_of(reply: Reply, ticket: Ticket, *, copied: bool) -> tuple[Signal, ...]:
    """Return what about the reply asks for a second look."""
    due, done = ticket.handle_due, reply.approved_at
    checks = {
        Signal.OFF_TOPIC: not _shared(reply.text, f"{ticket.title}{ticket.content}"),
        Signal.BOILERPLATE: len(re.sub(r"\W", "", reply.text)) < SHORTEST,
        Signal.COPIED: copied,
        Signal.NO_CONTACT: not reply.contacted and ticket.contacted_at is None,
        Signal.LAST_MINUTES: due is not None and done is not None and due - LAST_MINUTES < done <= due,
    }
    return tuple(signal for signal, holds in checks.items() if holds)


# What the words alone tell.  Departments write alike about what is alike, so that two of these are no reason yet.
_OF_WORDS = {Signal.OFF_TOPIC, Signal.BOILERPLATE, Signal.COPIED}


def asks_for_review(signals: Sequence[Signal]) -> bool:
    """Tell whether the signals together are worth somebody's time: three, or two that are not of words alone."""
    return len(signals) >= 3 or (len(signals) == 2 and not _OF_WORDS.issuperset(signals))


# Pairs of characters that stand in most replies and most requests, and say nothing about either.
_COMMON = frozenset(
    re.findall("..", "我们你们他们没有已经可以进行处理问题反映情况相关部门工作人员联系您好感谢诉求市民")
)


def _shared(one: str, other: str) -> bool:
    """Tell whether two texts share a telling pair of Chinese characters."""
    return bool((_pairs(one) & _pairs(other)) - _COMMON)


def _pairs(text: str) -> set[str]:
    found = re.findall(r"[\u4e00-\u9fff]+", text)
    return {run[at : at + 2] for run in found for at in range(len(run) - 1)}


def _overridden(session: Session, context: Context, period: Period) -> list[Overridden]:
    judged: dict[str, list[int]] = {}
    for line in live_accuracy(session, period.start, period.end):
        so_far = judged.setdefault(line.matter, [0, 0])
        so_far[0] += line.overridden
        so_far[1] += line.judged
    query = (
        select(Ticket.matter, func.count())
        .join(ReturnRequest, ReturnRequest.ticket_id == Ticket.id)
        .where(ReturnRequest.asked_at >= period.start, ReturnRequest.asked_at < period.end)
        .where(ReturnRequest.state != "cancelled", Ticket.matter.is_not(None))
        .group_by(Ticket.matter)
    )
    returned = {row[0]: row[1] for row in session.execute(query)}
    matters = context.taxonomy.matters
    lines = [
        Overridden(code, matters[code].name, Rate(*judged.get(code, [0, 0])), returned.get(code, 0))
        for code in matters
        if judged.get(code, [0, 0])[0] or returned.get(code)
    ]
    return sorted(lines, key=lambda line: (-(line.overridden.numerator + line.returned), line.matter))
