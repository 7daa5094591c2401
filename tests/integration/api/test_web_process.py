"""A real web server, started by the command line that ships, under fifty clients at once."""

import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from tests.factories import STREET_LIGHT, row_counts, settings_environment, token_for

from hotline.bootstrap import Runtime
from hotline.cli.serve import web_argv
from hotline.settings import Settings

CLIENTS = 50
BODY = json.dumps({"channel": "phone", "content": STREET_LIGHT, "caller": {"phone": "13912345678"}}).encode()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def web(settings: Settings, tmp_path: Path) -> Iterator[str]:
    """The address of a web server with two processes over this test's database."""
    port = free_port()
    environment = os.environ | settings_environment(settings)
    with (tmp_path / "web.log").open("w") as log:
        process = subprocess.Popen(
            web_argv("127.0.0.1", port, 2, 8), env=environment, stdout=log, stderr=log, start_new_session=True
        )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_until_ready(url, process)
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def _wait_until_ready(url: str, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        assert process.poll() is None, "the web server ended"
        try:
            with urllib.request.urlopen(f"{url}/healthz", timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the web server did not answer")


def test_fifty_identical_posts_at_once_make_one_ticket(web: str, parts: Runtime) -> None:
    token = token_for(parts, "agent01")
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", "Idempotency-Key": "call-1"}
    together = Barrier(CLIENTS)

    def post(_: int) -> tuple[int, str]:
        request = urllib.request.Request(f"{web}/api/v1/tickets", data=BODY, headers=headers, method="POST")
        together.wait()
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer)["number"]

    with ThreadPoolExecutor(CLIENTS) as threads:
        answers = list(threads.map(post, range(CLIENTS)))
    assert [status for status, _ in answers] == [201] * CLIENTS
    assert len({number for _, number in answers}) == 1
    counted = row_counts(parts)
    assert (counted["ticket"], counted["caller"], counted["ticket_event"], counted["job"]) == (1, 1, 1, 1)
    _refuses_bad_input(web, headers)


def _refuses_bad_input(web: str, headers: dict[str, str]) -> None:
    """Over a real socket the answer to a bad body, a body that ends early and a path with NUL is a problem too."""
    for path, body, status in (
        ("/api/v1/tickets", b"[" * 300_000, 400),
        ("/api/v1/tickets", b'{"channel": "phone"', 400),
        ("/api/v1/tickets/%00/actions/sign", b"{}", 404),
    ):
        request = urllib.request.Request(f"{web}{path}", data=body, headers=headers, method="POST")
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=60)
        assert refused.value.code == status
        assert refused.value.headers["Content-Type"] == "application/problem+json"
        refused.value.close()
