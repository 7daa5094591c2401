"""The webhook against a real server: what it posts, how it is signed, and what counts as refused."""

import hmac
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from hotline.notify import Message, NotifyError, Recipient, TicketFacts, WebhookNotifier, signature
from hotline.notify.webhook import url_refusal

SECRET = "a secret that both sides know, long enough"
FACTS = TicketFacts(
    "20261109-000001", "E03", "路灯", "normal", datetime(2026, 11, 9, 9, tzinfo=UTC), "CGJ", "https://x/tickets/1"
)
MESSAGE = Message("red_card", "【12345】红牌", "红牌", (Recipient("cgj-lead", "lead@city.example"),), FACTS)


class Receiver(ThreadingHTTPServer):
    """Answers with ``statuses`` in turn, the last for ever, and keeps what came."""

    def __init__(self, *statuses: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.statuses, self.came = list(statuses), list[tuple[Any, bytes]]()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook?city=1"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.came.append((self.headers, body))
        statuses = self.server.statuses
        self.send_response(statuses.pop(0) if len(statuses) > 1 else statuses[0])
        self.send_header("Location", self.server.url)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def receiver(request: pytest.FixtureRequest) -> Iterator[Receiver]:
    server = Receiver(*getattr(request, "param", (204,)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_the_body_is_signed_together_with_its_time(receiver: Receiver) -> None:
    WebhookNotifier(receiver.url, SECRET, now=lambda: 1_790_000_000.9).send("77", MESSAGE)
    ((headers, body),) = receiver.came
    digest = hmac.new(SECRET.encode(), b"1790000000." + body, sha256).hexdigest()
    assert headers["X-Hotline-Signature"] == f"t=1790000000,v1={digest}"
    assert (headers["Idempotency-Key"], headers["Content-Type"]) == ("77", "application/json")
    assert json.loads(body) == {
        "id": "77",
        "subject": "red_card",
        "title": "【12345】红牌",
        "text": "红牌",
        "recipients": ["cgj-lead"],
        "ticket": {
            "number": "20261109-000001",
            "matter": "E03",
            "matter_name": "路灯",
            "urgency": "normal",
            "due": "2026-11-09T09:00:00+00:00",
            "department": "CGJ",
            "link": "https://x/tickets/1",
        },
    }


def test_another_secret_or_another_body_gives_another_signature() -> None:
    assert len({signature(SECRET, 1, b"a"), signature(SECRET, 1, b"b"), signature(SECRET, 2, b"a")}) == 3
    assert signature("x" * 40, 1, b"a") != signature(SECRET, 1, b"a")


@pytest.mark.parametrize("receiver", [(500,), (404,), (301,), (307,)], indirect=True)
def test_an_answer_other_than_2xx_is_a_refusal_and_no_redirect_is_followed(receiver: Receiver) -> None:
    with pytest.raises(NotifyError, match=f"answered {receiver.statuses[0]}"):
        WebhookNotifier(receiver.url, SECRET).send("1", MESSAGE)
    assert len(receiver.came) == 1


def test_a_server_that_is_away_is_a_refusal(receiver: Receiver) -> None:
    url = receiver.url
    receiver.shutdown()
    receiver.server_close()
    with pytest.raises(NotifyError, match="cannot be reached"):
        WebhookNotifier(url, SECRET).send("1", MESSAGE)


@pytest.mark.parametrize(
    ("url", "fine"),
    [
        ("https://city.example/hook", True),
        ("http://127.0.0.1:9/hook", True),
        ("http://localhost/hook", True),
        ("http://city.example/hook", False),
        ("http://127.0.0.1.city.example/hook", False),
        ("http://localhost@city.example/hook", False),
        ("https://user:secret@city.example/hook", False),
        ("ftp://city.example/hook", False),
        ("https://[broken/hook", False),
        ("https:///hook", False),
        ("", False),
    ],
)
def test_plain_http_goes_to_this_machine_only(url: str, fine: bool) -> None:
    assert (url_refusal(url) is None) is fine
