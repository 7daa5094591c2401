"""Queues: the tickets that somebody has to see to, what falls due first on top, page by page, with how many there are.

A page is found by its key, not by counting, so that the last page takes as long as the first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, cast, func, or_, select, tuple_
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased, selectinload

from hotline.domain.city_time import CITY_ZONE
from hotline.domain.people import DEPARTMENT_STAFF, Actor, Role
from hotline.domain.ticket import OPEN_STATES, State
from hotline.ml.pairs import question_words, words_query
from hotline.services.access import Query, Scope, scope_of
from hotline.services.context import Context
from hotline.storage.tables import Account, CohandlingTask, Department, Ticket, TicketCohandler, TicketWords

# A query of tickets' ids and dues.
Dated = Select[int, datetime | None]

IN_HAND = (State.AWAITING_SIGN, State.HANDLING, State.REPLIED)


class Tab(StrEnum):
    """A part of the queue."""

    DISPATCH = "dispatch"
    SIGN = "sign"
    HANDLING = "handling"
    REVIEW = "review"
    TODAY = "today"
    OVERDUE = "overdue"
    UNSIGNED = "unsigned"
    AGAIN = "again"
    HELP = "help"
    FOLLOW_UP = "follow_up"
    OPEN = "open"
    ALL = "all"


TAB_NAMES: dict[Tab, str] = {
    Tab.DISPATCH: "待派单",
    Tab.SIGN: "待签收",
    Tab.HANDLING: "办理中",
    Tab.REVIEW: "待审核",
    Tab.TODAY: "今日到期",
    Tab.OVERDUE: "已超期",
    Tab.UNSIGNED: "签收超时",
    Tab.AGAIN: "退回重办",
    Tab.HELP: "协办",
    Tab.FOLLOW_UP: "待回访",
    Tab.OPEN: "全部在办",
    Tab.ALL: "全部",
}

_OF_DEPARTMENT = (Tab.SIGN, Tab.HANDLING, Tab.TODAY, Tab.OVERDUE, Tab.AGAIN, Tab.HELP, Tab.ALL)
_OF_HOTLINE = (Tab.DISPATCH, Tab.SIGN, Tab.HANDLING, Tab.REVIEW, Tab.TODAY, Tab.OVERDUE, Tab.UNSIGNED, Tab.FOLLOW_UP)


def tabs_of(role: Role) -> tuple[Tab, ...]:
    """Return the tabs of a role, the one that it opens with first."""
    if role is Role.LEAD:
        return (Tab.REVIEW, *_OF_DEPARTMENT)
    if role in DEPARTMENT_STAFF:
        return _OF_DEPARTMENT
    first = (Tab.FOLLOW_UP,) if role is Role.FOLLOWUP else (Tab.OVERDUE,) if role is Role.SUPERVISOR else ()
    return tuple(dict.fromkeys((*first, *_OF_HOTLINE, Tab.OPEN, Tab.ALL)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What narrows a queue; codes, a username (``-`` for nobody), and words of the request."""

    district: str = ""
    matter: str = ""
    assignee: str = ""
    state: str = ""
    department: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Key:
    """Where a page ends: the due of its last row (None where it has none) and its id."""

    due: datetime | None
    id: int


@dataclass(frozen=True, slots=True)
class Row:
    """A ticket in a queue, and what falls due next about it there."""

    ticket: Ticket
    due: datetime | None


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows, and the key of the next page when there is one."""

    rows: list[Row]
    next: Key | None


def _day_end(now: datetime) -> datetime:
    day = now.astimezone(CITY_ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
    return day + timedelta(days=1)


def condition(tab: Tab, now: datetime) -> ColumnElement[bool]:
    """Return what makes a ticket stand under ``tab``, for all but co-handling."""
    return conditions(now)[tab]


def conditions(now: datetime) -> dict[Tab, ColumnElement[bool]]:
    """Return by tab what makes a ticket stand under it, for all but co-handling."""
    unsigned_late = and_(Ticket.state == State.AWAITING_SIGN, Ticket.sign_due < now)
    return {
        Tab.DISPATCH: Ticket.state == State.AWAITING_DISPATCH,
        Tab.SIGN: Ticket.state == State.AWAITING_SIGN,
        Tab.HANDLING: Ticket.state == State.HANDLING,
        Tab.REVIEW: Ticket.state == State.REPLIED,
        Tab.TODAY: and_(Ticket.state.in_(IN_HAND), Ticket.next_due >= now, Ticket.next_due < _day_end(now)),
        Tab.OVERDUE: and_(Ticket.state.in_(IN_HAND), or_(Ticket.next_due < now, unsigned_late)),
        Tab.UNSIGNED: unsigned_late,
        # Whoever is at work and has replied before was sent back by its lead or by the follow-up.
        Tab.AGAIN: and_(Ticket.state == State.HANDLING, Ticket.replied_at.is_not(None)),
        Tab.FOLLOW_UP: Ticket.state == State.AWAITING_FOLLOWUP,
        Tab.OPEN: Ticket.state.in_(OPEN_STATES),
    }


_DUE: dict[Tab, InstrumentedAttribute[datetime | None]] = {
    Tab.DISPATCH: Ticket.dispatch_due,
    Tab.SIGN: Ticket.sign_due,
    Tab.UNSIGNED: Ticket.sign_due,
    Tab.FOLLOW_UP: Ticket.followup_due,
}


def counts(session: Session, context: Context, actor: Actor, filters: Filters) -> dict[Tab, int]:
    """Return how many tickets stand under each of the actor's tabs, but for those that hold everything."""
    scope, now = scope_of(session, actor), context.now()
    tabs = [tab for tab in tabs_of(actor.role) if tab not in (Tab.ALL, Tab.HELP)]
    under = conditions(now)
    columns = [func.count(case((under[tab], 1))) for tab in tabs]
    query = _narrowed(select(*columns).where(Ticket.state.in_(OPEN_STATES)), filters)
    row = session.execute(_led(query, scope)).one()
    found = dict(zip(tabs, row, strict=True))
    if Tab.HELP in tabs_of(actor.role):
        helped = select(func.count()).select_from(_helped(scope, filters).subquery())
        found[Tab.HELP] = session.scalar(helped) or 0
    return found


def page(
    session: Session, context: Context, actor: Actor, tab: Tab, filters: Filters, after: Key | None, limit: int
) -> Page:
    """Return the rows of ``tab`` that follow ``after``."""
    scope = scope_of(session, actor)
    if tab is Tab.ALL:
        found = _newest(session, scope, filters, after, limit + 1)
    elif tab is Tab.HELP:
        found = _by_due(session, _helped(scope, filters), CohandlingTask.due, after, limit + 1)
    else:
        query = select(Ticket.id, (due := _DUE.get(tab, Ticket.next_due)).label("due"))
        query = _led(_narrowed(query.where(condition(tab, context.now())), filters), scope)
        found = _by_due(session, query, due, after, limit + 1)
    rows = _loaded(session, found[:limit])
    last = found[limit - 1] if len(found) > limit else None
    return Page(rows, Key(last[1], last[0]) if last else None)


def _by_due(
    session: Session, query: Dated, due: Any, after: Key | None, limit: int
) -> list[tuple[int, datetime | None]]:
    """Return id and due of the next rows: those that have a due by it, then those whose clock stands still."""
    found: list[tuple[int, datetime | None]] = []
    if after is None or after.due is not None:
        dated = query.where(due.is_not(None)).order_by(due, Ticket.id).limit(limit)
        if after is not None:
            dated = dated.where(tuple_(due, Ticket.id) > tuple_(after.due, after.id))
        found = [(row[0], row[1]) for row in session.execute(dated)]
    if len(found) < limit:
        undated = query.where(due.is_(None)).order_by(Ticket.id).limit(limit - len(found))
        if after is not None and after.due is None:
            undated = undated.where(Ticket.id > after.id)
        found += [(row[0], None) for row in session.execute(undated)]
    return found


def _newest(
    session: Session, scope: Scope, filters: Filters, after: Key | None, limit: int
) -> list[tuple[int, datetime | None]]:
    """Return the newest tickets of the scope, helped ones too: the newest of each department, and of these the newest.

    One list over all departments would have to sort everything they ever had.
    """
    before = [Ticket.id < after.id] if after is not None else []
    if scope.departments is None:
        query = _narrowed(select(Ticket.id), filters).where(*before)
        return [(ticket_id, None) for ticket_id in session.scalars(query.order_by(Ticket.id.desc()).limit(limit))]
    found: set[int] = set()
    for department in scope.departments:
        led = _narrowed(select(Ticket.id), filters).where(Ticket.lead_department_id == department, *before)
        found |= set(session.scalars(led.order_by(Ticket.id.desc()).limit(limit)))
    helped = _narrowed(select(Ticket.id), filters).where(
        Ticket.id.in_(select(TicketCohandler.ticket_id).where(TicketCohandler.department_id.in_(scope.departments))),
        *before,
    )
    found |= set(session.scalars(helped.order_by(Ticket.id.desc()).limit(limit)))
    return [(ticket_id, None) for ticket_id in sorted(found, reverse=True)[:limit]]


def _loaded(session: Session, found: Sequence[tuple[int, datetime | None]]) -> list[Row]:
    query = select(Ticket).where(Ticket.id.in_([ticket_id for ticket_id, _due in found]))
    query = query.options(
        selectinload(Ticket.lead_department),
        selectinload(Ticket.caller),
        selectinload(Ticket.cohandlers),
        selectinload(Ticket.assignee),
    )
    tickets = {ticket.id: ticket for ticket in session.scalars(query)}
    return [Row(tickets[ticket_id], due) for ticket_id, due in found]


def _led(query: Query, scope: Scope) -> Query:
    return query if scope.departments is None else query.where(Ticket.lead_department_id.in_(scope.departments))


def _helped(scope: Scope, filters: Filters) -> Dated:
    query = select(Ticket.id, CohandlingTask.due.label("due")).join(
        CohandlingTask, CohandlingTask.ticket_id == Ticket.id
    )
    query = query.where(
        CohandlingTask.state == "open", CohandlingTask.department_id.in_(scope.departments or frozenset())
    )
    return _narrowed(query, filters)


def _narrowed(query: Query, filters: Filters) -> Query:
    if filters.district:
        query = query.where(Ticket.district == filters.district)
    if filters.matter:
        # A task's letter stands for all its matters.
        query = query.where((Ticket.task if len(filters.matter) == 1 else Ticket.matter) == filters.matter)
    if filters.state:
        query = query.where(Ticket.state == filters.state)
    if filters.assignee == "-":
        query = query.where(Ticket.assignee_id.is_(None))
    elif filters.assignee:
        person = select(Account.id).where(Account.username == filters.assignee).scalar_subquery()
        query = query.where(Ticket.assignee_id == person)
    if filters.department:
        lead = aliased(Department)
        code = select(lead.id).where(lead.code == filters.department).scalar_subquery()
        query = query.where(Ticket.lead_department_id == code)
    words = question_words(filters.text) if filters.text else []
    if words:
        query = query.join(TicketWords, TicketWords.ticket_id == Ticket.id)
        query = query.where(TicketWords.words.op("@@")(cast(words_query(words), TSQUERY)))
    return query
