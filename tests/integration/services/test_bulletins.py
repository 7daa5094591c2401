"""Bulletins: the screen, the workbook and the document tell the same, all of it, and no names."""

import io
from datetime import date, timedelta

import openpyxl
import pytest
from sqlalchemy import select
from tests.factories import MovableClock, at, receive, ticket_after
from tests.integration.browser import Browser

from hotline.bootstrap import Runtime
from hotline.domain.city_time import CITY_ZONE
from hotline.domain.ticket import Action
from hotline.services.bulletin_files import document, workbook
from hotline.services.bulletins import Kind, bulletin, days_of, latest
from hotline.services.publishing import KEPT, publish, publish_due
from hotline.storage.engine import transaction
from hotline.storage.tables import BULLETIN
from hotline.web.app import create_app


@pytest.mark.parametrize(
    ("kind", "day", "first", "last"),
    [
        (Kind.DAILY, date(2026, 11, 25), date(2026, 11, 25), date(2026, 11, 25)),
        (Kind.WEEKLY, date(2026, 11, 25), date(2026, 11, 23), date(2026, 11, 29)),
        (Kind.WEEKLY, date(2026, 11, 23), date(2026, 11, 23), date(2026, 11, 29)),
        (Kind.MONTHLY, date(2026, 12, 31), date(2026, 12, 1), date(2026, 12, 31)),
        (Kind.MONTHLY, date(2028, 2, 10), date(2028, 2, 1), date(2028, 2, 29)),
    ],
)
def test_a_bulletin_covers_its_days(kind: Kind, day: date, first: date, last: date) -> None:
    assert days_of(kind, day) == (first, last)
    assert days_of(kind, latest(kind, day))[1] == first - timedelta(days=1)


def test_screen_workbook_and_document_tell_the_same(parts: Runtime) -> None:
    clock = MovableClock()
    long_ago = at(parts.context, clock.instant - timedelta(days=60))
    with transaction(parts.sessions) as session:
        for last in (None, Action.DISPATCH, Action.SIGN, Action.FOLLOW_UP, Action.FOLLOW_UP):
            ticket_after(session, parts.context, last)
        for _ in range(45):
            ticket_after(session, long_ago, Action.SIGN)
        receive(session, parts.context, content="=HYPERLINK(1)张三丰电话13912345678", matter="E03")
    today = clock.instant.astimezone(CITY_ZONE).date()
    with transaction(parts.sessions) as session:
        found = bulletin(session, parts.context, Kind.MONTHLY, today)
    book = openpyxl.load_workbook(io.BytesIO(workbook(found)))
    sheets = {sheet.title: [list(row) for row in sheet.iter_rows(values_only=True)] for sheet in book}
    # All rows are there, also those that do not fit on paper.
    assert len(sheets["逾期清单"]) - 1 == len(found.overdue) == 45
    assert len(sheets["承办单位"]) - 1 == len(found.report.by_department)
    assert sum(row[1] for row in sheets["承办单位"][1:]) == found.report.total.received == 6
    assert sum(row[1] for row in sheets["七项任务"][1:]) == 6
    overview = {row[0]: row[1:] for row in sheets["概况"]}
    for name, key in (("按时签收率", "signing"), ("解决率", "resolution"), ("满意率", "satisfaction")):
        rate = found.report.total.rates[key]
        assert overview[name][:2] == [rate.numerator, rate.denominator]
        assert overview[name][2] == ("—" if rate.value is None else pytest.approx(rate.value))
    cells = [str(cell) for rows in sheets.values() for row in rows for cell in row]
    assert not [cell for cell in cells if "13912345678" in cell]
    assert any("=HYPERLINK" in cell for cell in cells), "a citizen's words are there as text"
    browser = Browser.of(create_app(parts))
    browser.sign_in("supervisor01")
    page = browser.text("/reports/bulletins/monthly", day=today.isoformat())
    assert found.headline in page
    assert "13912345678" not in page
    assert page.count('class="nowrap tabular text-red"') == 45
    answer = browser.get("/reports/bulletins/monthly", day=today.isoformat(), **{"as": "xlsx"})
    again = openpyxl.load_workbook(io.BytesIO(answer.data))
    assert again["概况"]["B2"].value == 6
    made = browser.get("/reports/bulletins/monthly", day=today.isoformat(), **{"as": "pdf"})
    assert made.data.startswith(b"%PDF") and made.content_type == "application/pdf"
    assert browser.get("/reports/bulletins/yearly").status_code == 404


def test_bulletins_are_published_once_in_the_small_hours_and_go_when_they_are_old(parts: Runtime) -> None:
    night = MovableClock()
    night.instant = night.instant.astimezone(CITY_ZONE).replace(hour=3)
    noon = at(parts.context, night.instant.replace(hour=12))
    nightly = at(parts.context, night.instant)
    with transaction(parts.sessions) as session:
        assert publish_due(session, noon) == 0
        assert publish_due(session, nightly) == 3
        assert publish_due(session, nightly) == 0, "what was published stays"
        kinds = session.scalars(select(BULLETIN.c.kind).order_by(BULLETIN.c.kind)).all()
        assert kinds == ["daily", "monthly", "weekly"]
        documents = session.scalars(select(BULLETIN.c.document)).all()
        assert all(document.startswith(b"%PDF") for document in documents)
        later = at(parts.context, night.instant + KEPT + timedelta(days=1))
        assert publish_due(session, later) == 3
        assert len(session.scalars(select(BULLETIN.c.id)).all()) == 3


def test_the_document_holds_chinese_type(parts: Runtime) -> None:
    with transaction(parts.sessions) as session:
        found = bulletin(session, parts.context, Kind.DAILY, date(2026, 11, 24))
        assert b"NotoSansSC" in document(found)
        assert publish(session, parts.context, Kind.DAILY, date(2026, 11, 24))
