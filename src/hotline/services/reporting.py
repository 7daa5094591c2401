"""Reporting (报表): the summary of a period, every figure with its numerator and denominator."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.domain.kpi import Period, Rate
from hotline.services.context import Context
from hotline.storage.queries.summary import summary_counts
from hotline.storage.tables import Department, Ticket

UNDISPATCHED = "未派单（含直接答复）"


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one line of the report.  ``code`` is None where tickets have no task or department yet."""

    code: str | None
    name: str
    received: int
    signing: Rate
    completion: Rate
    resolution: Rate
    satisfaction: Rate


@dataclass(frozen=True, slots=True)
class Summary:
    """The report of one period: the city, then by task and by lead department."""

    period: Period
    total: Figures
    by_task: tuple[Figures, ...]
    by_department: tuple[Figures, ...]


def summary(session: Session, context: Context, period: Period) -> Summary:
    """Compute the summary of ``period``.  Cohorts and formulas: ``hotline.domain.kpi``."""
    departments = {row.id: row for row in session.scalars(select(Department))}
    tasks = context.taxonomy.tasks
    by_task = {row[0]: row for row in summary_counts(session, period, Ticket.task)}
    # Every task has its line, also an empty one: a task that nobody called about is a finding.
    task_lines = [_figures(code, tasks[code].name, by_task.get(code)) for code in tasks]
    if None in by_task:
        task_lines.append(_figures(None, "待分类", by_task[None]))
    department_lines = [
        _figures(departments[row[0]].code, departments[row[0]].name, row)
        if row[0]
        else _figures(None, UNDISPATCHED, row)
        for row in summary_counts(session, period, Ticket.lead_department_id)
    ]
    department_lines.sort(key=lambda line: (line.code is None, -line.received, line.name))
    total = summary_counts(session, period)
    return Summary(
        period=period,
        total=_figures(None, "全市", total[0] if total else None, skip=0),
        by_task=tuple(task_lines),
        by_department=tuple(department_lines),
    )


def _figures(code: str | None, name: str, row: tuple[Any, ...] | None, *, skip: int = 1) -> Figures:
    counts: Sequence[int] = row[skip:] if row is not None else (0,) * 9
    received, sign_due, signed, handle_due, completed, valid, resolved, rated, content = counts
    return Figures(
        code,
        name,
        received,
        signing=Rate(signed, sign_due),
        completion=Rate(completed, handle_due),
        resolution=Rate(resolved, valid),
        satisfaction=Rate(content, rated),
    )
