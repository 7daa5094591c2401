"""The report, as a page and over the API: good periods, bad periods, and the same figures in both."""

import html
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from tests.factories import ApiClient, actor_named, at, ticket_after
from tests.integration.browser import Browser

from hotline import bootstrap
from hotline.bootstrap import Runtime, utc_now
from hotline.domain.city_time import CITY_ZONE
from hotline.domain.ticket import Action, Channel, FollowupResult, Satisfaction
from hotline.jobs.doorbell import SilentDoorbell
from hotline.services.followup import FollowUp, follow_up
from hotline.storage.engine import transaction
from hotline.web.api.periods import parse_period
from hotline.web.app import create_app
from hotline.web.problems import Problem

SUMMARY = "/api/v1/reports/summary"
BAD = [
    ("", "", "from"),
    ("yesterday", "2026-11-25", "from"),
    ("2026-11-25", "tomorrow", "to"),
    ("2026-02-30", "2026-11-25", "from"),
    ("2026-13-01", "2026-11-25", "from"),
    ("25/11/2026", "2026-11-25", "from"),
    ("2026-11-25", "2026-11-24", "to"),
    ("2020-01-01", "2026-11-25", "to"),
    ("0001-01-01", "2026-11-25", "to"),
    ("2026-11-25", "9999-12-31", "to"),
    ("2026-11-25T08:00:00+08:00", "2026-11-25T08:00:00+08:00", "to"),
    ("1999-12-31T00:00:00", "2000-01-01", "from"),
    ("2026-11-25", "2101-01-01T00:00:00", "to"),
    ("２０２６-１１-２５", "2026-11-25", "from"),
    ("<script>", "2026-11-25", "from"),
]


@pytest.fixture
def boss(standing_app: Flask) -> Browser:
    browser = Browser.of(standing_app)
    browser.sign_in("supervisor01")
    return browser


def test_the_page_and_the_api_tell_the_same_figures(
    app: Flask, api: Callable[[str], ApiClient], parts: Runtime
) -> None:
    with transaction(parts.sessions) as session:
        for last in (None, Action.SIGN, Action.FOLLOW_UP, Action.FOLLOW_UP):
            ticket_after(session, parts.context, last)
    today = utc_now().astimezone(CITY_ZONE).date().isoformat()
    report = api("supervisor01").get(SUMMARY, **{"from": today, "to": today}).json
    assert report["total"]["received"] == 4
    assert report["total"]["resolution"] == {"numerator": 2, "denominator": 2, "rate": 1.0}
    assert sum(line["received"] for line in report["by_department"]) == 4
    browser = Browser.of(app)
    browser.sign_in("supervisor01")
    page = browser.text("/reports", **{"from": today, "to": today})
    for line in report["by_department"]:
        assert line["name"] in page
    assert "2/2" in page
    assert "100.0%" in page
    assert "—" in page


def test_without_a_period_the_page_shows_the_last_thirty_days(boss: Browser) -> None:
    today = utc_now().astimezone(CITY_ZONE).date()
    page = boss.text("/reports")
    assert f'value="{today.isoformat()}"' in page
    assert f'value="{(today - timedelta(days=29)).isoformat()}"' in page


@pytest.mark.parametrize(("start", "end", "field"), BAD)
def test_a_period_that_cannot_be_is_explained(
    boss: Browser, standing_api: Callable[[str], ApiClient], start: str, end: str, field: str
) -> None:
    answer = standing_api("supervisor01").get(SUMMARY, **{"from": start, "to": end})
    assert (answer.status_code, answer.content_type) == (422, "application/problem+json")
    assert field in [error["field"] for error in answer.json["errors"]]
    if start and end:
        page = boss.get("/reports", **{"from": start, "to": end})
        assert page.status_code == 422
        assert "时间段有误" in page.get_data(as_text=True)
        assert "<script>" not in page.get_data(as_text=True)


@pytest.mark.parametrize("query", [{}, {"from": "2026-11-01"}, {"to": "2026-11-01"}])
def test_the_api_asks_for_both_ends(standing_api: Callable[[str], ApiClient], query: dict[str, str]) -> None:
    answer = standing_api("supervisor01").get(SUMMARY, **query)
    assert answer.status_code == 422
    assert {error["field"] for error in answer.json["errors"]} == {"from", "to"} - set(query)


def test_a_filter_that_does_not_exist_is_named(standing_api: Callable[[str], ApiClient]) -> None:
    answer = standing_api("supervisor01").get(SUMMARY, **{"from": "2026-11-01", "to": "2026-11-02", "task": "E"})
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (422, "task")


def test_dates_are_days_of_the_city_with_the_last_one_in() -> None:
    now = datetime(2026, 11, 25, tzinfo=UTC)
    period = parse_period("2026-11-01", "2026-11-02", now)
    assert period.start == datetime(2026, 10, 31, 16, tzinfo=UTC)
    assert period.end == datetime(2026, 11, 2, 16, tzinfo=UTC)
    assert period.as_of == now


def test_instants_are_taken_as_they_are_with_the_last_one_out() -> None:
    now = datetime(2026, 11, 25, tzinfo=UTC)
    period = parse_period("2026-11-01T00:00:00Z", "2026-11-01T08:00:01", now)
    assert period.start == datetime(2026, 11, 1, tzinfo=UTC)
    assert period.end == datetime(2026, 11, 1, 0, 0, 1, tzinfo=UTC)


def test_five_years_are_the_longest_period() -> None:
    now = datetime(2026, 11, 25, tzinfo=UTC)
    parse_period("2021-11-25", "2026-11-25", now)
    with pytest.raises(Problem, match="five years"):
        parse_period("2021-11-20", "2026-11-25", now)


def test_every_figure_of_the_page_opens_exactly_its_tickets(app: Flask, parts: Runtime) -> None:
    with transaction(parts.sessions) as session:
        for number, last in enumerate((None, Action.DISPATCH, Action.SIGN, Action.FOLLOW_UP, Action.FOLLOW_UP)):
            ticket_after(session, parts.context, last, district=("LD", None)[number % 2])
    browser = Browser.of(app)
    browser.sign_in("supervisor01")
    page = browser.text("/reports")
    numbers = re.findall(r'href="(/reports/tickets\?[^"]+)">(\d+)<', page)
    assert len(numbers) > 60
    opened: dict[str, int] = {}
    for address, number in numbers:
        if address not in opened:
            behind = browser.client.get(html.unescape(address)).get_data(as_text=True)
            total = re.search(r'id="total">(\d+)<', behind)
            assert total, address
            opened[address] = int(total[1])
            assert len(set(re.findall(r'href="/tickets/(\d{8}-\d+)"', behind))) <= int(total[1])
        assert opened[address] == int(number), address
    assert max(opened.values()) == 5
    assert {"received", "completion", "resolution", "backlog"} <= {
        re.search(r"figure=(\w+)", address)[1] for address in opened
    }


def test_a_choice_narrows_every_number(app: Flask, parts: Runtime) -> None:
    with transaction(parts.sessions) as session:
        for channel in ("phone", "web", "web"):
            ticket_after(session, parts.context, Action.FOLLOW_UP, channel=Channel(channel), district="LD")
        ticket_after(session, parts.context, None)
    browser = Browser.of(app)
    browser.sign_in("supervisor01")
    for choice, number in (
        ({}, 4),
        ({"channel": "web"}, 2),
        ({"district": "LD"}, 3),
        ({"district": "-"}, 1),
        ({"department": "CGJ"}, 3),
        ({"department": "-"}, 1),
        ({"task": "E"}, 3),
        ({"matter": "E03", "channel": "phone"}, 1),
        ({"type": "投诉"}, 0),
        ({"district": "NOWHERE"}, 0),
    ):
        page = browser.text("/reports", **choice)
        tile = re.search(r'tiles.*?<a href="[^"]*">(\d+)</a>', page, re.S)
        assert tile, choice
        assert int(tile[1]) == number, choice
        data = browser.get("/reports/data", **choice).json
        assert sum(data["trend"]["received"]) == sum(map(sum, data["hours"])) == number
    assert browser.get("/reports", department="NOBODY").status_code == 422
    assert browser.get("/reports/tickets", figure="nonsense").status_code == 404


def test_few_cases_carry_their_interval(app: Flask, parts: Runtime) -> None:
    with transaction(parts.sessions) as session:
        ticket_after(session, parts.context, Action.FOLLOW_UP)
    browser = Browser.of(app)
    browser.sign_in("supervisor01")
    page = browser.text("/reports")
    assert "（21%–100%）" in page
    assert "样本不足" in page


def test_each_side_of_a_figure_has_its_list(boss: Browser) -> None:
    for met in ("", "1", "0"):
        page = boss.text("/reports/tickets", figure="completion", met=met)
        assert 'id="total">0<' in page
        assert "没有工单" in page


def test_the_composite_weighs_as_the_setting_says(parts: Runtime) -> None:
    with transaction(parts.sessions) as session:
        early = at(parts.context, utc_now() - timedelta(days=5))
        ticket_after(session, early, Action.FOLLOW_UP)
        unhappy = ticket_after(session, early, Action.APPROVE)
        called = FollowUp(
            number=unhappy.number,
            result=FollowupResult.RESOLVED,
            satisfaction=Satisfaction.DISSATISFIED,
            rework=False,
            comment="只是嫌慢",
        )
        follow_up(session, early, called, actor_named(session, "followup01"))
    scores = []
    for weights in ("0.30,0.35,0.35", "1,1,0", "0,0,1"):
        settings = parts.settings.model_copy(
            update={"composite_weights": tuple(float(part) for part in weights.split(","))}
        )
        own = bootstrap.start(settings, doorbell=SilentDoorbell())
        browser = Browser.of(create_app(own))
        browser.sign_in("supervisor01")
        page = browser.text("/reports")
        shown = re.search(r'综合分（剔除前 / 后）.*?tabular">([\d.]+)', page, re.S)
        assert shown
        scores.append(float(shown[1]))
        own.close()
    # All were called in time and all is resolved; one of two is content.
    assert scores == [82.5, 100.0, 50.0]
