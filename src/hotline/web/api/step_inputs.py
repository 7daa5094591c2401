"""What each step on a ticket has to be told; `hotline.web.steps` says which step takes which."""

from datetime import date
from typing import Literal

from pydantic import Field, StrictBool

from hotline.domain.ticket import ComplaintType, ExclusionReason, FollowupResult, ReturnReason, Satisfaction, Urgency
from hotline.web.api.fields import Code, Content, EntryId, Input, Instant, LongText, Number, ShortText


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
