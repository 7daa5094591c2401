"""Deadlines explained over the API."""

from datetime import datetime, timedelta

from apiflask import APIBlueprint
from pydantic import BaseModel, Field

from hotline.domain.city_time import CITY_ZONE
from hotline.domain.people import Permission
from hotline.domain.working_time import Segment
from hotline.services.explaining import KIND_NAMES, Explanation, explain
from hotline.storage.engine import transaction
from hotline.web.api.representation import local
from hotline.web.auth import requires
from hotline.web.runtime import actor, runtime

bp = APIBlueprint("deadlines", __name__, url_prefix="/api/v1/tickets", tag="Tickets")


class StretchOut(BaseModel):
    """A stretch of time, and how many seconds of it counted or were held back."""

    start: datetime = Field(serialization_alias="from")
    to: datetime
    seconds: float


class ExtensionOut(BaseModel):
    """What an extension added to the ordinary due."""

    working_days: int
    old_due: datetime
    seconds: float


class DeadlineOut(BaseModel):
    """How one due comes about; the seconds of ``segments`` add up to ``seconds``."""

    kind: str
    name: str
    start: datetime
    counts_from: datetime
    due: datetime | None = Field(description="Null while an open suspension holds it back.")
    limit: str
    rule: str
    source: str | None
    ceiling: str | None
    governs: str = Field(description="The limit that decides: the ordinary one or the ceiling of urgency.")
    seconds: float
    segments: list[StretchOut]
    pauses: list[StretchOut]
    extension: ExtensionOut | None
    calendar_version: str
    limits_version: str
    provisional: bool = Field(description="A year on the way has no published holidays yet.")
    settled: bool = Field(description="The result stands, whatever is imported later.")
    agrees: bool = Field(description="Computing it again gives the due that stands on the ticket.")


class DeadlinesOut(BaseModel):
    """All dues of a ticket, in the order of its life."""

    number: str
    deadlines: list[DeadlineOut]


@bp.get("/<number>/deadline")
@bp.output(DeadlinesOut)
@bp.doc(
    summary="Explain a ticket's deadlines: every counted stretch and pause, the rule and the calendar",
    responses={404: "No such ticket"},
)
@requires(Permission.READ_TICKETS)
def read_deadline(number: str) -> DeadlinesOut:
    """Explain the deadlines."""
    with transaction(runtime().sessions) as session:
        found = explain(session, runtime().context, number, actor())
        return DeadlinesOut(number=number, deadlines=[_out(each) for each in found])


def _out(each: Explanation) -> DeadlineOut:
    ordinary, fired = each.ordinary, each.resolved
    governing = fired.rule if ordinary.limit == fired.limit or fired.ceiling_rule is None else fired.ceiling_rule
    return DeadlineOut(
        kind=each.kind,
        name=KIND_NAMES[each.kind],
        start=ordinary.start.astimezone(CITY_ZONE),
        counts_from=ordinary.counts_from.astimezone(CITY_ZONE),
        due=local(each.due),
        limit=str(fired.limit),
        rule=str(governing),
        source=governing.source or None,
        ceiling=str(fired.ceiling) if fired.ceiling else None,
        governs=str(ordinary.limit),
        seconds=_seconds(each.amount),
        segments=[_stretch(part) for part in each.segments],
        pauses=[_stretch(part) for part in each.pauses],
        extension=_extension(each),
        calendar_version=each.calendar_version,
        limits_version=fired.version,
        provisional=each.provisional,
        settled=each.settled,
        agrees=each.agrees,
    )


def _extension(each: Explanation) -> ExtensionOut | None:
    if each.extended is None or each.ordinary.instant is None:
        return None
    old_due = each.ordinary.instant.astimezone(CITY_ZONE)
    return ExtensionOut(working_days=each.extension, old_due=old_due, seconds=_seconds(each.extended.amount))


def _stretch(part: Segment) -> StretchOut:
    start, end = (instant.astimezone(CITY_ZONE) for instant in (part.start, part.end))
    return StretchOut(start=start, to=end, seconds=_seconds(part.counted))


def _seconds(span: timedelta) -> float:
    return round(span.total_seconds(), 6)
