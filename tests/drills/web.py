"""A client of a real web server, and load on it."""

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from typing import Any

from tests.factories import STREET_LIGHT

# Two that the model is sure of and one that nobody could be, so that both moves out of triage are made.
CONTENTS = (STREET_LIGHT, "小区楼下烧烤店夜里营业到两点，噪音很大，睡不着觉", "你好，我想问一下那个事情怎么样了")

# A client that is told 503, or told nothing, tries again for this long.
PATIENCE_SECONDS = 30.0


@dataclass(frozen=True)
class Answer:
    """What the server said, and after how many seconds."""

    status: int
    content_type: str
    body: Any
    seconds: float


@dataclass(frozen=True)
class Web:
    """A client of the server on ``port`` with an agent's token."""

    port: int
    token: str

    def request(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        """Ask once.  Raises ``OSError`` or ``HTTPException`` when there is no answer."""
        began = time.monotonic()
        connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            sent = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json", **headers}
            connection.request(method, path, None if body is None else json.dumps(body).encode(), sent)
            response = connection.getresponse()
            text, kind = response.read(), response.headers.get_content_type()
        finally:
            connection.close()
        parsed = json.loads(text) if "json" in kind else text
        return Answer(response.status, kind, parsed, time.monotonic() - began)

    def answers(self) -> bool:
        """Tell whether the process answers at all."""
        try:
            return self.request("GET", "/healthz").status == 200
        except (OSError, HTTPException):
            return False

    def ready(self) -> Answer:
        """Ask /readyz."""
        return self.request("GET", "/readyz")

    def log_ticket(self, key: str, content: str = STREET_LIGHT) -> Answer:
        """Log a call once, with an idempotency key."""
        body = {"channel": "phone", "content": content}
        return self.request("POST", "/api/v1/tickets", body, **{"Idempotency-Key": key})


@dataclass
class Load:
    """Calls being logged by a few clients at once.  Each client insists until it has its 201."""

    web: Web
    numbers: list[str] = field(default_factory=list)
    refusals: list[Answer] = field(default_factory=list)
    _calls: list[Future[None]] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)

    def finish(self) -> list[str]:
        """Wait for all calls and return the numbers of their tickets."""
        for call in self._calls:
            call.result(timeout=60)
        assert len(self.numbers) == len(self._calls)
        return self.numbers

    def _insist(self, name: str, content: str, pause: float) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._stop.wait(pause):
            try:
                answer = self.web.log_ticket(name, content)
            except (OSError, HTTPException):
                # The connection broke: whether the ticket was made is unknown, and the key makes asking again harmless.
                pass
            else:
                if answer.status == 201:
                    self.numbers.append(answer.body["number"])
                    return
                self.refusals.append(answer)
            assert time.monotonic() < deadline, f"no ticket within {PATIENCE_SECONDS} s: {self.refusals[-1:]}"


@contextmanager
def load(web: Web, calls: int, *, clients: int = 3, pause: float = 0.05) -> Iterator[Load]:
    """Log ``calls`` calls by ``clients`` at once while the block runs; each waits ``pause`` seconds before it asks."""
    with ThreadPoolExecutor(clients) as pool:
        running = Load(web)
        try:
            for serial in range(calls):
                content = CONTENTS[serial % len(CONTENTS)]
                running._calls.append(pool.submit(running._insist, f"call-{serial}", content, pause))
            yield running
        finally:
            running._stop.set()
