"""Tickets and reports as the API shows them: times in the city's zone, personal data masked."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.domain.city_time import CITY_ZONE
from hotline.domain.kpi import Rate
from hotline.domain.people import Actor
from hotline.domain.ticket import State
from hotline.services.allowed import actions_for
from hotline.services.context import Context
from hotline.services.masking import Mask, mask_for
from hotline.services.reporting import NONE, Line, Summary
from hotline.storage.tables import Prediction, Reply, Ticket, TicketEvent
from hotline.web.api.schemas import (
    CallerOut,
    CandidateOut,
    EventOut,
    FiguresOut,
    PredictionOut,
    RateOut,
    ReplyOut,
    SummaryOut,
    TicketDetailOut,
    TicketOut,
)


def local(instant: datetime | None) -> datetime | None:
    """Return ``instant`` in the city's zone."""
    return instant.astimezone(CITY_ZONE) if instant else None


def ticket_members(session: Session, ticket: Ticket, context: Context, actor: Actor) -> dict[str, Any]:
    """Return the members that every view of a ticket has; the address as lists show it, down to the community."""
    mask = mask_for(ticket, context, actor)
    tasks, matters = context.taxonomy.tasks, context.taxonomy.matters
    lead = ticket.lead_department
    return {
        "number": ticket.number,
        "state": ticket.state,
        "type": ticket.type,
        "title": mask.text(ticket.title),
        "content": mask.text(ticket.content),
        "channel": ticket.channel,
        "task": ticket.task,
        "task_name": tasks[ticket.task].name if ticket.task else None,
        "matter": ticket.matter,
        "matter_name": matters[ticket.matter].name if ticket.matter else None,
        "matter_source": ticket.matter_source,
        "confidence": None if ticket.confidence is None else round(ticket.confidence, 4),
        "urgency": ticket.urgency,
        "wish": mask.maybe(ticket.wish),
        "address": mask.place(ticket.address),
        "district": ticket.district,
        "confidential": ticket.confidential,
        "caller": caller_out(ticket, mask),
        "lead_department": lead.name if lead else None,
        "lead_department_code": lead.code if lead else None,
        "cohandlers": [helper.name for helper in ticket.cohandlers],
        "merged_into": ticket.merged_into.number if ticket.merged_into else None,
        "answer": mask.maybe(ticket.answer),
        "overlays": list(ticket.overlays),
        "queue_reason": ticket.queue_reason,
        "assignee": ticket.assignee.username if ticket.assignee else None,
        "parent": ticket.parent.number if ticket.parent else None,
        "dispatch_due": local(ticket.dispatch_due),
        "sign_due": local(ticket.sign_due),
        "return_due": local(ticket.return_due),
        "contact_due": local(ticket.contact_due),
        "handle_due": local(ticket.handle_due),
        "rework_due": local(ticket.rework_due),
        "next_due": local(ticket.next_due),
        "created_at": local(ticket.received_at),
        "dispatched_at": local(ticket.dispatched_at),
        "signed_at": local(ticket.signed_at),
        "replied_at": local(ticket.replied_at),
        "contacted_at": local(ticket.contacted_at),
        "completed_at": local(ticket.completed_at),
        "returns": ticket.returns,
        "reworks": ticket.reworks,
        "urges": ticket.urges,
        "followup_result": ticket.followup_result,
        "satisfaction": ticket.satisfaction,
        "closed_at": local(ticket.closed_at),
        "anonymised_at": local(ticket.anonymised_at),
        "allowed_actions": list(actions_for(session, ticket, actor)),
    }


def caller_out(ticket: Ticket, mask: Mask) -> CallerOut | None:
    """Return the caller with name and phone masked; of a confidential ticket (举报人保密) departments see nobody."""
    caller = ticket.caller
    if caller is None or mask.hidden:
        return None
    return CallerOut(name=mask.name, phone=mask.phone, anonymous=caller.anonymous)


def ticket_out(session: Session, ticket: Ticket, context: Context, actor: Actor) -> TicketOut:
    """Return the ticket as a list shows it."""
    return TicketOut(**ticket_members(session, ticket, context, actor))


def ticket_detail(session: Session, ticket: Ticket, context: Context, actor: Actor) -> TicketDetailOut:
    """Return the ticket with its prediction, replies and events."""
    mask = mask_for(ticket, context, actor)
    members = ticket_members(session, ticket, context, actor)
    # Whoever has the ticket in hand must find the place; only of a confidential one the house may be the caller's.
    members["address"] = mask.place(ticket.address) if mask.hidden else mask.maybe(ticket.address)
    return TicketDetailOut(
        **members,
        prediction=prediction_out(session, ticket, context),
        replies=[_reply_out(reply, mask) for reply in ticket.replies],
        events=[_event_out(event, mask) for event in ticket.events],
    )


def prediction_out(session: Session, ticket: Ticket, context: Context) -> PredictionOut | None:
    """Return the newest prediction for the ticket, None before triage or without a model."""
    if ticket.blind and ticket.state == State.AWAITING_DISPATCH:
        # Whoever dispatches it is asked for an opinion of their own.
        return None
    query = select(Prediction).where(Prediction.ticket_id == ticket.id).order_by(Prediction.id.desc()).limit(1)
    found = session.scalars(query).one_or_none()
    if found is None:
        return None
    matters = context.taxonomy.matters
    top = [CandidateOut(matter=c["matter"], name=matters[c["matter"]].name, p=round(c["p"], 4)) for c in found.top]
    return PredictionOut(
        model_version=found.model_version,
        matter=found.matter,
        confidence=round(found.confidence, 4),
        auto=found.auto,
        top=top,
        evidence=found.evidence,
        type=found.type,
        urgency=found.urgency,
    )


def _reply_out(reply: Reply, mask: Mask) -> ReplyOut:
    return ReplyOut(
        at=reply.at.astimezone(CITY_ZONE),
        text=mask.text(reply.text),
        valid=reply.valid,
        contacted=reply.contacted,
        resolved=reply.resolved,
        unresolved_reason=mask.maybe(reply.unresolved_reason),
        approved_at=local(reply.approved_at),
    )


def _event_out(event: TicketEvent, mask: Mask) -> EventOut:
    return EventOut(
        kind=event.kind,
        from_state=event.from_state,
        to_state=event.to_state,
        at=event.at.astimezone(CITY_ZONE),
        role=event.role,
        reason=mask.maybe(event.reason),
        data=event.data,
    )


def summary_out(summary: Summary) -> SummaryOut:
    """Return the report with every rate as numerator, denominator and share."""
    return SummaryOut(
        start=summary.period.start.astimezone(CITY_ZONE),
        to=summary.period.end.astimezone(CITY_ZONE),
        as_of=summary.period.as_of.astimezone(CITY_ZONE),
        total=_figures_out(summary.total),
        by_task=[_figures_out(line) for line in summary.by_task],
        by_department=[_figures_out(line) for line in summary.by_department],
    )


def _figures_out(line: Line) -> FiguresOut:
    return FiguresOut(
        code=None if line.key == NONE else line.key,
        name=line.name,
        received=line.received,
        on_time_signing=_rate_out(line.rates["signing"]),
        on_time_completion=_rate_out(line.rates["completion"]),
        resolution=_rate_out(line.rates["resolution"]),
        satisfaction=_rate_out(line.rates["satisfaction"]),
    )


def _rate_out(rate: Rate) -> RateOut:
    value = rate.value
    return RateOut(
        numerator=rate.numerator, denominator=rate.denominator, rate=None if value is None else round(value, 6)
    )
