"""Make one move of a ticket: check it against the table of transitions, change the state, write the event.

Whatever changes a due is set on the ticket before its move; the move then plans when the clock next has something to
say.
"""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from hotline.domain.people import Actor
from hotline.domain.ticket import Action, Overlay, State
from hotline.domain.transitions import next_state
from hotline.services import clock
from hotline.services.context import Context
from hotline.services.events import record
from hotline.services.notifying import notify
from hotline.storage.tables import Ticket, TicketEvent

# What somebody other than the one who does it has to know.
TOLD = frozenset(
    {
        Action.DISPATCH,
        Action.DISPATCH_ON,
        Action.ACCEPT_RETURN,
        Action.REJECT_RETURN,
        Action.ADJUDICATE,
        Action.APPROVE_EXTENSION,
        Action.REFUSE_EXTENSION,
        Action.APPROVE_SUSPENSION,
        Action.REFUSE_SUSPENSION,
        Action.URGE,
        Action.SUPERVISE,
        Action.REWORK,
    }
)


def overlays_of(ticket: Ticket) -> tuple[Overlay, ...]:
    """Return what lies over the ticket's state."""
    return tuple(Overlay(overlay) for overlay in ticket.overlays)


def lay(ticket: Ticket, overlay: Overlay) -> None:
    """Lay ``overlay`` over the ticket."""
    if overlay not in ticket.overlays:
        ticket.overlays = sorted([*ticket.overlays, overlay])


def lift(ticket: Ticket, *overlays: Overlay) -> None:
    """Take the overlays off the ticket, where they are there."""
    ticket.overlays = [overlay for overlay in ticket.overlays if overlay not in overlays]


def require(ticket: Ticket, action: Action, actor: Actor, *, to: State | None = None) -> State:
    """Return where the move would lead.  Raises ``TransitionRefused``, before anything of the ticket is changed."""
    return next_state(State(ticket.state), action, actor.role, overlays_of(ticket), to=to)


def move(
    session: Session,
    context: Context,
    ticket: Ticket,
    action: Action,
    actor: Actor,
    at: datetime,
    *,
    to: State | None = None,
    reason: str | None = None,
    data: dict[str, Any] | None = None,
) -> TicketEvent:
    """Move the locked ``ticket`` by ``action`` and record it; a move that leaves the state records no states.

    ``to`` says which target is meant where the table knows several.  Raises ``TransitionRefused`` when it says no.
    """
    target = require(ticket, action, actor, to=to)
    before = State(ticket.state)
    ticket.state = target
    from_state = None if target is before else before
    event = record(session, context, ticket, action, actor, at, from_state=from_state, reason=reason, data=data)
    clock.plan(session, context, ticket)
    if action in TOLD:
        notify(session, context, ticket, action)
    return event
