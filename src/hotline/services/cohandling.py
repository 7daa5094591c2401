"""Co-handling (协办): another department does a part of a ticket, with a due of its own; only the lead closes."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.domain.limits import Kind
from hotline.domain.people import Actor
from hotline.domain.ticket import Action
from hotline.services import clock
from hotline.services.access import require_lead, scope_of
from hotline.services.context import Context
from hotline.services.errors import Conflict, InvalidInput
from hotline.services.locking import lock_ticket
from hotline.services.masking import masked
from hotline.services.moves import move, require
from hotline.services.ownership import department_coded
from hotline.storage.tables import CohandlingTask, Department, Ticket


@dataclass(frozen=True, slots=True, kw_only=True)
class AskCohandler:
    """What another department is asked to do.  Without ``due`` it has as long as the lead department."""

    number: str
    department: str
    request: str
    due: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportCohandling:
    """What the co-handler did of its part."""

    number: str
    report: str


def ask_cohandler(session: Session, context: Context, command: AskCohandler, actor: Actor) -> Ticket:
    """Ask a department for its part.  Raises ``InvalidInput`` for the lead itself or a due that lies in the past."""
    ticket = lock_ticket(session, context, actor, command.number)
    require_lead(session, actor, ticket)
    require(ticket, Action.ASK_COHANDLER, actor)
    department = department_coded(session, command.department)
    if department.id == ticket.lead_department_id:
        raise InvalidInput("department", "leads the ticket itself")
    if command.due is not None and command.due <= context.now():
        raise InvalidInput("due", "lies in the past")
    if _open_task(session, ticket, frozenset({department.id})) is not None:
        raise Conflict("this department has been asked already and has not reported yet")
    if department not in ticket.cohandlers:
        ticket.cohandlers = [*ticket.cohandlers, department]
    task = ask(session, context, ticket, department, actor, command.request, command.due)
    data = {"department": department.code, "due": task.due.isoformat()}
    move(session, context, ticket, Action.ASK_COHANDLER, actor, context.now(), data=data)
    return ticket


def ask(
    session: Session,
    context: Context,
    ticket: Ticket,
    department: Department,
    actor: Actor,
    request: str,
    due: datetime | None = None,
) -> CohandlingTask:
    """Write the task of a co-handler; its due is the one given, else the lead's, else the handling limit from now."""
    now = context.now()
    until = due or ticket.next_due or clock.due_from(context, ticket, Kind.HANDLE, now)
    task = CohandlingTask(
        ticket_id=ticket.id,
        department_id=department.id,
        request=masked(ticket, context, request),
        due=until,
        asked_by=actor.account_id,
        asked_at=now,
    )
    session.add(task)
    return task


def report_cohandling(session: Session, context: Context, command: ReportCohandling, actor: Actor) -> Ticket:
    """Report the part as done.  Raises ``Conflict`` when the actor's department has nothing to do."""
    ticket = lock_ticket(session, context, actor, command.number)
    require(ticket, Action.COHANDLE, actor)
    task = _open_task(session, ticket, scope_of(session, actor).departments or frozenset())
    if task is None:
        raise Conflict("your department has no open part of this ticket")
    task.state, task.report = "done", masked(ticket, context, command.report)
    task.done_by, task.done_at = actor.account_id, context.now()
    data = {"task": task.id, "on_time": task.done_at <= task.due}
    move(session, context, ticket, Action.COHANDLE, actor, context.now(), data=data)
    return ticket


def _open_task(session: Session, ticket: Ticket, departments: frozenset[int]) -> CohandlingTask | None:
    query = select(CohandlingTask).where(
        CohandlingTask.ticket_id == ticket.id,
        CohandlingTask.department_id.in_(departments),
        CohandlingTask.state == "open",
    )
    return session.scalars(query.order_by(CohandlingTask.due).limit(1)).first()
