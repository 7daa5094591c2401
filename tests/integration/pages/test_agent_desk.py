"""The agent's workplace on the server's side: who calls, advice while typing, drafts, announced calls."""

import json
import re
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import func, select
from tests.factories import STREET_LIGHT, ApiClient, actor_named, row_counts, run_jobs
from tests.integration.browser import Browser

from hotline.bootstrap import Runtime
from hotline.services import knowledge
from hotline.storage.engine import transaction
from hotline.storage.tables import Draft, KnowledgeEntry, Ticket

NEW, ASSIST, CALLER, DRAFTS = "/tickets/new", "/calls/assist", "/calls/caller", "/drafts"
PHONE = "13912345678"


@pytest.fixture
def agent(app: Flask) -> Browser:
    browser = Browser.of(app)
    assert browser.sign_in("agent01").status_code == 302
    return browser


def part(browser: Browser, path: str, **fields: str) -> str:
    """Ask for a part of the page as htmx does."""
    answer = browser.client.post(path, data=fields | {"csrf_token": browser.token(NEW)}, headers={"HX-Request": "true"})
    assert answer.status_code == 200, answer.status
    return answer.get_data(as_text=True)


def test_an_agent_starts_at_the_desk(agent: Browser) -> None:
    assert agent.get("/").location == NEW


def test_advice_names_matters_owner_dues_and_questions_and_writes_nothing(agent: Browser, parts: Runtime) -> None:
    before = row_counts(parts)
    shown = part(agent, ASSIST, content="幸福路的路灯坏了好几盏，过马路很危险")
    assert shown.count("data-pick=") == 3
    assert 'data-pick="E03"' in shown
    assert "<mark>" in shown
    assert "澜州市城市管理局（主办）" in shown
    assert re.search(r"办结 20\d\d-\d\d-\d\d", shown)
    assert "从什么时候开始" in shown
    assert row_counts(parts) == before


def test_the_agents_own_matter_changes_owner_and_dues(agent: Browser) -> None:
    shown = part(agent, ASSIST, content=STREET_LIGHT, matter="A01", type="咨询")
    assert "澜州市城市管理局（主办）" not in shown
    assert "澜州市公安局（主办）" in shown


@pytest.mark.parametrize(
    ("content", "says"), [("厨房闻到很大的煤气味", "119"), ("楼上有人要跳楼", "110"), ("老人昏迷了快救人", "120")]
)
def test_danger_turns_the_head_red_and_says_what_to_do(agent: Browser, content: str, says: str) -> None:
    shown = part(agent, ASSIST, content=content)
    head = shown[: shown.index("</div>")]
    assert "call-head-critical" in head
    assert says in head


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"content": " "},
        {"content": "路" * 20_000},
        {"content": "<script>alert(1)</script>路灯坏了"},
        {"content": "路灯\x00不亮", "matter": "\x00", "type": "x", "urgency": "soon", "district": "\x00"},
    ],
)
def test_strange_words_get_advice_or_none(agent: Browser, fields: dict[str, str]) -> None:
    assert "<script>alert" not in part(agent, ASSIST, **fields)


def test_the_callers_tickets_appear_by_number_and_masked(agent: Browser, parts: Runtime) -> None:
    call = {"channel": "phone", "content": f"我叫王小明，电话{PHONE}，路灯不亮", "caller_phone": PHONE}
    number = agent.send(NEW, call, form_on=NEW).location.rsplit("/", 1)[1]
    run_jobs(parts)
    shown = part(agent, CALLER, caller_phone="139 1234 5678")
    assert number in shown
    assert "王小明" not in shown
    assert PHONE not in shown
    assert number not in part(agent, CALLER, caller_phone="13912345679")
    assert "第一次来电" in part(agent, CALLER, caller_phone="13912345679")
    assert number not in part(agent, CALLER, caller_phone="139")


def test_a_department_is_told_nothing_of_callers(app: Flask) -> None:
    handler = Browser.of(app)
    handler.sign_in("cgj-handler")
    fields = {"caller_phone": PHONE, "csrf_token": handler.token("/tickets")}
    for path in (CALLER, ASSIST, DRAFTS):
        assert handler.client.post(path, data=fields).status_code == 403


def test_a_draft_is_kept_while_typing_and_comes_back_by_its_address(agent: Browser) -> None:
    key = agent.key(NEW)
    saved = agent.client.post(
        DRAFTS, data={"csrf_token": agent.token(NEW), "key": key, "content": STREET_LIGHT, "caller_phone": PHONE}
    )
    assert "草稿已存" in saved.get_data(as_text=True)
    assert saved.headers["HX-Replace-Url"] == f"{NEW}?draft={key}"
    again = agent.text(NEW, draft=key)
    assert PHONE in again
    assert STREET_LIGHT in again
    assert f'name="key" value="{key}"' in again
    # Elsewhere it stands in the list, without the number.
    other = agent.text(NEW)
    assert saved.headers["HX-Replace-Url"] in other
    assert PHONE not in other


def test_a_saved_call_takes_its_draft_with_it(agent: Browser, parts: Runtime) -> None:
    key = agent.key(NEW)
    call = {"csrf_token": agent.token(NEW), "key": key, "channel": "phone", "content": STREET_LIGHT}
    agent.client.post(DRAFTS, data=call)
    assert agent.client.post(NEW, data=call).status_code == 302
    agent.client.post(DRAFTS, data=call)
    with transaction(parts.sessions) as session:
        assert session.scalar(select(func.count()).select_from(Draft)) == 0
    assert agent.get(NEW, draft=key).location == NEW


def test_a_call_with_a_mistake_keeps_its_draft(agent: Browser) -> None:
    key = agent.key(NEW)
    call = {"csrf_token": agent.token(NEW), "key": key, "content": STREET_LIGHT, "caller_phone": "12"}
    agent.client.post(DRAFTS, data=call)
    assert agent.client.post(NEW, data=call).status_code == 422
    assert STREET_LIGHT in agent.text(NEW, draft=key)


def test_a_draft_can_be_thrown_away(agent: Browser) -> None:
    key = agent.key(NEW)
    agent.client.post(DRAFTS, data={"csrf_token": agent.token(NEW), "key": key, "content": STREET_LIGHT})
    agent.send(f"{DRAFTS}/{key}/discard", {}, form_on=NEW)
    assert "未提交的草稿" not in agent.text(NEW)


def test_a_part_of_the_page_does_not_turn_into_the_login_page(app: Flask) -> None:
    stranger = Browser.of(app)
    for path in (ASSIST, DRAFTS, CALLER):
        answer = stranger.client.post(path, data={"content": STREET_LIGHT}, headers={"HX-Request": "true"})
        assert answer.status_code == 401


def test_an_answer_or_another_ticket_settles_the_call(agent: Browser, parts: Runtime) -> None:
    call = {"channel": "phone", "content": STREET_LIGHT}
    first = agent.send(NEW, call, form_on=NEW).location.rsplit("/", 1)[1]
    joined = agent.send(NEW, call | {"merge_into": first}, form_on=NEW).location.rsplit("/", 1)[1]
    answered = agent.send(NEW, call | {"type": "咨询", "answer": "请到窗口办理"}, form_on=NEW).location.rsplit("/", 1)[
        1
    ]
    with transaction(parts.sessions) as session:
        states = {row.number: row.state for row in session.scalars(select(Ticket))}
    assert states[joined] == "merged"
    assert states[answered] in ("answered", "awaiting_followup", "closed")


def test_the_telephone_announces_a_call_and_the_link_tells_nothing(
    api: Callable[..., ApiClient], agent: Browser, parts: Runtime
) -> None:
    made = api("agent01").post("/api/v1/calls", {"phone": "139 1234 5678"})
    assert made.status_code == 201
    path = json.loads(made.data)["url"].removeprefix("http://localhost")
    assert "1234" not in path
    assert f'value="{PHONE}"' in agent.text(path)
    assert agent.get(path + "x").status_code == 404


@pytest.mark.parametrize("body", [{}, {"phone": "12"}, {"phone": None}, {"phone": PHONE, "name": "x"}])
def test_a_call_without_a_number_is_refused(api: Callable[..., ApiClient], body: object) -> None:
    assert api("agent01").post("/api/v1/calls", body).status_code == 422


def test_who_takes_no_calls_announces_none(api: Callable[..., ApiClient]) -> None:
    assert api("cgj-handler").post("/api/v1/calls", {"phone": PHONE}).status_code == 403


def test_the_interface_speaks_english_on_request_and_remembers(agent: Browser) -> None:
    assert "登记来电" in agent.text(NEW)
    answer = agent.client.post(
        "/language",
        data={"csrf_token": agent.token(NEW), "language": "en"},
        headers={"Referer": f"http://localhost{NEW}"},
    )
    assert answer.location == NEW
    page = agent.text(NEW)
    assert '<html lang="en">' in page
    assert "New call" in page
    assert "登记来电" not in page


@pytest.mark.parametrize("came_from", ["http://elsewhere.example/x", "http://localhost.evil/x", "javascript:1", ""])
def test_who_changes_the_language_is_sent_nowhere_else(agent: Browser, came_from: str) -> None:
    fields = {"csrf_token": agent.token(NEW), "language": "en"}
    assert agent.client.post("/language", data=fields, headers={"Referer": came_from}).location == "/"


def test_similar_open_tickets_can_be_joined_with_one_button(agent: Browser, parts: Runtime) -> None:
    first = agent.send(NEW, {"channel": "phone", "content": STREET_LIGHT}, form_on=NEW).location.rsplit("/", 1)[1]
    run_jobs(parts)
    shown = part(agent, "/calls/similar", content="幸福路和团结街路口的路灯不亮好几天了，晚上很危险")
    assert f'name="merge_into" value="{first}"' in shown
    assert first not in part(agent, "/calls/similar", content="想问一下居住证怎么办理，要带什么材料")
    assert part(agent, "/calls/similar", content="喂").strip() == ""


def test_a_standard_answer_settles_an_inquiry_and_its_entry_is_kept(agent: Browser, parts: Runtime) -> None:
    with transaction(parts.sessions) as session:
        text = knowledge.EntryText(
            question="居住证怎么申领？", answer="连续居住满半年，带身份证和租房合同到派出所办理。", matter="A02"
        )
        entry = knowledge.add(session, parts.context, text, actor_named(session, "supervisor01"))
        entry_id = entry.id
    question = "你好，我想问一下居住证怎么申领，要带什么"
    shown = part(agent, "/calls/similar", content=question)
    assert "连续居住满半年" in shown
    call = {"channel": "phone", "content": question, "type": "咨询", "answer": text.answer}
    number = agent.send(NEW, call | {"knowledge_entry": str(entry_id)}, form_on=NEW).location.rsplit("/", 1)[1]
    with transaction(parts.sessions) as session:
        ticket = session.scalars(select(Ticket).where(Ticket.number == number)).one()
        assert ticket.answer == text.answer
        assert session.get_one(KnowledgeEntry, entry_id).used == 1
