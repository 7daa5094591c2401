"""Reporting (报表): the figures of a period, each with numerator and denominator, and the tickets behind each of them.

Cohorts and formulas stand in ``hotline.domain.facts`` and ``hotline.domain.figures``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from hotline.domain.figures import FIGURES, Figure
from hotline.domain.kpi import (
    DEFAULT_WEIGHTS,
    Durations,
    Measure,
    Period,
    Rate,
    Tier,
    Weights,
    composite,
    per_ten_thousand,
    tier,
)
from hotline.services.access import subtree
from hotline.services.context import Context
from hotline.services.errors import InvalidInput
from hotline.storage.queries import figures
from hotline.storage.queries.figures import Count, Counts, Member
from hotline.storage.queries.handled import handling_times
from hotline.storage.queries.slices import NONE as NONE
from hotline.storage.queries.slices import WHOLE, Slice
from hotline.storage.tables import UNCOUNTED, Department, District, Ticket

UNDISPATCHED = "未派单（含直接答复）"
NO_DISTRICT = "未填区域"
NO_TASK = "待分类"
CITY = "全市"
ITSELF = "="
NO_TIMES = Durations()


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What a reader chose of the city's tickets, in codes; None is everything, ``NONE`` what has none.

    A department stands for itself and its sub-units; after ``ITSELF`` for itself alone.
    """

    district: str | None = None
    department: str | None = None
    task: str | None = None
    matter: str | None = None
    channel: str | None = None
    type: str | None = None
    after_exclusion: bool = False


@dataclass(frozen=True)
class Line:
    """The figures of one line.  ``key`` chooses its tickets, None for the whole."""

    key: str | None
    name: str
    counts: Counts
    handling: Durations = NO_TIMES
    weights: Weights = DEFAULT_WEIGHTS
    residents: int = 0

    @property
    def itself(self) -> str | None:
        """What chooses a department's own tickets, without those of its sub-units."""
        return self.key if self.key in (None, NONE) else f"{ITSELF}{self.key}"

    @property
    def received(self) -> int:
        """How many tickets were received (受理量)."""
        return self._count(Measure.RECEIVED).n

    def rate(self, figure: Figure) -> Rate:
        """Return the rate before exclusion."""
        count = self._count(figure.measure)
        return _side(Rate(count.hits, count.n), figure)

    def rate_after(self, figure: Figure) -> Rate:
        """Return the rate after exclusion (剔除后)."""
        count = self._count(figure.measure)
        return _side(Rate(count.hits_after, count.n_after), figure)

    @cached_property
    def rates(self) -> Mapping[str, Rate]:
        """All rates before exclusion, by the figure's key."""
        return {figure.key: self.rate(figure) for figure in FIGURES}

    @cached_property
    def rates_after(self) -> Mapping[str, Rate]:
        """All rates after exclusion, by the figure's key."""
        return {figure.key: self.rate_after(figure) for figure in FIGURES}

    @property
    def score(self) -> float | None:
        """The composite (综合分) before exclusion."""
        return self._score(self.rates)

    @property
    def score_after(self) -> float | None:
        """The composite after exclusion, which tiers go by."""
        return self._score(self.rates_after)

    @property
    def tier(self) -> Tier:
        """Where it stands, by its score after exclusion."""
        used = ("response", "resolution", "satisfaction")
        return tier(self.score_after, min(self.rates_after[key].denominator for key in used))

    @property
    def per_ten_thousand(self) -> float | None:
        """Complaints per 10,000 residents (万人诉求比)."""
        return per_ten_thousand(self.received, self.residents)

    def _score(self, rates: Mapping[str, Rate]) -> float | None:
        return composite(rates["response"], rates["resolution"], rates["satisfaction"], self.weights)

    def _count(self, measure: Measure) -> Count:
        return self.counts.get(measure, Count())


def _side(rate: Rate, figure: Figure) -> Rate:
    return rate if figure.met else rate.rest


@dataclass(frozen=True)
class Report:
    """The report of one period: what was chosen of the city, by task, department and district, and as it was before.

    ``backlog`` is by age band at the period's end, or now; ``behind`` how many moves are not counted yet.
    """

    period: Period
    choice: Choice
    total: Line
    by_task: tuple[Line, ...]
    by_department: tuple[Line, ...]
    by_district: tuple[Line, ...]
    previous: Line
    last_year: Line
    backlog_at: datetime
    backlog: tuple[int, ...]
    backlog_by_department: Mapping[str | None, tuple[int, ...]]
    behind: int


def earlier(period: Period) -> Period:
    """Return the period of the same length that ended when this one begins (环比)."""
    return replace(period, start=period.start - (period.end - period.start), end=period.start)


def a_year_before(period: Period) -> Period:
    """Return the same days of the year before (同比); the 29th of February is compared with the 28th."""
    return replace(period, start=_year_before(period.start), end=_year_before(period.end))


def _year_before(instant: datetime) -> datetime:
    try:
        return instant.replace(year=instant.year - 1)
    except ValueError:
        return instant.replace(year=instant.year - 1, day=28)


def slice_of(session: Session, choice: Choice) -> Slice:
    """Return the slice of the countings that ``choice`` means.  Raises ``InvalidInput`` for an unknown department."""
    departments: tuple[int, ...] | None = None
    if choice.department == NONE:
        departments = ()
    elif choice.department is not None:
        code = choice.department.removeprefix(ITSELF)
        chosen = session.scalars(select(Department).where(Department.code == code)).one_or_none()
        if chosen is None:
            raise InvalidInput("department", "unknown department")
        alone = choice.department != code
        departments = (chosen.id,) if alone else tuple(sorted(subtree(session, chosen.id)))
    return Slice(
        departments=departments,
        district=choice.district,
        task=choice.task,
        matter=choice.matter,
        channel=choice.channel,
        type=choice.type,
        after_exclusion=choice.after_exclusion,
    )


def report(session: Session, context: Context, period: Period, choice: Choice) -> Report:
    """Compute the report of ``period`` over what was chosen."""
    chosen, now, weights = slice_of(session, choice), context.now(), context.weights
    by = ("department_id", "task", "district")
    counts = figures.counts(session, period, chosen, by, now=now)
    times = handling_times(session, period, chosen, by)
    departments = {str(row.id): row for row in session.scalars(select(Department))}
    districts = {row.code: row for row in session.scalars(select(District))}
    tasks = {task.code: task.name for task in context.taxonomy.tasks.values()}

    def line(dimension: str, found: Any, key: str | None, name: str, residents: int = 0) -> Line:
        members = counts[dimension].get(found, {})
        return Line(key, name, members, times[dimension].get(found, Durations()), weights, residents)

    def other(span: Period, name: str) -> Line:
        whole = figures.counts(session, span, chosen, (), now=now)[WHOLE][""]
        return Line(None, name, whole, handling_times(session, span, chosen, ())[WHOLE][""], weights)

    everybody = sum(district.residents for district in districts.values())
    living = districts[choice.district].residents if choice.district in districts else everybody
    total = line(WHOLE, "", None, CITY, living)
    by_department = [
        line("department_id", key, departments[key].code, departments[key].name)
        if key
        else line("department_id", None, NONE, UNDISPATCHED)
        for key in counts["department_id"]
    ]
    by_department.sort(key=lambda found: (found.key == NONE, -found.received, found.name))
    by_task = [line("task", code, code, name) for code, name in tasks.items()]
    if None in counts["task"]:
        by_task.append(line("task", None, NONE, NO_TASK))
    by_district = [line("district", code, code, row.name, row.residents) for code, row in sorted(districts.items())]
    if None in counts["district"]:
        by_district.append(line("district", None, NONE, NO_DISTRICT))
    backlog_at = min(period.end, period.as_of)
    backlog = figures.backlog(session, backlog_at, chosen, "department_id")
    return Report(
        period=period,
        choice=choice,
        total=total,
        by_task=tuple(by_task),
        by_department=tuple(by_department),
        by_district=tuple(by_district),
        previous=other(earlier(period), "上期"),
        last_year=other(a_year_before(period), "去年同期"),
        backlog_at=backlog_at,
        backlog=backlog.pop(""),
        backlog_by_department={departments[key].code if key else NONE: bands for key, bands in backlog.items()},
        behind=session.scalar(select(func.count()).select_from(UNCOUNTED)) or 0,
    )


@dataclass(frozen=True)
class Summary:
    """The short report of one period: the city, then by task and by department."""

    period: Period
    total: Line
    by_task: tuple[Line, ...]
    by_department: tuple[Line, ...]


def summary(session: Session, context: Context, period: Period) -> Summary:
    """Compute the summary of ``period``."""
    full = report(session, context, period, Choice())
    return Summary(period, full.total, full.by_task, full.by_department)


@dataclass(frozen=True)
class Behind:
    """The tickets behind a figure: how many countings, and a page of them."""

    total: int
    rows: tuple[tuple[Member, Ticket], ...]


PAGE = 50


def behind_figure(
    session: Session, period: Period, choice: Choice, figure: Figure, met: bool | None, page: int
) -> Behind:
    """Return what stands behind a figure; ``met`` True is its numerator, False the rest, None its denominator."""
    side = met if met is None or figure.met else not met
    total, members = figures.cohort(
        session, period, slice_of(session, choice), figure.measure, side, offset=page * PAGE, limit=PAGE
    )
    return Behind(total, _with_tickets(session, members))


def behind_backlog(session: Session, instant: datetime, choice: Choice, page: int) -> Behind:
    """Return the tickets that waited at ``instant``, oldest first."""
    total, members = figures.waiting(session, instant, slice_of(session, choice), offset=page * PAGE, limit=PAGE)
    return Behind(total, _with_tickets(session, members))


def _with_tickets(session: Session, members: Sequence[Member]) -> tuple[tuple[Member, Ticket], ...]:
    query = select(Ticket).where(Ticket.id.in_([member.ticket_id for member in members]))
    query = query.options(
        selectinload(Ticket.lead_department), selectinload(Ticket.caller), selectinload(Ticket.cohandlers)
    )
    tickets = {ticket.id: ticket for ticket in session.scalars(query)}
    return tuple((member, tickets[member.ticket_id]) for member in members)
