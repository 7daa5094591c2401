"""What one person may do to one ticket now: the table of transitions, narrowed to their department's part in it."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.domain.people import DEPARTMENT_STAFF, Actor
from hotline.domain.ticket import Action, State
from hotline.domain.transitions import allowed_actions
from hotline.services.access import scope_of
from hotline.services.moves import overlays_of
from hotline.storage.tables import Assignment, CohandlingTask, Ticket


def actions_for(session: Session, ticket: Ticket, actor: Actor) -> tuple[Action, ...]:
    """Return the actions that ``actor`` may take on the ticket now, in the order of the table.

    A co-handler only reports its own part; a department takes back only what it handed on itself.
    """
    allowed = allowed_actions(State(ticket.state), actor.role, overlays_of(ticket))
    if actor.role not in DEPARTMENT_STAFF:
        return allowed
    scope = scope_of(session, actor)
    own = scope.departments or frozenset()
    if not scope.leads(ticket):
        allowed = tuple(action for action in allowed if action is Action.COHANDLE)
    if Action.COHANDLE in allowed and not _has_open_part(session, ticket, own):
        allowed = tuple(action for action in allowed if action is not Action.COHANDLE)
    if Action.TAKE_BACK in allowed and not _was_handed_on(session, ticket, own):
        allowed = tuple(action for action in allowed if action is not Action.TAKE_BACK)
    return allowed


def _has_open_part(session: Session, ticket: Ticket, own: frozenset[int]) -> bool:
    query = select(CohandlingTask.id).where(
        CohandlingTask.ticket_id == ticket.id,
        CohandlingTask.state == "open",
        CohandlingTask.department_id.in_(own),
    )
    return session.scalars(query.limit(1)).first() is not None


def _was_handed_on(session: Session, ticket: Ticket, own: frozenset[int]) -> bool:
    present = select(Assignment.parent_id).where(Assignment.ticket_id == ticket.id, Assignment.ended_at.is_(None))
    query = select(Assignment.id).where(Assignment.id.in_(present), Assignment.department_id.in_(own))
    return session.scalars(query).first() is not None
