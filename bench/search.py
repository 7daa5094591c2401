"""The search box at two hundred thousand tickets: questions of every kind, sent as a browser sends them."""

import html
import re
import time
import urllib.parse
from collections.abc import Callable, Iterator
from http.client import HTTPConnection

from bench.filling import TICKETS, fill, number_of
from bench.report import Line, pages
from bench.rig import Hotline, Rig
from hotline.demo.city import DEMO_PASSWORD

TARGET_MILLISECONDS = 200.0
_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
_BEFORE = re.compile(r'name="before" value="(\d+)"')

Say = Callable[[str], None]


class Person:
    """Somebody who has signed in and searches, on one kept connection."""

    def __init__(self, hotline: Hotline, username: str) -> None:
        self._connection = HTTPConnection("127.0.0.1", hotline.port, timeout=60)
        self._cookie = ""
        page = self._ask("GET", "/login")
        self._send("/login", page, {"username": username, "password": DEMO_PASSWORD})
        self._form = self._ask("GET", "/search")

    def open(self, path: str) -> tuple[float, str]:
        """Open a page; return the milliseconds until the whole of it was there, and the page."""
        # A connection that rested too long is closed by the server.
        self._connection.close()
        began = time.perf_counter()
        page = self._ask("GET", path)
        return (time.perf_counter() - began) * 1000, page

    def search(self, q: str, before: str = "") -> tuple[float, str]:
        """Search once; return the milliseconds until the whole page was there, and the page."""
        began = time.perf_counter()
        page = self._send("/search", self._form, {"q": q, "before": before})
        return (time.perf_counter() - began) * 1000, page

    def _send(self, path: str, form: str, fields: dict[str, str]) -> str:
        token = _TOKEN.search(form)
        if token is None:
            raise RuntimeError(f"there is no form to send to {path}")
        return self._ask("POST", path, urllib.parse.urlencode({**fields, "csrf_token": html.unescape(token[1])}))

    def _ask(self, method: str, path: str, body: str | None = None) -> str:
        headers = {"Cookie": self._cookie, "Content-Type": "application/x-www-form-urlencoded"}
        self._connection.request(method, path, body, headers)
        response = self._connection.getresponse()
        text = response.read().decode()
        if response.status >= 400:
            raise RuntimeError(f"{method} {path} was answered {response.status}")
        for cookie in response.headers.get_all("Set-Cookie") or []:
            if cookie.startswith("hotline="):
                self._cookie = cookie.split(";")[0]
        return text


def search(rig: Rig, tickets: int, rounds: int, say: Say) -> Iterator[Line]:
    """Measure questions of every kind, by turns, for an agent who sees everything and a department that does not."""
    with rig.hotline() as hotline:
        say(f"writing {tickets:,} tickets …")
        bodies = fill(hotline, tickets)
        phones = [body["caller"]["phone"] for body in bodies if "caller" in body]
        places = [body["address"][:4] for body in bodies]
        people = {"agent": Person(hotline, "agent01"), "department": Person(hotline, "cgj-handler")}
        times: dict[str, list[float]] = {}
        for turn in range(rounds):
            questions = {
                "a common word": "小区",
                "a rare word": ("井盖", "马蜂窝", "宅基地")[turn % 3],
                "two words": ("路灯 危险", "物业 电梯", "噪音 睡觉")[turn % 3],
                "words that never meet": "居住证 马蜂窝 小区",
                "a single character": "水",
                "a place": places[turn % len(places)],
                "a phone": phones[turn % len(phones)],
                "a number": number_of(tickets - turn * 97 % tickets),
                "a state and a word": "办理中 小区",
                "a matter and a word": "E03 小区",
                "nothing there": "恐龙化石",
            }
            for who, person in people.items():
                for kind, question in questions.items():
                    took, page = person.search(question)
                    times.setdefault(f"{kind}, {who}", []).append(took)
                    more = _BEFORE.search(page)
                    if more:
                        times.setdefault(f"next page, {who}", []).append(person.search(question, more[1])[0])
        yield from pages(f"search page at {tickets:,} tickets", times, TARGET_MILLISECONDS, say)


def measure(rig: Rig, *, short: bool, say: Say) -> Iterator[Line]:
    """Measure at full size, or see that it works."""
    yield from search(rig, TICKETS // 20 if short else TICKETS, 3 if short else 20, say)
