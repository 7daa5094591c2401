"""Intake (受理): a citizen's request becomes a ticket, its event and its triage job, in one transaction."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.domain.city_time import CITY_ZONE
from hotline.domain.limits import Kind, deadline, resolve
from hotline.domain.people import Actor
from hotline.domain.ticket import Channel, ComplaintType, State, Urgency
from hotline.jobs.doorbell import ring_later
from hotline.jobs.registry import TRIAGE
from hotline.services.answers import answer_ticket
from hotline.services.conflict import find_accused
from hotline.services.context import Context
from hotline.services.dispatch import dispatch_to_owner
from hotline.services.errors import Conflict, InvalidInput
from hotline.services.labels import keep_label
from hotline.services.merging import merge_into
from hotline.services.ownership import department_coded
from hotline.storage.queries.intake import write_intake
from hotline.storage.tables import District, IdempotencyKey, Ticket

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
    knowledge_entry: int | None = None
    about_department: str | None = None


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
    _check(context, command)
    values = _values(context, command, actor)
    key = _key(context, actor, retry)
    written = write_intake(session, values if key is None else values | key)
    if written is None:
        _require_known_district(session, command.district)
        assert key is not None, "an intake without a key is only refused for its district"
        return Received(_earlier(session, key), replayed=True)
    ticket, job_id = written
    ring_later(session, TRIAGE.queue, job_id)
    if command.matter is not None:
        keep_label(session, ticket, command.matter, "agent", actor, context.now())
    _dispose(session, context, command, ticket, actor)
    return Received(ticket)


def _require_known_district(session: Session, given: str | None) -> None:
    """Raise ``InvalidInput``, naming those that exist, unless ``given`` is a district's code or name."""
    districts = session.execute(select(District.code, District.name).order_by(District.code)).all()
    if given is not None and not any(given in district for district in districts):
        names = "、".join(name for _, name in districts)
        raise InvalidInput("district", f"unknown district; known ones: {names}")


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


def _key(context: Context, actor: Actor, retry: Retry | None) -> dict[str, str | int] | None:
    if retry is None or actor.account_id is None:
        return None
    return {"created_by": actor.account_id, "key": stored_key(context, retry.key), "fingerprint": retry.fingerprint}


def stored_key(context: Context, key: str) -> str:
    """Return a client's idempotency key as it is kept.

    Clients make keys of what they have at hand, a caller's phone for instance, so that is a digest.
    """
    return context.vault.index(f"idempotency:{key}")


def _earlier(session: Session, key: dict[str, str | int]) -> Ticket:
    """Return the ticket of the request that used the key first.  Raises ``Conflict`` when that was another request."""
    kept = session.get_one(IdempotencyKey, (key["created_by"], key["key"]))
    if kept.fingerprint != key["fingerprint"] or kept.ticket_id is None:
        raise Conflict("this Idempotency-Key was used for a different request; use a new key for a new ticket")
    return session.get_one(Ticket, kept.ticket_id)


def _values(context: Context, command: ReceiveTicket, actor: Actor) -> dict[str, Any]:
    """Return what `write_intake` writes.  Only sealed forms of the caller's name and phone are among it."""
    now, phone = context.now(), command.caller_phone
    urgency = command.urgency or Urgency.NORMAL
    return {
        "day": f"{now.astimezone(CITY_ZONE):%Y%m%d}",
        "state": State.RECEIVED,
        "channel": command.channel,
        "type": command.type,
        "title": command.title,
        "content": command.content,
        "wish": command.wish,
        "address": command.address,
        "district": command.district,
        "occurred_at": command.occurred_at,
        "confidential": command.confidential,
        "urgency": urgency,
        "created_by": actor.account_id,
        "received_at": now,
        "role": actor.role,
        "name_sealed": context.vault.seal(command.caller_name),
        "phone_sealed": context.vault.seal(phone),
        "phone_index": context.vault.index(phone) if phone else None,
        "anonymous": command.anonymous,
        **matter_values(command.matter, actor),
        **job_values(context, urgency, now),
    }


def matter_values(matter: str | None, actor: Actor) -> dict[str, Any]:
    """Return the columns of a matter that a person has named, or none."""
    return {"matter": matter, "task": matter[0] if matter else None, "matter_source": actor.role if matter else None}


def job_values(context: Context, urgency: str, now: datetime) -> dict[str, Any]:
    """Return the triage job's columns, and until when the ticket has to be dispatched."""
    limit = resolve(context.limits, Kind.DISPATCH, "", urgency=urgency)
    due = deadline(context.calendar, now, limit).instant
    return {
        "dispatch_due": due,
        "next_notice_at": due,
        "job_kind": TRIAGE.name,
        "job_queue": TRIAGE.queue,
        "job_max_attempts": TRIAGE.max_attempts,
    }


def _dispose(session: Session, context: Context, command: ReceiveTicket, ticket: Ticket, actor: Actor) -> None:
    """Apply what the agent decided during the call; what they left open is the triage job's."""
    if command.about_department is not None:
        about = department_coded(session, command.about_department, "about_department")
        ticket.about_department_id = about.id
    if command.disposition == "answered":
        answer_ticket(session, context, ticket, command.answer or "", command.knowledge_entry, actor)
    elif command.disposition == "merge":
        merge_into(session, context, ticket, command.merge_into or "", actor, field="merge_into")
    elif command.matter is not None:
        ticket.about_department_id = ticket.about_department_id or find_accused(session, ticket)
        dispatch_to_owner(session, context, ticket, actor)
