"""Bulletins as pages: the day, week or month on one page, its files, and what was published."""

from datetime import date

from flask import Response, render_template, request
from sqlalchemy import select

from hotline.domain.city_time import CITY_ZONE
from hotline.domain.people import Permission
from hotline.services.bulletin_files import METHOD, document, workbook
from hotline.services.bulletins import KIND_NAMES, Kind, bulletin, days_of, latest
from hotline.storage.engine import transaction
from hotline.storage.tables import BULLETIN
from hotline.web.auth import requires
from hotline.web.pages.blueprint import bp
from hotline.web.pages.reports import BAND_NAMES
from hotline.web.pages.session import View
from hotline.web.problems import Problem
from hotline.web.runtime import runtime

TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
}
LISTED = 60


@bp.get("/reports/bulletins")
@requires(Permission.READ_REPORTS)
def bulletin_list() -> View:
    """What was published, the newest first."""
    columns = BULLETIN.c
    query = select(columns.kind, columns.first_day, columns.last_day, columns.made_at, columns.headline)
    with transaction(runtime().sessions) as session:
        rows = session.execute(query.order_by(columns.first_day.desc(), columns.kind).limit(LISTED)).all()
    today = runtime().context.now().astimezone(CITY_ZONE).date()
    newest = {kind: latest(kind, today) for kind in Kind}
    return render_template("bulletins.html", rows=rows, kinds=KIND_NAMES, newest=newest, today=today)


@bp.get("/reports/bulletins/<kind>")
@requires(Permission.READ_REPORTS)
def bulletin_page(kind: str) -> View:
    """The bulletin that holds ``?day=``, as of now; ``?as=xlsx`` and ``?as=pdf`` give it as a file."""
    chosen, day = _asked(kind)
    with transaction(runtime().sessions) as session:
        found = bulletin(session, runtime().context, chosen, day)
    form = request.args.get("as")
    if form in TYPES:
        return _file(workbook(found) if form == "xlsx" else document(found), chosen, found.first, form)
    return render_template("bulletin.html", found=found, kinds=KIND_NAMES, day=day, bands=BAND_NAMES, method=METHOD)


@bp.get("/reports/bulletins/<kind>/published")
@requires(Permission.READ_REPORTS)
def published_bulletin(kind: str) -> View:
    """A file as it was published."""
    chosen, day = _asked(kind)
    first, _ = days_of(chosen, day)
    form = request.args.get("as", "pdf")
    if form not in TYPES:
        raise Problem(404, "a bulletin is kept as xlsx and pdf")
    column = BULLETIN.c.workbook if form == "xlsx" else BULLETIN.c.document
    with transaction(runtime().sessions) as session:
        kept = session.scalar(select(column).where(BULLETIN.c.kind == chosen, BULLETIN.c.first_day == first))
    if kept is None:
        raise Problem(404, "this bulletin has not been published")
    return _file(kept, chosen, first, form)


def _asked(kind: str) -> tuple[Kind, date]:
    if kind not in list(Kind):
        raise Problem(404, "there are daily, weekly and monthly bulletins")
    chosen = Kind(kind)
    today = runtime().context.now().astimezone(CITY_ZONE).date()
    written = request.args.get("day", "")[:10]
    try:
        day = date.fromisoformat(written) if written else latest(chosen, today)
    except ValueError:
        day = latest(chosen, today)
    return chosen, min(max(day, date(2000, 1, 1)), today)


def _file(content: bytes, kind: Kind, first: date, form: str) -> Response:
    answer = Response(content, mimetype=TYPES[form])
    answer.headers["Content-Disposition"] = f'attachment; filename="hotline-{kind}-{first}.{form}"'
    return answer
