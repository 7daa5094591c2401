"""What the API takes and gives, as Pydantic models; the OpenAPI document is made from them."""

import re
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictBool

from hotline.domain.city_time import CITY_ZONE
from hotline.domain.phones import clean_phone
from hotline.domain.ticket import (
    Channel,
    ComplaintType,
    ExclusionReason,
    FollowupResult,
    ReturnReason,
    Satisfaction,
    Urgency,
)

# When something may have happened: a date comes first, so that a bare number is never read as seconds since 1970, and
# living memory bounds the year, because what lies before year 1 in UTC could be stored and never read back.
_DATE_FIRST = re.compile(r"\d{4}-\d{2}-\d{2}(?:\D|$)", re.ASCII)
EARLIEST_YEAR = 1900

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")


def clean_text(value: str) -> str:
    """Return ``value`` without surrounding white space; refuse control characters and texts with nothing in them."""
    if _CONTROL.search(value):
        raise ValueError("contains control characters (such as NUL); remove them")
    value = value.strip()
    if not value:
        raise ValueError("is empty")
    return value


def _only_text(value: object) -> object:
    if not isinstance(value, str) or not _DATE_FIRST.match(value):
        raise ValueError("must be a text in ISO 8601, such as 2026-11-25T08:30:00+08:00")
    return value


def _aware(value: datetime) -> datetime:
    """A time without a zone is the city's."""
    if value.year < EARLIEST_YEAR:
        raise ValueError(f"lies before {EARLIEST_YEAR}")
    return value if value.tzinfo else value.replace(tzinfo=CITY_ZONE)


Instant = Annotated[datetime, BeforeValidator(_only_text), AfterValidator(_aware)]
ShortText = Annotated[str, Field(max_length=200), AfterValidator(clean_text)]
LongText = Annotated[str, Field(max_length=2000), AfterValidator(clean_text)]
Content = Annotated[str, Field(max_length=20000), AfterValidator(clean_text)]
Phone = Annotated[str, Field(max_length=30), AfterValidator(clean_text), AfterValidator(clean_phone)]
Code = Annotated[str, Field(max_length=40, pattern=r"^[A-Za-z0-9_-]+$")]
Number = Annotated[str, Field(max_length=20, pattern=r"^\d{8}-\d{6,}$", examples=["20261125-000123"])]


EntryId = Annotated[int, Field(ge=1, le=2**62, strict=True)]


class Input(BaseModel):
    """The base of what the API takes: unknown members are refused, so that a misspelt one is not lost in silence."""

    model_config = ConfigDict(extra="forbid")


class CallerIn(Input):
    """The citizen, when they give name or phone."""

    name: Annotated[str, Field(max_length=60), AfterValidator(clean_text)] | None = None
    phone: Phone | None = None


class TicketIn(Input):
    """A citizen's request, as the agent logs it."""

    channel: Channel
    content: Content = Field(examples=["幸福路与团结街交叉口的路灯坏了三天了，晚上过马路很危险"])
    title: ShortText | None = None
    type: ComplaintType | None = None
    wish: LongText | None = None
    caller: CallerIn | None = None
    address: ShortText | None = None
    district: ShortText | None = Field(default=None, description="Code or name of a district of the city.")
    occurred_at: Instant | None = None
    anonymous: StrictBool = False
    confidential: StrictBool = False
    matter: Code | None = Field(default=None, description="The agent's own choice; it wins and is kept as a label.")
    urgency: Urgency | None = None
    disposition: Literal["triage", "answered", "merge"] = "triage"
    merge_into: Number | None = None
    answer: LongText | None = None
    knowledge_entry: EntryId | None = Field(
        default=None, description="The entry of the knowledge base that the answer came from."
    )
    about_department: Code | None = Field(
        default=None, description="Code of the department that the complaint is about; it never handles it alone."
    )


class CallIn(Input):
    """Who is calling."""

    phone: Phone


class CallOut(BaseModel):
    """Where the agent's screen finds the call."""

    url: str


class DispatchIn(Input):
    """A dispatcher's decision; what is left out stays, and the catalogue names the owner."""

    matter: Code | None = None
    department: Code | None = Field(
        default=None, description="Code of the lead department, instead of the catalogue's."
    )
    overseer: Code | None = Field(
        default=None,
        description="A co-handler from elsewhere, with whom a supervisor sends it to the department accused.",
    )
    about_department: Code | None = Field(default=None, description="Code of the department it is about.")
    type: ComplaintType | None = None
    urgency: Urgency | None = None
    reason: LongText | None = None


class EmptyIn(Input):
    """Nothing: the action says it all."""


class ReasonIn(Input):
    """Why."""

    reason: LongText


class AnswerIn(Input):
    """The answer that the caller was given."""

    answer: LongText
    knowledge_entry: EntryId | None = None


class DispatchOnIn(Input):
    """The sub-unit that gets the ticket."""

    department: Code
    reason: LongText | None = None


class AssignIn(Input):
    """The person who handles it; without a name nobody in particular does."""

    username: ShortText | None = None


class ContactIn(Input):
    """What came of calling the citizen first."""

    note: LongText | None = None


class RequestReturnIn(Input):
    """Why the ticket is not this department's."""

    reason_code: ReturnReason
    basis: LongText = Field(description="The legal basis: rule, article, list of powers.")
    suggested_department: Code | None = None
    note: LongText | None = None


class AcceptReturnIn(Input):
    """The return is right; with department, or with a matter that the catalogue owns, it goes there at once."""

    reason: LongText
    department: Code | None = None
    matter: Code | None = None


class AdjudicateIn(Input):
    """The department that handles it for good."""

    department: Code
    reason: LongText
    fresh_limit: StrictBool = Field(default=False, description="The handling limit starts anew now.")


class RequestExtensionIn(Input):
    """How many working days more, and why."""

    working_days: int = Field(ge=1, le=10)
    reason: LongText


class RequestSuspensionIn(Input):
    """Why it cannot be done now, the plan, and the day it is looked at again."""

    reason: LongText
    plan: LongText
    review_on: date


class AskCohandlerIn(Input):
    """What another department is asked to do, and until when."""

    department: Code
    request: LongText
    due: Instant | None = None


class CohandleIn(Input):
    """What the co-handler did of its part."""

    report: LongText


class SuperviseIn(Input):
    """A card given by hand."""

    card: Literal["yellow", "red"]
    reason: LongText


class ReclassifyIn(Input):
    """What was wrong; the dues follow from their original starts."""

    reason: LongText
    type: ComplaintType | None = None
    matter: Code | None = None
    urgency: Urgency | None = None


class RequestExclusionIn(Input):
    """Why the demand cannot count, with the evidence."""

    reason_code: ExclusionReason
    evidence: LongText


class PartIn(Input):
    """One further matter of the call."""

    content: Content
    matter: Code | None = None


class SplitIn(Input):
    """What else the call was about; each part becomes a ticket."""

    parts: list[PartIn] = Field(min_length=1, max_length=5)


class MergeIn(Input):
    """The ticket that this one joins."""

    into: Number


class ReplyIn(Input):
    """What the department found and did."""

    text: Content
    valid: StrictBool = Field(default=True, description="诉求是否属实")
    contacted: StrictBool = Field(default=False, description="是否联系诉求人")
    resolved: StrictBool = Field(default=True, description="是否解决")
    unresolved_reason: LongText | None = None


class FollowUpIn(Input):
    """What the citizen said."""

    result: FollowupResult
    satisfaction: Satisfaction | None = None
    comment: LongText | None = None
    caller: Number | None = Field(default=None, description="The merged ticket whose caller was asked.")
    rework: StrictBool = Field(default=True, description="False closes an unresolved ticket; say why in the comment.")


class RevealIn(Input):
    """Why the caller's name and phone are needed; it is kept in the ticket's events."""

    reason: ShortText


class CallerOut(BaseModel):
    """The caller, masked."""

    name: str | None
    phone: str | None
    anonymous: bool


class CandidateOut(BaseModel):
    """A matter the model considered, with its probability."""

    matter: str
    name: str
    p: float


class PredictionOut(BaseModel):
    """What the model said."""

    model_version: str
    matter: str
    confidence: float
    auto: bool
    top: list[CandidateOut]
    evidence: list[str]
    type: str
    urgency: str


class EventOut(BaseModel):
    """One step of the ticket's life."""

    kind: str
    from_state: str | None
    to_state: str | None
    at: datetime
    role: str
    reason: str | None
    data: dict[str, Any]


class ReplyOut(BaseModel):
    """A department's reply."""

    at: datetime
    text: str
    valid: bool
    contacted: bool
    resolved: bool
    unresolved_reason: str | None
    approved_at: datetime | None


class TicketOut(BaseModel):
    """A ticket.  Times carry the city's offset."""

    number: str
    state: str
    type: str | None
    title: str
    content: str
    channel: str
    task: str | None
    task_name: str | None
    matter: str | None
    matter_name: str | None
    matter_source: str | None = Field(description="Who said so: 'model' or a person's role.")
    confidence: float | None
    urgency: str
    wish: str | None
    address: str | None
    district: str | None
    confidential: bool
    caller: CallerOut | None
    lead_department: str | None
    lead_department_code: str | None
    cohandlers: list[str]
    merged_into: str | None
    answer: str | None
    overlays: list[str] = Field(description="What lies over the state: a pending return, a suspension …")
    queue_reason: str | None = Field(description="Why a dispatcher has to decide.")
    assignee: str | None = Field(description="Who of the department handles it.")
    parent: str | None = Field(description="The ticket that this one was split off.")
    dispatch_due: datetime | None
    sign_due: datetime | None
    return_due: datetime | None
    contact_due: datetime | None
    handle_due: datetime | None
    rework_due: datetime | None
    next_due: datetime | None = Field(description="What the department has to meet next.")
    created_at: datetime
    dispatched_at: datetime | None
    signed_at: datetime | None
    replied_at: datetime | None
    contacted_at: datetime | None
    completed_at: datetime | None
    returns: int
    reworks: int
    urges: int
    followup_result: str | None
    satisfaction: str | None
    closed_at: datetime | None
    anonymised_at: datetime | None = Field(description="When retention closed out the personal data.")
    allowed_actions: list[str] = Field(description="What the asking account may do now.")


class TicketDetailOut(TicketOut):
    """A ticket with its history."""

    prediction: PredictionOut | None
    replies: list[ReplyOut]
    events: list[EventOut]


class TicketListOut(BaseModel):
    """A page of tickets, newest first; pass ``next`` as ``before`` for the following page."""

    tickets: list[TicketOut]
    next: str | None


class RevealedOut(BaseModel):
    """The caller, readable."""

    name: str | None
    phone: str | None
    content: str


class TicketQuery(Input):
    """Filters of the ticket list."""

    state: Annotated[str, Field(max_length=200)] | None = Field(
        default=None, description="One or more states, comma-separated."
    )
    matter: Code | None = None
    department: Code | None = None
    before: Number | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 50


class PeriodQuery(BaseModel):
    """The period of a report: dates (``to`` included) or instants (``to`` excluded)."""

    model_config = ConfigDict(extra="forbid")

    start: Annotated[str, Field(max_length=40)] = Field(validation_alias="from")
    to: Annotated[str, Field(max_length=40)]


class RateOut(BaseModel):
    """A figure: ``rate`` is null when nothing counts."""

    numerator: int
    denominator: int
    rate: float | None


class FiguresOut(BaseModel):
    """The figures of one line."""

    code: str | None
    name: str
    received: int
    on_time_signing: RateOut
    on_time_completion: RateOut
    resolution: RateOut
    satisfaction: RateOut


class SummaryOut(BaseModel):
    """The summary of a period."""

    start: datetime = Field(serialization_alias="from")
    to: datetime
    as_of: datetime
    total: FiguresOut
    by_task: list[FiguresOut]
    by_department: list[FiguresOut]
