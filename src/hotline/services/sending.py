"""Compose a notification (通知) that was written down: to whom it goes, and what may be said in it.

It holds the ticket's number, matter, due and link; what a citizen said or who it was stays in the system.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from hotline.domain.city_time import CITY_ZONE
from hotline.domain.clock_notices import NOTICE_NAMES, NoticeKind, sent_at
from hotline.domain.people import DEPARTMENT_STAFF, Role
from hotline.domain.ticket import ACTION_NAMES, OPEN_STATES, URGENCY_NAMES, Action, State, Urgency
from hotline.notify import Message, Recipient, TicketFacts
from hotline.services.context import Context
from hotline.services.provisional import CALENDAR_PROVISIONAL
from hotline.storage.tables import Account, Department, Ticket

# Which of a ticket's dues a notice is about; all others are about what the department has to meet next.
_DUES = {
    NoticeKind.DISPATCH_OVERDUE: "dispatch_due",
    NoticeKind.SIGN_OVERDUE: "sign_due",
    NoticeKind.CONTACT_OVERDUE: "contact_due",
    NoticeKind.FOLLOWUP_OVERDUE: "followup_due",
    Action.DISPATCH: "sign_due",
    Action.DISPATCH_ON: "sign_due",
}


def waits_until(session: Session, context: Context, args: Mapping[str, Any]) -> datetime | None:
    """Return until when the message has to wait, since it is late in the evening; None when it may go out now.

    A retry or a worker that comes late can find the night; what is critical goes out then.  So does the news that an
    urgent ticket has come, since its limit runs on the clock; a reminder about it waits.
    """
    urgency = session.scalar(select(Ticket.urgency).where(Ticket.id == args.get("ticket_id")))
    now = context.now()
    is_reminder = args.get("subject") in set(NoticeKind)
    at_once = urgency == Urgency.CRITICAL or (urgency == Urgency.URGENT and not is_reminder)
    at = sent_at(context.calendar, now, critical=at_once)
    return at if at > now else None


def compose(session: Session, context: Context, args: Mapping[str, Any], public_url: str | None) -> Message | None:
    """Return the message of a notification job, None when it has nobody to tell or is about nothing any more.

    ``public_url`` is where colleagues reach the pages, for the link.
    """
    code = str(args["subject"])
    if args.get("ticket_id") is None:
        return _about_calendar(session, code, args)
    ticket = session.get(Ticket, int(args["ticket_id"]))
    if ticket is None or (code in set(NoticeKind) and State(ticket.state) not in OPEN_STATES):
        return None
    recipients = _recipients(session, ticket, args.get("department_id"), escalate=bool(args.get("escalate")))
    if not recipients:
        return None
    facts = _facts(context, ticket, code, public_url)
    name = _name(code)
    return Message(code, f"【12345】{name}：{facts.number}", _text(name, facts), recipients, facts)


def _about_calendar(session: Session, code: str, args: Mapping[str, Any]) -> Message | None:
    recipients = _people(session, Account.role == Role.SUPERVISOR)
    if code != CALENDAR_PROVISIONAL or not recipients:
        return None
    text = (
        f"{args['year']} 年的放假调休通知尚未录入，涉及该年的时限按普通周末暂算，标为“暂定”。\n"
        "录入通知（hotline calendar import）后自动重算。"
    )
    return Message(code, f"【12345】{args['year']} 年工作日历暂定", text, recipients)


def _name(code: str) -> str:
    if code in set(NoticeKind):
        return NOTICE_NAMES[NoticeKind(code)]
    return ACTION_NAMES[Action(code)]


def _facts(context: Context, ticket: Ticket, code: str, public_url: str | None) -> TicketFacts:
    due: datetime | None = getattr(ticket, _DUES.get(code, "next_due"))  # type: ignore[call-overload]
    return TicketFacts(
        number=ticket.number,
        matter=ticket.matter,
        matter_name=context.taxonomy.matters[ticket.matter].name if ticket.matter else None,
        urgency=ticket.urgency,
        due=due.astimezone(CITY_ZONE) if due else None,
        department=ticket.lead_department.code if ticket.lead_department else None,
        link=f"{public_url.rstrip('/')}/tickets/{ticket.number}" if public_url else None,
    )


def _text(name: str, facts: TicketFacts) -> str:
    lines = [
        f"{name}：工单 {facts.number}",
        f"事项：{facts.matter} {facts.matter_name}" if facts.matter else "事项：待分类",
        f"紧急程度：{URGENCY_NAMES[Urgency(facts.urgency)]}",
        f"时限：{facts.due:%Y-%m-%d %H:%M}" if facts.due else "时限：—",
    ]
    return "\n".join([*lines, facts.link] if facts.link else lines)


def _recipients(
    session: Session, ticket: Ticket, department_id: int | None, *, escalate: bool
) -> tuple[Recipient, ...]:
    """The person named to handle it with the department's lead, else the department's people, else the dispatchers."""
    if department_id is None:
        who: ColumnElement[bool] = Account.role == Role.DISPATCHER
    else:
        who = _of_department(session, ticket, department_id)
    return _people(session, or_(who, Account.role == Role.SUPERVISOR) if escalate else who)


def _of_department(session: Session, ticket: Ticket, department_id: int) -> ColumnElement[bool]:
    place = _with_people(session, department_id)
    staff = and_(Account.department_id == place, Account.role.in_(DEPARTMENT_STAFF))
    if ticket.assignee_id is None or ticket.lead_department_id != department_id:
        return staff
    return or_(Account.id == ticket.assignee_id, and_(staff, Account.role == Role.LEAD))


def _with_people(session: Session, department_id: int) -> int:
    """Return the department, or the nearest one above it that has people: a street without accounts has a bureau."""
    place: int | None = department_id
    while place is not None:
        staff = select(Account.id).where(Account.department_id == place, Account.active).limit(1)
        if session.scalar(staff) is not None:
            return place
        place = session.scalar(select(Department.parent_id).where(Department.id == place))
    return department_id


def _people(session: Session, who: ColumnElement[bool]) -> tuple[Recipient, ...]:
    query = select(Account.username, Account.email).where(Account.active, who).order_by(Account.username)
    rows: Sequence[Any] = session.execute(query).all()
    return tuple(Recipient(row.username, row.email) for row in rows)
