"""Changed dues: when triage or a person changes what limits depend on, the dues follow from their original starts."""

from datetime import datetime

from sqlalchemy.orm import Session

from hotline.domain.people import Actor
from hotline.services import clock
from hotline.services.assignments import current_assignment, due_data, set_assignment_dues
from hotline.services.context import Context
from hotline.services.events import record
from hotline.services.notices import catch_up
from hotline.storage.tables import Ticket


def recompute_dues(
    session: Session, context: Context, ticket: Ticket, actor: Actor, at: datetime, *, reason: str
) -> None:
    """Compute the dues of a dispatched ticket anew and record both; a settled result is left alone."""
    if clock.is_settled(ticket):
        return
    before = due_data(ticket)
    if ticket.signed_at is None:
        renew_assignment_dues(session, context, ticket)
    clock.refresh_dues(session, context, ticket)
    after = due_data(ticket)
    if after != before:
        record(session, context, ticket, "dues_recomputed", actor, at, reason=reason, data={"before": before, **after})
        catch_up(session, context, ticket)
        clock.plan(session, context, ticket)


def renew_assignment_dues(session: Session, context: Context, ticket: Ticket) -> None:
    """Compute the dues of the present assignment anew, on the ticket and on the assignment."""
    set_assignment_dues(context, ticket)
    assignment = current_assignment(session, ticket)
    assert ticket.sign_due is not None and ticket.return_due is not None
    assignment.sign_due, assignment.return_due = ticket.sign_due, ticket.return_due
