"""Two hundred callers tell everything about themselves, and nothing of it is found where it does not belong.

What may hold it: the words of tickets and replies in their own columns, the sealed caller, and the answer to a reveal.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from redis import Redis
from sqlalchemy import text
from tests.drills.stack import Stack, open_stack
from tests.drills.web import Web
from tests.integration.browser import Browser
from tests.integration.privacy import city_day
from tests.integration.privacy.city_day import ROLES, Day
from tests.integration.privacy.seeds import Person, Place, hits, leaks, people

from hotline.storage.engine import transaction
from hotline.storage.tables import Base
from hotline.web.app import create_app

pytestmark = [pytest.mark.drill, pytest.mark.timeout(600)]

CALLERS = 200
OWN_COLUMNS = {"ticket": ("title", "content", "wish", "address", "answer"), "reply": ("text", "unresolved_reason")}


@dataclass
class Watch:
    """Everything that goes through Redis, and what lies in it at some moments."""

    broker: Redis
    seen: list[str]

    def look(self) -> None:
        """Read every key."""
        for key in self.broker.scan_iter():
            kind = self.broker.type(key)
            value = {
                b"list": lambda k: self.broker.lrange(k, 0, -1),
                b"hash": self.broker.hgetall,
                b"set": self.broker.smembers,
                b"string": self.broker.get,
                b"zset": lambda k: self.broker.zrange(k, 0, -1),
            }[kind](key)
            self.seen.append(f"{key!r} {value!r}".encode().decode("unicode_escape", "replace"))


@dataclass
class Swept:
    """The day, and what Redis was told during its ordinary part."""

    day: Day
    seeds: list[Person]
    redis: list[str]


@pytest.fixture(scope="module")
def swept() -> Iterator[Swept]:
    """An installation after its day."""
    seeds = people(CALLERS)
    with open_stack() as stack:
        stack.start_worker()
        stack.start_beat()
        day = Day(stack, stack.start_web())
        with stack.broker.monitor() as monitor:
            city_day.live(day, seeds)
            city_day.go_wrong(day, seeds[0])
            city_day.go_wrong(day, seeds[1])
            watch = Watch(Redis.from_url(stack.parts.settings.redis_url), [])
            watch.look()
            watch.seen += _heard(monitor, stack)
        city_day.break_things(day, seeds[2])
        yield Swept(day, seeds, watch.seen)


def _heard(monitor: object, stack: Stack) -> list[str]:
    stack.broker.set("end-of-day", 1)
    lines: list[str] = []
    for line in monitor.listen():
        lines.append(line["command"])
        if "end-of-day" in line["command"]:
            return lines
    return lines


def test_the_search_finds_what_it_looks_for(swept: Swept) -> None:
    """Every spelling of the seeds is found by the search, so that its silence means something."""
    for person in swept.seeds[:60]:
        for offset in range(12):
            found = " ".join(hits(person.letter(offset), [person]))
            assert all(kind in found for kind in ("phone", "id", "card", "name")), person.letter(offset)


def test_the_day_was_a_full_one(swept: Swept) -> None:
    """A sweep over an empty house proves nothing."""
    rows = swept.day.stack.rows
    assert rows("SELECT count(*) FROM ticket")[0][0] == CALLERS + 1
    assert {state for (state,) in rows("SELECT DISTINCT state FROM ticket")} >= {"closed", "answered", "withdrawn"}
    kinds = {kind for (kind,) in rows("SELECT DISTINCT kind FROM ticket_event WHERE reason IS NOT NULL")}
    assert kinds >= {"dispatch", "send_back", "follow_up", "caller_revealed"}
    assert {answer.status for _, answer in swept.day.answers} >= {200, 201, 400, 401, 403, 404, 409, 422, 500}
    assert rows("SELECT count(*) FROM job WHERE last_error IS NOT NULL")[0][0]
    assert rows("SELECT count(*) FROM idempotency_key")[0][0] == CALLERS
    assert any("triage" in line for line in swept.redis)


def test_logs_hold_nothing(swept: Swept) -> None:
    paths = sorted(swept.day.stack.folder.log_dir.iterdir())
    assert {path.name for path in paths} >= {"web.log", "worker.log", "beat.log", "postgresql.log", "redis.log"}
    places = [Place(path.name, path.read_text(encoding="utf-8", errors="replace")) for path in paths]
    assert "job_failed" in next(place.text for place in places if place.name == "worker.log")
    assert not leaks(places, swept.seeds)


def test_redis_held_and_heard_nothing(swept: Swept) -> None:
    assert not leaks([Place("redis", "\n".join(swept.redis))], swept.seeds)


@pytest.mark.parametrize("table", sorted(Base.metadata.tables))
def test_rows_hold_nothing_outside_the_columns_made_for_it(swept: Swept, table: str) -> None:
    own = list(OWN_COLUMNS.get(table, ()))
    query = text(f'SELECT (to_jsonb(t) - CAST(:own AS text[]))::text FROM "{table}" t')
    with transaction(swept.day.stack.parts.sessions) as session:
        rows = session.scalars(query, {"own": own}).all()
    assert not leaks([Place(f"{table}[{n}]", row) for n, row in enumerate(rows)], swept.seeds)


def test_answers_hold_nothing_not_even_errors(swept: Swept) -> None:
    places = [
        Place(f"{n} {what[:60]} → {answer.status}", f"{answer.body}")
        for n, (what, answer) in enumerate(swept.day.answers)
    ]
    assert not leaks(places, swept.seeds)


@pytest.mark.parametrize("username", ROLES)
def test_the_api_shows_nothing_to_anybody_without_a_reveal(swept: Swept, username: str) -> None:
    web = swept.day.as_(username)
    places = [Place(path, f"{web.request('GET', path).body}") for path in _api_paths(swept, web)]
    assert not leaks(places, swept.seeds)


def _api_paths(swept: Swept, web: Web) -> Iterator[str]:
    yield from ("/metrics", "/readyz", "/healthz", "/openapi.json")
    yield "/api/v1/reports/summary?from=2026-01-01&to=2030-01-01"
    path = "/api/v1/tickets?limit=100"
    while path:
        yield path
        page = web.request("GET", path).body
        path = f"/api/v1/tickets?limit=100&before={page['next']}" if page.get("next") else ""
    yield from (f"/api/v1/tickets/{number}" for number in swept.day.numbers.values())


@pytest.mark.parametrize("username", ROLES)
def test_pages_show_nothing_to_anybody_without_a_reveal(swept: Swept, username: str) -> None:
    browser = Browser.of(create_app(swept.day.stack.parts))
    browser.sign_in(username)
    paths = ["/", "/tickets", "/reports", "/audit", "/accounts", "/account", "/departments", "/catalogue", "/knowledge"]
    paths += [f"/tickets/{number}" for number in swept.day.numbers.values()]
    places = [Place(path, browser.get(path).get_data(as_text=True)) for path in paths]
    places += [Place(state, browser.get("/tickets", state=state).get_data(as_text=True)) for state in ("all", "closed")]
    assert not leaks(places, swept.seeds)


def test_departments_learn_nothing_of_a_confidential_caller(swept: Swept) -> None:
    """Neither surname nor last digits, in no field and no text."""
    web, checked = swept.day.as_("cgj-handler"), 0
    for person in swept.seeds:
        answer = web.request("GET", f"/api/v1/tickets/{swept.day.numbers[person.serial]}")
        if answer.status != 200 or not answer.body["confidential"]:
            continue
        checked += 1
        shown = f"{answer.body}"
        assert answer.body["caller"] is None
        for rest in (
            f"{person.name[0]}**",
            f"****{person.phone[-4:]}",
            person.id_number[-4:] + "，",
            f"{person.card[-4:]}。",
        ):
            assert rest not in shown, (rest, shown)
    assert checked > 10


def test_the_command_line_prints_nothing(swept: Swept) -> None:
    stack = swept.day.stack
    for command in (("jobs", "list"), ("jobs", "counts"), ("db", "current")):
        assert not leaks([Place(" ".join(command), stack.run(*command))], swept.seeds)


def test_a_reveal_shows_the_caller_and_keeps_the_reason_masked(swept: Swept) -> None:
    """The one way to see them works, so that nobody finds another."""
    person = swept.seeds[4]
    path = f"/api/v1/tickets/{swept.day.numbers[person.serial]}/reveal"
    shown = swept.day.as_("agent01").request("POST", path, {"reason": f"回电{person.phone}"}).body
    assert (shown["name"], shown["phone"]) == (person.name, person.phone)
    reasons = swept.day.stack.rows(
        "SELECT reason FROM ticket_event WHERE kind = 'caller_revealed' ORDER BY id DESC LIMIT 1"
    )
    assert reasons == [(f"回电{person.phone[:3]}****{person.phone[-4:]}",)]
