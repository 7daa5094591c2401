"""What the form of each step asks for: one table, from which one macro makes every form.

The names are those of the step's input (``hotline.web.steps``); a step that is not in the table needs no more than a
button.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from flask_babel import lazy_gettext as _

from hotline.domain.ticket import Action

FieldKind = Literal["line", "text", "choice", "yes_no", "flag", "date", "moment", "number", "parts"]


@dataclass(frozen=True, slots=True)
class Field:
    """One field.  ``choices`` names the list that a choice is made from; ``blank`` is what no choice means.

    ``words`` are the two answers of a question that is answered with yes or no.
    """

    name: str
    label: Any
    kind: FieldKind = "text"
    required: bool = False
    choices: str = ""
    blank: Any = ""
    hint: Any = ""
    words: tuple[Any, Any] = ("", "")
    given: str = ""
    rows: int = 2
    longest: int = 2000


def _reason(label: Any = None, hint: Any = "") -> Field:
    return Field("reason", label or _("理由"), required=True, hint=hint)


_NOTE = Field("reason", _("说明"), "line")
_ANY_DEPARTMENT = Field("department", _("承办单位"), "choice", choices="departments", blank=_("按权责清单"))

FIELDS: Mapping[Action, tuple[Field, ...]] = {
    Action.DISPATCH: (
        Field("matter", _("事项"), "choice", required=True, choices="matters"),
        _ANY_DEPARTMENT,
        Field("type", _("诉求类型"), "choice", choices="types", blank=_("不变")),
        Field("urgency", _("紧急程度"), "choice", choices="urgencies", blank=_("不变")),
        Field("about_department", _("被投诉单位"), "choice", choices="departments", blank=_("不涉及承办单位")),
        Field(
            "overseer",
            _("监督协办"),
            "choice",
            choices="departments",
            blank=_("无"),
            hint=_("投诉须交被投诉单位办理时，由督办另指一个单位协办"),
        ),
        _NOTE,
    ),
    Action.TAKE_BACK: (_reason(),),
    Action.ASSIGN: (Field("username", _("经办人"), "choice", choices="colleagues", blank=_("不指定")),),
    Action.DISPATCH_ON: (
        Field("department", _("下级单位"), "choice", required=True, choices="subunits"),
        _NOTE,
    ),
    Action.CONTACT: (Field("note", _("联系情况"), "line"),),
    Action.REPLY: (
        Field("text", _("办理情况"), required=True, rows=4, longest=20000),
        Field("valid", _("诉求是否属实"), "yes_no", required=True, words=(_("属实"), _("不属实"))),
        Field("contacted", _("是否联系诉求人"), "yes_no", required=True, words=(_("已联系"), _("未联系"))),
        Field("resolved", _("是否解决"), "yes_no", required=True, words=(_("已解决"), _("未解决"))),
        Field("unresolved_reason", _("未解决原因（未解决时必填）"), "line"),
    ),
    Action.SEND_BACK: (_reason(),),
    Action.REQUEST_RETURN: (
        Field("reason_code", _("退单理由"), "choice", required=True, choices="return_reasons"),
        Field("basis", _("依据"), required=True, hint=_("法规、条款或权责清单的哪一条")),
        Field(
            "suggested_department",
            _("建议承办单位"),
            "choice",
            choices="departments",
            blank=_("无"),
            hint=_("除重复、法定途径、要素不全、上级事权、回避外必填"),
        ),
        Field("note", _("补充说明"), "line"),
    ),
    Action.ACCEPT_RETURN: (
        Field("department", _("改派给"), "choice", choices="departments", blank=_("按更正的事项，或退回待派单")),
        Field("matter", _("更正事项"), "choice", choices="matters", blank=_("事项不变")),
        _reason(),
    ),
    Action.REJECT_RETURN: (_reason(hint=_("驳回后由该单位承办；再次申请退单将转督办裁定")),),
    Action.ADJUDICATE: (
        Field("department", _("裁定承办单位"), "choice", required=True, choices="departments"),
        Field("fresh_limit", _("办理时限从现在重新计算"), "flag"),
        _reason(),
    ),
    Action.REQUEST_EXTENSION: (
        Field("working_days", _("延长几个工作日"), "number", required=True, hint=_("1 至 10 个，只能申请一次")),
        _reason(),
    ),
    Action.APPROVE_EXTENSION: (_reason(_("审批意见")),),
    Action.REFUSE_EXTENSION: (_reason(_("审批意见")),),
    Action.REQUEST_SUSPENSION: (
        _reason(),
        Field("plan", _("办理计划"), required=True),
        Field("review_on", _("复核日期"), "date", required=True),
    ),
    Action.APPROVE_SUSPENSION: (_reason(_("审批意见")),),
    Action.REFUSE_SUSPENSION: (_reason(_("审批意见")),),
    Action.RESUME: (_reason(),),
    Action.ASK_COHANDLER: (
        Field("department", _("协办单位"), "choice", required=True, choices="departments"),
        Field("request", _("请对方做什么"), required=True),
        Field("due", _("期限"), "moment", hint=_("不填则与主办单位同一期限")),
    ),
    Action.COHANDLE: (Field("report", _("协办情况"), required=True, rows=3),),
    Action.URGE: (_reason(_("诉求人说了什么")),),
    Action.SUPERVISE: (Field("card", _("督办级别"), "choice", required=True, choices="cards"), _reason()),
    Action.RECLASSIFY: (
        Field("matter", _("更正事项"), "choice", choices="matters", blank=_("不变")),
        Field("type", _("诉求类型"), "choice", choices="types", blank=_("不变")),
        Field("urgency", _("紧急程度"), "choice", choices="urgencies", blank=_("不变")),
        _reason(),
    ),
    Action.FOLLOW_UP: (
        Field("caller", _("回访哪位诉求人"), "choice", choices="callers", blank=_("本单诉求人，或唯一待回访的一位")),
        Field("result", _("回访结果"), "choice", required=True, choices="results"),
        Field("satisfaction", _("满意度（已接通时）"), "choice", choices="ratings", blank=_("未评价")),
        Field("comment", _("市民意见")),
        Field(
            "rework",
            _("未解决或不满意时"),
            "yes_no",
            words=(_("退回重办"), _("不再重办（请在市民意见中说明）")),
            given="yes",
        ),
    ),
    Action.REWORK: (_reason(),),
    Action.ANSWER: (
        Field("answer", _("答复内容"), required=True, rows=3),
        Field("knowledge_entry", _("引用知识库"), "choice", choices="knowledge", blank=_("未引用")),
    ),
    Action.MERGE: (
        Field("into", _("并入工单编号"), "line", required=True, longest=20, hint=_("例如 20261125-000123")),
    ),
    Action.UNMERGE: (_reason(),),
    Action.SPLIT: (Field("parts", _("拆出的事项"), "parts"),),
    Action.DECLINE: (_reason(hint=_("请写明已告知的正确渠道：法院、12388、信息公开等")),),
    Action.TRANSFER: (_reason(hint=_("请写明转给 110、119 或 120")),),
    Action.REQUEST_EXCLUSION: (
        Field("reason_code", _("剔除理由"), "choice", required=True, choices="exclusion_reasons"),
        Field("evidence", _("证据"), required=True, rows=3),
    ),
    Action.APPROVE_EXCLUSION: (_reason(_("审批意见"), _("须两人同意，申请人不得审批")),),
    Action.REFUSE_EXCLUSION: (_reason(_("审批意见")),),
    Action.WITHDRAW: (_reason(),),
}

# What most likely comes next, the likeliest first; the page opens the first of these that may be done.
NEXT: tuple[Action, ...] = (
    Action.ADJUDICATE,
    Action.ACCEPT_RETURN,
    Action.APPROVE_EXTENSION,
    Action.APPROVE_SUSPENSION,
    Action.APPROVE_EXCLUSION,
    Action.DISPATCH,
    Action.SIGN,
    Action.APPROVE,
    Action.REPLY,
    Action.FOLLOW_UP,
    Action.COHANDLE,
)

# What ends a ticket, or asks for it to be left out, stands last and never opens by itself.
LAST: tuple[Action, ...] = (
    Action.MERGE,
    Action.DECLINE,
    Action.TRANSFER,
    Action.WITHDRAW,
    Action.REQUEST_EXCLUSION,
)


def arranged(actions: tuple[Action, ...]) -> tuple[Action, ...]:
    """Return ``actions`` with the likeliest first and the endings last."""
    first = tuple(action for action in NEXT if action in actions)
    last = tuple(action for action in LAST if action in actions)
    return (*first, *(action for action in actions if action not in {*first, *last}), *last)
