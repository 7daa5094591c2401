"""Advice to the agent while the call lasts: what it is about, whose it is, when it is due, what is still to be asked.

Nothing is written.  The model's answer is a suggestion; the agent's own choice of matter wins.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.domain.limits import Kind, deadline, resolve
from hotline.domain.missing_facts import Fact, missing_facts
from hotline.domain.taxonomy import Matter
from hotline.domain.ticket import Urgency
from hotline.ml.classifier import Prediction
from hotline.services.context import Context
from hotline.services.ownership import owner_of
from hotline.storage.tables import Department, District


@dataclass(frozen=True, slots=True, kw_only=True)
class AskAdvice:
    """What has been typed so far; empty texts where nothing was.  ``matter`` and the like are the agent's choices."""

    content: str
    title: str = ""
    type: str = ""
    matter: str = ""
    urgency: str = ""
    district: str = ""
    address: str = ""
    phone: str = ""
    anonymous: bool = False


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A matter with its calibrated probability."""

    matter: Matter
    p: float


@dataclass(frozen=True, slots=True)
class Ownership:
    """Who would get the ticket, and by when it would have to be signed for and handled."""

    lead: Department | None
    cohandlers: tuple[Department, ...]
    sign_due: datetime | None
    handle_due: datetime | None


@dataclass(frozen=True, slots=True)
class Advice:
    """What is to be seen beside the form.

    ``top`` is empty and ``ownership`` None while there is nothing to read or no model; ``matter`` is the one that
    would count now.
    """

    top: tuple[Suggestion, ...]
    evidence: tuple[str, ...]
    type: str
    urgency: Urgency
    signals: tuple[str, ...]
    matter: Matter | None
    auto: bool
    ownership: Ownership | None
    missing: tuple[Fact, ...]


def advise(session: Session, context: Context, asked: AskAdvice) -> Advice:
    """Read what has been typed and say what would come of it."""
    reading = _read(context, asked)
    type_ = asked.type or (reading.type if reading else "")
    urgency = max(
        Urgency(asked.urgency or Urgency.NORMAL),
        Urgency(reading.urgency) if reading else Urgency.NORMAL,
        key=lambda one: one.rank,
    )
    matters = context.taxonomy.matters
    matter = matters.get(asked.matter) or (matters[reading.matter] if reading else None)
    signals = reading.signals if reading else ()
    return Advice(
        top=tuple(Suggestion(matters[found.matter], found.p) for found in reading.top) if reading else (),
        evidence=reading.evidence if reading else (),
        type=type_,
        urgency=urgency,
        signals=signals,
        matter=matter,
        auto=bool(asked.matter) or (reading is not None and reading.auto),
        ownership=_ownership(session, context, matter, asked.district, type_, urgency) if matter else None,
        missing=tuple(
            missing_facts(
                asked.content,
                type=type_,
                signals=signals,
                address=asked.address,
                phone=asked.phone,
                anonymous=asked.anonymous,
            )
        ),
    )


def _read(context: Context, asked: AskAdvice) -> Prediction | None:
    classifier = context.classifier()
    if classifier is None or not asked.content.strip():
        return None
    return classifier.predict(asked.title, asked.content)


def _ownership(
    session: Session, context: Context, matter: Matter, district: str, type_: str, urgency: Urgency
) -> Ownership:
    now = context.now()
    code = session.scalar(select(District.code).where(District.code == district)) if district else None
    entry = owner_of(session, matter.code, code, now)

    def due(kind: Kind) -> datetime | None:
        limit = resolve(context.limits, kind, type_, matter.code, code, urgency)
        return deadline(context.calendar, now, limit).instant

    return Ownership(
        lead=entry.lead_department if entry else None,
        cohandlers=tuple(entry.cohandlers) if entry else (),
        sign_due=due(Kind.SIGN),
        handle_due=due(Kind.HANDLE),
    )
