"""The supervisor's report page."""

from datetime import timedelta

from flask import render_template, request

from hotline.domain.city_time import CITY_ZONE
from hotline.domain.people import Permission
from hotline.services.reporting import summary
from hotline.storage.engine import transaction
from hotline.web.api.periods import parse_period
from hotline.web.auth import requires
from hotline.web.pages.blueprint import bp
from hotline.web.pages.session import View
from hotline.web.problems import Problem
from hotline.web.runtime import runtime


@bp.get("/reports")
@requires(Permission.READ_REPORTS)
def report() -> View:
    """The summary of a period, the last 30 days unless told otherwise."""
    context = runtime().context
    today = context.now().astimezone(CITY_ZONE).date()
    start = request.args.get("from") or (today - timedelta(days=29)).isoformat()
    end = request.args.get("to") or today.isoformat()
    try:
        period = parse_period(start[:40], end[:40], context.now())
    except Problem as problem:
        return render_template("report.html", summary=None, start=start[:40], end=end[:40], problem=problem), 422
    with transaction(runtime().sessions) as session:
        found = summary(session, context, period)
    return render_template("report.html", summary=found, start=start, end=end, problem=None)
