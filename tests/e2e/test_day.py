"""A day at the hotline in a real browser: each person does their part, the worker does its own."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from tests.factories import STREET_LIGHT

SignIn = Callable[[str], Page]
pytestmark = pytest.mark.browser


def log_call(page: Page, content: str, phone: str = "138 0000 1234") -> str:
    """Log a call as the agent does and return the ticket's number."""
    page.get_by_role("link", name="登记来电").click()
    page.get_by_label("来电号码").fill(phone)
    page.get_by_label("诉求内容").fill(content)
    page.get_by_role("button", name="提交").click()
    expect(page.get_by_role("status")).to_contain_text("已受理")
    return page.get_by_role("heading", level=1).inner_text()


def open_ticket(page: Page, number: str) -> None:
    """Open a ticket by its number."""
    page.goto(f"/tickets/{number}")
    expect(page.get_by_role("heading", level=1)).to_have_text(number)


def test_a_call_goes_the_whole_road(sign_in: SignIn) -> None:
    agent = sign_in("agent01")
    number = log_call(agent, STREET_LIGHT)
    # The page looks again by itself until the worker has triaged and dispatched the ticket.
    expect(agent.get_by_text("待签收").first).to_be_visible()
    expect(agent.get_by_role("region", name="责任与时限")).to_contain_text("澜州市城市管理局")
    expect(agent.get_by_role("region", name="智能分类").locator("mark").first).to_be_visible()
    expect(agent.get_by_text("138****1234")).to_be_visible()

    handler = sign_in("cgj-handler")
    handler.get_by_role("link", name=number, exact=True).click()
    handler.get_by_role("button", name="签收").click()
    handler.get_by_label("办理情况").fill("已到现场更换灯头，路灯恢复照明，已电话告知市民。")
    for question, answer in (("诉求是否属实", "属实"), ("是否联系诉求人", "已联系"), ("是否解决", "已解决")):
        handler.get_by_role("group", name=question).get_by_label(answer, exact=True).check()
    handler.get_by_role("button", name="反馈").click()
    expect(handler.get_by_text("已反馈").first).to_be_visible()

    lead = sign_in("cgj-lead")
    lead.get_by_role("link", name=number, exact=True).click()
    lead.get_by_role("button", name="审核通过").click()

    caller = sign_in("followup01")
    caller.get_by_role("link", name=number, exact=True).click()
    caller.get_by_label("回访结果").select_option("resolved")
    caller.get_by_label(re.compile("满意度")).select_option("satisfied")
    caller.get_by_role("button", name="回访").click()
    # The next caller's line is one key away again; the ticket is closed.
    expect(caller.get_by_role("heading", name="回访")).to_be_visible()
    open_ticket(caller, number)
    expect(caller.locator(".state").first).to_have_text("办结")

    supervisor = sign_in("supervisor01")
    expect(supervisor.get_by_role("heading", name="当前看板")).to_be_visible()
    supervisor.get_by_role("link", name="报表").click()
    expect(supervisor.get_by_role("heading", name="运行报表")).to_be_visible()
    row = supervisor.get_by_role("row", name=re.compile("澜州市城市管理局"))
    expect(row).to_contain_text("1/1")


def test_a_ticket_nobody_could_be_sure_of_is_dispatched_by_a_person(sign_in: SignIn) -> None:
    number = log_call(sign_in("agent02"), "你好，我想问一下那个事情怎么样了，就是上次说的那个")
    dispatcher = sign_in("dispatcher01")
    open_ticket(dispatcher, number)
    expect(dispatcher.get_by_text("待派单").first).to_be_visible()
    dispatcher.get_by_label("事项").select_option("G01")
    dispatcher.get_by_role("button", name="派单", exact=True).click()
    expect(dispatcher.get_by_text("待签收").first).to_be_visible()
    expect(dispatcher.get_by_role("region", name="责任与时限")).to_contain_text("热线中心")


def test_what_was_typed_survives_a_mistake(sign_in: SignIn) -> None:
    agent = sign_in("agent01")
    agent.get_by_role("link", name="登记来电").click()
    agent.get_by_label("来电号码").fill("12")
    agent.get_by_label("诉求内容").fill("楼下烧烤店夜里两点还在营业")
    agent.get_by_role("button", name="提交").click()
    expect(agent.get_by_text("电话号码格式不对")).to_be_visible()
    expect(agent.get_by_label("诉求内容")).to_have_value("楼下烧烤店夜里两点还在营业")


def test_a_page_of_another_role_says_so(sign_in: SignIn) -> None:
    handler = sign_in("cgj-handler")
    response = handler.request.get("/reports")
    assert response.status == 403
    handler.goto("/login")
