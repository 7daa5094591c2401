"""What the API takes and gives, as Pydantic models; the OpenAPI document is made from them."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool

from hotline.domain.ticket import Channel, ComplaintType, Urgency
from hotline.web.api.fields import (
    Code,
    Content,
    EntryId,
    Input,
    Instant,
    LongText,
    Number,
    Phone,
    ShortText,
    clean_text,
)


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
