"""The summary report's counts, in one pass over the tickets that the period touches.

The cohorts are those of ``hotline.domain.kpi``; a test holds both equal on random histories.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from hotline.domain.kpi import CONTENT, VALID_RESULTS, Period
from hotline.domain.ticket import FollowupResult
from hotline.storage.tables import Ticket


def _within(column: ColumnElement[Any] | Any, period: Period) -> ColumnElement[bool]:
    return and_(column >= period.start, column < period.end, column <= period.as_of)


def _fell_due(due: Any, done: Any, period: Period) -> ColumnElement[bool]:
    gone_before = and_(done.is_(None), Ticket.ended_early_at <= due)
    return and_(_within(due, period), ~func.coalesce(gone_before, False))


def summary_counts(session: Session, period: Period, *by: Any) -> Sequence[tuple[Any, ...]]:
    """Return one row per combination of ``by`` (columns of Ticket): those columns, then the counts in order.

    Counts: received, sign_due, signed_on_time, handle_due, completed_on_time, followed_up_valid, resolved, rated,
    content.
    """
    sign = _fell_due(Ticket.sign_due, Ticket.signed_at, period)
    handle = _fell_due(Ticket.handle_due, Ticket.completed_at, period)
    followed = _within(Ticket.followed_up_at, period)
    valid = and_(followed, Ticket.followup_result.in_(VALID_RESULTS))
    rated = and_(followed, Ticket.satisfaction.is_not(None))

    def count(condition: ColumnElement[bool], label: str) -> ColumnElement[int]:
        return func.count().filter(condition).label(label)

    query = (
        select(
            *by,
            count(_within(Ticket.received_at, period), "received"),
            count(sign, "sign_due"),
            count(and_(sign, Ticket.signed_at <= Ticket.sign_due), "signed_on_time"),
            count(handle, "handle_due"),
            count(and_(handle, Ticket.completed_at <= Ticket.handle_due), "completed_on_time"),
            count(valid, "followed_up_valid"),
            count(and_(valid, Ticket.followup_result == FollowupResult.RESOLVED), "resolved"),
            count(rated, "rated"),
            count(and_(rated, Ticket.satisfaction.in_(CONTENT)), "content"),
        )
        .where(
            or_(
                _within(Ticket.received_at, period),
                _within(Ticket.sign_due, period),
                _within(Ticket.handle_due, period),
                followed,
            )
        )
        .group_by(*by)
        .order_by(*by)
    )
    return [tuple(row) for row in session.execute(query)]
