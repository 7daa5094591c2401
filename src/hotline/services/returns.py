"""Returns (退单): a department says that a ticket is not its own; the hotline decides, the second time for good.

The ticket stays with the department until the decision, and the handling due runs on from the first dispatch.
"""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from hotline.domain.limits import Kind
from hotline.domain.people import Actor
from hotline.domain.ticket import Action, Overlay, QueueReason, ReturnReason, State
from hotline.services import clock
from hotline.services.access import require_lead
from hotline.services.assignments import (
    current_assignment,
    due_data,
    end_assignment,
    hand_over,
    release_cohandlers,
)
from hotline.services.context import Context
from hotline.services.decisions import decide, pending
from hotline.services.dispatch import dispatch_by_entry, relabel, return_to_queue
from hotline.services.errors import Conflict, InvalidInput
from hotline.services.locking import lock_ticket
from hotline.services.masking import masked, masked_reason
from hotline.services.moves import lay, lift, move, require
from hotline.services.notices import catch_up
from hotline.services.ownership import department_coded, owner_of, require_may_own
from hotline.storage.tables import Department, ReturnRequest, Ticket


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestReturn:
    """Why it is not this department's: reason code, legal basis, and the owner it suggests."""

    number: str
    reason_code: ReturnReason
    basis: str
    suggested_department: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelReturn:
    """The department handles it after all."""

    number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptReturn:
    """The return is right.

    ``matter`` corrects what was wrong, ``department`` names the owner; with the matter alone the catalogue names it,
    and with neither the ticket waits for a dispatcher.
    """

    number: str
    reason: str
    department: str | None = None
    matter: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectReturn:
    """The department must handle it (强制承办)."""

    number: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjudicate:
    """The supervisor's last word (裁定): the department that handles it, and whether its handling limit starts anew."""

    number: str
    department: str
    reason: str
    fresh_limit: bool = False


# Whoever sends a ticket back says who should have it, unless nobody could know or it needs no owner at all.
NEEDS_NO_SUGGESTION = frozenset(
    {
        ReturnReason.DUPLICATE,
        ReturnReason.LEGAL_CHANNEL,
        ReturnReason.INFO_INCOMPLETE,
        ReturnReason.HIGHER_AUTHORITY,
        ReturnReason.CONFLICT_OF_INTEREST,
    }
)


def request_return(session: Session, context: Context, command: RequestReturn, actor: Actor) -> Ticket:
    """Ask for the return, within the return limit.

    Raises ``Conflict`` when the limit is over and ``InvalidInput`` for a suggestion that is missing or the asker
    itself.
    """
    ticket = lock_ticket(session, context, actor, command.number)
    require_lead(session, actor, ticket)
    require(ticket, Action.REQUEST_RETURN, actor)
    now = context.now()
    assert ticket.return_due is not None
    if now > ticket.return_due:
        raise Conflict("the return limit is over; the department has to handle the ticket")
    suggested = _suggested(session, ticket, command)
    adjudication = ticket.returns > 0
    ticket.returns += 1
    session.add(
        ReturnRequest(
            ticket_id=ticket.id,
            assignment_id=current_assignment(session, ticket).id,
            department_id=ticket.lead_department_id,
            asked_by=actor.account_id,
            asked_at=now,
            reason_code=command.reason_code,
            basis=masked(ticket, context, command.basis),
            note=masked_reason(ticket, context, command.note),
            suggested_department_id=suggested.id if suggested else None,
            adjudication=adjudication,
        )
    )
    data = {
        "reason_code": command.reason_code,
        "department": ticket.lead_department.code if ticket.lead_department else None,
        "suggested": suggested.code if suggested else None,
        "entry": ticket.catalogue_entry_id,
        "adjudication": adjudication,
    }
    move(session, context, ticket, Action.REQUEST_RETURN, actor, now, reason=command.basis, data=data)
    lay(ticket, Overlay.ADJUDICATION_PENDING if adjudication else Overlay.RETURN_PENDING)
    clock.plan(session, context, ticket)
    return ticket


def _suggested(session: Session, ticket: Ticket, command: RequestReturn) -> Department | None:
    if command.suggested_department is None:
        if command.reason_code in NEEDS_NO_SUGGESTION:
            return None
        raise InvalidInput("suggested_department", "say which department should handle it")
    found = department_coded(session, command.suggested_department, "suggested_department")
    if found.id == ticket.lead_department_id:
        raise InvalidInput("suggested_department", "is the department that returns the ticket")
    return found


def cancel_return(session: Session, context: Context, command: CancelReturn, actor: Actor) -> Ticket:
    """Take the request back; the ticket no longer counts as returned."""
    ticket = lock_ticket(session, context, actor, command.number)
    require_lead(session, actor, ticket)
    move(session, context, ticket, Action.CANCEL_RETURN, actor, context.now())
    decide(context, ticket, pending(session, ReturnRequest, ticket), actor, "cancelled", None)
    lift(ticket, Overlay.RETURN_PENDING, Overlay.ADJUDICATION_PENDING)
    # Whoever takes the request back should have signed all along.
    catch_up(session, context, ticket)
    clock.plan(session, context, ticket)
    ticket.returns -= 1
    return ticket


def accept_return(session: Session, context: Context, command: AcceptReturn, actor: Actor) -> Ticket:
    """Accept the return: to the owner at once where one is named or the catalogue knows it, else into the queue.

    The matter that the dispatcher corrects is kept as a label from a return, from which the model learns.
    """
    ticket = lock_ticket(session, context, actor, command.number)
    require(ticket, Action.ACCEPT_RETURN, actor)
    if command.matter is not None:
        relabel(session, context, ticket, command.matter, actor, source="return")
    now, returned_by = context.now(), ticket.lead_department_id
    entry = None
    if command.department is not None:
        department = department_coded(session, command.department)
        if department.id == returned_by:
            raise InvalidInput("department", "is the one that returns it; to keep it there, reject the return")
        require_may_own(session, ticket, department, actor, now, overseer=None)
    else:
        department = None
        entry = owner_of(session, command.matter, ticket.district, now) if command.matter else None
        if entry is not None and entry.lead_department_id == returned_by:
            entry = None
        if entry is not None:
            require_may_own(session, ticket, entry.lead_department, actor, now, overseer=None)
    decide(context, ticket, pending(session, ReturnRequest, ticket), actor, "accepted", command.reason)
    end_assignment(session, ticket, now, by="returned")
    release_cohandlers(session, ticket, now)
    accept = Action.ACCEPT_RETURN
    if department is not None:
        hand_over(session, context, ticket, department, actor, action=accept, reason=command.reason, entry=None)
    elif entry is not None:
        dispatch_by_entry(session, context, ticket, entry, actor, action=accept, reason=command.reason)
    else:
        return_to_queue(session, context, ticket, QueueReason.RETURNED)
        move(session, context, ticket, accept, actor, now, to=State.AWAITING_DISPATCH, reason=command.reason)
    lift(ticket, Overlay.RETURN_PENDING)
    clock.plan(session, context, ticket)
    return ticket


def reject_return(session: Session, context: Context, command: RejectReturn, actor: Actor) -> Ticket:
    """Reject it: the department must handle the ticket; a second request would go to the supervisor.

    Nobody could sign while it was being decided, so an unsigned ticket has the sign limit anew.
    """
    ticket = lock_ticket(session, context, actor, command.number)
    require(ticket, Action.REJECT_RETURN, actor)
    _sign_anew(session, context, ticket)
    data = due_data(ticket)
    move(session, context, ticket, Action.REJECT_RETURN, actor, context.now(), reason=command.reason, data=data)
    decide(context, ticket, pending(session, ReturnRequest, ticket), actor, "rejected", command.reason)
    lift(ticket, Overlay.RETURN_PENDING)
    clock.plan(session, context, ticket)
    return ticket


def adjudicate(session: Session, context: Context, command: Adjudicate, actor: Actor) -> Ticket:
    """Settle the second return for good.  A fresh handling limit is the supervisor's act and stands in the event."""
    ticket = lock_ticket(session, context, actor, command.number)
    require(ticket, Action.ADJUDICATE, actor)
    department = department_coded(session, command.department)
    now, stays = context.now(), department.id == ticket.lead_department_id
    if not stays:
        require_may_own(session, ticket, department, actor, now, overseer=None)
    data = {"fresh_limit": command.fresh_limit, "stays": stays, "old_handle_due": due_data(ticket)["handle_due"]}
    if command.fresh_limit:
        ticket.handle_from = now
    decide(
        context,
        ticket,
        pending(session, ReturnRequest, ticket),
        actor,
        "rejected" if stays else "accepted",
        command.reason,
    )
    if stays:
        _sign_anew(session, context, ticket)
        clock.refresh_dues(session, context, ticket)
        data |= due_data(ticket)
        to = State(ticket.state)
        move(session, context, ticket, Action.ADJUDICATE, actor, now, to=to, reason=command.reason, data=data)
    else:
        end_assignment(session, ticket, now, by="adjudicated")
        release_cohandlers(session, ticket, now)
        act = Action.ADJUDICATE
        hand_over(session, context, ticket, department, actor, action=act, reason=command.reason, data=data)
    lift(ticket, Overlay.ADJUDICATION_PENDING)
    lay(ticket, Overlay.RETURN_BARRED)
    clock.plan(session, context, ticket)
    return ticket


def _sign_anew(session: Session, context: Context, ticket: Ticket) -> None:
    if ticket.signed_at is None:
        ticket.sign_due = clock.due_from(context, ticket, Kind.SIGN, context.now())
        current_assignment(session, ticket).sign_due = ticket.sign_due
