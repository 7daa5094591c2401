"""The steps that people take on a ticket: what each needs to be told, and the service that does it.

The API and the pages are both made from this table.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from hotline.domain.people import Actor
from hotline.domain.ticket import Action
from hotline.services import dispatch, followup, handling, merging
from hotline.services.context import Context
from hotline.storage.tables import Ticket
from hotline.web.api import schemas

Service = Callable[[Session, Context, Any, Actor], Ticket]


@dataclass(frozen=True, slots=True)
class Step:
    """One step.  ``command`` builds the service's command from the ticket's number and the checked input."""

    action: Action
    schema: type[schemas.Input]
    command: Callable[[str, Any], object]
    service: Service
    summary: str

    def take(self, session: Session, context: Context, number: str, body: schemas.Input, actor: Actor) -> Ticket:
        """Take the step in the caller's transaction."""
        return self.service(session, context, self.command(number, body), actor)


def _because(number: str, body: schemas.ReasonIn) -> handling.EndTicket:
    return handling.EndTicket(number=number, reason=body.reason)


_STEPS = (
    Step(
        Action.DISPATCH,
        schemas.DispatchIn,
        lambda number, body: dispatch.DispatchTicket(number=number, **body.model_dump()),
        dispatch.dispatch,
        "Dispatch 派单: confirm or change the matter; the catalogue names the owner",
    ),
    Step(
        Action.SIGN,
        schemas.EmptyIn,
        lambda number, body: handling.SignTicket(number=number),
        handling.sign,
        "Sign 签收: the department takes the ticket in hand",
    ),
    Step(
        Action.REPLY,
        schemas.ReplyIn,
        lambda number, body: handling.ReplyToTicket(number=number, **body.model_dump()),
        handling.reply,
        "Reply 反馈: what was found and done",
    ),
    Step(
        Action.APPROVE,
        schemas.EmptyIn,
        lambda number, body: handling.ApproveReply(number=number),
        handling.approve,
        "Approve 审核: the department's lead answers for the reply",
    ),
    Step(
        Action.SEND_BACK,
        schemas.ReasonIn,
        _because,
        handling.send_back,
        "Send back 退回重办: the lead wants a better reply",
    ),
    Step(
        Action.FOLLOW_UP,
        schemas.FollowUpIn,
        lambda number, body: followup.FollowUp(number=number, **body.model_dump()),
        followup.follow_up,
        "Follow up 回访: what the citizen said",
    ),
    Step(
        Action.ANSWER,
        schemas.AnswerIn,
        lambda number, body: handling.EndTicket(number=number, reason=body.answer),
        handling.answer,
        "Answer 直接答复: an inquiry that needs no department",
    ),
    Step(
        Action.MERGE,
        schemas.MergeIn,
        lambda number, body: merging.MergeTicket(number=number, into=body.into),
        merging.merge,
        "Merge 并单: the same event is already in hand",
    ),
    Step(
        Action.DECLINE,
        schemas.ReasonIn,
        _because,
        handling.decline,
        "Decline 不予受理: the caller was told the proper channel",
    ),
    Step(
        Action.TRANSFER,
        schemas.ReasonIn,
        _because,
        handling.transfer,
        "Transfer 转办外部: handed over to 110, 119 or 120",
    ),
    Step(
        Action.WITHDRAW,
        schemas.ReasonIn,
        _because,
        handling.withdraw,
        "Withdraw 撤诉: the citizen takes it back",
    ),
)

STEPS: Mapping[Action, Step] = {step.action: step for step in _STEPS}
