"""Intake (受理): a citizen's request becomes a ticket, its event and its triage job, in one transaction."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from hotline.domain.city_time import CITY_ZONE
from hotline.domain.people import Actor
from hotline.domain.ticket import Action, Channel, ComplaintType, State, Urgency
from hotline.jobs.queue import enqueue
from hotline.jobs.registry import TRIAGE
from hotline.services.context import Context
from hotline.services.dispatch import dispatch_to_owner
from hotline.services.errors import Conflict, InvalidInput
from hotline.services.labels import keep_label
from hotline.services.merging import merge_into
from hotline.services.moves import move, record
from hotline.storage.tables import TICKET_NUMBER, Caller, District, IdempotencyKey, Ticket

Disposition = Literal["triage", "answered", "merge"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiveTicket:
    """What the agent or the citizen says.  Texts are clean (no control characters) and within their lengths."""

    channel: Channel
    content: str
    title: str = ""
    type: ComplaintType | None = None
    wish: str | None = None
    caller_name: str | None = None
    caller_phone: str | None = None
    address: str | None = None
    district: str | None = None
    occurred_at: datetime | None = None
    anonymous: bool = False
    confidential: bool = False
    matter: str | None = None
    urgency: Urgency | None = None
    disposition: Disposition = "triage"
    merge_into: str | None = None
    answer: str | None = None


@dataclass(frozen=True, slots=True)
class Retry:
    """The client's idempotency key, and a digest of the request it stands for."""

    key: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Received:
    """The ticket, and whether an earlier identical request had made it already."""

    ticket: Ticket
    replayed: bool = False


def receive(
    session: Session, context: Context, command: ReceiveTicket, actor: Actor, retry: Retry | None = None
) -> Received:
    """Log the request.  Raises ``InvalidInput`` naming the field, or ``Conflict`` for a key used for something else."""
    district = _known_district(session, command.district)
    _check(context, command)
    kept = _keep_key(session, context, actor, retry)
    if kept is not None and kept.ticket_id is not None:
        return Received(session.get_one(Ticket, kept.ticket_id), replayed=True)
    ticket = _write(session, context, command, actor, district)
    if kept is not None:
        kept.ticket_id = ticket.id
    _dispose(session, context, command, ticket, actor)
    enqueue(session, TRIAGE, {"ticket_id": ticket.id}, dedupe_key=f"triage:{ticket.id}")
    return Received(ticket)


def _known_district(session: Session, given: str | None) -> str | None:
    """Return the code of the district given by code or name."""
    if given is None:
        return None
    # By code first: a district that this session has seen needs no query.
    found = session.get(District, given)
    found = found or session.scalars(select(District).where(District.name == given)).one_or_none()
    if found is None:
        names = "、".join(session.scalars(select(District.name).order_by(District.code)))
        raise InvalidInput("district", f"unknown district; known ones: {names}")
    return found.code


def _check(context: Context, command: ReceiveTicket) -> None:
    if command.matter is not None and command.matter not in context.taxonomy.matters:
        raise InvalidInput("matter", "unknown matter; use a code from A01 to G09")
    if command.occurred_at is not None and command.occurred_at > context.now():
        raise InvalidInput("occurred_at", "lies in the future")
    if command.disposition == "answered" and not command.answer:
        raise InvalidInput("answer", "is required when the disposition is 'answered'")
    if command.disposition == "merge" and not command.merge_into:
        raise InvalidInput("merge_into", "is required when the disposition is 'merge'")
    if command.anonymous and (command.caller_name or command.caller_phone):
        raise InvalidInput("anonymous", "an anonymous ticket keeps no caller; leave out caller or anonymous")


def _keep_key(session: Session, context: Context, actor: Actor, retry: Retry | None) -> IdempotencyKey | None:
    """Claim the key for this transaction, or return the row of the request that used it first.

    A concurrent request with the same key waits here until the first has committed or rolled back.
    """
    if retry is None or actor.account_id is None:
        return None
    # Clients make keys of what they have at hand, a caller's phone for instance, so only a digest is kept.
    key = context.vault.index(f"idempotency:{retry.key}")
    row = {"account_id": actor.account_id, "key": key, "fingerprint": retry.fingerprint}
    session.execute(insert(IdempotencyKey).values(row).on_conflict_do_nothing())
    kept = session.get_one(IdempotencyKey, (actor.account_id, key), populate_existing=True)
    if kept.fingerprint != retry.fingerprint:
        raise Conflict("this Idempotency-Key was used for a different request; use a new key for a new ticket")
    return kept


def _write(session: Session, context: Context, command: ReceiveTicket, actor: Actor, district: str | None) -> Ticket:
    now = context.now()
    serial = session.scalar(TICKET_NUMBER.next_value())
    ticket = Ticket(
        number=f"{now.astimezone(CITY_ZONE):%Y%m%d}-{serial:06d}",
        state=State.RECEIVED,
        channel=command.channel,
        type=command.type,
        title=command.title,
        content=command.content,
        wish=command.wish,
        address=command.address,
        district=district,
        occurred_at=command.occurred_at,
        confidential=command.confidential,
        urgency=command.urgency or Urgency.NORMAL,
        created_by=actor.account_id,
        received_at=now,
        caller=_caller(context, command),
        cohandlers=[],
    )
    if command.matter is not None:
        ticket.matter, ticket.task = command.matter, command.matter[0]
        ticket.matter_source = actor.role
    session.add(ticket)
    session.flush()
    if command.matter is not None:
        keep_label(session, ticket, command.matter, "agent", actor, now)
    event = record(
        session, context, ticket, "received", actor, now, data={"channel": command.channel, "matter": command.matter}
    )
    event.to_state = State.RECEIVED
    return ticket


def _caller(context: Context, command: ReceiveTicket) -> Caller:
    phone = command.caller_phone
    return Caller(
        name_sealed=context.vault.seal(command.caller_name),
        phone_sealed=context.vault.seal(phone),
        phone_index=context.vault.index(phone) if phone else None,
        anonymous=command.anonymous,
    )


def _dispose(session: Session, context: Context, command: ReceiveTicket, ticket: Ticket, actor: Actor) -> None:
    """Apply what the agent decided during the call; what they left open is the triage job's."""
    now = context.now()
    if command.disposition == "answered":
        ticket.answer = command.answer
        ticket.ended_early_at = now
        move(session, context, ticket, Action.ANSWER, actor, now)
    elif command.disposition == "merge":
        merge_into(session, context, ticket, command.merge_into or "", actor, field="merge_into")
    elif command.matter is not None:
        dispatch_to_owner(session, context, ticket, actor)
