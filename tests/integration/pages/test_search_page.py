"""The search page: what is asked stays out of addresses, results are marked and safe, and pages follow one another."""

from collections.abc import Iterator

import pytest
from flask import Flask
from tests.factories import receive, run_jobs
from tests.integration.browser import Browser

from hotline.bootstrap import Runtime
from hotline.storage.engine import transaction

SEARCH = "/search"


@pytest.fixture
def agent(app: Flask) -> Iterator[Browser]:
    browser = Browser.of(app)
    browser.sign_in("agent01")
    yield browser


def log(parts: Runtime, *contents: str) -> list[str]:
    with transaction(parts.sessions) as session:
        numbers = [receive(session, parts.context, content=content).number for content in contents]
    run_jobs(parts)
    return numbers


def results(browser: Browser, q: str, **more: str) -> str:
    answer = browser.send(SEARCH, {"q": q, **more}, form_on=SEARCH)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def test_words_are_marked_and_nothing_becomes_code(agent: Browser, parts: Runtime) -> None:
    (number,) = log(parts, "<b>路灯</b>不亮<script>alert(1)</script>")
    shown = results(agent, "路灯 <script>")
    assert "没有找到" not in shown or number in shown
    shown = results(agent, "路灯")
    assert number in shown
    assert "<mark>路灯</mark>" in shown
    assert "<script>alert" not in shown
    assert "<b>" not in shown


def test_a_number_opens_its_ticket(agent: Browser, parts: Runtime) -> None:
    (number,) = log(parts, "路灯不亮")
    answer = agent.send(SEARCH, {"q": f" {number} "}, form_on=SEARCH)
    assert answer.location == f"/tickets/{number}"


def test_older_tickets_stand_on_the_next_page(agent: Browser, parts: Runtime) -> None:
    numbers = log(parts, *["路灯不亮"] * 22)
    first = results(agent, "路灯")
    assert numbers[-1] in first
    assert numbers[0] not in first
    before = first.split('name="before" value="')[1].split('"')[0]
    second = results(agent, "路灯", before=before)
    assert numbers[0] in second
    assert numbers[1] in second
    assert numbers[2] not in second


def test_nothing_found_and_nothing_asked_say_so(agent: Browser) -> None:
    assert "没有找到" in results(agent, "恐龙")
    assert "用空格分开" in results(agent, " ")
    assert "用空格分开" in agent.text(SEARCH)


@pytest.mark.parametrize("before", ["x", "-1", "9" * 30, "١", ""])
def test_a_strange_page_is_the_first(agent: Browser, parts: Runtime, before: str) -> None:
    (number,) = log(parts, "路灯不亮")
    assert number in results(agent, "路灯", before=before)


def test_who_sees_no_tickets_does_not_search(app: Flask) -> None:
    auditor = Browser.of(app)
    auditor.sign_in("auditor")
    assert auditor.client.post(SEARCH, data={"csrf_token": auditor.token("/"), "q": "路灯"}).status_code == 403
    assert 'role="search"' not in auditor.text("/")
