"""Every step has a form on the ticket page, the form asks for what the step takes, and it does the step."""

import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from tests.factories import ticket_after
from tests.integration.browser import Browser
from tests.integration.pages.test_steps import browser_of

from hotline.bootstrap import Runtime
from hotline.domain.city_time import CITY_ZONE
from hotline.domain.ticket import Action
from hotline.storage.engine import transaction
from hotline.storage.tables import Ticket, TicketEvent
from hotline.web.pages.step_fields import FIELDS
from hotline.web.steps import STEPS

WHY = {"reason": "现场核实后的情况"}
RETURN = {"reason_code": "not_our_duty", "basis": "权责清单第三条", "suggested_department": "ZJJ"}
DUPLICATE = {"reason_code": "duplicate", "basis": "与另一单重复"}
EXTENSION = {"working_days": "3", "reason": "等待备件"}
SUSPENSION = {"reason": "管网改造未完", "plan": "随改造一并更换", "review_on": "2099-01-05"}
EXCLUSION = {"reason_code": "unreasonable", "evidence": "法院已有判决"}

# A question that is answered with yes or no cannot be answered wrongly.
YES_NO = ("valid", "contacted", "resolved", "fresh_limit", "rework")

Earlier = tuple[str, Action, dict[str, str]]


@dataclass(frozen=True)
class Case:
    """What has happened before, who acts, and the form as it is filled in."""

    action: Action
    who: str
    fields: dict[str, str] = field(default_factory=dict)
    last: Action | None = None
    before: tuple[Earlier, ...] = ()

    def __str__(self) -> str:
        return self.action


ASKED_RETURN: Earlier = ("cgj-handler", Action.REQUEST_RETURN, RETURN)
SECOND_RETURN = (ASKED_RETURN, ("dispatcher01", Action.REJECT_RETURN, WHY), ASKED_RETURN)
HANDED_ON: Earlier = ("cgj-lead", Action.DISPATCH_ON, {"department": "LD-CGJ"})

CASES = (
    Case(Action.DISPATCH, "dispatcher01", {"matter": "E03", "urgency": "urgent", "reason": "核对无误"}),
    Case(Action.TAKE_BACK, "dispatcher01", WHY, Action.DISPATCH),
    Case(Action.SIGN, "cgj-handler", {}, Action.DISPATCH),
    Case(Action.ASSIGN, "cgj-lead", {"username": "cgj-handler"}, Action.DISPATCH),
    Case(Action.DISPATCH_ON, "cgj-lead", {"department": "LD-CGJ", "reason": "属澜东"}, Action.DISPATCH),
    Case(Action.CONTACT, "cgj-handler", {"note": "约定下午到现场"}, Action.SIGN),
    Case(
        Action.REPLY,
        "cgj-handler",
        {"text": "已修复", "valid": "no", "contacted": "yes", "resolved": "no", "unresolved_reason": "待会商"},
        Action.SIGN,
    ),
    Case(Action.APPROVE, "cgj-lead", {}, Action.REPLY),
    Case(Action.SEND_BACK, "cgj-lead", WHY, Action.REPLY),
    Case(Action.REQUEST_RETURN, "cgj-handler", RETURN | {"note": "见附图"}, Action.DISPATCH),
    Case(Action.CANCEL_RETURN, "cgj-handler", {}, Action.DISPATCH, (ASKED_RETURN,)),
    Case(Action.ACCEPT_RETURN, "dispatcher01", WHY | {"department": "ZJJ"}, Action.DISPATCH, (ASKED_RETURN,)),
    Case(Action.REJECT_RETURN, "dispatcher01", WHY, Action.DISPATCH, (ASKED_RETURN,)),
    Case(
        Action.ADJUDICATE,
        "supervisor01",
        WHY | {"department": "ZJJ", "fresh_limit": "yes"},
        Action.DISPATCH,
        SECOND_RETURN,
    ),
    Case(Action.REQUEST_EXTENSION, "cgj-lead", EXTENSION, Action.SIGN),
    *(
        Case(action, "supervisor01", WHY, Action.SIGN, (("cgj-lead", Action.REQUEST_EXTENSION, EXTENSION),))
        for action in (Action.APPROVE_EXTENSION, Action.REFUSE_EXTENSION)
    ),
    Case(Action.REQUEST_SUSPENSION, "cgj-lead", SUSPENSION, Action.SIGN),
    *(
        Case(action, "supervisor01", WHY, Action.SIGN, (("cgj-lead", Action.REQUEST_SUSPENSION, SUSPENSION),))
        for action in (Action.APPROVE_SUSPENSION, Action.REFUSE_SUSPENSION)
    ),
    Case(
        Action.RESUME,
        "cgj-lead",
        WHY,
        Action.SIGN,
        (
            ("cgj-lead", Action.REQUEST_SUSPENSION, SUSPENSION),
            ("supervisor01", Action.APPROVE_SUSPENSION, WHY),
        ),
    ),
    Case(
        Action.ASK_COHANDLER,
        "cgj-handler",
        {"department": "ZJJ", "request": "提供图纸", "due": "2099-01-05T12:00"},
        Action.SIGN,
    ),
    Case(Action.COHANDLE, "gdgs-handler", {"report": "已断电配合"}, Action.SIGN),
    Case(Action.URGE, "agent01", WHY, Action.SIGN),
    Case(Action.SUPERVISE, "supervisor01", WHY | {"card": "yellow"}, Action.SIGN),
    Case(Action.RECLASSIFY, "dispatcher01", WHY | {"matter": "E04", "urgency": "urgent"}, Action.SIGN),
    Case(
        Action.FOLLOW_UP,
        "followup01",
        {"result": "unresolved", "comment": "灯又灭了，双方已说明", "rework": "no"},
        Action.APPROVE,
    ),
    Case(Action.REWORK, "supervisor01", WHY, Action.APPROVE),
    Case(Action.ANSWER, "agent01", {"answer": "路灯由城管局维护"}),
    Case(Action.UNMERGE, "dispatcher01", WHY, None, (("dispatcher01", Action.MERGE, {"into": "other"}),)),
    Case(Action.MERGE, "dispatcher01", {"into": "other"}),
    Case(Action.SPLIT, "dispatcher01", {"part_1": "井盖也坏了", "part_2": "噪声扰民", "part_2_matter": "D03"}),
    Case(Action.DECLINE, "dispatcher01", WHY),
    Case(Action.TRANSFER, "agent01", WHY),
    Case(Action.REQUEST_EXCLUSION, "cgj-lead", EXCLUSION, Action.SIGN),
    *(
        Case(action, "supervisor01", WHY, Action.SIGN, (("cgj-lead", Action.REQUEST_EXCLUSION, EXCLUSION),))
        for action in (Action.APPROVE_EXCLUSION, Action.REFUSE_EXCLUSION)
    ),
    Case(Action.WITHDRAW, "agent01", WHY),
)


def submit(browser: Browser, number: str, action: Action, fields: dict[str, str]) -> Any:
    return browser.send(f"/tickets/{number}/{action}", fields, form_on=f"/tickets/{number}")


def arranged(app: Flask, parts: Runtime, case: Case) -> tuple[str, dict[str, str]]:
    """Bring a ticket to where the case begins; return its number and the fields with real numbers in them."""
    with transaction(parts.sessions) as session:
        number = ticket_after(session, parts.context, case.last, caller_phone="13912345678").number
        other = ticket_after(session, parts.context, None).number

    def real(fields: dict[str, str]) -> dict[str, str]:
        return fields | ({"into": other} if "into" in fields else {})

    for who, action, fields in case.before:
        assert submit(browser_of(app, who), number, action, real(fields)).status_code == 302, action
    return number, real(case.fields)


def newest_event(parts: Runtime, number: str) -> TicketEvent:
    with transaction(parts.sessions) as session:
        query = select(TicketEvent).join(Ticket, Ticket.id == TicketEvent.ticket_id).where(Ticket.number == number)
        return session.scalars(query.where(TicketEvent.role != "system").order_by(TicketEvent.id.desc())).first()


def form_of(page: str, number: str, action: Action) -> str:
    found = re.search(rf'<form[^>]*action="/tickets/{number}/{action}".*?</form>', page, re.DOTALL)
    assert found, f"no form for {action}"
    return found[0]


def test_every_step_has_a_case() -> None:
    assert {case.action for case in CASES} == set(STEPS)


def test_the_forms_ask_for_what_the_steps_take() -> None:
    for action, step in STEPS.items():
        assert {asked.name for asked in FIELDS.get(action, ())} == set(step.schema.model_fields), action


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_form_of_a_step_does_the_step(standing_app: Flask, standing_parts: Runtime, case: Case) -> None:
    number, fields = arranged(standing_app, standing_parts, case)
    browser = browser_of(standing_app, case.who)
    form = form_of(browser.text(f"/tickets/{number}"), number, case.action)
    assert [name for name in fields if f'name="{name}"' not in form] == []
    answer = submit(browser, number, case.action, fields)
    assert (answer.status_code, answer.location) == (302, f"/tickets/{number}")
    event = newest_event(standing_parts, number)
    assert event.kind == case.action
    page = browser.text(f"/tickets/{number}")
    # The event stands in the timeline by its Chinese name, and nothing of it as a code.
    timeline = page[page.index('id="history"') :]
    assert not re.search(r"<strong>[a-z_]+", timeline)


@pytest.mark.parametrize("case", [case for case in CASES if len(FIELDS.get(case.action, ())) > 0], ids=str)
def test_a_mistake_stands_beside_its_field_and_costs_nothing(
    standing_app: Flask, standing_parts: Runtime, case: Case
) -> None:
    number, fields = arranged(standing_app, standing_parts, case)
    browser = browser_of(standing_app, case.who)
    before = newest_event(standing_parts, number).id
    # The last field that was filled in is cut short by a character that no field takes.
    name = next(name for name in reversed(fields) if not name.endswith("_matter") and name not in YES_NO)
    wrong = fields | {name: "\x01" + fields[name]}
    answer = submit(browser, number, case.action, wrong)
    page = answer.get_data(as_text=True)
    form = form_of(page, number, case.action)
    assert answer.status_code == 422
    assert newest_event(standing_parts, number).id == before
    assert "invalid-feedback" in form
    assert not re.search(r'<div class="invalid-feedback[^>]*>[A-Za-z ]+</div>', form), "an English message"
    for other, value in fields.items():
        if other != name and other not in YES_NO:
            assert value in form, f"{other} was lost"


def test_a_form_sent_twice_is_done_once(standing_app: Flask, standing_parts: Runtime) -> None:
    with transaction(standing_parts.sessions) as session:
        number = ticket_after(session, standing_parts.context, Action.SIGN).number
    browser = browser_of(standing_app, "agent01")
    page = browser.text(f"/tickets/{number}")
    form = dict(re.findall(r'name="(csrf_token|seen)" value="([^"]+)"', form_of(page, number, Action.URGE)))
    sent = [browser.client.post(f"/tickets/{number}/urge", data=form | WHY) for _ in range(2)]
    assert [answer.status_code for answer in sent] == [302, 302]
    with transaction(standing_parts.sessions) as session:
        assert session.scalars(select(Ticket.urges).where(Ticket.number == number)).one() == 1
    # The page that shows the first may be used to do it again.
    submit(browser, number, Action.URGE, dict(WHY, seen=str(newest_event(standing_parts, number).id)))
    with transaction(standing_parts.sessions) as session:
        assert session.scalars(select(Ticket.urges).where(Ticket.number == number)).one() == 2


def test_what_was_typed_too_late_is_shown_beside_the_fresh_state(standing_app: Flask, standing_parts: Runtime) -> None:
    with transaction(standing_parts.sessions) as session:
        number = ticket_after(session, standing_parts.context, Action.SIGN).number
    browser_of(standing_app, "cgj-lead").text(f"/tickets/{number}")
    reply = {"text": "已更换灯头", "valid": "yes", "contacted": "yes", "resolved": "yes"}
    assert submit(browser_of(standing_app, "cgj-handler"), number, Action.REPLY, reply).status_code == 302
    late = submit(
        browser_of(standing_app, "cgj-lead"), number, Action.REPLY, reply | {"text": "两人同时写的另一份反馈"}
    )
    page = late.get_data(as_text=True)
    assert late.status_code == 409
    assert "状态已变化" in page
    assert "已反馈" in page
    assert "两人同时写的另一份反馈" in page
    # So it is when the ticket has left the department in the meantime.
    lost = browser_of(standing_app, "zjj-handler").client
    token = browser_of(standing_app, "zjj-handler").token("/account")
    gone = lost.post(f"/tickets/{number}/reply", data=reply | {"csrf_token": token, "text": "写到一半"})
    assert gone.status_code == 404
    assert "写到一半" in gone.get_data(as_text=True)


def test_the_next_step_is_open_and_endings_stand_last(standing_app: Flask, standing_parts: Runtime) -> None:
    number, _fields = arranged(standing_app, standing_parts, CASES[0])
    page = browser_of(standing_app, "dispatcher01").text(f"/tickets/{number}")
    actions = re.findall(rf'action="/tickets/{number}/(\w+)" data-step', page)
    assert actions[0] == "dispatch"
    assert actions[-4:] == ["merge", "decline", "transfer", "withdraw"]
    assert page.count('name="todo" open') == 1


def test_dues_tell_what_is_left_and_the_exact_instant(standing_app: Flask, standing_parts: Runtime) -> None:
    with transaction(standing_parts.sessions) as session:
        ticket = ticket_after(session, standing_parts.context, Action.DISPATCH)
        number, due = ticket.number, ticket.handle_due
    page = browser_of(standing_app, "cgj-handler").text(f"/tickets/{number}")
    assert due is not None
    assert f'datetime="{due.isoformat()}" title="{due.astimezone(CITY_ZONE):%Y-%m-%d %H:%M}"' in page
    assert re.search(r">\s*剩 \d+ 个工作日", page)
    with transaction(standing_parts.sessions) as session:
        session.query(Ticket).filter(Ticket.number == number).update(
            {"handle_due": standing_parts.context.now() - timedelta(days=9)}
        )
    assert re.search(r"超 \d+ 个工作日", browser_of(standing_app, "cgj-handler").text(f"/tickets/{number}"))


def test_merged_callers_and_split_children_stand_with_the_words(standing_app: Flask, standing_parts: Runtime) -> None:
    with transaction(standing_parts.sessions) as session:
        one = ticket_after(session, standing_parts.context, Action.SIGN).number
        two = ticket_after(
            session, standing_parts.context, None, caller_name="王小明", caller_phone="13912345678"
        ).number
        three = ticket_after(session, standing_parts.context, None).number
    dispatcher = browser_of(standing_app, "dispatcher01")
    submit(dispatcher, two, Action.MERGE, {"into": one})
    submit(dispatcher, three, Action.SPLIT, {"part_1": "井盖也坏了"})
    page = dispatcher.text(f"/tickets/{one}")
    assert f'href="/tickets/{two}"' in page
    assert "139****5678" in page
    assert "13912345678" not in page
    children = dispatcher.text(f"/tickets/{three}")
    assert "井盖也坏了" in children
    # The department sees that somebody joined, but cannot open a ticket that is not its own.
    handler = browser_of(standing_app, "cgj-handler").text(f"/tickets/{one}")
    assert two in handler
    assert f'href="/tickets/{two}"' not in handler


def test_colleagues_see_one_another_and_news(app: Flask, parts: Runtime) -> None:
    with transaction(parts.sessions) as session:
        number = ticket_after(session, parts.context, Action.SIGN).number
        seen = session.scalars(select(TicketEvent.id).order_by(TicketEvent.id.desc()).limit(1)).one()
    handler, lead, outsider = (browser_of(app, who) for who in ("cgj-handler", "cgj-lead", "zjj-handler"))
    path = f"/tickets/{number}/presence"

    def told(browser: Browser, **more: str) -> Any:
        return browser.send(path, {"seen": str(seen), **more}, form_on="/account")

    assert "城管局" not in told(handler).get_data(as_text=True)
    shown = told(lead, editing="yes").get_data(as_text=True)
    assert "城管局经办 正在查看" in shown
    assert "新的办理动态" not in shown
    assert "城管局负责人 正在填写" in told(handler).get_data(as_text=True)
    assert told(outsider).status_code == 404
    submit(handler, number, Action.CONTACT, {"note": "已联系"})
    assert "新的办理动态" in told(lead).get_data(as_text=True)
