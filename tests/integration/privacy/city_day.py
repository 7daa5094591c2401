"""A day on which two hundred callers tell everything about themselves, over real HTTP, with all that can go wrong."""

import json
import socket
from dataclasses import dataclass, field
from typing import Any

from tests.drills.stack import Stack, wait_for
from tests.drills.web import Answer, Web
from tests.factories import token_for
from tests.integration.privacy.seeds import Person

TROUBLES = (
    "小区路灯坏了三天，晚上很危险",
    "楼下烧烤店夜里噪音很大，睡不着",
    "你好，我想问一下那个事情怎么样了",
    "自来水发黄好几天了，没人管",
    "垃圾好多天没人清运，臭得很",
)
ROLES = ("agent01", "dispatcher01", "cgj-handler", "cgj-lead", "followup01", "supervisor01", "admin", "auditor")


@dataclass
class Day:
    """What was done, and every answer that was given."""

    stack: Stack
    web: Web
    numbers: dict[int, str] = field(default_factory=dict)
    answers: list[tuple[str, Answer]] = field(default_factory=list)

    def as_(self, username: str) -> Web:
        """A client with the account's token."""
        return Web(self.web.port, token_for(self.stack.parts, username))

    def ask(self, who: Web, method: str, path: str, body: object = None, **headers: str) -> Answer:
        """Ask and keep the answer."""
        answer = who.request(method, path, body, **headers)
        self.answers.append((f"{method} {path}", answer))
        return answer

    def log_call(self, person: Person) -> None:
        """Log one person's call; some are confidential, some anonymous, some end at the desk."""
        answer = self.ask(
            self.web, "POST", "/api/v1/tickets", call(person), **{"Idempotency-Key": f"call-{person.phone}"}
        )
        assert answer.status == 201, answer
        self.numbers[person.serial] = answer.body["number"]

    def act(self, who: Web, person: Person, action: str, body: dict[str, Any]) -> Answer:
        """Take a step on a person's ticket."""
        return self.ask(who, "POST", f"/api/v1/tickets/{self.numbers[person.serial]}/actions/{action}", body)


def call(person: Person) -> dict[str, Any]:
    """What the agent writes down."""
    anonymous = person.serial % 10 == 9
    who, trouble = "来电人" if anonymous else person.name, TROUBLES[person.serial % 5]
    body: dict[str, Any] = {
        "channel": "phone",
        "title": f"{who}反映：{trouble[:6]}（{person.spelled(1)}）",
        "content": f"{trouble}。{person.letter(2)}",
        "wish": f"办好后打{person.spelled(3)}告诉我。{person.letter(3)}",
        "address": f"幸福路12号（{person.letter(4)}"[:190],
        "anonymous": anonymous,
        "confidential": person.serial % 4 == 1,
    }
    if not anonymous:
        spellable = (
            person.phone if person.serial % 3 else f"+86 {person.phone[:3]}-{person.phone[3:7]}-{person.phone[7:]}"
        )
        body["caller"] = {"name": person.name, "phone": spellable}
    if person.serial % 20 == 3:
        body |= {"disposition": "answered", "answer": f"已答复。{person.letter(5)}"}
    elif person.serial % 2:
        body["matter"] = "E03"
    return body


def live(day: Day, seeds: list[Person]) -> None:
    """Every ticket goes as far along the road as its place in the list says."""
    handler, lead, boss = day.as_("cgj-handler"), day.as_("cgj-lead"), day.as_("supervisor01")
    followup = day.as_("followup01")
    for person in seeds:
        day.log_call(person)
    wait_for(
        "all are triaged",
        lambda: day.stack.rows("SELECT count(*) FROM job WHERE kind='triage' AND state='done'")[0][0] == len(seeds),
        120,
    )
    for person in seeds[: len(seeds) // 2]:
        day.act(boss, person, "dispatch", {"matter": "E03", "department": "CGJ", "reason": person.letter(6)})
    for person in seeds:
        if day.act(handler, person, "sign", {}).status != 200:
            continue
        reply = {
            "text": f"已联系{person.name}。{person.letter(7)}",
            "contacted": True,
            "resolved": bool(person.serial % 3),
        }
        if not reply["resolved"]:
            reply["unresolved_reason"] = person.letter(8)
        day.act(handler, person, "reply", reply)
        if person.serial % 5 == 0:
            day.act(lead, person, "send_back", {"reason": f"{person.letter(9)}请重办"})
            day.act(handler, person, "reply", reply)
        day.act(lead, person, "approve", {})
        result = "unreachable" if person.serial % 7 == 0 else "resolved"
        day.act(followup, person, "follow_up", {"result": result, "comment": f"{person.letter(10)}满意"})
    for person in seeds[::25]:
        day.act(boss, person, "withdraw", {"reason": person.letter(11)})
        day.act(boss, person, "decline", {"reason": person.letter(12)})
    reveal(day, seeds[::20])


def reveal(day: Day, seeds: list[Person]) -> None:
    """Reveal some callers; the answer is what it is for, so it is not kept, but the reason must be masked for ever."""
    for person in seeds:
        path = f"/api/v1/tickets/{day.numbers[person.serial]}/reveal"
        assert day.as_("followup01").request("POST", path, {"reason": f"回电给{person.letter(13)}"[:190]}).status == 200


def go_wrong(day: Day, person: Person) -> None:
    """Ask for everything in the wrong way, with personal data wherever a client could put it."""
    tickets, agent, text = "/api/v1/tickets", day.web, person.letter(0)
    good = call(person)
    for body in (
        good | {"caller": {"phone": f"{person.phone}不对"}},
        good | {"channel": text},
        good | {"district": person.name},
        good | {"matter": person.phone},
        good | {person.phone: person.name},
        good | {"occurred_at": text},
        good | {"title": text * 20},
        good | {"merge_into": person.phone, "disposition": "merge"},
        good | {"urgency": {"name": person.name}},
        {"channel": "phone", "content": f"{text}\u0000"},
        [text],
    ):
        assert day.ask(agent, "POST", tickets, body).status in (400, 422), body
    day.ask(agent, "POST", tickets, good | {"content": text}, **{"Idempotency-Key": f"call-{person.phone}"})
    number = day.numbers[person.serial]
    for path in (
        f"{tickets}/{person.phone}",
        f"{tickets}/{number}/{person.phone}",
        f"{tickets}?state={person.phone}",
        f"{tickets}?{person.phone}=1",
        f"{tickets}?before={person.phone}&matter={person.id_number}",
        f"/api/v1/{person.phone}",
        f"/{person.phone}?phone={person.phone}",
        f"/api/v1/reports/summary?from={person.phone}&to={person.phone}",
    ):
        day.ask(agent, "GET", path)
    # The login page and the way to it carry the address that was asked for, so only the logs of these are looked at.
    for path in (f"/login?next=/tickets/{person.phone}", f"/tickets?phone={person.phone}"):
        agent.request("GET", path)
    day.ask(agent, "POST", tickets, good, **{"Idempotency-Key": person.phone * 30})
    for action in ("sign", "approve", "dispatch", person.phone):
        day.ask(day.as_("cgj-handler"), "POST", f"{tickets}/{number}/actions/{action}", {"reason": text})
    day.ask(Web(day.web.port, f"{person.phone}"), "GET", tickets)


def break_things(day: Day, person: Person) -> None:
    """Errors of the database and of jobs whose own messages quote the row, and requests no server can parse."""
    stack, tickets = day.stack, "/api/v1/tickets"
    # PostgreSQL's error for this quotes the whole row: Failing row contains (…).
    stack.execute("ALTER TABLE ticket ADD CONSTRAINT refuse CHECK (content NOT LIKE '%拒收%')")
    answer = day.ask(day.web, "POST", tickets, call(person) | {"content": f"拒收。{person.letter(0)}"})
    assert answer.status == 500
    stack.execute("ALTER TABLE ticket DROP CONSTRAINT refuse")
    # A triage that fails at every try, with an error whose message quotes the row.
    stack.execute(RAISE)
    stack.execute("CREATE TRIGGER boom BEFORE INSERT ON prediction FOR EACH ROW EXECUTE FUNCTION boom()")
    day.ask(day.web, "POST", tickets, call(person))
    wait_for("the job has failed", lambda: stack.rows("SELECT 1 FROM job WHERE last_error IS NOT NULL"), 30)
    stack.execute("DROP TRIGGER boom ON prediction")
    for line in (f"GET /tickets?q={person.name} {person.phone} HTTP/1.1", f"POST {person.phone}", person.letter(0)):
        with socket.create_connection(("127.0.0.1", day.web.port)) as connection:
            connection.sendall(line.encode() + b"\r\n\r\n")
            connection.settimeout(5)
            day.answers.append(
                (f"raw: {line[:4]}", Answer(0, "", connection.recv(65536).decode("utf-8", "replace"), 0))
            )
    # A message that is no ring, with personal data in it.
    body = {"task": "triage", "args": [person.phone], "kwargs": {"name": person.name}}
    stack.broker.lpush("triage", json.dumps({"body": json.dumps(body), "headers": {}, "properties": {}}))
    stack.broker.lpush("triage", person.letter(0))
    wait_for("the queue is read", lambda: stack.broker.llen("triage") == 0, 20)


RAISE = """
CREATE OR REPLACE FUNCTION boom() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'cannot keep %', (SELECT content FROM ticket WHERE id = NEW.ticket_id);
END
$$
"""
