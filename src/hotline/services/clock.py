"""A ticket's clock: its dues, what pauses them, and when the clock next has something to say.

A settled result never changes: once a ticket is completed or ended, its handling due stays what it was, whatever
becomes of calendars, limits, type or urgency.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.domain.clock_notices import HandlingClock, Notice, NoticeKind, review_at
from hotline.domain.limits import Kind, ResolvedLimit, deadline, resolve
from hotline.domain.ticket import Overlay, State
from hotline.domain.working_time import Pause
from hotline.services.context import Context
from hotline.services.provisional import warn_once
from hotline.storage.tables import Extension, Suspension, Ticket

# While a return is decided nobody can sign.
RETURN_OPEN = frozenset({Overlay.RETURN_PENDING, Overlay.ADJUDICATION_PENDING})
BEFORE_DISPATCH = frozenset({State.RECEIVED, State.AWAITING_DISPATCH})
IN_HAND = frozenset({State.AWAITING_SIGN, State.HANDLING, State.REPLIED})


def limit_of(context: Context, ticket: Ticket, kind: Kind, start: datetime) -> ResolvedLimit:
    """Return the limit of ``kind`` from ``start`` that applies to the ticket as it is now.

    A ticket whose type nobody has said yet gets the longest limit; triage or a person says it, and the dues follow.
    """
    rules = context.timekeeping().limits_at(start)
    return resolve(rules, kind, ticket.type or "", ticket.matter, ticket.district, ticket.urgency)


def due_from(context: Context, ticket: Ticket, kind: Kind, start: datetime) -> datetime:
    """Return when the limit of ``kind`` ends that runs from ``start`` and that nothing pauses."""
    instant = deadline(context.calendar, start, limit_of(context, ticket, kind, start)).instant
    assert instant is not None, "only an open pause leaves a due unknown"
    return instant


def is_settled(ticket: Ticket) -> bool:
    """Tell whether the handling result stands: completed, or ended without handling."""
    return ticket.completed_at is not None or ticket.ended_early_at is not None


def handling_clock(session: Session, context: Context, ticket: Ticket) -> HandlingClock:
    """Return the clock of the first handling.  The ticket has been dispatched."""
    assert ticket.handle_from is not None
    return _clock_from(session, context, ticket, Kind.HANDLE, ticket.handle_from, until=ticket.reworked_at)


def running_clock(session: Session, context: Context, ticket: Ticket) -> HandlingClock | None:
    """Return the clock that the department works against now: of the rework, else of the handling."""
    if State(ticket.state) not in IN_HAND or ticket.handle_from is None:
        return None
    if ticket.reworked_at is not None:
        return _clock_from(session, context, ticket, Kind.REWORK, ticket.reworked_at, until=None)
    return handling_clock(session, context, ticket)


def _clock_from(
    session: Session, context: Context, ticket: Ticket, kind: Kind, start: datetime, *, until: datetime | None
) -> HandlingClock:
    limit = limit_of(context, ticket, kind, start)
    return HandlingClock(
        context.calendar, start, limit, pauses_of(session, ticket), _extension(session, ticket, start, until)
    )


def pauses_of(session: Session, ticket: Ticket) -> tuple[Pause, ...]:
    """Return the ticket's suspensions as pauses, the running one open."""
    if not ticket.suspensions:
        return ()
    query = select(Suspension).where(Suspension.ticket_id == ticket.id, Suspension.state.in_(("running", "ended")))
    return tuple((row.decided_at, row.ended_at) for row in session.scalars(query) if row.decided_at is not None)


def _extension(session: Session, ticket: Ticket, start: datetime, until: datetime | None) -> int:
    """Return the working days granted between ``start`` and ``until``: an extension belongs to one round."""
    if Overlay.EXTENDED not in ticket.overlays:
        return 0
    query = select(Extension).where(Extension.ticket_id == ticket.id, Extension.state == "approved")
    granted = session.scalars(query).one()
    asked_in_time = start <= granted.asked_at and (until is None or granted.asked_at < until)
    return granted.working_days if asked_in_time else 0


def refresh_dues(session: Session, context: Context, ticket: Ticket) -> None:
    """Compute anew what the department has to meet, from the original starts.  A settled result stays.

    What the clock would have said earlier about a due that has been moved is not said after the fact; what is over by
    it is for `notices.catch_up` to say.
    """
    before = ticket.next_due
    if ticket.handle_from is not None and not is_settled(ticket):
        found = handling_clock(session, context, ticket)
        ticket.handle_due = found.due.instant
        ticket.due_basis = _basis(context, found)
        if found.due.provisional:
            warn_once(session, context, found.start, found.due.instant or context.now())
    if ticket.reworked_at is not None:
        running = _clock_from(session, context, ticket, Kind.REWORK, ticket.reworked_at, until=None)
        ticket.rework_due = running.due.instant
    ticket.next_due = ticket.rework_due if ticket.reworked_at is not None else ticket.handle_due
    if ticket.next_due != before:
        ticket.noticed_until = context.now()


def _basis(context: Context, found: HandlingClock) -> dict[str, Any]:
    ordinary = found.ordinary
    return {
        "limit": str(found.resolved.limit),
        "ceiling": str(found.resolved.ceiling) if found.resolved.ceiling else None,
        "governs": str(ordinary.limit),
        "limits_version": found.resolved.version,
        "calendar_version": context.calendar.version,
        "provisional": found.due.provisional,
        "extension": found.extension,
    }


def outstanding(session: Session, context: Context, ticket: Ticket) -> Iterator[Notice]:
    """Yield all that the clock has to say about the ticket as it stands now, past and to come."""
    state = State(ticket.state)
    if state in BEFORE_DISPATCH:
        yield from _overdue(NoticeKind.DISPATCH_OVERDUE, ticket.dispatch_due)
    elif state in (State.AWAITING_FOLLOWUP, State.ANSWERED):
        yield from _overdue(NoticeKind.FOLLOWUP_OVERDUE, ticket.followup_due)
    elif state in IN_HAND:
        if state is State.AWAITING_SIGN and RETURN_OPEN.isdisjoint(ticket.overlays):
            yield from _overdue(NoticeKind.SIGN_OVERDUE, ticket.sign_due)
        if ticket.contacted_at is None and state is not State.REPLIED:
            yield from _overdue(NoticeKind.CONTACT_OVERDUE, ticket.contact_due)
        if Overlay.SUSPENDED in ticket.overlays:
            yield from _review(session, context, ticket)
        running = running_clock(session, context, ticket)
        if running is not None:
            yield from running.notices()


def _overdue(kind: NoticeKind, due: datetime | None) -> Iterator[Notice]:
    if due is not None:
        yield Notice(due, kind, due)


def _review(session: Session, context: Context, ticket: Ticket) -> Iterator[Notice]:
    query = select(Suspension.review_on).where(Suspension.ticket_id == ticket.id, Suspension.state == "running")
    for day in session.scalars(query):
        at = review_at(context.calendar, day)
        yield Notice(at, NoticeKind.REVIEW, at)


def plan(session: Session, context: Context, ticket: Ticket) -> None:
    """Set when the clock next has something to say about the ticket."""
    heard = ticket.noticed_until or ticket.received_at
    later = (notice.at for notice in outstanding(session, context, ticket) if notice.at > heard)
    ticket.next_notice_at = min(later, default=None)
