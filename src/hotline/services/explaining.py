"""Explain a deadline (时限说明): every counted stretch and pause, the rule that fired and the editions it was read in.

The stretches add up to the limit exactly.  A settled result is explained by the calendar and the limits that it was
computed with, whatever has been imported since.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from hotline.domain.clock_notices import HandlingClock
from hotline.domain.limit import Limit
from hotline.domain.limits import Kind, ResolvedLimit, Rule, deadline, resolve
from hotline.domain.people import Actor
from hotline.domain.ticket import State
from hotline.domain.working_time import Due, Segment
from hotline.services import clock, dues
from hotline.services.access import find_ticket
from hotline.services.context import Context
from hotline.services.timekeeping import calendar_versioned
from hotline.storage.tables import Ticket

KIND_NAMES: dict[Kind, str] = {
    Kind.DISPATCH: "派单时限",
    Kind.SIGN: "签收时限",
    Kind.RETURN: "退单时限",
    Kind.CONTACT: "先行联系时限",
    Kind.HANDLE: "办理时限",
    Kind.REWORK: "重办时限",
    Kind.FOLLOW_UP: "回访时限",
}


@dataclass(frozen=True, slots=True)
class Explanation:
    """How one due of a ticket comes about.

    ``due`` is what stands on the ticket (None while an open suspension holds it back) and ``agrees`` tells whether
    computing it again gives the same; it does not where the editions it was computed with are no longer known.
    ``extended`` is the part that an extension of ``extension`` working days added to the ordinary due.
    """

    kind: Kind
    due: datetime | None
    settled: bool
    agrees: bool
    resolved: ResolvedLimit
    ordinary: Due
    extension: int
    extended: Due | None
    calendar_version: str

    @property
    def amount(self) -> timedelta:
        """The time that the limit stands for on this calendar, with the extension's."""
        return self.ordinary.amount + (self.extended.amount if self.extended else timedelta(0))

    @property
    def segments(self) -> list[Segment]:
        """The stretches that counted, in order."""
        return self.ordinary.segments + (self.extended.segments if self.extended else [])

    @property
    def pauses(self) -> list[Segment]:
        """The suspensions, each with the working time that it held back."""
        return self.ordinary.held_back + (self.extended.held_back if self.extended else [])

    @property
    def rows(self) -> list[tuple[Segment, bool]]:
        """The stretches that counted and the suspensions in order of time; True marks one that counted."""
        both = [(part, True) for part in self.segments] + [(part, False) for part in self.pauses]
        return sorted(both, key=lambda row: row[0].start)

    @property
    def provisional(self) -> bool:
        """Whether a year on the way has no published holidays yet."""
        return self.ordinary.provisional or bool(self.extended and self.extended.provisional)


def explain(session: Session, context: Context, number: str, actor: Actor) -> list[Explanation]:
    """Explain all dues that the ticket has or had, in the order of its life.  Raises ``NotFound``."""
    ticket = find_ticket(session, actor, number)
    return list(_explanations(session, context, ticket))


def _explanations(session: Session, context: Context, ticket: Ticket) -> Iterator[Explanation]:
    if ticket.dispatch_due is not None and State(ticket.state) in clock.BEFORE_DISPATCH:
        start = dues.queued_at(session, ticket)
        yield _simple(context, ticket, Kind.DISPATCH, start, ticket.dispatch_due, settled=False)
    if ticket.assigned_at is not None and ticket.sign_due is not None:
        signed = ticket.signed_at is not None
        start = dues.sign_from(session, ticket, ticket.assigned_at)
        yield _simple(context, ticket, Kind.SIGN, start, ticket.sign_due, settled=signed)
        yield _simple(context, ticket, Kind.RETURN, ticket.assigned_at, ticket.return_due, settled=signed)
    if ticket.assigned_at is not None and ticket.contact_due is not None:
        called = ticket.contacted_at is not None
        yield _simple(context, ticket, Kind.CONTACT, ticket.assigned_at, ticket.contact_due, settled=called)
    if ticket.handle_from is not None:
        found, version = _handling(session, context, ticket)
        yield _of_clock(Kind.HANDLE, found, ticket.handle_due, clock.is_settled(ticket), version)
    running = clock.running_clock(session, context, ticket)
    if ticket.reworked_at is not None and running is not None:
        yield _of_clock(Kind.REWORK, running, ticket.rework_due, False, context.calendar.version)
    if ticket.followup_due is not None and State(ticket.state) is State.AWAITING_FOLLOWUP:
        start = dues.approved_at(session, ticket)
        yield _simple(context, ticket, Kind.FOLLOW_UP, start, ticket.followup_due, settled=False)


def _simple(
    context: Context, ticket: Ticket, kind: Kind, start: datetime, stored: datetime | None, *, settled: bool
) -> Explanation:
    """Explain a due that nothing pauses or extends."""
    calendar = context.calendar
    resolved = clock.limit_of(context, ticket, kind, start)
    ordinary = deadline(calendar, start, resolved)
    agrees = ordinary.instant == stored
    return Explanation(kind, stored, settled, agrees, resolved, ordinary, 0, None, calendar.version)


def _of_clock(kind: Kind, found: HandlingClock, stored: datetime | None, settled: bool, version: str) -> Explanation:
    ordinary = found.ordinary
    extended = found.due if found.extension and ordinary.instant is not None else None
    agrees = (extended or ordinary).instant == stored
    return Explanation(kind, stored, settled, agrees, found.resolved, ordinary, found.extension, extended, version)


def _handling(session: Session, context: Context, ticket: Ticket) -> tuple[HandlingClock, str]:
    """Return the clock of the handling; a settled one as it was, from what its due was computed with."""
    present = clock.handling_clock(session, context, ticket)
    basis = ticket.due_basis
    if basis is None or not clock.is_settled(ticket):
        return present, context.calendar.version
    calendar = calendar_versioned(session, basis["calendar_version"])
    resolved = _as_stored(context, ticket, basis)
    kept = replace(present, calendar=calendar or present.calendar, resolved=resolved, extension=basis["extension"])
    return kept, basis["calendar_version"]


def _as_stored(context: Context, ticket: Ticket, basis: dict[str, Any]) -> ResolvedLimit:
    """Return the limits that a settled due names; their rule, where the ticket has not been reclassified since."""
    rules = context.timekeeping().limits_versioned(basis["limits_version"])
    if rules is not None:
        found = resolve(rules, Kind.HANDLE, ticket.type or "", ticket.matter, ticket.district, ticket.urgency)
        if (str(found.limit), str(found.ceiling) if found.ceiling else None) == (basis["limit"], basis["ceiling"]):
            return found
    ceiling = Limit.parse(basis["ceiling"]) if basis["ceiling"] else None
    return ResolvedLimit(
        Rule(Kind.HANDLE, Limit.parse(basis["limit"])),
        Rule(Kind.HANDLE, ceiling, urgency=ticket.urgency) if ceiling else None,
        basis["limits_version"],
    )
