"""What the figures know of a ticket, and what of it counts for which figure, when, and for whom.

``countings`` is the one definition of every cohort.  The reports keep the same countings in a table, made in SQL; a
command and a test make them here from the raw events and hold the two equal.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from hotline.domain.kpi import CONTENT, VALID_RESULTS, Measure
from hotline.domain.ticket import FollowupResult, Satisfaction


@dataclass(frozen=True, slots=True)
class Held:
    """One department's time with a ticket, ``[at, ended_at)``.

    ``returned_at`` is when it asked to return it and did not take that back, ``leaving_at`` the same of a request that
    is not decided or was accepted, ``accepted_at`` when the hotline agreed.
    """

    department: str
    at: datetime
    sign_due: datetime
    ended_at: datetime | None = None
    signed_at: datetime | None = None
    returned_at: datetime | None = None
    leaving_at: datetime | None = None
    accepted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """One caller's follow-up in one round, with its result; ``own`` tells the ticket's own caller from a merged one."""

    at: datetime
    round: int
    result: FollowupResult
    satisfaction: Satisfaction | None = None
    own: bool = True


@dataclass(frozen=True, slots=True)
class TicketFacts:
    """What the figures need to know of one ticket.

    ``department`` has it now.  ``ended_early_at`` is when it was answered, withdrawn, merged, declined or transferred:
    from then on nothing more was due.  ``replied`` lists the dues of follow-up, by round; ``reworked`` when each
    rework began.  ``repeated`` says that the same caller complained about the same matter within a month of closing.
    ``waits`` are the times ``(since, until, department)`` in which it waited for an answer.
    """

    received_at: datetime
    department: str | None = None
    held: tuple[Held, ...] = ()
    answered_at: datetime | None = None
    ended_early_at: datetime | None = None
    dispatched_at: datetime | None = None
    contact_due: datetime | None = None
    contacted_at: datetime | None = None
    anonymous: bool = False
    handle_due: datetime | None = None
    extended: bool = False
    completed_at: datetime | None = None
    replied: tuple[datetime, ...] = ()
    asked: tuple[Asked, ...] = ()
    reworked: tuple[datetime, ...] = ()
    closed_at: datetime | None = None
    returns: int = 0
    repeated: bool = False
    excluded_at: datetime | None = None
    waits: tuple[tuple[datetime, datetime | None, str | None], ...] = ()

    def holder(self, instant: datetime) -> str | None:
        """Return the department that held the ticket at ``instant``, None when the hotline itself did."""
        holding = [held for held in self.held if held.at <= instant and not _over(held.ended_at, instant)]
        return max(holding, key=lambda held: held.at).department if holding else None


@dataclass(frozen=True, slots=True)
class Counting:
    """One thing that counts for ``measure`` at ``at``, for ``department``; met at ``hit_at``, or not (None)."""

    measure: Measure
    at: datetime
    hit_at: datetime | None
    department: str | None
    seconds: float | None = None


def _over(ended_at: datetime | None, instant: datetime) -> bool:
    return ended_at is not None and ended_at <= instant


def _in_time(done: datetime | None, due: datetime) -> datetime | None:
    return done if done is not None and done <= due else None


def countings(ticket: TicketFacts) -> Iterator[Counting]:
    """Yield everything of ``ticket`` that counts.  Source: the KPIs of the hotline's rules."""
    yield Counting(Measure.RECEIVED, ticket.received_at, ticket.answered_at, ticket.department)
    yield from _of_assignments(ticket)
    yield from _of_dues(ticket)
    yield from _of_followups(ticket)
    if ticket.completed_at is not None and ticket.dispatched_at is not None:
        took = (ticket.completed_at - ticket.dispatched_at).total_seconds()
        yield Counting(Measure.HANDLED, ticket.completed_at, None, ticket.holder(ticket.completed_at), took)
    if ticket.closed_at is not None and ticket.dispatched_at is not None:
        # 一次办结率: closed without return, rework or repeated complaint ÷ closed by departments.
        in_one = not ticket.returns and not ticket.reworked and not ticket.repeated
        hit = ticket.closed_at if in_one else None
        yield Counting(Measure.ONE_PASS, ticket.closed_at, hit, ticket.holder(ticket.closed_at))


def _of_assignments(ticket: TicketFacts) -> Iterator[Counting]:
    for held in ticket.held:
        # 退单率: returned ÷ dispatched; every department that is given a ticket counts.
        yield Counting(Measure.DISPATCHED, held.at, held.returned_at, held.department)
        # 按时签收率: what left before its due unsigned asked nothing more of this department, and nobody can sign while
        # a return is being decided.
        left = _over(held.ended_at, held.sign_due) or _over(held.leaving_at, held.sign_due)
        if held.signed_at is not None or not left:
            yield Counting(Measure.SIGNING, held.sign_due, _in_time(held.signed_at, held.sign_due), held.department)
    if ticket.held:
        # 首派准确率 is the rest of this: first dispatches that were returned, rightly.
        first = ticket.held[0]
        yield Counting(Measure.FIRST_DISPATCH, first.at, first.accepted_at, first.department)


def _of_dues(ticket: TicketFacts) -> Iterator[Counting]:
    due, done = ticket.handle_due, ticket.completed_at
    # 按期办结率: open and overdue counts and fails; suspended tickets have no due and are out.
    if due is not None and (done is not None or not _over(ticket.ended_early_at, due)):
        counting = Counting(Measure.COMPLETION, due, _in_time(done, due), ticket.holder(due))
        yield counting
        if ticket.extended:
            yield Counting(Measure.EXTENDED, due, counting.hit_at, counting.department)
    due, done = ticket.contact_due, ticket.contacted_at
    # 响应率: whoever gave no name cannot be called.
    if due is not None and not ticket.anonymous and (done is not None or not _over(ticket.ended_early_at, due)):
        yield Counting(Measure.CONTACT, due, _in_time(done, due), ticket.holder(due))


def _of_followups(ticket: TicketFacts) -> Iterator[Counting]:
    reached = [asked for asked in ticket.asked if asked.result is not FollowupResult.ANONYMOUS]
    if not ticket.anonymous:
        # 回访率: the ticket's own caller has a result ÷ follow-ups that fell due.
        for number, due in enumerate(ticket.replied):
            done = next((asked.at for asked in reached if asked.own and asked.round == number), None)
            if done is not None or not _over(ticket.ended_early_at, due):
                yield Counting(Measure.FOLLOWUP_DUE, due, done, ticket.holder(due))
    for asked in reached:
        # Every caller of every round counts when it was asked: what was published is not taken back by a rework.
        at, by, valid = asked.at, ticket.holder(asked.at), asked.result in VALID_RESULTS
        yield Counting(Measure.FOLLOWED_UP, at, at if valid else None, by)
        if valid:
            resolved = asked.result is FollowupResult.RESOLVED
            yield Counting(Measure.RESOLUTION, at, at if resolved else None, by)
        if asked.satisfaction is not None:
            yield Counting(Measure.SATISFACTION, at, at if asked.satisfaction in CONTENT else None, by)
    # 重办率: rounds that ended in rework ÷ rounds followed up; a rework that was ordered without asking counts too.
    for number in range(len(ticket.reworked) + 1):
        instants = [asked.at for asked in reached if asked.round == number]
        again = ticket.reworked[number] if number < len(ticket.reworked) else None
        at_end = max(instants) if instants else again
        if at_end is not None:
            yield Counting(Measure.REWORK, at_end, again, ticket.holder(at_end))
