"""Follow-up (回访): ask the citizen whether it is solved and how satisfied they are; the answer closes the ticket."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hotline.domain.kpi import VALID_RESULTS
from hotline.domain.people import Actor
from hotline.domain.ticket import Action, FollowupResult, Satisfaction, State, next_state
from hotline.services.access import find_ticket
from hotline.services.context import Context
from hotline.services.errors import InvalidInput
from hotline.services.moves import move, record
from hotline.storage.tables import Ticket, TicketEvent

# A citizen who cannot be reached is tried three times before the ticket closes without an answer.
TRIES = 3
TRIED = "follow_up_tried"


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp:
    """What the call ended with.  A rating needs a citizen who was reached."""

    number: str
    result: FollowupResult
    satisfaction: Satisfaction | None = None
    comment: str | None = None


def follow_up(session: Session, context: Context, command: FollowUp, actor: Actor) -> Ticket:
    """Record the call and close the ticket, or keep it for another try when the citizen was not reached.

    Raises ``InvalidInput`` for a rating without a conversation, or an anonymous result for a caller who is known.
    """
    if command.satisfaction is not None and command.result not in VALID_RESULTS:
        raise InvalidInput("satisfaction", "only a citizen who was reached can rate")
    ticket = find_ticket(session, actor, command.number, lock=True)
    # Refused moves are refused before anything is counted as a try.
    next_state(State(ticket.state), Action.FOLLOW_UP, actor.role)
    if command.result is FollowupResult.ANONYMOUS and not (ticket.caller and ticket.caller.anonymous):
        raise InvalidInput("result", "this caller is not anonymous")
    now = context.now()
    data = {"result": command.result, "satisfaction": command.satisfaction}
    if command.result is FollowupResult.UNREACHABLE and _tries(session, ticket) + 1 < TRIES:
        record(session, context, ticket, TRIED, actor, now, reason=command.comment, data=data)
        return ticket
    move(session, context, ticket, Action.FOLLOW_UP, actor, now, reason=command.comment, data=data)
    ticket.followed_up_at = ticket.closed_at = now
    ticket.followup_result = command.result
    ticket.satisfaction = command.satisfaction
    return ticket


def _tries(session: Session, ticket: Ticket) -> int:
    query = select(func.count()).where(TicketEvent.ticket_id == ticket.id, TicketEvent.kind == TRIED)
    return session.scalar(query) or 0
