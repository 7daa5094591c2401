"""What templates need to show the hotline's words: names of codes, times in the city's zone, remaining time."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from flask import Flask, g
from flask_babel import gettext

from hotline.domain.calendar import Calendar
from hotline.domain.city_time import CITY_ZONE
from hotline.domain.clock_notices import NOTICE_NAMES
from hotline.domain.kpi import Rate
from hotline.domain.limit import Limit, Unit
from hotline.domain.limits import SOURCE_NAMES
from hotline.domain.people import ROLE_NAMES, Permission, Role
from hotline.domain.retention import CLOSED_OUT
from hotline.domain.ticket import (
    ACTION_NAMES,
    CHANNEL_NAMES,
    EXCLUSION_REASON_NAMES,
    FOLLOWUP_RESULT_NAMES,
    OVERLAY_NAMES,
    QUEUE_REASON_NAMES,
    RETURN_REASON_NAMES,
    SATISFACTION_NAMES,
    STATE_NAMES,
    URGENCY_NAMES,
    ComplaintType,
    State,
)
from hotline.domain.working_time import remaining
from hotline.services.explaining import KIND_NAMES
from hotline.services.masking import Mask, mask_for
from hotline.storage.tables import Ticket
from hotline.web.pages.navigation import language, navigation
from hotline.web.pages.refusals import refusal
from hotline.web.pages.words import excerpt, marked
from hotline.web.runtime import runtime

EVENT_NAMES: dict[str, str] = {
    "received": "受理",
    "attachment_added": "添加附件",
    "triaged": "智能分类",
    "dues_recomputed": "时限重新计算",
    "caller_revealed": "查看诉求人信息",
    **{action.value: name for action, name in ACTION_NAMES.items()},
    **{kind.value: name for kind, name in NOTICE_NAMES.items()},
}

# What came of a request, a co-handler's part, or a suspension.
REQUEST_STATE_NAMES: dict[str, str] = {
    "pending": "待审",
    "accepted": "已同意",
    "approved": "已同意",
    "rejected": "已驳回",
    "refused": "不同意",
    "cancelled": "已取消",
    "running": "挂账中",
    "ended": "已解除",
    "open": "待反馈",
    "done": "已反馈",
}

REASON_NAMES = {
    **{reason.value: name for reason, name in QUEUE_REASON_NAMES.items()},
    "unresolved_or_dissatisfied": "诉求人表示未解决或不满意",
    "triaged": "分类后更新了类型或紧急程度",
    CLOSED_OUT: "（已超过保存期限，内容已清除）",
}


def moment(instant: datetime | None) -> str:
    """Show an instant in the city's time to the minute."""
    return f"{instant.astimezone(CITY_ZONE):%Y-%m-%d %H:%M}" if instant else "—"


def day(instant: datetime) -> str:
    """Show the day of an instant in the city."""
    return f"{instant.astimezone(CITY_ZONE):%Y-%m-%d}"


def moment_to_the_second(instant: datetime) -> str:
    """Show an instant in the city's time to the second."""
    return f"{instant.astimezone(CITY_ZONE):%Y-%m-%d %H:%M:%S}"


def clock_time(instant: datetime) -> str:
    """Show the time of day of an instant in the city, to the second."""
    return f"{instant.astimezone(CITY_ZONE):%H:%M:%S}"


def span(length: timedelta) -> str:
    """Show a length of time exactly, as hours, minutes and seconds."""
    seconds, rest = divmod(length, timedelta(seconds=1))
    shown = f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{shown}.{rest // timedelta(microseconds=1):06d}" if rest else shown


def total(lengths: Iterable[timedelta]) -> timedelta:
    """Add lengths of time up."""
    return sum(lengths, timedelta(0))


def time_left(due: datetime | None) -> str:
    """Say how much working time is left until ``due``, or by how much it has passed."""
    if due is None:
        return "—"
    now, calendar = runtime().context.now(), runtime().context.calendar
    if due >= now:
        return f"剩 {_duration(remaining(calendar, now, due), calendar)}"
    return f"超 {_duration(remaining(calendar, due, now), calendar)}"


def next_due(ticket: Ticket) -> datetime | None:
    """Return when the ticket's next step falls due: its dispatch, its signing, its reply or its follow-up."""
    match State(ticket.state):
        case State.RECEIVED | State.AWAITING_DISPATCH:
            return ticket.dispatch_due
        case State.AWAITING_SIGN:
            return ticket.sign_due
        case State.HANDLING | State.REPLIED:
            return ticket.next_due
        case State.AWAITING_FOLLOWUP:
            return ticket.followup_due
        case _:
            return None


def _duration(span: timedelta, calendar: Calendar) -> str:
    """Write working time in the field's units: a working day has eight hours minus lunch, seven and a half here."""
    minutes = int(span.total_seconds() // 60)
    day = _working_minutes_of_a_day(calendar)
    if minutes >= day:
        return f"{minutes // day} 个工作日" + (f" {minutes % day // 60} 小时" if minutes % day >= 60 else "")
    return f"{minutes // 60} 小时 {minutes % 60} 分" if minutes >= 60 else f"{minutes} 分"


def _working_minutes_of_a_day(calendar: Calendar) -> int:
    longest = max(sum(end - start for start, end in windows) for windows in calendar.windows)
    return max(longest // 60, 1)


def lateness(due: datetime | None, done: datetime | None = None) -> str:
    """Return a colour word for a due: red when late, orange when within a day, otherwise nothing."""
    if due is None:
        return ""
    at = done or runtime().context.now()
    if at > due:
        return "text-red"
    return "text-orange" if done is None and due - at < timedelta(days=1) else ""


def percent(rate: Rate) -> str:
    """Show a rate as a percentage, "—" when nothing counts."""
    return "—" if rate.value is None else f"{rate.value:.1%}"


def interval(rate: Rate) -> str:
    """Show a rate's 95 % interval, "—" when nothing counts."""
    return "—" if rate.interval is None else f"{rate.interval[0]:.0%}–{rate.interval[1]:.0%}"


def hours(seconds: float | None) -> str:
    """Show a duration in hours, or in days when it is longer than two."""
    if seconds is None:
        return "—"
    return f"{seconds / 3600:.1f} 小时" if seconds < 172_800 else f"{seconds / 86_400:.1f} 天"


def zip_names(codes: Iterable[str], named: Iterable[Any]) -> list[tuple[str, str]]:
    """Return the options of a list: each code with the name of what it stands for."""
    return [(code, thing.name) for code, thing in zip(codes, named, strict=True)]


def pairs(values: Iterable[str]) -> list[tuple[str, str]]:
    """Return the options of a list whose values are their own names."""
    return [(value, value) for value in values]


def event_name(kind: str) -> str:
    """Return an event's Chinese name."""
    return EVENT_NAMES.get(kind, kind)


def reason_name(reason: str | None, mask: Mask) -> str:
    """Return the Chinese words for the system's own reasons; people's words stay, masked."""
    if not reason:
        return ""
    return REASON_NAMES.get(reason) or mask.text(reason)


def masked(written: str | None, mask: Mask) -> str:
    """Return what somebody wrote, masked; words that retention has closed out are told to be gone."""
    if written == CLOSED_OUT:
        return REASON_NAMES[CLOSED_OUT]
    return mask.text(written) if written else ""


def mask_of(ticket: Ticket) -> Mask:
    """Return how the ticket is shown to who looks at the page."""
    return mask_for(ticket, runtime().context, g.actor)


def source_name(source: str | None) -> str:
    """Where a limit comes from; what a city has written itself stands as it is."""
    return gettext(SOURCE_NAMES[source]) if source in SOURCE_NAMES else source or "—"


def limit_name(limit: Limit) -> str:
    """A limit in words: 10 工作日, 2 工作小时, 24 小时（昼夜连续）."""
    if limit.unit is Unit.WORKING_DAYS:
        unit = gettext("工作日")
    elif limit.unit is Unit.HOURS:
        unit = gettext("小时（昼夜连续）") if limit.clock else gettext("工作小时")
    else:
        unit = gettext("分钟（昼夜连续）") if limit.clock else gettext("工作分钟")
    return f"{limit.amount} {unit}"


def register(app: Flask) -> None:
    """Make the filters and names known to the templates of ``app``."""
    for function in (
        moment,
        day,
        refusal,
        moment_to_the_second,
        clock_time,
        next_due,
        time_left,
        lateness,
        percent,
        interval,
        hours,
        zip_names,
        pairs,
        event_name,
        reason_name,
        masked,
        mask_of,
        excerpt,
        marked,
        span,
        total,
        source_name,
        limit_name,
    ):
        app.add_template_filter(function)
    app.context_processor(_names)


def _named(names: Mapping[Any, str]) -> dict[str, str]:
    """Return the names of codes in the page's language."""
    return {code.value: gettext(name) for code, name in names.items()}


def _names() -> dict[str, Any]:
    taxonomy = runtime().context.taxonomy
    return {
        "account": g.get("account"),
        "actor": g.get("actor"),
        "Permission": Permission,
        "navigation": navigation,
        "language": language(),
        "roles": _named(ROLE_NAMES),
        "Role": Role,
        "states": _named(STATE_NAMES),
        "actions": _named(ACTION_NAMES),
        "channels": _named(CHANNEL_NAMES),
        "types": list(ComplaintType),
        "urgencies": _named(URGENCY_NAMES),
        "deadline_names": _named(KIND_NAMES),
        "overlays": _named(OVERLAY_NAMES),
        "return_reasons": _named(RETURN_REASON_NAMES),
        "exclusion_reasons": _named(EXCLUSION_REASON_NAMES),
        "request_states": {state: gettext(name) for state, name in REQUEST_STATE_NAMES.items()},
        "results": _named(FOLLOWUP_RESULT_NAMES),
        "ratings": _named(SATISFACTION_NAMES),
        "tasks": taxonomy.tasks,
        "matters": taxonomy.matters,
        "now": runtime().context.now(),
    }
