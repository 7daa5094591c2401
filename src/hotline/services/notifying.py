"""Notifications (通知): say to a department or to the supervisors that something about a ticket awaits them.

Here they are only written down, as a job in the transaction of what they are about; the job sends them by the
configured `Notifier`.  At least once: the job's id is the key by which a receiver knows a repetition.
"""

from datetime import datetime

from sqlalchemy.orm import Session

from hotline.jobs.queue import enqueue
from hotline.jobs.registry import NOTIFY
from hotline.services.context import Context
from hotline.storage.tables import Ticket


def notify(
    session: Session,
    context: Context,
    ticket: Ticket,
    subject: str,
    *,
    not_before: datetime | None = None,
    escalate: bool = False,
) -> None:
    """Tell the lead department of ``ticket`` about ``subject`` (an action's or a notice's code).

    ``escalate`` tells the supervisors too.  A ticket without a department concerns the dispatchers.  Nothing is written
    where no notifier is configured.
    """
    if not context.notifies:
        return
    session.flush()
    args: dict[str, int | str | bool | None] = {
        "ticket_id": ticket.id,
        "subject": subject,
        "department_id": ticket.lead_department_id,
        "escalate": escalate,
    }
    enqueue(session, NOTIFY, args, not_before=not_before)


def notify_supervisors(session: Session, context: Context, subject: str, *, year: int | None = None) -> None:
    """Tell the supervisors about ``subject``, which is about no ticket."""
    if context.notifies:
        enqueue(session, NOTIFY, {"subject": subject, "year": year, "escalate": True})
