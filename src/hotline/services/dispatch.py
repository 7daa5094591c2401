"""Dispatch (派单): find who owns the matter there, hand the ticket over and start the limits."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from hotline.domain.limits import Kind
from hotline.domain.people import Actor
from hotline.domain.ticket import Action, ComplaintType, QueueReason, State, Urgency
from hotline.services import clock
from hotline.services.access import require_lead, subtree
from hotline.services.assignments import current_assignment, end_assignment, hand_over, release_cohandlers
from hotline.services.cohandling import ask
from hotline.services.context import Context
from hotline.services.errors import Conflict, InvalidInput
from hotline.services.labels import LabelSource, keep_label
from hotline.services.locking import lock_ticket
from hotline.services.moves import move, require
from hotline.services.ownership import (
    department_coded,
    is_judge_of_itself,
    owner_of,
    push_down_basis,
    require_may_own,
)
from hotline.storage.tables import Account, Assignment, CatalogueEntryRow, Department, Ticket


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchTicket:
    """A dispatcher's decision.  What is None stays as it is; without ``department`` the catalogue names the owner.

    ``overseer`` is a co-handler named with a complaint that goes to the department it is about.
    """

    number: str
    matter: str | None = None
    department: str | None = None
    overseer: str | None = None
    about_department: str | None = None
    type: ComplaintType | None = None
    urgency: Urgency | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchOn:
    """A department hands the ticket on to one of its sub-units (转派下级)."""

    number: str
    department: str
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeBack:
    """A dispatch is undone before it is signed for (撤回)."""

    number: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignTicket:
    """Who of the department handles it (经办人); None takes the name off again."""

    number: str
    username: str | None


def dispatch(session: Session, context: Context, command: DispatchTicket, actor: Actor) -> Ticket:
    """Dispatch by hand.

    Raises ``InvalidInput`` when matter or department is unknown, no owner is found, or the department must not get it.
    """
    ticket = lock_ticket(session, context, actor, command.number)
    # Refused moves are refused before anything of the ticket is changed.
    require(ticket, Action.DISPATCH, actor)
    relabel(session, context, ticket, command.matter, actor)
    ticket.type = command.type or ticket.type
    ticket.urgency = command.urgency or ticket.urgency
    if command.about_department is not None:
        about = department_coded(session, command.about_department, "about_department")
        ticket.about_department_id = about.id
    overseer = department_coded(session, command.overseer, "overseer") if command.overseer else None
    now = context.now()
    if command.department is not None:
        department = department_coded(session, command.department)
        require_may_own(session, ticket, department, actor, now, overseer=overseer)
        hand_over(session, context, ticket, department, actor, action=Action.DISPATCH, reason=command.reason)
    else:
        entry = owner_of(session, ticket.matter, ticket.district, now) if ticket.matter else None
        if entry is None:
            field = "department" if ticket.matter else "matter"
            raise InvalidInput(field, "the catalogue names no owner for this matter here; give a department")
        require_may_own(session, ticket, entry.lead_department, actor, now, overseer=overseer)
        dispatch_by_entry(session, context, ticket, entry, actor, reason=command.reason)
    if overseer is not None and overseer not in ticket.cohandlers:
        ticket.cohandlers = [*ticket.cohandlers, overseer]
    return ticket


def relabel(
    session: Session,
    context: Context,
    ticket: Ticket,
    matter: str | None,
    actor: Actor,
    *,
    source: LabelSource = "dispatcher",
) -> None:
    """Take over what a person says the matter is.  Confirming the model's own matter is a human label too."""
    said = matter or ticket.matter
    if said is None:
        return
    if said not in context.taxonomy.matters:
        raise InvalidInput("matter", "unknown matter; use a code from A01 to G09")
    ticket.matter, ticket.task, ticket.matter_source = said, said[0], actor.role
    # Only before the first dispatch has nobody seen the model's answer to a blind check.
    unseen = ticket.blind and ticket.dispatched_at is None
    keep_label(session, ticket, said, "blind" if unseen else source, actor, context.now())


def dispatch_to_owner(
    session: Session, context: Context, ticket: Ticket, actor: Actor, *, reason: str | None = None
) -> QueueReason | None:
    """Dispatch to whom the catalogue names.  Returns None, or why a person has to decide; then nothing is changed."""
    now = context.now()
    entry = owner_of(session, ticket.matter, ticket.district, now) if ticket.matter else None
    if entry is None or push_down_basis(session, ticket.matter, entry.lead_department, now) is not None:
        return QueueReason.NO_OWNER
    if is_judge_of_itself(session, ticket, entry.lead_department):
        return QueueReason.CONFLICT
    dispatch_by_entry(session, context, ticket, entry, actor, reason=reason)
    return None


def dispatch_by_entry(
    session: Session,
    context: Context,
    ticket: Ticket,
    entry: CatalogueEntryRow,
    actor: Actor,
    *,
    action: Action = Action.DISPATCH,
    reason: str | None = None,
) -> None:
    """Hand the ticket to the entry's lead department and ask its co-handlers for their part."""
    ticket.cohandlers = list(entry.cohandlers)
    data = {"cohandlers": [helper.code for helper in entry.cohandlers]}
    owner = entry.lead_department
    hand_over(session, context, ticket, owner, actor, action=action, entry=entry, reason=reason, data=data)
    for helper in entry.cohandlers:
        ask(session, context, ticket, helper, actor, "按权责清单协助主办单位办理")


def dispatch_on(session: Session, context: Context, command: DispatchOn, actor: Actor) -> Ticket:
    """Hand the ticket on to a sub-unit of the actor's department, which signs for it anew."""
    ticket = lock_ticket(session, context, actor, command.number)
    require_lead(session, actor, ticket)
    require(ticket, Action.DISPATCH_ON, actor)
    department = department_coded(session, command.department)
    holder = ticket.lead_department_id
    assert holder is not None
    if department.id == holder or department.id not in subtree(session, holder):
        raise InvalidInput("department", "is not a sub-unit of the department that has the ticket")
    now = context.now()
    require_may_own(session, ticket, department, actor, now, overseer=None)
    left = end_assignment(session, ticket, now, by="dispatched_on")
    hand_over(
        session, context, ticket, department, actor, action=Action.DISPATCH_ON, parent=left, reason=command.reason
    )
    return ticket


def take_back(session: Session, context: Context, command: TakeBack, actor: Actor) -> Ticket:
    """Undo the last dispatch while nobody has signed for it.

    The hotline's desk takes it back into its queue; a department takes back what it handed on to a sub-unit.
    """
    ticket = lock_ticket(session, context, actor, command.number)
    target = require(ticket, Action.TAKE_BACK, actor)
    now = context.now()
    if target is State.HANDLING:
        _take_back_from_subunit(session, context, ticket, command, actor)
        return ticket
    end_assignment(session, ticket, now, by="taken_back")
    return_to_queue(session, context, ticket, QueueReason.TAKEN_BACK)
    move(session, context, ticket, Action.TAKE_BACK, actor, now, reason=command.reason)
    return ticket


def _take_back_from_subunit(
    session: Session, context: Context, ticket: Ticket, command: TakeBack, actor: Actor
) -> None:
    present = current_assignment(session, ticket)
    handed_on_by = session.get(Assignment, present.parent_id) if present.parent_id else None
    mine = subtree(session, actor.department_id) if actor.department_id is not None else frozenset()
    if handed_on_by is None or handed_on_by.department_id not in mine:
        raise Conflict("only what your department handed on to a sub-unit can be taken back by it")
    now = context.now()
    end_assignment(session, ticket, now, by="taken_back")
    # It is the earlier assignment that goes on; its limits were met or missed already.
    handed_on_by.ended_at = handed_on_by.ended_by = None
    department = session.get_one(Department, handed_on_by.department_id)
    ticket.lead_department, ticket.lead_department_id = department, department.id
    ticket.assignee_id = None
    ticket.assigned_at, ticket.sign_due = handed_on_by.at, handed_on_by.sign_due
    ticket.return_due = handed_on_by.return_due
    handed_on_by.signed_at = handed_on_by.signed_at or now
    ticket.signed_at = handed_on_by.signed_at
    move(session, context, ticket, Action.TAKE_BACK, actor, now, reason=command.reason)


def assign(session: Session, context: Context, command: AssignTicket, actor: Actor) -> Ticket:
    """Name the person who handles the ticket.  Raises ``InvalidInput`` for somebody outside the lead department."""
    ticket = lock_ticket(session, context, actor, command.number)
    require_lead(session, actor, ticket)
    require(ticket, Action.ASSIGN, actor)
    person = _colleague(session, ticket, command.username) if command.username else None
    ticket.assignee_id = person.id if person else None
    data = {"assignee": person.username if person else None}
    move(session, context, ticket, Action.ASSIGN, actor, context.now(), data=data)
    return ticket


def _colleague(session: Session, ticket: Ticket, username: str) -> Account:
    assert ticket.lead_department_id is not None
    within = subtree(session, ticket.lead_department_id)
    found = session.query(Account).filter(Account.username == username, Account.active).one_or_none()
    if found is None or found.department_id not in within:
        raise InvalidInput("username", "there is nobody of this name in the department that has the ticket")
    return found


def return_to_queue(session: Session, context: Context, ticket: Ticket, reason: QueueReason) -> None:
    """Take the ticket off its department and helpers, so that a dispatcher decides anew; the caller makes the move.

    What the department had to meet goes with it and stays in its assignment; only the handling limit runs on.
    """
    now = context.now()
    release_cohandlers(session, ticket, now)
    ticket.lead_department = None
    ticket.lead_department_id = ticket.catalogue_entry_id = ticket.assignee_id = None
    ticket.assigned_at = ticket.sign_due = ticket.return_due = ticket.signed_at = ticket.next_due = None
    ticket.queue_reason = reason
    ticket.dispatch_due = clock.due_from(context, ticket, Kind.DISPATCH, now)
