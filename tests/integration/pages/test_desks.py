"""The dispatcher's desk, what waits for a decision, the call list, and the board."""

import re
from collections.abc import Sequence

import pytest
from flask import Flask
from sqlalchemy import select
from tests.factories import SettledClassifier, receive, ticket_after, with_classifier
from tests.integration.pages.test_every_form import RETURN, SUSPENSION, WHY, submit
from tests.integration.pages.test_queue import set_on
from tests.integration.pages.test_steps import browser_of

from hotline.bootstrap import Runtime
from hotline.domain.ticket import Action, QueueReason, State
from hotline.services.triage import triage
from hotline.storage.engine import transaction
from hotline.storage.tables import Ticket
from hotline.web.runtime import EXTENSION, WebRuntime


@pytest.fixture(autouse=True)
def nobodys_screen(app: Flask) -> None:
    """Give every ticket free: all tests share one Redis, and their tickets have the same ids."""
    web: WebRuntime = app.extensions[EXTENSION]
    web.counters.ask(lambda redis: [redis.delete(key) for key in redis.scan_iter("hotline:web:desk:*")], [])


def waiting(parts: Runtime, count: int = 1, **given: object) -> Sequence[str]:
    """Receive calls that the model is not sure about, the first of which has to be dispatched first."""
    context = with_classifier(parts.context, SettledClassifier(auto=False))
    numbers = []
    with transaction(parts.sessions) as session:
        for _ in range(count):
            ticket = receive(session, context, **given)
            session.flush()
            triage(session, context, ticket.id)
            numbers.append(ticket.number)
    return numbers


def on_desk(page: str) -> str | None:
    found = re.search(r'action="/tickets/(\d{8}-\d{6})/dispatch"', page)
    return found[1] if found else None


def state_of(parts: Runtime, number: str) -> str:
    with transaction(parts.sessions) as session:
        return session.scalars(select(Ticket.state).where(Ticket.number == number)).one()


def test_one_after_the_other_is_dispatched_and_the_last_one_undone(app: Flask, parts: Runtime) -> None:
    first, second = waiting(parts, 2)
    dispatcher = browser_of(app, "dispatcher01")
    page = dispatcher.text("/dispatch")
    assert on_desk(page) == first
    assert "分类把握不足" in page
    assert re.search(r'name="matter" value="E03" checked', page)
    assert "→ 澜州市城市管理局" in page
    sent = dispatcher.send(
        f"/tickets/{first}/dispatch", {"matter": "E03", "next": "/dispatch?queue=ordinary"}, form_on="/dispatch"
    )
    assert sent.location == "/dispatch?queue=ordinary"
    page = dispatcher.text(sent.location)
    assert on_desk(page) == second
    assert f'action="/tickets/{first}/take_back"' in page
    dispatcher.send(f"/tickets/{first}/take_back", WHY | {"next": "/dispatch"}, form_on="/dispatch")
    assert state_of(parts, first) == State.AWAITING_DISPATCH
    # What is signed for can no longer be undone from here.
    dispatcher.send(f"/tickets/{first}/dispatch", {"matter": "E03"}, form_on="/dispatch")
    submit(browser_of(app, "cgj-handler"), first, Action.SIGN, {})
    assert "take_back" not in dispatcher.text("/dispatch")


def test_two_dispatchers_have_different_tickets_and_one_skipped_is_free_again(app: Flask, parts: Runtime) -> None:
    first, second = waiting(parts, 2)
    one, two = browser_of(app, "dispatcher01"), browser_of(app, "dispatcher02")
    page = one.text("/dispatch")
    assert (on_desk(page), on_desk(two.text("/dispatch"))) == (first, second)
    assert on_desk(one.text("/dispatch")) == first
    skip = re.search(r'data-key="j" href="([^"]+)"', page)
    assert skip
    end = one.get(skip[1].replace("&amp;", "&"))
    assert end.status_code == 302, "the other ticket is on the colleague's screen"
    assert "已到队尾" in one.text(end.location)


def test_a_blind_check_shows_nothing_of_the_models_answer(app: Flask, parts: Runtime) -> None:
    (number,) = waiting(parts)
    set_on(parts, number, blind=True, matter=None, task=None, confidence=None, queue_reason=QueueReason.BLIND_CHECK)
    page = browser_of(app, "dispatcher01").text("/dispatch")
    assert on_desk(page) == number
    assert "盲审" in page
    assert "desk-choice" not in page
    assert "95%" not in page
    assert "<mark>" not in page


def test_a_matter_is_found_by_pinyin_with_its_owner(app: Flask, parts: Runtime) -> None:
    (number,) = waiting(parts)
    dispatcher = browser_of(app, "dispatcher01")
    found = dispatcher.text(f"/dispatch/{number}/matters", asked="ldbl")
    assert 'value="E03"' in found
    assert "→ 澜州市城市管理局" in found
    assert "没有这样的事项" in dispatcher.text(f"/dispatch/{number}/matters", asked="zzzz")
    assert browser_of(app, "agent01").get(f"/dispatch/{number}/matters", asked="ldbl").status_code == 403


def test_a_complaint_about_its_owner_waits_for_the_supervisor(app: Flask, parts: Runtime) -> None:
    (number,) = waiting(parts)
    set_on(parts, number, queue_reason=QueueReason.CONFLICT)
    assert on_desk(browser_of(app, "dispatcher01").text("/dispatch")) is None
    assert on_desk(browser_of(app, "supervisor01").text("/dispatch")) == number


def test_returns_wait_for_dispatchers_and_second_ones_for_supervisors(app: Flask, parts: Runtime) -> None:
    with transaction(parts.sessions) as session:
        numbers = [ticket_after(session, parts.context, Action.DISPATCH).number for _ in range(3)]
    handler, dispatcher = browser_of(app, "cgj-handler"), browser_of(app, "dispatcher01")
    for number in numbers[:2]:
        submit(handler, number, Action.REQUEST_RETURN, RETURN)
    submit(dispatcher, numbers[1], Action.REJECT_RETURN, WHY)
    submit(handler, numbers[1], Action.REQUEST_RETURN, RETURN)
    assert re.findall(r'href="/tickets/([\d-]+)\?next=', dispatcher.text("/requests")) == [numbers[0]]
    supervisor = browser_of(app, "supervisor01").text("/requests", kind="adjudication")
    assert re.findall(r'href="/tickets/([\d-]+)\?next=', supervisor) == [numbers[1]]
    page = dispatcher.text(f"/tickets/{numbers[0]}?next=/requests")
    assert "权责清单第三条" in page
    grounds = page[page.index('id="grounds"') :]
    assert "权责清单：E03" in grounds
    assert re.search(r'<th scope="row">澜州市城市管理局</th><td[^>]*>2</td><td[^>]*>0</td>', grounds)
    sent = dispatcher.send(
        f"/tickets/{numbers[0]}/accept_return",
        WHY | {"department": "ZJJ", "next": "/requests"},
        form_on=f"/tickets/{numbers[0]}",
    )
    assert sent.location == "/requests"
    assert numbers[0] not in dispatcher.text("/requests")


def test_merged_callers_are_called_once_each(app: Flask, parts: Runtime) -> None:
    with transaction(parts.sessions) as session:
        lead = ticket_after(session, parts.context, Action.SIGN, caller_phone="13900000001").number
        others = [
            receive(session, parts.context, caller_phone=phone).number for phone in ("13900000002", "13900000001")
        ]
    dispatcher = browser_of(app, "dispatcher01")
    for number in others:
        submit(dispatcher, number, Action.MERGE, {"into": lead})
    reply = {"text": "已修复", "valid": "yes", "contacted": "yes", "resolved": "yes"}
    submit(browser_of(app, "cgj-handler"), lead, Action.REPLY, reply)
    submit(browser_of(app, "cgj-lead"), lead, Action.APPROVE, {})
    caller = browser_of(app, "followup01")
    page = caller.text("/calls")
    called = re.findall(r'href="/tickets/[\d-]+\?caller=([\d-]+)', page)
    assert sorted(called) == sorted([lead, others[0]])
    assert "13900000002" not in page
    form = caller.text(f"/tickets/{lead}?caller={others[0]}&next=/calls")
    assert re.search(rf'<option value="{others[0]}" selected', form)
    sent = caller.send(
        f"/tickets/{lead}/follow_up",
        {"caller": others[0], "result": "unreachable", "next": "/calls"},
        form_on=f"/tickets/{lead}",
    )
    assert sent.location == "/calls"
    page = caller.text("/calls")
    assert "1/3" in page
    caller.send(f"/tickets/{lead}/follow_up", {"caller": others[0], "result": "resolved"}, form_on=f"/tickets/{lead}")
    assert re.findall(r'href="/tickets/[\d-]+\?caller=([\d-]+)', caller.text("/calls")) == [lead]


def test_every_figure_of_the_board_leads_to_as_many_tickets(app: Flask, parts: Runtime) -> None:
    now = parts.context.now()
    with transaction(parts.sessions) as session:
        late = ticket_after(session, parts.context, Action.SIGN)
        unsigned = ticket_after(session, parts.context, Action.DISPATCH)
        ticket_after(session, parts.context, Action.APPROVE)
        late.next_due = unsigned.sign_due = now.replace(year=now.year - 1)
        asks = ticket_after(session, parts.context, Action.SIGN).number
    waiting(parts)
    submit(browser_of(app, "cgj-lead"), asks, Action.REQUEST_SUSPENSION, SUSPENSION)
    supervisor = browser_of(app, "supervisor01")
    page = supervisor.text("/board")
    assert page.count('class="figure') > 8
    figures = re.findall(r'class="figure[^"]*" href="([^"]+)">[^<]+<b>([\d,]+)<', page)
    assert {count for _, count in figures} >= {"0", "1", "2"}
    departments = re.findall(r'<td class="text-end"><a href="([^"]+)"[^>]*>(\d+)<', page)
    assert departments
    for address, count in [*figures, *departments]:
        there = supervisor.text(address.replace("&amp;", "&"))
        rows = len(re.findall("data-row", there)) if "/dispatch" not in address else int(on_desk(there) is not None)
        assert rows == int(count), address
    assert "当前看板" not in supervisor.text("/board/now")


@pytest.mark.parametrize("path", ["/dispatch", "/requests", "/calls", "/board", "/board/now"])
def test_a_workplace_of_others_is_closed(app: Flask, path: str) -> None:
    assert browser_of(app, "cgj-handler").get(path).status_code == 403
    assert browser_of(app, "agent01").get(path).status_code == 403
