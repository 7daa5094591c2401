"""Two people act on one ticket in the same moment: one wins, the other is told how things stand now."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import func, select
from tests.factories import ApiClient, receive, ticket_after

from hotline.bootstrap import Runtime
from hotline.domain.ticket import Action
from hotline.storage.engine import transaction
from hotline.storage.tables import Reply, Ticket, TicketEvent

Api = Callable[[str], ApiClient]
Move = tuple[str, str, dict[str, Any]]

REPLY = {"text": "已更换灯头", "valid": True, "contacted": True, "resolved": True}
WHY = {"reason": "诉求人来电撤回"}

# What has happened before, what two people do now, and the states that either leads to.
CLASHES: dict[str, tuple[Action | None, Move, Move, set[str]]] = {
    "two dispatchers": (
        None,
        ("dispatcher01", "dispatch", {"matter": "E03"}),
        ("dispatcher02", "dispatch", {"matter": "C04"}),
        {"awaiting_sign"},
    ),
    "dispatch and decline": (
        None,
        ("agent01", "dispatch", {"matter": "E03"}),
        ("supervisor01", "decline", {"reason": "请向法院提出"}),
        {"awaiting_sign", "declined"},
    ),
    "two handlers sign": (
        Action.DISPATCH,
        ("cgj-handler", "sign", {}),
        ("cgj-lead", "sign", {}),
        {"handling"},
    ),
    "two replies": (Action.SIGN, ("cgj-handler", "reply", REPLY), ("cgj-lead", "reply", REPLY), {"replied"}),
    "approve and send back": (
        Action.REPLY,
        ("cgj-lead", "approve", {}),
        ("cgj-lead", "send_back", {"reason": "请补充"}),
        {"awaiting_followup", "handling"},
    ),
    "two follow-ups": (
        Action.APPROVE,
        ("followup01", "follow_up", {"result": "resolved", "satisfaction": "satisfied"}),
        ("followup02", "follow_up", {"result": "unresolved", "satisfaction": "dissatisfied"}),
        {"closed", "handling"},
    ),
}


def both(api: Api, moves: list[tuple[str, str, dict[str, Any]]]) -> list[Any]:
    """Post all at once; each move is (username, path, body)."""
    together = Barrier(len(moves))
    clients = [api(username) for username, _, _ in moves]

    def post(client: ApiClient, path: str, body: dict[str, Any]) -> Any:
        together.wait()
        return client.post(path, body)

    with ThreadPoolExecutor(len(moves)) as threads:
        tasks = [
            threads.submit(post, client, path, body) for client, (_, path, body) in zip(clients, moves, strict=True)
        ]
        return [task.result() for task in tasks]


@pytest.mark.parametrize(("before", "first", "second", "states"), CLASHES.values(), ids=CLASHES)
def test_one_wins_and_the_other_learns_the_fresh_state(
    api: Api, parts: Runtime, before: Action | None, first: Move, second: Move, states: set[str]
) -> None:
    with transaction(parts.sessions) as session:
        number = ticket_after(session, parts.context, before).number
        events = session.scalar(select(func.count()).select_from(TicketEvent)) or 0
    path = f"/api/v1/tickets/{number}/actions"
    answers = both(api, [(username, f"{path}/{action}", body) for username, action, body in (first, second)])
    won, lost = sorted(answers, key=lambda answer: answer.status_code)
    assert (won.status_code, lost.status_code) == (200, 409), lost.get_data(as_text=True)
    assert lost.content_type == "application/problem+json"
    assert won.json["state"] in states
    assert lost.json["state"] == won.json["state"]
    assert isinstance(lost.json["allowed_actions"], list)
    with transaction(parts.sessions) as session:
        assert session.scalars(select(Ticket)).one().state == won.json["state"]
        new = session.scalars(select(TicketEvent).order_by(TicketEvent.id).offset(events)).all()
        assert len({event.account_id for event in new if event.account_id is not None}) == 1, "both left a trace"
        assert (session.scalar(select(func.count()).select_from(Reply)) or 0) <= 1


def test_two_tickets_merged_into_each_other_do_not_block_one_another(api: Api, parts: Runtime) -> None:
    with transaction(parts.sessions) as session:
        pairs = [(receive(session, parts.context).number, receive(session, parts.context).number) for _ in range(8)]
    for one, two in pairs:
        path = "/api/v1/tickets/{}/actions/merge".format
        answers = both(api, [("agent01", path(one), {"into": two}), ("agent02", path(two), {"into": one})])
        assert sorted(answer.status_code for answer in answers) == [200, 422]
        refused = next(answer for answer in answers if answer.status_code == 422)
        assert refused.json["errors"][0]["field"] == "into"
        with transaction(parts.sessions) as session:
            states = session.scalars(select(Ticket.state).where(Ticket.number.in_((one, two)))).all()
        assert sorted(states) == ["merged", "received"]
