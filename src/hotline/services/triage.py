"""Triage (分类): read the ticket, keep what the model said, and dispatch when it is sure."""

import hmac
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from hotline.domain.people import SYSTEM
from hotline.domain.ticket import Action, ComplaintType, QueueReason, State, Urgency
from hotline.ml.classifier import Prediction as Reading
from hotline.services.conflict import find_accused
from hotline.services.context import Context
from hotline.services.dispatch import dispatch_to_owner
from hotline.services.dues import recompute_dues
from hotline.services.events import record
from hotline.services.masking import mask_for
from hotline.services.moves import move
from hotline.services.notices import settle
from hotline.services.search_words import write_words
from hotline.services.vectors import keep_vectors
from hotline.storage.tables import Prediction, Ticket, TicketEvent

TRIAGED = "triaged"


def triage(session: Session, context: Context, ticket_id: int) -> bool:
    """Triage the ticket once; return False when it has been triaged before or does not exist.

    Without a usable model the ticket goes to the human queue and its event says so.
    """
    query = select(Ticket).where(Ticket.id == ticket_id).with_for_update(of=Ticket)
    ticket = session.scalars(query).one_or_none()
    if ticket is None or is_triaged(session, ticket_id):
        return False
    settle(session, context, ticket)
    write_words(session, context, [ticket])
    keep_vectors(session, context, [ticket])
    classifier = context.classifier()
    now = context.now()
    if classifier is None:
        record(session, context, ticket, TRIAGED, SYSTEM, now, reason="no_model", data={"model_version": None})
        _queue(session, context, ticket, now, QueueReason.NO_MODEL)
        return True
    reading = classifier.predict(ticket.title, ticket.content)
    _keep(session, context, ticket, classifier.version, reading)
    ticket.blind = ticket.state == State.RECEIVED and reading.auto and _is_drawn(context, ticket)
    _label(session, context, ticket, reading, now)
    _event(session, context, ticket, classifier.version, reading, now)
    if ticket.about_department_id is None:
        ticket.about_department_id = find_accused(session, ticket)
    if ticket.state == State.RECEIVED:
        reason = _reason_for_a_person(session, context, ticket, auto=reading.auto)
        if reason is not None:
            _queue(session, context, ticket, now, reason)
    return True


def _reason_for_a_person(session: Session, context: Context, ticket: Ticket, *, auto: bool) -> QueueReason | None:
    """Dispatch the ticket, or say why a person has to."""
    if ticket.blind:
        return QueueReason.BLIND_CHECK
    if not auto:
        return QueueReason.NOT_CONFIDENT
    return dispatch_to_owner(session, context, ticket, SYSTEM)


def is_triaged(session: Session, ticket_id: int) -> bool:
    """Tell whether the ticket has been read already, with a model or without."""
    done = exists().where(TicketEvent.ticket_id == ticket_id, TicketEvent.kind == TRIAGED)
    return bool(session.scalar(select(done)))


def _is_drawn(context: Context, ticket: Ticket) -> bool:
    """Draw the blind share by a keyed digest of the number: nobody can choose, and a second triage draws the same."""
    digest = hmac.new(context.vault.derived_key("blind"), ticket.number.encode(), sha256).digest()
    return int.from_bytes(digest[:8], "big") < context.blind_share * 2**64


def _queue(session: Session, context: Context, ticket: Ticket, now: datetime, reason: QueueReason) -> None:
    """Leave the ticket to the human queue, unless the agent has settled it during the call."""
    if ticket.state == State.RECEIVED:
        ticket.queue_reason = reason
        move(session, context, ticket, Action.QUEUE, SYSTEM, now, reason=reason)


def _keep(session: Session, context: Context, ticket: Ticket, version: str, reading: Reading) -> None:
    # Evidence is shown beside the masked text, so a word from a name or number would give away what is masked there.
    evidence = mask_for(ticket, context, SYSTEM).words(list(reading.evidence), ticket.title, ticket.content)
    session.add(
        Prediction(
            ticket_id=ticket.id,
            model_version=version,
            matter=reading.matter,
            confidence=reading.confidence,
            auto=reading.auto,
            top=[{"matter": candidate.matter, "p": candidate.p} for candidate in reading.top],
            evidence=evidence,
            type=reading.type,
            urgency=reading.urgency,
        )
    )


def _label(session: Session, context: Context, ticket: Ticket, reading: Reading, now: datetime) -> None:
    """Fill in what nobody has said yet.  A person's word stands, but urgency only rises: missing one costs more."""
    before = (ticket.type, ticket.matter, ticket.urgency)
    if ticket.matter is None and not ticket.blind:
        ticket.matter, ticket.task, ticket.matter_source = reading.matter, reading.task, "model"
        ticket.confidence = reading.confidence
    if ticket.type is None:
        ticket.type = ComplaintType(reading.type)
    ticket.urgency = max(Urgency(ticket.urgency), Urgency(reading.urgency), key=lambda urgency: urgency.rank)
    if before == (ticket.type, ticket.matter, ticket.urgency):
        return
    # A critical ticket has to be dispatched sooner too, from the same start.
    recompute_dues(session, context, ticket, SYSTEM, now, reason="triaged")


def _event(session: Session, context: Context, ticket: Ticket, version: str, reading: Reading, now: datetime) -> None:
    data: dict[str, Any] = {"model_version": version, "urgency": reading.urgency}
    if not ticket.blind:
        data |= {"matter": reading.matter, "confidence": round(reading.confidence, 4), "auto": reading.auto}
    record(session, context, ticket, TRIAGED, SYSTEM, now, data=data)
