"""Departments, dispatchers, follow-up agents and supervisors in a real browser, mostly without a mouse."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from tests.drills.stack import wait_for
from tests.e2e.axe import violations
from tests.e2e.conftest import Installation
from tests.factories import receive, ticket_after

from hotline.domain.ticket import Action
from hotline.storage.engine import transaction

SignIn = Callable[[str], Page]
pytestmark = pytest.mark.browser

VAGUE = "你好，我想问一下那个事情怎么样了，就是上次说的那个"


def ticket(hotline: Installation, last: Action | None, **given: object) -> str:
    parts = hotline.stack.parts
    with transaction(parts.sessions) as session:
        return ticket_after(session, parts.context, last, **given).number


def state_of(hotline: Installation, number: str) -> str:
    ((state,),) = hotline.stack.rows(f"SELECT state FROM ticket WHERE number = '{number}'")
    return str(state)


def events_of(hotline: Installation, number: str, kind: str) -> int:
    query = f"SELECT count(*) FROM ticket_event e JOIN ticket t ON t.id = e.ticket_id WHERE t.number = '{number}'"
    ((count,),) = hotline.stack.rows(f"{query} AND e.kind = '{kind}'")
    return int(count)


def press(page: Page, *keys: str) -> None:
    """Press keys on a page whose scripts listen already."""
    page.wait_for_load_state()
    for key in keys:
        page.keyboard.press(key)


def section(page: Page, name: str) -> None:
    """Unfold the form of a step."""
    page.locator("summary", has_text=re.compile(f"^{name}$")).click()


def test_a_ticket_nobody_could_be_sure_of_is_dispatched_by_keys_only(sign_in: SignIn, hotline: Installation) -> None:
    parts = hotline.stack.parts
    with transaction(parts.sessions) as session:
        number = receive(session, parts.context, content=VAGUE).number
    wait_for("a person to be asked", lambda: state_of(hotline, number) == "awaiting_dispatch")
    page = sign_in("dispatcher01")
    expect(page.get_by_role("link", name=number)).to_be_visible()
    press(page, "0")
    expect(page.get_by_label("查找事项")).to_be_focused()
    page.keyboard.type("ldbl")
    found = page.get_by_role("group", name="找到的事项").get_by_role("radio").first
    expect(found).to_have_value("E03")
    press(page, "Enter")
    expect(found).to_be_focused()
    press(page, "Enter")
    expect(page.get_by_text("没有等待派单的工单")).to_be_visible()
    assert state_of(hotline, number) == "awaiting_sign"
    # One key undoes it, and the first candidate is one key away.
    press(page, "u")
    expect(page.get_by_role("heading", name=number)).to_be_visible()
    assert state_of(hotline, number) == "awaiting_dispatch"
    press(page, "2")
    expect(page.get_by_role("group", name="系统建议").get_by_role("radio").nth(1)).to_be_focused()
    press(page, "1")
    press(page, "Enter")
    expect(page.get_by_text("没有等待派单的工单")).to_be_visible()
    assert state_of(hotline, number) == "awaiting_sign"


def test_a_queue_is_worked_off_by_keyboard_and_many_are_signed_at_once(sign_in: SignIn, hotline: Installation) -> None:
    numbers = [ticket(hotline, Action.DISPATCH) for _ in range(4)]
    page = sign_in("cgj-handler")
    page.goto("/tickets?tab=sign")
    press(page, "j")
    press(page, "j")
    press(page, "k")
    first = page.locator("[data-row] a").first
    expect(first).to_be_focused()
    signed = first.inner_text()
    press(page, "s")
    expect(page.get_by_role("status")).to_contain_text("已签收 1 件")
    assert state_of(hotline, signed) == "handling"
    page.get_by_label("全选").check()
    page.get_by_role("button", name="签收所选").click()
    expect(page.get_by_role("status")).to_contain_text("已签收")
    assert {state_of(hotline, number) for number in numbers} == {"handling"}
    page.goto("/tickets?tab=handling")
    press(page, "j")
    press(page, "Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile(r"^\d{8}-\d{6}$"))


def test_a_return_is_accepted(sign_in: SignIn, hotline: Installation) -> None:
    number = ticket(hotline, Action.DISPATCH)
    handler = sign_in("cgj-handler")
    handler.goto(f"/tickets/{number}")
    section(handler, "申请退单")
    handler.get_by_label("退单理由").select_option("not_our_duty")
    handler.locator("#request_return-basis").fill("权责清单第三条，属房屋安全")
    handler.get_by_role("button", name="申请退单").click()
    # The mistake stands beside its field and what was typed is still there.
    expect(handler.get_by_text("请写明应由哪个单位承办")).to_be_visible()
    expect(handler.locator("#request_return-basis")).to_have_value("权责清单第三条，属房屋安全")
    handler.get_by_label("建议承办单位").select_option("ZJJ")
    handler.get_by_role("button", name="申请退单").click()
    expect(handler.get_by_text("退单待审")).to_be_visible()

    dispatcher = sign_in("dispatcher01")
    dispatcher.goto("/requests")
    dispatcher.get_by_role("link", name=number).click()
    expect(dispatcher.get_by_role("region", name="退单研判")).to_contain_text("权责清单：E03")
    expect(dispatcher.get_by_label("改派给")).to_have_value("ZJJ")
    dispatcher.locator("#accept_return-reason").fill("属实，改派")
    dispatcher.get_by_role("button", name="同意退单").click()
    expect(dispatcher.get_by_role("heading", name="待审")).to_be_visible()

    owner = sign_in("zjj-handler")
    expect(owner.get_by_role("link", name=number, exact=True)).to_be_visible()
    assert handler.goto(f"/tickets/{number}").status == 404  # type: ignore[union-attr]


def test_a_merge_and_its_undo(sign_in: SignIn, hotline: Installation) -> None:
    one, two = ticket(hotline, Action.SIGN), ticket(hotline, Action.DISPATCH)
    page = sign_in("dispatcher01")
    page.goto(f"/tickets/{two}")
    section(page, "并单")
    page.get_by_label("并入工单编号").fill(one)
    page.get_by_role("button", name="并单", exact=True).click()
    expect(page.get_by_text(f"并入 {one}")).to_be_visible()
    page.get_by_role("link", name=one).click()
    expect(page.get_by_role("region", name="并入与拆出")).to_contain_text(two)
    page.goto(f"/tickets/{two}")
    section(page, "撤销并单")
    page.locator("#unmerge-reason").fill("是另一盏灯")
    page.get_by_role("button", name="撤销并单").click()
    expect(page.locator(".state").first).to_have_text("待签收")
    assert state_of(hotline, two) == "awaiting_sign"


def test_a_double_click_does_it_once(sign_in: SignIn, hotline: Installation) -> None:
    number = ticket(hotline, Action.SIGN)
    page = sign_in("agent01")
    page.goto(f"/tickets/{number}")
    section(page, "催办")
    page.get_by_label("诉求人说了什么").fill("又打来电话，问什么时候修好")
    page.get_by_role("button", name="催办").dblclick()
    expect(page.get_by_text("催办 1 次")).to_be_visible()
    assert events_of(hotline, number, "urge") == 1


def test_two_people_on_one_ticket_see_each_other_and_the_later_loses_nothing(
    sign_in: SignIn, hotline: Installation
) -> None:
    number = ticket(hotline, Action.SIGN)
    one, two = sign_in("cgj-handler"), sign_in("cgj-lead")
    for page in (one, two):
        page.goto(f"/tickets/{number}")
        page.get_by_label("办理情况").fill(f"{page.title()}：已修复")
        for question, answer in (("诉求是否属实", "属实"), ("是否联系诉求人", "已联系"), ("是否解决", "已解决")):
            page.get_by_role("group", name=question).get_by_label(answer, exact=True).check()
    expect(two.get_by_text("城管局经办 正在填写")).to_be_visible()
    expect(one.get_by_text("城管局负责人 正在填写")).to_be_visible()
    two.get_by_label("办理情况").fill("负责人自己写的反馈")
    one.get_by_role("button", name="反馈", exact=True).click()
    expect(one.locator(".state").first).to_have_text("已反馈")
    expect(two.get_by_text("此工单有新的办理动态")).to_be_visible()
    two.get_by_role("button", name="反馈", exact=True).click()
    expect(two.get_by_role("alert")).to_contain_text("工单状态已变化")
    expect(two.get_by_role("region", name="您刚才填写的内容")).to_contain_text("负责人自己写的反馈")
    expect(two.locator(".state").first).to_have_text("已反馈")
    assert events_of(hotline, number, "reply") == 1


def test_a_desk_of_others_says_so(sign_in: SignIn) -> None:
    page = sign_in("cgj-handler")
    for path in ("/dispatch", "/requests", "/calls", "/board"):
        response = page.goto(path)
        assert response is not None
        assert response.status == 403
        expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_a_caller_is_called_until_the_third_time(sign_in: SignIn, hotline: Installation) -> None:
    number = ticket(hotline, Action.APPROVE, caller_name="王小明", caller_phone="13912345678")
    page = sign_in("followup01")
    for tries in range(1, 4):
        page.get_by_role("link", name=number).click()
        page.get_by_label("回访结果").select_option("unreachable")
        page.get_by_role("button", name="回访", exact=True).click()
        if tries < 3:
            expect(page.get_by_role("row", name=re.compile(number))).to_contain_text(f"{tries}/3")
    expect(page.get_by_role("heading", name="回访")).to_be_visible()
    expect(page.get_by_role("link", name=number)).to_have_count(0)
    assert state_of(hotline, number) == "closed"


@pytest.mark.parametrize(
    ("username", "path"),
    [
        ("cgj-handler", "/tickets"),
        ("cgj-lead", "/tickets?tab=all"),
        ("dispatcher01", "/dispatch"),
        ("dispatcher01", "/requests"),
        ("followup01", "/calls"),
        ("supervisor01", "/board"),
        ("supervisor01", "/tickets?tab=open"),
        ("supervisor01", "/reports"),
        ("supervisor01", "/reports/integrity"),
        ("supervisor01", "/reports/corrections/E03"),
        ("supervisor01", "/reports/bulletins/daily"),
    ],
)
def test_a_page_is_open_to_everybody_and_fits_the_screen(
    sign_in: SignIn, hotline: Installation, username: str, path: str
) -> None:
    ticket(hotline, Action.APPROVE, caller_phone="13912345678")
    page = sign_in(username)
    page.goto(path)
    for details in page.locator("main details").all():
        details.evaluate("element => { element.open = true }")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize(
    ("username", "last"),
    [
        ("dispatcher01", None),
        ("cgj-handler", Action.DISPATCH),
        ("cgj-lead", Action.SIGN),
        ("supervisor01", Action.REPLY),
        ("followup01", Action.APPROVE),
    ],
)
def test_the_ticket_page_is_open_to_everybody_with_every_form_unfolded(
    sign_in: SignIn, hotline: Installation, username: str, last: Action | None
) -> None:
    number = ticket(hotline, last, caller_name="王小明", caller_phone="13912345678")
    page = sign_in(username)
    page.goto(f"/tickets/{number}")
    expect(page.get_by_role("heading", level=1)).to_have_text(number)
    # One at a time, since opening one closes the others.
    for details in page.locator("main details").all():
        details.evaluate("element => { element.open = true }")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
