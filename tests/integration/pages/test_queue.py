"""The queue: what falls due first is on top, tabs count what they hold, filters stay, many are signed at once."""

import re
from datetime import timedelta

from flask import Flask
from sqlalchemy import select, update
from tests.factories import actor_named, ticket_after
from tests.integration.pages.test_every_form import SUSPENSION, WHY, submit
from tests.integration.pages.test_steps import browser_of

from hotline.bootstrap import Runtime
from hotline.domain.ticket import Action, State
from hotline.services import queues
from hotline.services.queues import Filters, Tab
from hotline.services.search_words import write_words
from hotline.storage.engine import transaction
from hotline.storage.tables import SavedView, Ticket

NUMBER = re.compile(r'<a href="/tickets/(\d{8}-\d{6})">')


def made(parts: Runtime, last: Action | None, count: int = 1, **given: object) -> list[str]:
    with transaction(parts.sessions) as session:
        return [ticket_after(session, parts.context, last, **given).number for _ in range(count)]


def set_on(parts: Runtime, number: str, **values: object) -> None:
    with transaction(parts.sessions) as session:
        session.execute(update(Ticket).where(Ticket.number == number).values(**values))


def shown(page: str) -> list[str]:
    return NUMBER.findall(page)


def counted(page: str) -> dict[str, int]:
    found = re.findall(r'href="/tickets\?tab=(\w+)[^>]*>[^<]+<span class="tab-count">(\d+)<', page)
    return {tab: int(count) for tab, count in found}


def test_each_tab_holds_what_it_says_and_counts_it(app: Flask, parts: Runtime) -> None:
    now = parts.context.now()
    (unsigned,), (working,), (again,) = (
        made(parts, Action.DISPATCH),
        made(parts, Action.SIGN),
        made(parts, Action.REPLY),
    )
    (late,), (today,) = made(parts, Action.SIGN), made(parts, Action.SIGN)
    submit(browser_of(app, "cgj-lead"), again, Action.SEND_BACK, WHY)
    set_on(parts, late, next_due=now - timedelta(hours=2))
    set_on(parts, today, next_due=queues._day_end(now) - timedelta(microseconds=1))
    handler = browser_of(app, "cgj-handler")
    held = {
        "sign": [unsigned],
        "handling": [late, today, again, working],
        "overdue": [late],
        "today": [today],
        "again": [again],
    }
    for tab, numbers in held.items():
        page = handler.text("/tickets", tab=tab)
        assert set(shown(page)) == set(numbers), tab
        assert counted(page)[tab] == len(numbers), tab
    assert shown(handler.text("/tickets", tab="handling"))[:2] == [late, today]
    # The power company helps with all of them, and has its own due for each.
    helper = browser_of(app, "gdgs-handler").text("/tickets", tab="help")
    assert len(shown(helper)) == counted(helper)["help"] == 5
    assert shown(browser_of(app, "zjj-handler").text("/tickets", tab="all")) == []


def test_pages_follow_one_another_and_leave_nothing_out(parts: Runtime, app: Flask) -> None:
    numbers = made(parts, Action.SIGN, 7)
    lead = browser_of(app, "cgj-lead")
    for number in numbers[:2]:
        submit(lead, number, Action.REQUEST_SUSPENSION, SUSPENSION)
        submit(browser_of(app, "supervisor01"), number, Action.APPROVE_SUSPENSION, WHY)
    for tab in (Tab.HANDLING, Tab.ALL, Tab.HELP):
        who = "gdgs-handler" if tab is Tab.HELP else "cgj-handler"
        found: list[str] = []
        with transaction(parts.sessions) as session:
            actor, after = actor_named(session, who), None
            while True:
                page = queues.page(session, parts.context, actor, tab, Filters(), after, 2)
                found += [row.ticket.number for row in page.rows]
                if page.next is None:
                    break
                after = page.next
        assert sorted(found) == sorted(numbers), tab
        assert len(found) == len(set(found))
        if tab is Tab.HANDLING:
            assert set(found[-2:]) == set(numbers[:2]), "what stands still comes last"
        if tab is Tab.ALL:
            assert found == sorted(found, reverse=True)


def test_filters_narrow_list_and_counts_and_words_stay_out_of_the_address(app: Flask, parts: Runtime) -> None:
    (east,) = made(parts, Action.SIGN, district="LD")
    (other,) = made(parts, Action.SIGN, district="LX", content="晴川里社区噪声扰民")
    with transaction(parts.sessions) as session:
        write_words(session, parts.context, list(session.scalars(select(Ticket))))
    handler = browser_of(app, "cgj-handler")
    page = handler.text("/tickets", tab="handling", district="LD")
    assert shown(page) == [east]
    assert counted(page)["handling"] == 1
    sent = handler.send("/tickets", {"tab": "handling", "text": "噪声扰民"}, form_on="/tickets")
    assert sent.status_code == 302
    assert "噪声" not in sent.location
    assert "%E5" not in sent.location
    page = handler.text(sent.location)
    assert shown(page) == [other]
    assert 'value="噪声扰民"' in page
    submit(browser_of(app, "cgj-lead"), east, Action.ASSIGN, {"username": "ldcgj-handler"})
    assert shown(handler.text("/tickets", tab="handling", assignee="ldcgj-handler")) == [east]
    assert shown(handler.text("/tickets", tab="handling", assignee="-")) == [other]
    assert shown(handler.text("/tickets", tab="handling", matter="E")) == shown(
        handler.text("/tickets", tab="handling")
    )


def test_a_view_is_kept_for_its_owner_and_can_be_deleted(app: Flask, parts: Runtime) -> None:
    handler, lead = browser_of(app, "cgj-handler"), browser_of(app, "cgj-lead")
    fields = {"tab": "overdue", "district": "LD", "text": "路灯", "name": "澜东超期", "save": "yes"}
    handler.send("/tickets", fields, form_on="/tickets")
    page = handler.text("/tickets")
    link = re.search(r'<a href="/tickets\?([^"]*)">澜东超期</a>', page)
    assert link
    assert {"tab=overdue", "district=LD"} < set(link[1].split("&amp;"))
    assert "澜东超期" not in lead.text("/tickets")
    with transaction(parts.sessions) as session:
        assert "路灯" not in str(session.scalars(select(SavedView.filters)).one())
    refused = handler.send("/tickets", fields | {"name": " "}, form_on="/tickets")
    assert "请给视图起" in handler.text(refused.location)
    handler.send("/tickets/views/discard", {"view": "澜东超期"}, form_on="/tickets")
    assert "澜东超期" not in handler.text("/tickets")


def test_many_are_signed_at_once_and_what_fails_says_why(app: Flask, parts: Runtime) -> None:
    ready, done, foreign = made(parts, Action.DISPATCH, 2), made(parts, Action.SIGN), made(parts, None)
    handler = browser_of(app, "cgj-handler")
    token = handler.token("/tickets")
    fields = {"csrf_token": token, "number": [*ready, *done, *foreign], "next": "/tickets?tab=handling"}
    sent = handler.client.post("/tickets/sign", data=fields)
    assert sent.location == "/tickets?tab=handling"
    page = handler.text(sent.location)
    assert "已签收 2 件" in page
    assert "2 件没有签收" in page
    assert f"{done[0]}：状态已变化，不能签收" in page
    assert f"{foreign[0]}：不在您可以办理的范围内" in page
    with transaction(parts.sessions) as session:
        states = {row.number: row.state for row in session.execute(select(Ticket.number, Ticket.state))}
    assert {states[number] for number in ready} == {State.HANDLING}
    # The button of one row signs that one, whatever is marked.
    more = made(parts, Action.DISPATCH, 2)
    handler.client.post("/tickets/sign", data={"csrf_token": token, "only": more[0], "number": more})
    with transaction(parts.sessions) as session:
        states = {row.number: row.state for row in session.execute(select(Ticket.number, Ticket.state))}
    assert [states[number] for number in more] == [State.HANDLING, State.AWAITING_SIGN]
