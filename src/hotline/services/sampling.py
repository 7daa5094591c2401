"""The sample of inquiries answered at once (抽样回访): who is drawn, and what the drawn ones say of all."""

import hmac
from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session, aliased

from hotline.domain.kpi import VALID_RESULTS, Period, Rate
from hotline.domain.sampling import Estimate, Risk, Stratum, estimate, risk_of, share_of
from hotline.domain.ticket import Action, FollowupResult
from hotline.services.context import Context
from hotline.storage.tables import Caller, Followup, Ticket, TicketEvent

# Whoever calls again about the same matter within so long was not helped the first time.
AGAIN_WITHIN = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Draw:
    """The risk of an answer, and whether it is followed up."""

    risk: Risk
    drawn: bool


def draw(session: Session, context: Context, ticket: Ticket) -> Draw:
    """Draw by a keyed digest of the number, so that nobody can choose; who cannot be called is not drawn."""
    risk = risk_of(
        urgency=ticket.urgency,
        kind=ticket.type,
        repeated=_has_called_before(session, ticket),
        from_knowledge=ticket.knowledge_entry_id is not None,
    )
    caller = ticket.caller
    if caller is None or caller.anonymous or caller.phone_index is None:
        return Draw(risk, drawn=False)
    digest = hmac.new(context.vault.derived_key("answer_sample"), ticket.number.encode(), sha256).digest()
    share = share_of(risk, context.answer_followup_share)
    return Draw(risk, int.from_bytes(digest[:8], "big") < share * 2**64)


def _has_called_before(session: Session, ticket: Ticket) -> bool:
    if ticket.caller is None or ticket.caller.phone_index is None or ticket.matter is None:
        return False
    earlier = aliased(Ticket)
    query = select(earlier.id).join(Caller, Caller.ticket_id == earlier.id)
    query = query.where(Caller.phone_index == ticket.caller.phone_index, earlier.matter == ticket.matter)
    since = ticket.received_at - AGAIN_WITHIN
    query = query.where(earlier.id != ticket.id, earlier.received_at.between(since, ticket.received_at))
    return session.scalars(query.limit(1)).first() is not None


@dataclass(frozen=True)
class Sample:
    """The answers of a period by risk, and which share of all of them helped, as far as the sample tells."""

    strata: dict[Risk, Stratum]
    helped: Estimate | None

    @property
    def answered(self) -> int:
        """How many were answered at once."""
        return sum(stratum.answered for stratum in self.strata.values())

    @property
    def drawn(self) -> int:
        """How many of them were drawn."""
        return sum(stratum.drawn for stratum in self.strata.values())


def sample(session: Session, period: Period) -> Sample:
    """Return the sample of what was answered at once in the period; answers that tell no risk are older."""
    risk = TicketEvent.data["risk"].astext
    own = and_(
        Followup.ticket_id == TicketEvent.ticket_id,
        Followup.caller_ticket_id == TicketEvent.ticket_id,
        Followup.round == 0,
    )
    valid, helped = Followup.result.in_(VALID_RESULTS), Followup.result == FollowupResult.RESOLVED
    query = (
        select(
            risk,
            func.count(),
            func.count().filter(TicketEvent.data["drawn"].as_boolean()),
            func.count().filter(valid),
            func.count().filter(helped),
        )
        .outerjoin(Followup, own)
        .where(TicketEvent.kind == Action.ANSWER, TicketEvent.at >= period.start, TicketEvent.at < period.end)
        .where(
            risk.is_not(None), func.coalesce(Followup.caller_ticket_id, TicketEvent.ticket_id) == TicketEvent.ticket_id
        )
        .group_by(risk)
    )
    strata: dict[Risk, Stratum] = defaultdict(Stratum)
    for name, answered, drawn, asked, content in session.execute(query):
        strata[Risk(name)] = Stratum(answered, drawn, Rate(content, asked))
    found = {each: strata[each] for each in Risk}
    return Sample(found, estimate(found))
