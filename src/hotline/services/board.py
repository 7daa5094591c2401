"""The supervisor's board of now: how much is open, what is late and with whom, and what waits for a decision."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from hotline.domain.people import Actor
from hotline.domain.ticket import OPEN_STATES
from hotline.services import queues, requests
from hotline.services.context import Context
from hotline.services.queues import Tab
from hotline.storage.tables import Department, Ticket

TABS = (Tab.OPEN, Tab.TODAY, Tab.OVERDUE, Tab.UNSIGNED, Tab.DISPATCH, Tab.FOLLOW_UP)
MOST_DEPARTMENTS = 15


@dataclass(frozen=True, slots=True)
class DepartmentNow:
    """One department's share: open tickets, due today, overdue, and not signed for in time."""

    department: Department
    open: int
    today: int
    overdue: int
    unsigned: int


@dataclass(frozen=True, slots=True)
class Board:
    """The whole of it; departments with the most overdue tickets come first."""

    figures: dict[Tab, int]
    pending: dict[requests.Kind, int]
    departments: Sequence[DepartmentNow]


def board(session: Session, context: Context, actor: Actor) -> Board:
    """Count what is open now."""
    now = context.now()
    columns = [func.count(case((queues.condition(tab, now), 1))) for tab in TABS]
    row = session.execute(select(*columns).where(Ticket.state.in_(OPEN_STATES))).one()
    return Board(dict(zip(TABS, row, strict=True)), requests.counts(session, actor), _departments(session, context))


def _departments(session: Session, context: Context) -> list[DepartmentNow]:
    now = context.now()
    overdue = func.count(case((queues.condition(Tab.OVERDUE, now), 1)))
    today = func.count(case((queues.condition(Tab.TODAY, now), 1)))
    unsigned = func.count(case((queues.condition(Tab.UNSIGNED, now), 1)))
    query = select(Ticket.lead_department_id, func.count(), today, overdue, unsigned)
    query = query.where(Ticket.state.in_(OPEN_STATES), Ticket.lead_department_id.is_not(None))
    query = query.group_by(Ticket.lead_department_id)
    rows = session.execute(query.order_by(overdue.desc(), today.desc()).limit(MOST_DEPARTMENTS)).all()
    named = select(Department).where(Department.id.in_([row[0] for row in rows]))
    departments = {row.id: row for row in session.scalars(named)}
    return [DepartmentNow(departments[row[0]], *row[1:]) for row in rows if row[0] is not None]
