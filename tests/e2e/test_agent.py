"""The agent's workplace in a real browser: by keyboard alone, with advice, and without losing a word."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect
from tests.drills.stack import wait_for
from tests.e2e.axe import violations
from tests.e2e.conftest import Installation
from tests.factories import STREET_LIGHT

from hotline.cli.serve import web_argv
from hotline.demo.city import DEMO_PASSWORD

SignIn = Callable[[str], Page]
pytestmark = pytest.mark.browser

PHONE = "13800001234"
GAS = "明湖小区楼道里闻到很大的煤气味"


@dataclass
class Typist:
    """Hands on a keyboard, and no mouse.  ``keystrokes`` counts every key beyond what the caller says."""

    page: Page
    keystrokes: int = 0

    def says(self, text: str) -> None:
        """Type what the caller says."""
        self.page.keyboard.type(text)

    def press(self, *keys: str) -> None:
        """Press keys; each of a chord counts."""
        for key in keys:
            self.page.keyboard.press(key)
            self.keystrokes += len(key.split("+"))


def tickets_logged(hotline: Installation) -> int:
    ((number,),) = hotline.stack.rows("SELECT count(*) FROM ticket")
    return int(number)


def fresh_call(sign_in: SignIn, username: str = "agent01") -> Page:
    page = sign_in(username)
    expect(page.get_by_label("来电号码")).to_be_focused()
    page.wait_for_load_state()
    return page


def start_typing(page: Page, words: str, phone: str = PHONE) -> None:
    page.wait_for_load_state()
    page.keyboard.type(phone)
    page.keyboard.press("Enter")
    page.keyboard.type(words)


def saved(page: Page) -> str:
    """Wait until the call is a ticket and return its number."""
    expect(page.get_by_role("status")).to_contain_text("已受理")
    page.wait_for_load_state()
    return page.get_by_role("heading", level=1).inner_text()


def draft_saved(page: Page) -> None:
    # A server that has just been started again takes its time.
    expect(page.get_by_text("草稿已存")).to_be_visible(timeout=30_000)


def test_a_call_is_saved_with_number_and_words_and_six_keys_at_most(sign_in: SignIn, hotline: Installation) -> None:
    before = tickets_logged(hotline)
    typist = Typist(fresh_call(sign_in))
    typist.says(PHONE)
    typist.press("Enter")
    typist.says(STREET_LIGHT)
    typist.press("Control+Enter")
    saved(typist.page)
    assert typist.keystrokes <= 6
    assert tickets_logged(hotline) == before + 1
    expect(typist.page.get_by_text("138****1234")).to_be_visible()
    # The next call is one key away.
    typist.page.keyboard.press("n")
    expect(typist.page.get_by_label("来电号码")).to_be_focused()


def test_advice_comes_while_typing_and_the_agents_choice_wins(sign_in: SignIn, hotline: Installation) -> None:
    page = fresh_call(sign_in)
    start_typing(page, STREET_LIGHT)
    advice = page.get_by_role("region", name="智能建议")
    expect(advice.get_by_role("button").first).to_contain_text("E03")
    expect(advice.locator("mark").first).to_be_visible()
    # Advice on half of it may name other candidates.
    expect(advice).to_contain_text(STREET_LIGHT[-4:])
    expect(advice).to_contain_text("澜州市城市管理局（主办）")
    expect(advice).to_contain_text("办结")
    page.keyboard.press("Alt+2")
    second = advice.get_by_role("button").nth(1)
    expect(second).to_have_attribute("aria-pressed", "true")
    code = second.get_attribute("data-pick")
    assert code
    expect(page.get_by_label("事项")).to_have_value(code)
    page.keyboard.press("Control+Enter")
    number = saved(page)
    rows = hotline.stack.rows("SELECT matter, matter_source FROM ticket WHERE number = :number", number=number)
    assert rows == [(code, "agent")]


def test_the_same_key_takes_a_choice_back(sign_in: SignIn) -> None:
    page = fresh_call(sign_in)
    start_typing(page, STREET_LIGHT)
    first = page.get_by_role("region", name="智能建议").get_by_role("button").first
    expect(first).to_contain_text("E03")
    page.keyboard.press("Alt+1")
    expect(page.get_by_label("事项")).to_have_value("E03")
    expect(first).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Alt+1")
    expect(page.get_by_label("事项")).to_have_value("")
    expect(first).to_have_attribute("aria-pressed", "false")


def test_danger_turns_the_head_red_and_missing_facts_are_asked(sign_in: SignIn) -> None:
    page = fresh_call(sign_in)
    start_typing(page, GAS)
    expect(page.locator("#call-head")).to_contain_text("119")
    expect(page.locator("#call-head")).to_have_css("background-color", "rgb(160, 20, 20)")
    expect(page.get_by_text("是否有人受伤")).to_be_visible()
    page.keyboard.type("，刚才有人受伤送医了")
    expect(page.get_by_text("是否有人受伤")).to_be_hidden()


def test_a_call_is_saved_before_advice_arrives(sign_in: SignIn, hotline: Installation) -> None:
    page = fresh_call(sign_in)
    # Advice and drafts that never come must not keep anybody waiting.
    page.route("**/calls/assist", lambda route: None)
    page.route("**/drafts", lambda route: None)
    start_typing(page, STREET_LIGHT)
    page.keyboard.press("Control+Enter")
    saved(page)


def test_the_callers_earlier_tickets_stand_beside_the_form(sign_in: SignIn) -> None:
    page = fresh_call(sign_in, "agent02")
    start_typing(page, STREET_LIGHT, phone="13900005678")
    page.keyboard.press("Control+Enter")
    number = saved(page)
    page.keyboard.press("n")
    expect(page.get_by_label("来电号码")).to_be_focused()
    page.wait_for_load_state()
    page.keyboard.type("139 0000 5678")
    expect(page.get_by_role("region", name="该来电人").get_by_role("link", name=number)).to_be_visible()
    assert "5678" not in page.url


def test_a_draft_survives_reload_and_signing_out(sign_in: SignIn) -> None:
    page, words = fresh_call(sign_in), "听泉巷口的井盖没了，昨晚有人差点掉下去"
    start_typing(page, words)
    draft_saved(page)
    page.reload()
    expect(page.get_by_label("诉求内容")).to_have_value(words)
    expect(page.get_by_label("来电号码")).to_have_value(PHONE)
    page.get_by_role("button", name="退出").click()
    page.get_by_label("用户名").fill("agent01")
    page.get_by_label("密码").fill(DEMO_PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_role("navigation", name="草稿").get_by_role("link", name="听泉巷").click()
    expect(page.get_by_label("诉求内容")).to_have_value(words)
    page.wait_for_load_state()
    page.keyboard.press("Control+Enter")
    saved(page)
    page.keyboard.press("n")
    expect(page.get_by_label("来电号码")).to_be_focused()
    expect(page.get_by_role("link", name="听泉巷")).to_have_count(0)


def test_nothing_is_lost_when_the_server_crashes(sign_in: SignIn, hotline: Installation) -> None:
    page = fresh_call(sign_in, "agent03")
    start_typing(page, STREET_LIGHT)
    draft_saved(page)
    web = next(program for program in hotline.stack.programs if program.name == "web")
    web.kill()
    page.keyboard.type("，还有一个井盖没了")
    expect(page.get_by_text("草稿未存")).to_be_visible()
    port = int(hotline.url.rsplit(":", 1)[1])
    hotline.stack._start("web", web_argv("127.0.0.1", port, 1, 8))
    draft_saved(page)
    page.reload()
    expect(page.get_by_label("诉求内容")).to_have_value(STREET_LIGHT + "，还有一个井盖没了")


@pytest.mark.parametrize("how", ["mouse", "keys"])
def test_sending_twice_makes_one_ticket(sign_in: SignIn, hotline: Installation, how: str) -> None:
    before = tickets_logged(hotline)
    page = fresh_call(sign_in)
    start_typing(page, STREET_LIGHT)
    if how == "mouse":
        page.get_by_role("button", name="提交").dblclick()
    else:
        page.keyboard.press("Control+Enter")
        page.keyboard.press("Control+Enter")
    saved(page)
    assert tickets_logged(hotline) == before + 1


def test_a_session_that_ends_while_typing_loses_nothing(sign_in: SignIn, hotline: Installation) -> None:
    page = fresh_call(sign_in)
    start_typing(page, GAS)
    draft_saved(page)
    hotline.stack.execute("UPDATE account SET session_epoch = session_epoch + 1 WHERE username = 'agent01'")
    page.keyboard.type("，快派人来")
    expect(page.get_by_text("登录已过期")).to_be_visible()
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("alert")).to_contain_text("已保留")
    page.get_by_label("用户名").fill("agent01")
    page.get_by_label("密码").fill(DEMO_PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_label("诉求内容")).to_have_value(GAS + "，快派人来")
    page.wait_for_load_state()
    page.keyboard.press("Control+Enter")
    saved(page)


def test_a_department_is_told_that_this_is_not_its_page(sign_in: SignIn) -> None:
    handler = sign_in("cgj-handler")
    handler.goto("/tickets/new")
    expect(handler.get_by_role("heading", name="没有权限")).to_be_visible()
    expect(handler.get_by_role("link", name="登记来电")).to_have_count(0)


def test_search_goes_from_the_slash_to_the_ticket_by_keyboard(sign_in: SignIn, hotline: Installation) -> None:
    page = fresh_call(sign_in)
    start_typing(page, "槐荫巷的路灯杆子歪了，快倒了")
    page.keyboard.press("Control+Enter")
    number = saved(page)
    query = "SELECT 1 FROM ticket_words JOIN ticket ON id = ticket_id WHERE number = :number"
    wait_for("the ticket's words are written", lambda: bool(hotline.stack.rows(query, number=number)), 30)
    page.goto("/tickets")
    page.keyboard.press("/")
    expect(page.get_by_label("搜索工单")).to_be_focused()
    page.keyboard.type("槐荫巷 路灯")
    page.keyboard.press("Enter")
    expect(page.get_by_role("row", name=number).locator("mark").first).to_have_text("槐荫巷")
    assert page.url.endswith("/search")
    page.keyboard.press("/")
    page.keyboard.type(number)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(number)


def test_the_keys_are_listed_by_a_question_mark(sign_in: SignIn) -> None:
    page = fresh_call(sign_in)
    page.keyboard.type("?")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.get_by_role("heading", name="登记来电").click()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="快捷键")).to_contain_text("提交工单")
    assert violations(page) == []
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_the_pages_have_no_violations_and_fit_a_small_screen(sign_in: SignIn, hotline: Installation) -> None:
    page = sign_in("agent01")
    page.wait_for_load_state("networkidle")
    assert violations(page) == []
    start_typing(page, GAS)
    draft_saved(page)
    expect(page.get_by_text("119")).to_be_visible()
    assert violations(page) == []
    page.goto("/tickets/new")
    expect(page.get_by_role("navigation", name="草稿")).to_be_visible()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.keyboard.type(PHONE[:3])
    page.get_by_label("诉求内容").fill(STREET_LIGHT)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    assert violations(page) == []
    for path in ("/search", "/tickets?state=all", "/nowhere", "/account"):
        page.goto(path)
        assert violations(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path
    for asked in ("路灯", "恐龙", "待签收"):
        page.get_by_label("搜索工单").fill(asked)
        page.keyboard.press("Enter")
        expect(page.get_by_label("搜索工单")).to_have_value(asked)
        assert violations(page) == [], asked
    number = hotline.stack.rows("SELECT number FROM ticket ORDER BY id LIMIT 1")[0][0]
    page.goto(f"/tickets/{number}")
    assert violations(page) == []
    page.get_by_role("button", name="退出").click()
    expect(page.get_by_label("用户名")).to_be_visible()
    assert violations(page) == []
