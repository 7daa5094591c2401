"""A retry with the same Idempotency-Key gives the first answer instead of a second ticket."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from sqlalchemy import select, update
from tests.factories import STREET_LIGHT, ApiClient, row_counts, run_jobs

from hotline.bootstrap import Runtime, utc_now
from hotline.jobs.queue import enqueue
from hotline.jobs.registry import PRUNE
from hotline.jobs.runner import Outcome
from hotline.storage.engine import transaction
from hotline.storage.tables import IdempotencyKey

Api = Callable[[str], ApiClient]
TICKETS = "/api/v1/tickets"
CALL = {"channel": "phone", "content": STREET_LIGHT, "caller": {"name": "王小明", "phone": "13912345678"}}


def test_a_retry_gives_the_same_ticket_again(api: Api, parts: Runtime) -> None:
    agent = api("agent01")
    first = agent.post(TICKETS, CALL, idempotency_key="call-1")
    again = agent.post(TICKETS, CALL, idempotency_key="call-1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json == first.json
    assert again.headers["Location"] == first.headers["Location"]
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    counted = row_counts(parts)
    assert (counted["ticket"], counted["caller"], counted["ticket_event"], counted["job"]) == (1, 1, 1, 1)


def test_a_retry_after_triage_shows_the_ticket_as_it_is_now(api: Api, parts: Runtime) -> None:
    agent = api("agent01")
    number = agent.post(TICKETS, CALL, idempotency_key="call-1").json["number"]
    assert run_jobs(parts) == [Outcome.DONE]
    again = agent.post(TICKETS, CALL, idempotency_key="call-1")
    assert (again.status_code, again.json["number"], again.json["matter"]) == (201, number, "E03")
    assert row_counts(parts)["job"] == 1


def test_the_order_and_spelling_of_a_retry_do_not_matter(api: Api) -> None:
    agent = api("agent01")
    first = agent.post(TICKETS, CALL, idempotency_key="call-1")
    other = dict(reversed(CALL.items())) | {"caller": {"phone": "+86 139-1234-5678", "name": " 王小明 "}, "title": None}
    again = agent.post(TICKETS, other, idempotency_key="call-1")
    assert (again.status_code, again.json["number"]) == (201, first.json["number"])


def test_a_key_used_for_something_else_is_a_conflict(api: Api, parts: Runtime) -> None:
    agent = api("agent01")
    agent.post(TICKETS, CALL, idempotency_key="call-1")
    before = row_counts(parts)
    for change in (
        {"content": "井盖没了"},
        {"caller": {"phone": "13912345679"}},
        {"confidential": True},
        {"wish": "x"},
    ):
        other = agent.post(TICKETS, CALL | change, idempotency_key="call-1")
        assert other.status_code == 409
        assert other.content_type == "application/problem+json"
        assert "Idempotency-Key" in other.json["detail"]
        assert "139" not in other.get_data(as_text=True)
    assert row_counts(parts) == before


def test_without_a_key_two_identical_calls_are_two_tickets(api: Api) -> None:
    first, second = (api("agent01").post(TICKETS, CALL).json["number"] for _ in range(2))
    assert first != second


def test_keys_are_each_accounts_own(api: Api) -> None:
    first = api("agent01").post(TICKETS, CALL, idempotency_key="call-1")
    other = api("agent02").post(TICKETS, CALL | {"content": "井盖没了"}, idempotency_key="call-1")
    assert (first.status_code, other.status_code) == (201, 201)
    assert first.json["number"] != other.json["number"]


def test_a_failed_first_attempt_does_not_burn_the_key(api: Api, parts: Runtime) -> None:
    agent = api("agent01")
    merge = CALL | {"disposition": "merge", "merge_into": "20991231-999999"}
    # This one fails deep inside the transaction, after the key was written.
    assert agent.post(TICKETS, merge, idempotency_key="call-1").status_code == 422
    assert agent.post(TICKETS, CALL | {"district": "XX"}, idempotency_key="call-1").status_code == 422
    assert row_counts(parts)["idempotency_key"] == 0
    assert agent.post(TICKETS, CALL, idempotency_key="call-1").status_code == 201


def test_what_is_kept_of_a_request_tells_nothing_about_the_citizen(api: Api, parts: Runtime) -> None:
    api("agent01").post(TICKETS, CALL, idempotency_key="call-1")
    with transaction(parts.sessions) as session:
        kept = session.scalars(select(IdempotencyKey)).one()
    # A client may well make its keys of the caller's phone.
    assert (len(kept.key), len(kept.fingerprint)) == (64, 64)
    assert not [word for word in ("139", "王小明", "路灯") if word in kept.fingerprint]


def test_keys_are_forgotten_after_a_week_and_kept_before(api: Api, parts: Runtime) -> None:
    agent = api("agent01")
    for days, key in ((8, "old"), (6, "young")):
        agent.post(TICKETS, CALL, idempotency_key=key)
        with transaction(parts.sessions) as session:
            kept = parts.context.vault.index(f"idempotency:{key}")
            row = update(IdempotencyKey).where(IdempotencyKey.key == kept)
            session.execute(row.values(created_at=utc_now() - timedelta(days=days)))
    with transaction(parts.sessions) as session:
        enqueue(session, PRUNE, {})
    assert set(run_jobs(parts)) == {Outcome.DONE}
    with transaction(parts.sessions) as session:
        assert session.scalars(select(IdempotencyKey.key)).all() == [parts.context.vault.index("idempotency:young")]


def test_identical_calls_from_many_threads_make_one_ticket(api: Api, parts: Runtime) -> None:
    agent = api("agent01")

    def post(_: int) -> tuple[int, str]:
        answer = ApiClient(agent.client.application.test_client(), agent.token).post(
            TICKETS, CALL, idempotency_key="call-1"
        )
        return answer.status_code, answer.json["number"]

    with ThreadPoolExecutor(10) as threads:
        answers = set(threads.map(post, range(20)))
    assert len(answers) == 1
    assert next(iter(answers))[0] == 201
    counted = row_counts(parts)
    assert (counted["ticket"], counted["ticket_event"], counted["job"], counted["idempotency_key"]) == (1, 1, 1, 1)
