"""Splitting (拆单): one call told of several matters; each further one becomes a ticket with an owner of its own."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from hotline.domain.city_time import CITY_ZONE
from hotline.domain.people import Actor
from hotline.domain.ticket import Action, State
from hotline.jobs.doorbell import ring_later
from hotline.jobs.registry import TRIAGE
from hotline.services.context import Context
from hotline.services.dispatch import dispatch_to_owner
from hotline.services.errors import InvalidInput
from hotline.services.intake import job_values, matter_values
from hotline.services.labels import keep_label
from hotline.services.locking import lock_ticket
from hotline.services.moves import move, require
from hotline.storage.queries.intake import write_intake
from hotline.storage.tables import Ticket

MOST_PARTS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One further matter: the words about it, and its code where the dispatcher knows it."""

    content: str
    matter: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitTicket:
    """What else the call was about.  The ticket itself keeps the citizen's words and goes its own way."""

    number: str
    parts: tuple[Part, ...]


def split(session: Session, context: Context, command: SplitTicket, actor: Actor) -> Ticket:
    """Make a ticket of each part, with the same caller and place.  Returns the ticket that was split.

    A part with a matter is dispatched at once; one without is triaged.  Raises ``InvalidInput`` for an unknown matter.
    """
    if not 1 <= len(command.parts) <= MOST_PARTS:
        raise InvalidInput("parts", f"between 1 and {MOST_PARTS}")
    for part in command.parts:
        if part.matter is not None and part.matter not in context.taxonomy.matters:
            raise InvalidInput("parts", f"unknown matter {part.matter[:10]}; use a code from A01 to G09")
    ticket = lock_ticket(session, context, actor, command.number)
    require(ticket, Action.SPLIT, actor)
    children = [_receive(session, context, ticket, part, actor) for part in command.parts]
    data = {"into": [child.number for child in children]}
    move(session, context, ticket, Action.SPLIT, actor, context.now(), data=data)
    return ticket


def _receive(session: Session, context: Context, parent: Ticket, part: Part, actor: Actor) -> Ticket:
    now, caller = context.now(), parent.caller
    written = write_intake(
        session,
        {
            "day": f"{now.astimezone(CITY_ZONE):%Y%m%d}",
            "state": State.RECEIVED,
            "channel": parent.channel,
            "type": None,
            "title": "",
            "content": part.content,
            "wish": None,
            "address": parent.address,
            "district": parent.district,
            "occurred_at": parent.occurred_at,
            "confidential": parent.confidential,
            "urgency": parent.urgency,
            "created_by": actor.account_id,
            "received_at": now,
            "role": actor.role,
            "name_sealed": caller.name_sealed if caller else None,
            "phone_sealed": caller.phone_sealed if caller else None,
            "phone_index": caller.phone_index if caller else None,
            "anonymous": bool(caller and caller.anonymous),
            **matter_values(part.matter, actor),
            **job_values(context, parent.urgency, now),
        },
    )
    assert written is not None, "the district is the parent's and no key is given"
    child, job_id = written
    ring_later(session, TRIAGE.queue, job_id)
    child.parent_id = parent.id
    if part.matter is not None:
        keep_label(session, child, part.matter, "dispatcher", actor, now)
        dispatch_to_owner(session, context, child, actor)
    return child
