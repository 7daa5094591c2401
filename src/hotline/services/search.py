"""Lists of tickets, as far as the actor may see them."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from hotline.domain.people import Actor
from hotline.domain.ticket import State
from hotline.services.access import scope_of
from hotline.storage.tables import Department, Ticket


@dataclass(frozen=True, slots=True, kw_only=True)
class ListTickets:
    """Filters of a list.  ``before`` is the number of the last ticket of the page before; newest come first."""

    states: tuple[State, ...] = ()
    matter: str | None = None
    department: str | None = None
    before: str | None = None
    limit: int = 50


def list_tickets(session: Session, command: ListTickets, actor: Actor) -> list[Ticket]:
    """Return tickets, newest first."""
    query = scope_of(session, actor).narrow(select(Ticket)).limit(command.limit)
    query = query.options(
        selectinload(Ticket.lead_department), selectinload(Ticket.caller), selectinload(Ticket.cohandlers)
    )
    query = query.order_by(Ticket.id.desc())
    if command.states:
        query = query.where(Ticket.state.in_(command.states))
    if command.matter:
        query = query.where(Ticket.matter == command.matter)
    if command.department:
        lead = select(Department.id).where(Department.code == command.department).scalar_subquery()
        query = query.where(Ticket.lead_department_id == lead)
    if command.before:
        last = select(Ticket.id).where(Ticket.number == command.before).scalar_subquery()
        query = query.where(Ticket.id < last)
    return list(session.scalars(query))
