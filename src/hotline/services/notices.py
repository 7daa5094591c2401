"""The clock's notices (提醒、黄牌、红牌): written once each, at the time the clock says, and told to whom they concern.

They are facts of timestamps: whether the sweep comes in time, late, or a move of the ticket comes first, the same
notices with the same instants come out.  So whoever locks a ticket to change it lets the clock speak first.
"""

from datetime import datetime, timedelta

import structlog
from sqlalchemy import Select, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from hotline.domain.clock_notices import ESCALATED, Notice, NoticeKind, sent_at
from hotline.domain.people import SYSTEM
from hotline.domain.ticket import Urgency
from hotline.services import clock
from hotline.services.context import Context
from hotline.services.events import record
from hotline.services.notifying import notify
from hotline.storage.tables import ClockNotice, Ticket

log = structlog.get_logger()

# As many tickets as one transaction of the sweep takes; the rest follow in the next.
SWEEP_BATCH = 100
PUT_OFF = timedelta(hours=1)

# A due that has been moved into the past says this much about the past: that it is over.
SAID_LATE = frozenset(
    {
        NoticeKind.REMINDER_100,
        NoticeKind.RED_CARD,
        NoticeKind.SIGN_OVERDUE,
        NoticeKind.DISPATCH_OVERDUE,
        NoticeKind.CONTACT_OVERDUE,
    }
)


def settle(session: Session, context: Context, ticket: Ticket) -> int:
    """Write what the clock has to say about the locked ticket up to now; return how many notices that were.

    The clock counts as heard up to now also when it had nothing to say.  A move that then shifts a due would otherwise
    find more or less of the past unheard, according to when the sweep last came by.
    """
    now = context.now()
    heard, ticket.noticed_until = ticket.noticed_until or ticket.received_at, now
    if ticket.next_notice_at is None or ticket.next_notice_at > now:
        return 0
    due_now = sorted(n for n in clock.outstanding(session, context, ticket) if heard < n.at <= now)
    written = sum(_write(session, context, ticket, notice, now) for notice in due_now)
    clock.plan(session, context, ticket)
    return written


def catch_up(session: Session, context: Context, ticket: Ticket) -> None:
    """After a due has been moved: write what is over by it, so that a shortened limit has its red card too."""
    now = context.now()
    over = [n for n in clock.outstanding(session, context, ticket) if n.kind in SAID_LATE and n.at <= now]
    for notice in sorted(over):
        _write(session, context, ticket, notice, now)


def _write(session: Session, context: Context, ticket: Ticket, notice: Notice, now: datetime) -> bool:
    row = {
        "ticket_id": ticket.id,
        "kind": notice.kind,
        "due": notice.due,
        "at": notice.at,
        "recorded_at": now,
        "department_id": ticket.lead_department_id,
    }
    statement = insert(ClockNotice).values(row).on_conflict_do_nothing().returning(ClockNotice.id)
    notice_id = session.execute(statement).scalar()
    if notice_id is None:
        return False
    department = ticket.lead_department.code if ticket.lead_department else None
    data = {"due": notice.due.isoformat(), "department": department}
    record(session, context, ticket, notice.kind, SYSTEM, notice.at, data=data)
    # A sweep that comes late, at night for instance, keeps its messages for the morning too.
    sent = sent_at(context.calendar, max(notice.at, now), critical=ticket.urgency == Urgency.CRITICAL)
    notify(session, context, ticket, notice.kind, not_before=sent, escalate=notice.kind in ESCALATED)
    return True


def sweep(session: Session, context: Context) -> int:
    """Let the clock speak about every ticket whose time has come; return how many tickets that were.

    Tickets that somebody is working on are left to him: his move lets the clock speak.  Only a partial index of open
    tickets is read, so that the sweep takes as long for a million closed tickets as for none.
    """
    tickets = session.scalars(heard_next(context.now())).all()
    try:
        with session.begin_nested():
            for ticket in tickets:
                settle(session, context, ticket)
    except Exception as error:
        log.error("sweep_failed", tickets=len(tickets), error=type(error).__name__)
        for ticket in tickets:
            _settle_alone(session, context, ticket)
    return len(tickets)


def heard_next(now: datetime) -> Select[Ticket]:
    """Select and lock the tickets that the clock has something to say about by ``now``, the longest waiting first."""
    return (
        select(Ticket)
        .where(Ticket.next_notice_at <= now)
        .order_by(Ticket.next_notice_at, Ticket.id)
        .limit(SWEEP_BATCH)
        .with_for_update(of=Ticket, skip_locked=True)
    )


def _settle_alone(session: Session, context: Context, ticket: Ticket) -> None:
    """Settle one ticket of a sweep that failed: one whose rows contradict each other must not silence all others."""
    try:
        with session.begin_nested():
            settle(session, context, ticket)
    except Exception as error:
        # Its next notice is put off by an hour, so that the sweep does not stumble over it again each minute.
        log.error("clock_failed", ticket_id=ticket.id, error=type(error).__name__)
        ticket.next_notice_at = context.now() + PUT_OFF
