"""A ticket's timeline in words: what each event is called, who did it, and what its data says."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.domain.city_time import CITY_ZONE
from hotline.domain.people import ROLE_NAMES
from hotline.domain.sampling import RISK_NAMES
from hotline.domain.ticket import (
    CHANNEL_NAMES,
    EXCLUSION_REASON_NAMES,
    FOLLOWUP_RESULT_NAMES,
    RETURN_REASON_NAMES,
    SATISFACTION_NAMES,
    URGENCY_NAMES,
)
from hotline.storage.tables import Account, Department, Ticket, TicketEvent
from hotline.web.pages.choices import CARDS
from hotline.web.runtime import runtime

_REASONS = {str(code): name for code, name in (*RETURN_REASON_NAMES.items(), *EXCLUSION_REASON_NAMES.items())}
_MAKERS_OF_MATTER = {"model": "系统", **{role.value: name for role, name in ROLE_NAMES.items()}}


@dataclass(frozen=True, slots=True)
class Line:
    """One event, ready to be shown: who did it, and pairs of what and which."""

    event: TicketEvent
    who: str
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class _Names:
    departments: Mapping[str, str]
    people: Mapping[str, str]


def timeline(session: Session, ticket: Ticket) -> list[Line]:
    """Return the ticket's events, the newest last."""
    events = ticket.events
    accounts = {event.account_id for event in events if event.account_id is not None}
    by_id = {row.id: row for row in session.scalars(select(Account).where(Account.id.in_(accounts)))}
    names = _Names(_department_names(session, events), _assigned(session, events))
    return [
        Line(event, by_id[event.account_id].display_name if event.account_id in by_id else "", _facts(event, names))
        for event in events
    ]


def _department_names(session: Session, events: Sequence[TicketEvent]) -> dict[str, str]:
    codes = {event.data.get(key) for event in events for key in ("department", "suggested")}
    codes |= {code for event in events for code in event.data.get("cohandlers") or ()}
    query = select(Department.code, Department.name).where(Department.code.in_(codes - {None}))
    return {row.code: row.name for row in session.execute(query)}


def _assigned(session: Session, events: Sequence[TicketEvent]) -> dict[str, str]:
    names = {event.data["assignee"] for event in events if event.data.get("assignee")}
    query = select(Account.username, Account.display_name).where(Account.username.in_(names))
    return {row.username: row.display_name for row in session.execute(query)}


def _facts(event: TicketEvent, names: _Names) -> tuple[tuple[str, str], ...]:
    found = []
    for key, value in event.data.items():
        if value is None or value == []:
            continue
        told = _TOLD.get(key)
        if told is not None:
            label, words = told
            text = words(value, names)
            if text:
                found.append((_(label), text))
    return tuple(found)


def _moment(value: Any, _names: _Names) -> str:
    return f"{datetime.fromisoformat(value).astimezone(CITY_ZONE):%Y-%m-%d %H:%M}"


def _day(value: Any, _names: _Names) -> str:
    return date.fromisoformat(value).isoformat()


def _department(value: Any, names: _Names) -> str:
    return names.departments.get(value, value)


def _departments(value: Any, names: _Names) -> str:
    return "、".join(names.departments.get(code, code) for code in value)


def _matter(value: Any, _names: _Names) -> str:
    found = runtime().context.taxonomy.matters.get(value)
    return f"{value} {found.name}" if found else str(value)


def _plain(value: Any, _names: _Names) -> str:
    return str(value)


def _listed(value: Any, _names: _Names) -> str:
    return "、".join(value) if isinstance(value, list) else str(value)


def _percent(value: Any, _names: _Names) -> str:
    return f"{value:.0%}"


def _coded(words: Mapping[Any, str]) -> Callable[[Any, _Names], str]:
    named = {str(code): name for code, name in words.items()}
    return lambda value, _names: _(named.get(str(value), str(value)))


def _either(yes: str, no: str = "") -> Callable[[Any, _Names], str]:
    return lambda value, _names: _(yes) if value else (_(no) if no else "")


_CHANGED = {"type": "诉求类型", "matter": "事项", "urgency": "紧急程度"}


def _changes(value: Any, names: _Names) -> str:
    shown = {"matter": _matter, "urgency": _coded(URGENCY_NAMES), "type": _plain}
    return "；".join(
        f"{_(_CHANGED[name])} {shown[name](old, names) if old else '—'} → {shown[name](new, names)}"
        for name, (old, new) in value.items()
    )


_DUES = {
    "sign_due": "签收期限",
    "return_due": "退单期限",
    "contact_due": "联系期限",
    "handle_due": "办结期限",
    "rework_due": "重办期限",
    "dispatch_due": "派单期限",
    "followup_due": "回访期限",
}


def _moved(value: Any, names: _Names) -> str:
    return "；".join(
        f"{_(_DUES.get(name, name))} {_moment(old, names) if old else '—'} → {_moment(new, names) if new else '—'}"
        for name, (old, new) in value.items()
    )


def _dues_before(value: Any, names: _Names) -> str:
    labels = {"sign_due": "签收", "handle_due": "办结"}
    return "；".join(f"{_(labels[key])} {_moment(due, names)}" for key, due in value.items() if due and key in labels)


# The members of events' data, in words: what it is, and how its value reads.  A test holds this against what services
# write.
FOR_PROGRAMS = frozenset({"auto", "final", "own", "task"})
_TOLD: Mapping[str, tuple[str, Callable[[Any, _Names], str]]] = {
    "channel": ("渠道", _coded(CHANNEL_NAMES)),
    "department": ("承办单位", _department),
    "suggested": ("建议单位", _department),
    "cohandlers": ("协办", _departments),
    "assignee": ("经办人", lambda value, names: names.people.get(value, value)),
    "matter": ("事项", _matter),
    "matter_source": ("事项来自", _coded(_MAKERS_OF_MATTER)),
    "confidence": ("把握", _percent),
    "model_version": ("模型", _plain),
    "urgency": ("紧急程度", _coded(URGENCY_NAMES)),
    "reason_code": ("理由", _coded(_REASONS)),
    "adjudication": ("二次退单", _either("转督办裁定")),
    "fresh_limit": ("办理时限", _either("重新计算", "不变")),
    "stays": ("裁定", _either("仍由原单位承办", "改由其他单位承办")),
    "sign_due": ("签收期限", _moment),
    "handle_due": ("办结期限", _moment),
    "rework_due": ("重办期限", _moment),
    "followup_due": ("回访期限", _moment),
    "old_due": ("原期限", _moment),
    "old_handle_due": ("原办结期限", _moment),
    "due": ("期限", _moment),
    "before": ("变更前", _dues_before),
    "moved": ("变更", _moved),
    "working_days": ("工作日", _plain),
    "review_on": ("复核日期", _day),
    "on_time": ("协办", _either("按时", "超时")),
    "valid": ("属实", _either("是", "否")),
    "contacted": ("联系诉求人", _either("已联系", "未联系")),
    "resolved": ("解决", _either("已解决", "未解决")),
    "result": ("结果", _coded(FOLLOWUP_RESULT_NAMES)),
    "satisfaction": ("满意度", _coded(SATISFACTION_NAMES)),
    "caller": ("诉求人", _plain),
    "round": ("轮次", lambda value, _names: str(int(value) + 1)),
    "try": ("第几次", _plain),
    "into": ("并入或拆出", _listed),
    "same_caller": ("诉求人", _either("与该单相同，记为催办")),
    "urges": ("累计催办", _plain),
    "card": ("督办", _coded(CARDS)),
    "changes": ("变更", _changes),
    "media": ("类型", _plain),
    "size": ("字节", _plain),
    "approval": ("第几人同意", _plain),
    "knowledge_entry": ("知识库条目", _plain),
    "risk": ("风险", _coded(RISK_NAMES)),
    "drawn": ("回访抽样", _either("抽中回访", "未抽中")),
    "entry": ("权责清单条目", _plain),
}
