"""The supervisor's reports: figures of a period, what the charts show, and the tickets behind each figure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from flask import Response, jsonify, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.domain.city_time import CITY_ZONE
from hotline.domain.figures import BY_KEY, FIGURES
from hotline.domain.kpi import AGE_BANDS, TIER_NAMES, Period, Tier
from hotline.domain.people import Permission
from hotline.services.bursts import WINDOW, bursts
from hotline.services.charts import charts
from hotline.services.countings import catch_up
from hotline.services.errors import InvalidInput
from hotline.services.reporting import (
    ITSELF,
    NONE,
    PAGE,
    Choice,
    Line,
    Report,
    behind_backlog,
    behind_figure,
    report,
)
from hotline.services.topics import rolling_topics
from hotline.storage.engine import transaction
from hotline.storage.tables import Department, District
from hotline.web.api.periods import parse_period
from hotline.web.auth import requires
from hotline.web.pages.blueprint import bp
from hotline.web.pages.session import View
from hotline.web.problems import Problem
from hotline.web.runtime import runtime

# The dimensions that a reader chooses by, in the order of the form.
DIMENSIONS = ("district", "department", "task", "matter", "channel", "type")
TIER_COLOURS = {Tier.GOOD: "green", Tier.FAIR: "azure", Tier.WATCH: "orange", Tier.FEW: "secondary"}
BAND_NAMES = tuple(f"{first}–{last} 天" if last else f"{first} 天以上" for first, last in AGE_BANDS)
BACKLOG = "backlog"


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for: a period and a choice, and how it is written in other addresses."""

    period: Period
    choice: Choice
    query: Mapping[str, str]


def asked() -> Asked:
    """Read period and choice from the address; the last thirty days of the whole city unless told otherwise.

    Raises ``Problem`` naming what cannot be read.
    """
    now = runtime().context.now()
    written = written_period()
    period = parse_period(written["from"], written["to"], now)
    given = {name: request.args[name][:40] for name in DIMENSIONS if request.args.get(name)}
    after = request.args.get("after") == "1"
    query = {**written, **given, **({"after": "1"} if after else {})}
    return Asked(period, Choice(**given, after_exclusion=after), query)


def written_period() -> dict[str, str]:
    """Return the period as the address writes it, the last thirty days unless it does."""
    today = runtime().context.now().astimezone(CITY_ZONE).date()
    start = request.args.get("from") or (today - timedelta(days=29)).isoformat()
    end = request.args.get("to") or today.isoformat()
    return {"from": start[:40], "to": end[:40]}


def count_what_has_moved() -> None:
    """Bring the countings up to this instant, in a transaction of its own."""
    with transaction(runtime().sessions) as session:
        catch_up(session)


@bp.get("/reports")
@requires(Permission.READ_REPORTS)
def report_page() -> View:
    """The figures of a period, the last 30 days unless told otherwise."""
    try:
        given = asked()
    except Problem as problem:
        return _form_again(problem), 422
    count_what_has_moved()
    with transaction(runtime().sessions) as session:
        try:
            found = report(session, runtime().context, given.period, given.choice)
        except InvalidInput as error:
            return _form_again(error), 422
        drawn = charts(session, runtime().context, given.period, given.choice)
        return render_template(
            "report.html",
            report=found,
            bursts=bursts(session, runtime().context, given.period.as_of),
            topics=rolling_topics(session),
            window=int(WINDOW.total_seconds() // 3600),
            today=given.period.as_of.astimezone(CITY_ZONE).date(),
            charts=drawn,
            given=given.query,
            tier_colours=TIER_COLOURS,
            link=_linker(given),
            **_names_of(session),
        )


def _form_again(problem: Exception) -> str:
    with transaction(runtime().sessions) as session:
        return render_template(
            "report.html",
            report=None,
            given=dict(request.args) | written_period(),
            problem=problem,
            **_names_of(session),
        )


def _names_of(session: Session) -> dict[str, Any]:
    return {
        "figures": FIGURES,
        "bands": BAND_NAMES,
        "tiers": TIER_NAMES,
        "NONE": NONE,
        "districts": session.scalars(select(District).order_by(District.code)).all(),
        "departments": session.scalars(select(Department).where(Department.active).order_by(Department.id)).all(),
    }


def _linker(given: Asked) -> Any:
    """Return the function that writes the address of the tickets behind a figure of a line."""

    def link(figure: str, met: bool | None = None, **line: str | None) -> str:
        more = {name: value for name, value in line.items() if value is not None}
        side = {} if met is None else {"met": "1" if met else "0"}
        address: dict[str, Any] = {**given.query, **more, **side, "figure": figure}
        return url_for("pages.report_tickets", **address)

    return link


@bp.get("/reports/tickets")
@requires(Permission.READ_REPORTS)
def report_tickets() -> View:
    """The tickets behind a figure: exactly as many as the figure says."""
    key = request.args.get("figure", "received")[:40]
    figure = BY_KEY.get(key)
    if figure is None and key != BACKLOG:
        raise Problem(404, "there is no such figure")
    given = asked()
    met = {"1": True, "0": False}.get(request.args.get("met", ""))
    page = max(int(request.args["page"]), 0) if request.args.get("page", "").isdecimal() else 0
    page = min(page, 1_000_000)
    count_what_has_moved()
    with transaction(runtime().sessions) as session:
        if figure is None:
            instant = min(given.period.end, given.period.as_of)
            found = behind_backlog(session, instant, given.choice, page)
        else:
            found = behind_figure(session, given.period, given.choice, figure, met, page)
        query = dict(given.query) | {"figure": key} | ({} if met is None else {"met": "1" if met else "0"})
        codes = {row.id: row for row in session.scalars(select(Department))}
        return render_template(
            "report_tickets.html",
            found=found,
            figure=figure,
            met=met,
            given=given.query,
            query=query,
            page=page,
            pages=max((found.total + PAGE - 1) // PAGE, 1),
            holders=codes,
            words=_chosen_words(session, given.choice),
        )


def _chosen_words(session: Session, choice: Choice) -> list[str]:
    """Return what was chosen, in words."""
    names = {
        "district": {row.code: row.name for row in session.scalars(select(District))},
        "department": {row.code: row.name for row in session.scalars(select(Department))},
        "task": {task.code: task.name for task in runtime().context.taxonomy.tasks.values()},
        "matter": {code: matter.name for code, matter in runtime().context.taxonomy.matters.items()},
    }
    none = {
        "district": "未填区域",
        "department": "无承办单位",
        "task": "待分类",
        "matter": "待分类",
        "type": "未定类型",
    }
    given = {name: value for name, value in asdict(choice).items() if isinstance(value, str)}
    return [
        none.get(name, value) if value == NONE else names.get(name, {}).get(value.removeprefix(ITSELF), value)
        for name, value in given.items()
    ] + (["剔除后"] if choice.after_exclusion else [])


@bp.get("/reports/data")
@requires(Permission.READ_REPORTS)
def report_data() -> Response:
    """What the charts show."""
    given = asked()
    with transaction(runtime().sessions) as session:
        context = runtime().context
        found = report(session, context, given.period, given.choice)
        drawn = charts(session, context, given.period, given.choice)
    return jsonify(
        {
            "trend": {
                "days": [point.day.isoformat() for point in drawn.trend],
                "received": [point.received for point in drawn.trend],
                "last_year": [point.last_year for point in drawn.trend],
                "by_week": drawn.by_week,
            },
            "hours": drawn.hours,
            "tasks": [{"name": line.name, "value": line.received} for line in found.by_task if line.received],
            "ageing": {"bands": BAND_NAMES, "numbers": found.backlog},
            "departments": _tiered(found),
            "districts": [
                {"name": line.name, "received": line.received, "per": line.per_ten_thousand}
                for line in found.by_district
            ],
        }
    )


def _tiered(found: Report) -> list[dict[str, Any]]:
    """Return departments by tier, and by name within one: no rankings."""
    order = list(Tier)
    lines = [line for line in found.by_department if line.key != NONE and line.received]
    lines.sort(key=lambda line: (order.index(line.tier), line.name))
    return [_department(line) for line in lines]


def _department(line: Line) -> dict[str, Any]:
    score = None if line.score_after is None else round(line.score_after, 1)
    return {"name": line.name, "score": score, "tier": line.tier, "tier_name": TIER_NAMES[line.tier]}
