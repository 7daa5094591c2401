"""The life of a ticket (工单): its states, the moves between them, who may make each and why.

``TRANSITIONS`` is the only place that says so.  A move that is not in it is refused with the list of what is allowed.
"""

from dataclasses import dataclass
from enum import StrEnum

from hotline.domain.people import Role


class State(StrEnum):
    """Where a ticket stands."""

    RECEIVED = "received"
    AWAITING_DISPATCH = "awaiting_dispatch"
    AWAITING_SIGN = "awaiting_sign"
    HANDLING = "handling"
    REPLIED = "replied"
    AWAITING_FOLLOWUP = "awaiting_followup"
    CLOSED = "closed"
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
    ANSWER = "answer"
    MERGE = "merge"
    DECLINE = "decline"
    TRANSFER = "transfer"
    SIGN = "sign"
    REPLY = "reply"
    SEND_BACK = "send_back"
    APPROVE = "approve"
    FOLLOW_UP = "follow_up"
    WITHDRAW = "withdraw"


ACTION_NAMES: dict[Action, str] = {
    Action.QUEUE: "转人工派单",
    Action.DISPATCH: "派单",
    Action.ANSWER: "直接答复",
    Action.MERGE: "并单",
    Action.DECLINE: "不予受理",
    Action.TRANSFER: "转办外部",
    Action.SIGN: "签收",
    Action.REPLY: "反馈",
    Action.SEND_BACK: "退回重办",
    Action.APPROVE: "审核通过",
    Action.FOLLOW_UP: "回访",
    Action.WITHDRAW: "撤诉",
}


@dataclass(frozen=True, slots=True)
class Transition:
    """One line of the table: ``action`` leads from any of ``sources`` to ``target`` and is open to ``roles``."""

    action: Action
    sources: frozenset[State]
    target: State
    roles: frozenset[Role]
    reason: str


def _line(
    action: Action, sources: set[State] | frozenset[State], target: State, roles: set[Role], reason: str
) -> Transition:
    return Transition(action, frozenset(sources), target, frozenset(roles), reason)


UNDISPATCHED = {State.RECEIVED, State.AWAITING_DISPATCH}
HOTLINE_DESK = {Role.AGENT, Role.DISPATCHER, Role.SUPERVISOR}

TRANSITIONS: tuple[Transition, ...] = (
    _line(
        Action.QUEUE,
        {State.RECEIVED},
        State.AWAITING_DISPATCH,
        {Role.SYSTEM},
        "The model is not sure, is missing, or no catalogue entry owns the matter: a person decides.",
    ),
    _line(
        Action.DISPATCH,
        UNDISPATCHED,
        State.AWAITING_SIGN,
        {Role.SYSTEM, Role.AGENT, Role.DISPATCHER, Role.SUPERVISOR},
        "The owner is known; the sign and handling limits start.",
    ),
    _line(
        Action.ANSWER,
        UNDISPATCHED,
        State.ANSWERED,
        HOTLINE_DESK,
        "An inquiry (咨询) answered on the spot needs no department.",
    ),
    _line(
        Action.MERGE,
        UNDISPATCHED,
        State.MERGED,
        HOTLINE_DESK,
        "The same event is already in hand; this caller is informed with that ticket.",
    ),
    _line(
        Action.DECLINE,
        UNDISPATCHED,
        State.DECLINED,
        {Role.DISPATCHER, Role.SUPERVISOR},
        "Courts, discipline (12388) and disclosure requests have channels of their own, which the caller is told.",
    ),
    _line(
        Action.TRANSFER,
        UNDISPATCHED,
        State.TRANSFERRED,
        HOTLINE_DESK,
        "Emergencies belong to 110, 119 and 120; the call is handed over.",
    ),
    _line(
        Action.SIGN,
        {State.AWAITING_SIGN},
        State.HANDLING,
        {Role.HANDLER, Role.LEAD},
        "The department takes the ticket in hand.",
    ),
    _line(
        Action.REPLY,
        {State.HANDLING},
        State.REPLIED,
        {Role.HANDLER, Role.LEAD},
        "The department says what it found and did.",
    ),
    _line(
        Action.SEND_BACK,
        {State.REPLIED},
        State.HANDLING,
        {Role.LEAD},
        "The department's lead is not satisfied with the reply; the clock runs on.",
    ),
    _line(
        Action.APPROVE,
        {State.REPLIED},
        State.AWAITING_FOLLOWUP,
        {Role.LEAD},
        "The lead answers for the reply; handling ends here.",
    ),
    _line(
        Action.FOLLOW_UP,
        {State.AWAITING_FOLLOWUP},
        State.CLOSED,
        {Role.FOLLOWUP, Role.SUPERVISOR},
        "The citizen has said whether it is solved, or could not be reached.",
    ),
    _line(
        Action.WITHDRAW,
        OPEN_STATES,
        State.WITHDRAWN,
        {Role.AGENT, Role.DISPATCHER, Role.FOLLOWUP, Role.SUPERVISOR},
        "The citizen takes the complaint back (撤诉); the hotline records it for them.",
    ),
)


class TransitionRefused(Exception):
    """The move is not in the table.  ``allowed`` lists what this role may do in the ticket's present state."""

    def __init__(self, state: State, action: Action, role: Role, allowed: tuple[Action, ...]) -> None:
        self.state, self.action, self.role, self.allowed = state, action, role, allowed
        listed = ", ".join(allowed) or "nothing"
        super().__init__(f"'{action}' is not possible in state '{state}' for role '{role}'; allowed now: {listed}")

    @property
    def is_role_matter(self) -> bool:
        """Tell whether the move exists in this state, but not for this role."""
        return any(line.action == self.action and self.state in line.sources for line in TRANSITIONS)


def allowed_actions(state: State, role: Role) -> tuple[Action, ...]:
    """Return what ``role`` may do to a ticket in ``state``, in the order of the table."""
    return tuple(line.action for line in TRANSITIONS if state in line.sources and role in line.roles)


def next_state(state: State, action: Action, role: Role) -> State:
    """Return where ``action`` by ``role`` leads from ``state``.  Raises ``TransitionRefused`` when it leads nowhere."""
    for line in TRANSITIONS:
        if line.action == action and state in line.sources and role in line.roles:
            return line.target
    raise TransitionRefused(state, action, role, allowed_actions(state, role))


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
