"""Similar tickets and the knowledge base over the API."""

from collections.abc import Callable

import pytest
from sqlalchemy import select
from tests.factories import ApiClient, receive

from hotline.bootstrap import Runtime
from hotline.domain.people import SYSTEM
from hotline.services import knowledge, vectors
from hotline.storage.engine import transaction
from hotline.storage.tables import Ticket

LIFT = "金茂小区3栋的电梯坏了三天，老人上下楼很不方便"


@pytest.fixture
def agent(api: Callable[[str], ApiClient]) -> ApiClient:
    return api("agent01")


def test_words_and_tickets_find_what_is_similar(agent: ApiClient, parts: Runtime) -> None:
    with transaction(parts.sessions) as session:
        one = receive(session, parts.context, content=LIFT, caller_name="王小明", caller_phone="13912345678").number
        other = receive(session, parts.context, content=f"{LIFT}，13912345678").number
        vectors.keep_vectors(session, parts.context, session.scalars(select(Ticket)).all())
    typed = agent.post("/api/v1/similar", {"content": LIFT}).get_json()["tickets"]
    assert {ticket["number"] for ticket in typed} == {one, other}
    assert all(ticket["same"] for ticket in typed)
    assert "13912345678" not in str(typed)
    near = agent.get(f"/api/v1/tickets/{one}/similar").get_json()
    assert [ticket["number"] for ticket in near["tickets"]] == [other]
    assert near["solved"] == []


def test_wrong_fields_are_named(agent: ApiClient) -> None:
    assert agent.post("/api/v1/similar", {"content": " "}).status_code == 422
    assert agent.post("/api/v1/similar", {"content": LIFT, "days": 0}).status_code == 422
    assert agent.get("/api/v1/tickets/20260101-999999/similar").status_code == 404
    assert agent.get("/api/v1/knowledge").status_code == 422


def test_the_knowledge_base_answers_a_question(agent: ApiClient, parts: Runtime) -> None:
    text = knowledge.EntryText(
        question="身份证丢失后怎么补办？", answer="到任一派出所申请补领。", matter="A01", owner="CGJ"
    )
    with transaction(parts.sessions) as session:
        knowledge.add(session, parts.context, text, SYSTEM)
    found = agent.get("/api/v1/knowledge", q="身份证丢了").get_json()["entries"]
    assert [entry["question"] for entry in found] == [text.question]
    assert found[0]["owner"]
