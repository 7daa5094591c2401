"""Steps over the API: what each asks for, what is refused and how, and that a refused step leaves no trace."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.factories import ApiClient, row_counts, ticket_after

from hotline.bootstrap import Runtime
from hotline.domain.ticket import Action
from hotline.storage.engine import transaction
from hotline.web.steps import STEPS

Api = Callable[[str], ApiClient]

# Step, who takes it, a body that is wrong, and the field that is named.
WRONG: list[tuple[Action, str, dict[str, Any], str]] = [
    (Action.DISPATCH, "dispatcher01", {"matter": "Z99"}, "matter"),
    (Action.DISPATCH, "dispatcher01", {"matter": 3}, "matter"),
    (Action.DISPATCH, "dispatcher01", {"department": "NOBODY"}, "department"),
    (Action.DISPATCH, "dispatcher01", {"urgency": "soon"}, "urgency"),
    (Action.DISPATCH, "dispatcher01", {}, "matter"),
    (Action.DISPATCH, "dispatcher01", {"matter": "E03", "owner": "CGJ"}, "owner"),
    (Action.SIGN, "cgj-handler", {"reason": "x"}, "reason"),
    (Action.REPLY, "cgj-handler", {}, "text"),
    (Action.REPLY, "cgj-handler", {"text": " "}, "text"),
    (Action.REPLY, "cgj-handler", {"text": "x" * 20_001}, "text"),
    (Action.REPLY, "cgj-handler", {"text": "已处理\x00"}, "text"),
    (Action.REPLY, "cgj-handler", {"text": "已处理", "resolved": "no"}, "resolved"),
    (Action.REPLY, "cgj-handler", {"text": "已处理", "resolved": False}, "unresolved_reason"),
    (Action.SEND_BACK, "cgj-lead", {}, "reason"),
    (Action.FOLLOW_UP, "followup01", {}, "result"),
    (Action.FOLLOW_UP, "followup01", {"result": "perhaps"}, "result"),
    (Action.FOLLOW_UP, "followup01", {"result": "refused", "satisfaction": "satisfied"}, "satisfaction"),
    (Action.FOLLOW_UP, "followup01", {"result": "anonymous"}, "result"),
    (Action.ANSWER, "agent01", {}, "answer"),
    (Action.MERGE, "agent01", {}, "into"),
    (Action.MERGE, "agent01", {"into": "20991231-999999"}, "into"),
    (Action.DECLINE, "dispatcher01", {"reason": ""}, "reason"),
    (Action.TRANSFER, "agent01", {"reason": None}, "reason"),
    (Action.WITHDRAW, "agent01", {"reason": "\u3000"}, "reason"),
]
BEFORE = {
    Action.SIGN: Action.DISPATCH,
    Action.REPLY: Action.SIGN,
    Action.SEND_BACK: Action.REPLY,
    Action.FOLLOW_UP: Action.APPROVE,
}


@pytest.fixture
def unchanged(standing_parts: Runtime) -> Iterator[Callable[[], None]]:
    """Give a function to call when everything is prepared; what follows it must store nothing."""
    before: list[dict[str, int]] = []
    yield lambda: before.append(row_counts(standing_parts))
    assert before == [row_counts(standing_parts)]


@pytest.mark.parametrize(("action", "username", "body", "field"), WRONG)
def test_a_step_with_something_wrong_names_the_field_and_changes_nothing(
    standing_api: Api,
    standing_parts: Runtime,
    unchanged: Callable[[], None],
    action: Action,
    username: str,
    body: dict[str, Any],
    field: str,
) -> None:
    with transaction(standing_parts.sessions) as session:
        ticket = ticket_after(session, standing_parts.context, BEFORE.get(action))
        number, state = ticket.number, ticket.state
    client = standing_api(username)
    unchanged()
    answer = client.post(f"/api/v1/tickets/{number}/actions/{action}", body)
    assert (answer.status_code, answer.content_type) == (422, "application/problem+json"), answer.json
    assert [error["field"] for error in answer.json["errors"]] == [field]
    assert client.get(f"/api/v1/tickets/{number}").json["state"] == state


def test_a_step_out_of_turn_says_what_is_possible_now(standing_api: Api, standing_parts: Runtime) -> None:
    with transaction(standing_parts.sessions) as session:
        number = ticket_after(session, standing_parts.context, Action.DISPATCH).number
    answer = standing_api("cgj-lead").post(f"/api/v1/tickets/{number}/actions/approve", {})
    assert (answer.status_code, answer.json["state"]) == (409, "awaiting_sign")
    assert "sign" in answer.json["allowed_actions"]
    assert "approve" not in answer.json["allowed_actions"]


def test_a_step_of_another_role_is_forbidden(standing_api: Api, standing_parts: Runtime) -> None:
    with transaction(standing_parts.sessions) as session:
        number = ticket_after(session, standing_parts.context, Action.DISPATCH).number
    answer = standing_api("supervisor01").post(f"/api/v1/tickets/{number}/actions/sign", {})
    assert answer.status_code == 403
    assert "withdraw" in answer.json["allowed_actions"]
    assert "sign" not in answer.json["allowed_actions"]


def test_nobody_approves_a_reply_of_their_own(standing_api: Api, standing_parts: Runtime) -> None:
    with transaction(standing_parts.sessions) as session:
        number = ticket_after(session, standing_parts.context, Action.SIGN).number
    lead, path = standing_api("cgj-lead"), f"/api/v1/tickets/{number}"
    assert lead.post(f"{path}/actions/reply", {"text": "已处理"}).status_code == 200
    refused = lead.post(f"{path}/actions/approve", {})
    assert refused.status_code == 403
    shown = lead.get(path).json
    assert (shown["state"], shown["completed_at"], shown["replies"][0]["approved_at"]) == ("replied", None, None)


def test_a_step_that_does_not_exist_lists_those_that_do(standing_api: Api) -> None:
    answer = standing_api("agent01").post("/api/v1/tickets/20261125-000001/actions/close", {})
    assert answer.status_code == 404
    assert all(action in answer.json["detail"] for action in STEPS)


def test_the_system_alone_queues_a_ticket(standing_api: Api, standing_parts: Runtime) -> None:
    with transaction(standing_parts.sessions) as session:
        number = ticket_after(session, standing_parts.context, None).number
    assert standing_api("supervisor01").post(f"/api/v1/tickets/{number}/actions/queue", {}).status_code == 404
