"""Keep the countings of the reports up to date, make them anew, and hold them against the raw events.

A trigger notes which tickets have moved.  A job counts them every minute, and a report counts what is still noted
before it reads, so that a figure is never behind what has happened.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session, aliased

from hotline.domain.facts import Counting, countings
from hotline.domain.kpi import ONE_PASS_SETTLES, Measure
from hotline.domain.replay import Event, replay
from hotline.storage.engine import SessionFactory, transaction
from hotline.storage.queries import counting, handled
from hotline.storage.queries.slices import city_day
from hotline.storage.tables import COUNTED, WAITED, Caller, Department, Ticket, TicketEvent

BATCH = 1000
# As much as a reader waits for; what is more is the job's, and the report says what it does not know yet.
MOST_WHILE_READING = 2000
# Readers who count meanwhile wait for as long as this takes.
DAYS_AT_ONCE = 40


def catch_up(session: Session, limit: int = MOST_WHILE_READING) -> int:
    """Count up to ``limit`` tickets that have moved; return how many notes of moves that settled."""
    counting.lock(session)
    session.flush()
    ids = counting.take_uncounted(session, limit)
    if ids:
        counting.count_tickets(session, ids)
    return len(ids)


def pack_days(session: Session, now: datetime) -> int:
    """Pack the handling times of some days that are over and are not packed yet; return how many."""
    counting.lock(session)
    return handled.pack_days(session, city_day(now), DAYS_AT_ONCE)


def rebuild(sessions: SessionFactory) -> Iterator[int]:
    """Make all countings anew, in batches that each commit; yield how many tickets each batch held.

    Reports read on meanwhile and see what is there; a rebuild that was interrupted is started again.
    """
    with transaction(sessions) as session:
        counting.lock(session)
        counting.empty(session)
    last = 0
    while True:
        with transaction(sessions) as session:
            counting.lock(session)
            ids = session.scalars(select(Ticket.id).where(Ticket.id > last).order_by(Ticket.id).limit(BATCH)).all()
            if not ids:
                return
            counting.count_tickets(session, ids, also_earlier=False)
            last = ids[-1]
        yield len(ids)


@dataclass
class Verified:
    """How many tickets and countings were held against their events, and the numbers of tickets that differ."""

    tickets: int = 0
    countings: int = 0
    differing: list[str] = field(default_factory=list)


Waits = list[tuple[datetime, datetime | None, str | None]]


def verify(session: Session, ids: Sequence[int], into: Verified) -> None:
    """Recompute the countings of the tickets ``ids`` from their raw events and compare them with the table."""
    codes = {row.id: row.code for row in session.execute(select(Department.id, Department.code))}
    kept, waits = _kept(session, ids, codes), _waits(session, ids, codes)
    for ticket, told, told_waits in recomputed(session, ids):
        into.tickets += 1
        into.countings += len(told)
        if sorted(map(_key, told)) != sorted(map(_key, kept[ticket.id])) or sorted(told_waits, key=str) != sorted(
            waits[ticket.id], key=str
        ):
            into.differing.append(ticket.number)


def recomputed(session: Session, ids: Sequence[int]) -> Iterator[tuple[Ticket, list[Counting], Waits]]:
    """Yield each ticket with its countings and times of waiting, folded from its events alone.

    Only whether the caller is anonymous and has called again is read elsewhere: events hold nothing of a person.
    """
    events: dict[int, list[Event]] = defaultdict(list)
    query = select(TicketEvent).where(TicketEvent.ticket_id.in_(ids)).order_by(TicketEvent.id)
    for row in session.scalars(query):
        events[row.ticket_id].append(Event(row.kind, row.at, row.to_state, row.data))
    anonymous = set(session.scalars(select(Caller.ticket_id).where(Caller.ticket_id.in_(ids), Caller.anonymous)))
    repeated = _repeated(session, ids)
    for ticket in session.scalars(select(Ticket).where(Ticket.id.in_(ids)).order_by(Ticket.id)):
        facts = replay(events[ticket.id], anonymous=ticket.id in anonymous, repeated=ticket.id in repeated)
        yield ticket, list(countings(facts)), list(facts.waits)


def _repeated(session: Session, ids: Sequence[int]) -> set[int]:
    later, again = aliased(Ticket), aliased(Caller)
    called_again = exists().where(
        Caller.ticket_id == Ticket.id,
        again.phone_index == Caller.phone_index,
        again.ticket_id == later.id,
        later.id != Ticket.id,
        later.matter == Ticket.matter,
        later.received_at > Ticket.closed_at,
        later.received_at <= Ticket.closed_at + ONE_PASS_SETTLES,
    )
    return set(session.scalars(select(Ticket.id).where(Ticket.id.in_(ids), called_again)))


def _kept(session: Session, ids: Sequence[int], codes: dict[int, str]) -> dict[int, list[Counting]]:
    found: dict[int, list[Counting]] = defaultdict(list)
    columns = COUNTED.c
    query = select(
        columns.ticket_id, columns.measure, columns.at, columns.hit_at, columns.department_id, columns.seconds
    )
    for ticket_id, measure, at, hit_at, department_id, seconds in session.execute(
        query.where(columns.ticket_id.in_(ids))
    ):
        department = codes[department_id] if department_id else None
        found[ticket_id].append(Counting(Measure(measure), at, hit_at, department, seconds))
    return found


def _waits(session: Session, ids: Sequence[int], codes: dict[int, str]) -> dict[int, Waits]:
    found: dict[int, Waits] = defaultdict(list)
    columns = WAITED.c
    query = select(columns.ticket_id, columns.since, columns.until, columns.department_id)
    for ticket_id, since, until, department_id in session.execute(query.where(columns.ticket_id.in_(ids))):
        found[ticket_id].append((since, until, codes[department_id] if department_id else None))
    return found


def _key(counting: Counting) -> tuple[str, ...]:
    seconds = "" if counting.seconds is None else f"{counting.seconds:.3f}"
    instants = (counting.at, counting.hit_at)
    return (
        counting.measure,
        *(f"{instant:%s.%f}" if instant else "" for instant in instants),
        str(counting.department),
        seconds,
    )


def number_of_tickets(session: Session) -> int:
    """Return how many tickets there are, for a progress bar."""
    return session.scalar(select(func.count()).select_from(Ticket)) or 0
