"""The steps that people take on a ticket: what each needs to be told, and the service that does it.

The API and the pages are both made from this table.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from hotline.domain.people import Actor
from hotline.domain.ticket import Action
from hotline.services import (
    cohandling,
    dispatch,
    exclusions,
    extensions,
    followup,
    handling,
    merging,
    returns,
    splitting,
    supervision,
    suspensions,
)
from hotline.services.context import Context
from hotline.storage.tables import Ticket
from hotline.web.api import step_inputs
from hotline.web.api.fields import Input

Service = Callable[[Session, Context, Any, Actor], Ticket]


@dataclass(frozen=True, slots=True)
class Step:
    """One step.  ``command`` builds the service's command from the ticket's number and the checked input."""

    action: Action
    schema: type[Input]
    command: Callable[[str, Any], object]
    service: Service
    summary: str

    def take(self, session: Session, context: Context, number: str, body: Input, actor: Actor) -> Ticket:
        """Take the step in the caller's transaction."""
        return self.service(session, context, self.command(number, body), actor)


def _told(command: type[Any]) -> Callable[[str, Any], object]:
    """Return what builds ``command`` of the ticket's number and the members of the input, which are named alike."""
    return lambda number, body: command(number=number, **body.model_dump())


def _parts(number: str, body: step_inputs.SplitIn) -> splitting.SplitTicket:
    parts = tuple(splitting.Part(content=part.content, matter=part.matter) for part in body.parts)
    return splitting.SplitTicket(number=number, parts=parts)


_STEPS = (
    Step(
        Action.DISPATCH,
        step_inputs.DispatchIn,
        _told(dispatch.DispatchTicket),
        dispatch.dispatch,
        "Dispatch 派单: confirm or change the matter; the catalogue names the owner",
    ),
    Step(
        Action.TAKE_BACK,
        step_inputs.ReasonIn,
        _told(dispatch.TakeBack),
        dispatch.take_back,
        "Take back 撤回派单: undo a dispatch that nobody has signed for",
    ),
    Step(
        Action.SIGN,
        step_inputs.EmptyIn,
        _told(handling.SignTicket),
        handling.sign,
        "Sign 签收: the department takes the ticket in hand",
    ),
    Step(
        Action.ASSIGN,
        step_inputs.AssignIn,
        _told(dispatch.AssignTicket),
        dispatch.assign,
        "Assign 指定经办人: who of the department handles it",
    ),
    Step(
        Action.DISPATCH_ON,
        step_inputs.DispatchOnIn,
        _told(dispatch.DispatchOn),
        dispatch.dispatch_on,
        "Dispatch on 转派下级: to a sub-unit, which signs anew",
    ),
    Step(
        Action.CONTACT,
        step_inputs.ContactIn,
        _told(handling.ContactCitizen),
        handling.contact,
        "Contact 先行联系: the citizen was called before the work starts",
    ),
    Step(
        Action.REPLY,
        step_inputs.ReplyIn,
        _told(handling.ReplyToTicket),
        handling.reply,
        "Reply 反馈: what was found and done",
    ),
    Step(
        Action.APPROVE,
        step_inputs.EmptyIn,
        _told(handling.ApproveReply),
        handling.approve,
        "Approve 审核: the department's lead answers for the reply",
    ),
    Step(
        Action.SEND_BACK,
        step_inputs.ReasonIn,
        _told(handling.EndTicket),
        handling.send_back,
        "Send back 退回重办: the lead wants a better reply",
    ),
    Step(
        Action.REQUEST_RETURN,
        step_inputs.RequestReturnIn,
        _told(returns.RequestReturn),
        returns.request_return,
        "Request a return 申请退单: with reason, legal basis and suggested owner, within the return limit",
    ),
    Step(
        Action.CANCEL_RETURN,
        step_inputs.EmptyIn,
        _told(returns.CancelReturn),
        returns.cancel_return,
        "Cancel the return 撤回退单申请: the department handles it after all",
    ),
    Step(
        Action.ACCEPT_RETURN,
        step_inputs.AcceptReturnIn,
        _told(returns.AcceptReturn),
        returns.accept_return,
        "Accept the return 同意退单: to the right owner, or back into the queue",
    ),
    Step(
        Action.REJECT_RETURN,
        step_inputs.ReasonIn,
        _told(returns.RejectReturn),
        returns.reject_return,
        "Reject the return 驳回退单: the department must handle it",
    ),
    Step(
        Action.ADJUDICATE,
        step_inputs.AdjudicateIn,
        _told(returns.Adjudicate),
        returns.adjudicate,
        "Adjudicate 裁定: settle the second return for good",
    ),
    Step(
        Action.REQUEST_EXTENSION,
        step_inputs.RequestExtensionIn,
        _told(extensions.RequestExtension),
        extensions.request_extension,
        "Request an extension 申请延期: once, before the due",
    ),
    Step(
        Action.APPROVE_EXTENSION,
        step_inputs.ReasonIn,
        _told(extensions.DecideExtension),
        extensions.approve_extension,
        "Approve the extension 同意延期: the days are added to the old due",
    ),
    Step(
        Action.REFUSE_EXTENSION,
        step_inputs.ReasonIn,
        _told(extensions.DecideExtension),
        extensions.refuse_extension,
        "Refuse the extension 不同意延期: the old due stands",
    ),
    Step(
        Action.REQUEST_SUSPENSION,
        step_inputs.RequestSuspensionIn,
        _told(suspensions.RequestSuspension),
        suspensions.request_suspension,
        "Request a suspension 申请挂账: with plan and review date",
    ),
    Step(
        Action.APPROVE_SUSPENSION,
        step_inputs.ReasonIn,
        _told(suspensions.DecideSuspension),
        suspensions.approve_suspension,
        "Approve the suspension 同意挂账: the clock stops",
    ),
    Step(
        Action.REFUSE_SUSPENSION,
        step_inputs.ReasonIn,
        _told(suspensions.DecideSuspension),
        suspensions.refuse_suspension,
        "Refuse the suspension 不同意挂账: the clock runs on",
    ),
    Step(
        Action.RESUME,
        step_inputs.ReasonIn,
        _told(suspensions.DecideSuspension),
        suspensions.resume,
        "Resume 解除挂账: the due moves on by the time that was stopped",
    ),
    Step(
        Action.ASK_COHANDLER,
        step_inputs.AskCohandlerIn,
        _told(cohandling.AskCohandler),
        cohandling.ask_cohandler,
        "Ask a co-handler 请求协办: another department does a part, with a due of its own",
    ),
    Step(
        Action.COHANDLE,
        step_inputs.CohandleIn,
        _told(cohandling.ReportCohandling),
        cohandling.report_cohandling,
        "Co-handle 协办反馈: what the co-handler did of its part",
    ),
    Step(
        Action.URGE,
        step_inputs.ReasonIn,
        _told(supervision.Urge),
        supervision.urge,
        "Urge 催办: the citizen calls again",
    ),
    Step(
        Action.SUPERVISE,
        step_inputs.SuperviseIn,
        _told(supervision.Supervise),
        supervision.supervise,
        "Supervise 督办: a yellow or red card by hand",
    ),
    Step(
        Action.RECLASSIFY,
        step_inputs.ReclassifyIn,
        _told(supervision.Reclassify),
        supervision.reclassify,
        "Reclassify 变更分类: type, matter or urgency were wrong; the dues follow",
    ),
    Step(
        Action.FOLLOW_UP,
        step_inputs.FollowUpIn,
        _told(followup.FollowUp),
        followup.follow_up,
        "Follow up 回访: what the citizen said; unresolved goes back for rework",
    ),
    Step(
        Action.REWORK,
        step_inputs.ReasonIn,
        _told(followup.OrderRework),
        followup.order_rework,
        "Rework 重办: the department does it again",
    ),
    Step(
        Action.ANSWER,
        step_inputs.AnswerIn,
        _told(handling.AnswerTicket),
        handling.answer,
        "Answer 直接答复: an inquiry that needs no department",
    ),
    Step(
        Action.MERGE,
        step_inputs.MergeIn,
        _told(merging.MergeTicket),
        merging.merge,
        "Merge 并单: the same event is already in hand",
    ),
    Step(
        Action.UNMERGE,
        step_inputs.ReasonIn,
        _told(merging.UnmergeTicket),
        merging.unmerge,
        "Unmerge 撤销并单: it was another event after all",
    ),
    Step(
        Action.SPLIT,
        step_inputs.SplitIn,
        _parts,
        splitting.split,
        "Split 拆单: each further matter of the call becomes a ticket",
    ),
    Step(
        Action.DECLINE,
        step_inputs.ReasonIn,
        _told(handling.EndTicket),
        handling.decline,
        "Decline 不予受理: the caller was told the proper channel",
    ),
    Step(
        Action.TRANSFER,
        step_inputs.ReasonIn,
        _told(handling.EndTicket),
        handling.transfer,
        "Transfer 转办外部: handed over to 110, 119 or 120",
    ),
    Step(
        Action.REQUEST_EXCLUSION,
        step_inputs.RequestExclusionIn,
        _told(exclusions.RequestExclusion),
        exclusions.request_exclusion,
        "Request an exclusion 申请剔除: an unreasonable demand, with evidence",
    ),
    Step(
        Action.APPROVE_EXCLUSION,
        step_inputs.ReasonIn,
        _told(exclusions.DecideExclusion),
        exclusions.approve_exclusion,
        "Approve the exclusion 同意剔除: two people, neither of whom asked",
    ),
    Step(
        Action.REFUSE_EXCLUSION,
        step_inputs.ReasonIn,
        _told(exclusions.DecideExclusion),
        exclusions.refuse_exclusion,
        "Refuse the exclusion 不同意剔除: it counts like any other",
    ),
    Step(
        Action.WITHDRAW,
        step_inputs.ReasonIn,
        _told(handling.EndTicket),
        handling.withdraw,
        "Withdraw 撤诉: the citizen takes it back",
    ),
)

STEPS: Mapping[Action, Step] = {step.action: step for step in _STEPS}
