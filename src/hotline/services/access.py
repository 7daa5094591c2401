"""Whose tickets an actor sees: the hotline's staff all of them, a department its own and those of its sub-units."""

from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session, joinedload

from hotline.domain.people import DEPARTMENT_STAFF, HOTLINE_STAFF, Actor, Role
from hotline.services.errors import Forbidden, NotFound
from hotline.storage.tables import Department, Ticket, TicketCohandler

Query = TypeVar("Query", bound=Select[*tuple[Any, ...]])


@dataclass(frozen=True, slots=True)
class Scope:
    """The departments whose tickets an actor sees; None means every ticket."""

    departments: frozenset[int] | None

    def leads(self, ticket: Ticket) -> bool:
        """Tell whether the ticket's lead department lies in the scope."""
        return self.departments is None or ticket.lead_department_id in self.departments

    def sees(self, ticket: Ticket) -> bool:
        """Tell whether the ticket may be shown: the scope leads it or helps with it."""
        return self.leads(ticket) or any(helper.id in (self.departments or ()) for helper in ticket.cohandlers)

    def narrow(self, query: Query) -> Query:
        """Restrict a query over tickets to what may be shown."""
        if self.departments is None:
            return query
        helped = select(TicketCohandler.ticket_id).where(TicketCohandler.department_id.in_(self.departments))
        return query.where(or_(Ticket.lead_department_id.in_(self.departments), Ticket.id.in_(helped)))


def scope_of(session: Session, actor: Actor) -> Scope:
    """Return what ``actor`` sees.  Administrators and auditors see no ticket at all."""
    if actor.role is Role.SYSTEM or actor.role in HOTLINE_STAFF:
        return Scope(None)
    if actor.role not in DEPARTMENT_STAFF or actor.department_id is None:
        return Scope(frozenset())
    # The tree does not change within a transaction, and one step asks more than once.
    known: dict[int, frozenset[int]] = session.info.setdefault("subtrees", {})
    if actor.department_id not in known:
        known[actor.department_id] = subtree(session, actor.department_id)
    return Scope(known[actor.department_id])


def subtree(session: Session, department_id: int) -> frozenset[int]:
    """Return the department and everything below it."""
    below = select(Department.id).where(Department.id == department_id).cte(recursive=True)
    below = below.union(select(Department.id).join(below, Department.parent_id == below.c.id))
    return frozenset(session.scalars(select(below.c.id)))


def find_ticket(session: Session, actor: Actor, number: str, *, lock: bool = False) -> Ticket:
    """Return the ticket with ``number``, locked against other moves when ``lock`` is set.

    Raises ``NotFound`` also when the actor may not see it, so that numbers tell nothing to outsiders.
    """
    query = select(Ticket).where(Ticket.number == number)
    if lock:
        # With its caller, whose name every reason that is written must be masked for.
        query = query.options(joinedload(Ticket.caller)).with_for_update(of=Ticket)
        query = query.execution_options(populate_existing=True)
    ticket = session.scalars(query).one_or_none()
    if ticket is None or not scope_of(session, actor).sees(ticket):
        raise NotFound("there is no such ticket")
    return ticket


def require_lead(session: Session, actor: Actor, ticket: Ticket) -> None:
    """Raise ``Forbidden`` unless the actor's department leads the ticket; co-handlers help but do not decide."""
    if actor.role in DEPARTMENT_STAFF and not scope_of(session, actor).leads(ticket):
        raise Forbidden("only the lead department may do this; your department is a co-handler")
