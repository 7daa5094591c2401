"""What a ticket (工单) is made of: its states and overlays, the actions on it, and the codes of its fields.

Which action is possible when, and for whom, stands in ``hotline.domain.transitions``.
"""

from enum import StrEnum


class State(StrEnum):
    """Where a ticket stands."""

    RECEIVED = "received"
    AWAITING_DISPATCH = "awaiting_dispatch"
    AWAITING_SIGN = "awaiting_sign"
    HANDLING = "handling"
    REPLIED = "replied"
    AWAITING_FOLLOWUP = "awaiting_followup"
    CLOSED = "closed"
    ARCHIVED = "archived"
    ANSWERED = "answered"
    DECLINED = "declined"
    TRANSFERRED = "transferred"
    MERGED = "merged"
    WITHDRAWN = "withdrawn"


STATE_NAMES: dict[State, str] = {
    State.RECEIVED: "已受理",
    State.AWAITING_DISPATCH: "待派单",
    State.AWAITING_SIGN: "待签收",
    State.HANDLING: "办理中",
    State.REPLIED: "已反馈",
    State.AWAITING_FOLLOWUP: "待回访",
    State.CLOSED: "办结",
    State.ARCHIVED: "归档",
    State.ANSWERED: "直接答复",
    State.DECLINED: "不予受理",
    State.TRANSFERRED: "转办外部",
    State.MERGED: "并单",
    State.WITHDRAWN: "撤诉",
}

OPEN_STATES = frozenset(
    {
        State.RECEIVED,
        State.AWAITING_DISPATCH,
        State.AWAITING_SIGN,
        State.HANDLING,
        State.REPLIED,
        State.AWAITING_FOLLOWUP,
    }
)

# A ticket that ended here asks nothing more of a department, so its dues no longer count.
ENDED_WITHOUT_HANDLING = frozenset({State.DECLINED, State.TRANSFERRED, State.MERGED, State.WITHDRAWN, State.ANSWERED})


class Action(StrEnum):
    """What somebody does to a ticket."""

    QUEUE = "queue"
    DISPATCH = "dispatch"
    TAKE_BACK = "take_back"
    ANSWER = "answer"
    MERGE = "merge"
    UNMERGE = "unmerge"
    SPLIT = "split"
    DECLINE = "decline"
    TRANSFER = "transfer"
    ASSIGN = "assign"
    DISPATCH_ON = "dispatch_on"
    SIGN = "sign"
    CONTACT = "contact"
    REPLY = "reply"
    SEND_BACK = "send_back"
    APPROVE = "approve"
    REQUEST_RETURN = "request_return"
    CANCEL_RETURN = "cancel_return"
    ACCEPT_RETURN = "accept_return"
    REJECT_RETURN = "reject_return"
    ADJUDICATE = "adjudicate"
    REQUEST_EXTENSION = "request_extension"
    APPROVE_EXTENSION = "approve_extension"
    REFUSE_EXTENSION = "refuse_extension"
    REQUEST_SUSPENSION = "request_suspension"
    APPROVE_SUSPENSION = "approve_suspension"
    REFUSE_SUSPENSION = "refuse_suspension"
    RESUME = "resume"
    ASK_COHANDLER = "ask_cohandler"
    COHANDLE = "cohandle"
    URGE = "urge"
    SUPERVISE = "supervise"
    RECLASSIFY = "reclassify"
    FOLLOW_UP = "follow_up"
    REWORK = "rework"
    REQUEST_EXCLUSION = "request_exclusion"
    APPROVE_EXCLUSION = "approve_exclusion"
    REFUSE_EXCLUSION = "refuse_exclusion"
    WITHDRAW = "withdraw"
    CLOSE = "close"
    ARCHIVE = "archive"


ACTION_NAMES: dict[Action, str] = {
    Action.QUEUE: "转人工派单",
    Action.DISPATCH: "派单",
    Action.TAKE_BACK: "撤回派单",
    Action.ANSWER: "直接答复",
    Action.MERGE: "并单",
    Action.UNMERGE: "撤销并单",
    Action.SPLIT: "拆单",
    Action.DECLINE: "不予受理",
    Action.TRANSFER: "转办外部",
    Action.ASSIGN: "指定经办人",
    Action.DISPATCH_ON: "转派下级",
    Action.SIGN: "签收",
    Action.CONTACT: "先行联系",
    Action.REPLY: "反馈",
    Action.SEND_BACK: "退回重办",
    Action.APPROVE: "审核通过",
    Action.REQUEST_RETURN: "申请退单",
    Action.CANCEL_RETURN: "撤回退单申请",
    Action.ACCEPT_RETURN: "同意退单",
    Action.REJECT_RETURN: "驳回退单",
    Action.ADJUDICATE: "裁定",
    Action.REQUEST_EXTENSION: "申请延期",
    Action.APPROVE_EXTENSION: "同意延期",
    Action.REFUSE_EXTENSION: "不同意延期",
    Action.REQUEST_SUSPENSION: "申请挂账",
    Action.APPROVE_SUSPENSION: "同意挂账",
    Action.REFUSE_SUSPENSION: "不同意挂账",
    Action.RESUME: "解除挂账",
    Action.ASK_COHANDLER: "请求协办",
    Action.COHANDLE: "协办反馈",
    Action.URGE: "催办",
    Action.SUPERVISE: "督办",
    Action.RECLASSIFY: "变更分类",
    Action.FOLLOW_UP: "回访",
    Action.REWORK: "重办",
    Action.REQUEST_EXCLUSION: "申请剔除",
    Action.APPROVE_EXCLUSION: "同意剔除",
    Action.REFUSE_EXCLUSION: "不同意剔除",
    Action.WITHDRAW: "撤诉",
    Action.CLOSE: "办结",
    Action.ARCHIVE: "归档",
}


class Overlay(StrEnum):
    """What lies over a ticket's state and changes what may be done, without being a state itself."""

    RETURN_PENDING = "return_pending"
    ADJUDICATION_PENDING = "adjudication_pending"
    RETURN_BARRED = "return_barred"
    EXTENSION_PENDING = "extension_pending"
    EXTENDED = "extended"
    SUSPENSION_PENDING = "suspension_pending"
    SUSPENDED = "suspended"
    EXCLUSION_PENDING = "exclusion_pending"
    EXCLUDED = "excluded"


OVERLAY_NAMES: dict[Overlay, str] = {
    Overlay.RETURN_PENDING: "退单待审",
    Overlay.ADJUDICATION_PENDING: "待裁定",
    Overlay.RETURN_BARRED: "不得再退",
    Overlay.EXTENSION_PENDING: "延期待审",
    Overlay.EXTENDED: "已延期",
    Overlay.SUSPENSION_PENDING: "挂账待审",
    Overlay.SUSPENDED: "挂账",
    Overlay.EXCLUSION_PENDING: "剔除待审",
    Overlay.EXCLUDED: "已剔除",
}


class ReturnReason(StrEnum):
    """Why a department says that a ticket is not its own (退单理由)."""

    NOT_OUR_DUTY = "not_our_duty"
    WRONG_AREA = "wrong_area"
    MUST_NOT_PUSH_DOWN = "must_not_push_down"
    MULTI_DEPARTMENT = "multi_department"
    INFO_INCOMPLETE = "info_incomplete"
    DUPLICATE = "duplicate"
    LEGAL_CHANNEL = "legal_channel"
    HIGHER_AUTHORITY = "higher_authority"
    CONFLICT_OF_INTEREST = "conflict_of_interest"


RETURN_REASON_NAMES: dict[ReturnReason, str] = {
    ReturnReason.NOT_OUR_DUTY: "非本单位职责",
    ReturnReason.WRONG_AREA: "不属本辖区",
    ReturnReason.MUST_NOT_PUSH_DOWN: "属不得下派事项",
    ReturnReason.MULTI_DEPARTMENT: "涉及多部门，需拆单",
    ReturnReason.INFO_INCOMPLETE: "要素不全，无法办理",
    ReturnReason.DUPLICATE: "重复工单",
    ReturnReason.LEGAL_CHANNEL: "应走诉讼、仲裁、信访等法定途径",
    ReturnReason.HIGHER_AUTHORITY: "上级或垂直管理部门事权",
    ReturnReason.CONFLICT_OF_INTEREST: "涉及本单位，应当回避",
}


class ExclusionReason(StrEnum):
    """Why a ticket is left out of a department's figures (剔除理由)."""

    UNREASONABLE = "unreasonable"
    AGAINST_LAW = "against_law"
    MALICIOUS = "malicious"
    FORCE_MAJEURE = "force_majeure"


EXCLUSION_REASON_NAMES: dict[ExclusionReason, str] = {
    ExclusionReason.UNREASONABLE: "诉求不合理",
    ExclusionReason.AGAINST_LAW: "诉求违反法律政策",
    ExclusionReason.MALICIOUS: "恶意重复投诉",
    ExclusionReason.FORCE_MAJEURE: "不可抗力",
}


class QueueReason(StrEnum):
    """Why a ticket waits for a dispatcher (人工派单原因)."""

    NOT_CONFIDENT = "not_confident"
    BLIND_CHECK = "blind_check"
    NO_OWNER = "no_owner"
    NO_MODEL = "no_model"
    CONFLICT = "conflict"
    RETURNED = "returned"
    TAKEN_BACK = "taken_back"
    UNMERGED = "unmerged"


QUEUE_REASON_NAMES: dict[QueueReason, str] = {
    QueueReason.NOT_CONFIDENT: "分类把握不足",
    QueueReason.BLIND_CHECK: "盲审抽检",
    QueueReason.NO_OWNER: "权责清单无承办单位",
    QueueReason.NO_MODEL: "分类模型不可用",
    QueueReason.CONFLICT: "诉求涉及承办单位自身",
    QueueReason.RETURNED: "退单改派",
    QueueReason.TAKEN_BACK: "撤回派单",
    QueueReason.UNMERGED: "撤销并单",
}


class Channel(StrEnum):
    """How the citizen reached the hotline (渠道)."""

    PHONE = "phone"
    WEB = "web"
    WECHAT = "wechat"
    APP = "app"
    API = "api"
    OPEN311 = "open311"
    IMPORT = "import"


CHANNEL_NAMES: dict[Channel, str] = {
    Channel.PHONE: "电话",
    Channel.WEB: "网站",
    Channel.WECHAT: "微信",
    Channel.APP: "手机应用",
    Channel.API: "接口",
    Channel.OPEN311: "Open311",
    Channel.IMPORT: "导入",
}


class ComplaintType(StrEnum):
    """What kind of request it is (诉求类型)."""

    INQUIRY = "咨询"
    HELP = "求助"
    COMPLAINT = "投诉"
    REPORT = "举报"
    SUGGESTION = "建议"
    PRAISE = "表扬"


class Urgency(StrEnum):
    """How long it may wait (紧急程度)."""

    NORMAL = "normal"
    URGENT = "urgent"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for normal up to 2 for critical."""
        return list(Urgency).index(self)


URGENCY_NAMES: dict[Urgency, str] = {
    Urgency.NORMAL: "一般",
    Urgency.URGENT: "紧急",
    Urgency.CRITICAL: "特急",
}


class FollowupResult(StrEnum):
    """What a follow-up call (回访) ended with."""

    RESOLVED = "resolved"
    UNRESOLVED = "unresolved"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    WRONG_NUMBER = "wrong_number"
    ANONYMOUS = "anonymous"


FOLLOWUP_RESULT_NAMES: dict[FollowupResult, str] = {
    FollowupResult.RESOLVED: "已解决",
    FollowupResult.UNRESOLVED: "未解决",
    FollowupResult.REFUSED: "拒绝回访",
    FollowupResult.UNREACHABLE: "无法接通",
    FollowupResult.WRONG_NUMBER: "号码有误",
    FollowupResult.ANONYMOUS: "匿名不回访",
}


class Satisfaction(StrEnum):
    """The citizen's rating (满意度)."""

    SATISFIED = "satisfied"
    BASICALLY_SATISFIED = "basically_satisfied"
    NEUTRAL = "neutral"
    DISSATISFIED = "dissatisfied"


SATISFACTION_NAMES: dict[Satisfaction, str] = {
    Satisfaction.SATISFIED: "满意",
    Satisfaction.BASICALLY_SATISFIED: "基本满意",
    Satisfaction.NEUTRAL: "一般",
    Satisfaction.DISSATISFIED: "不满意",
}
