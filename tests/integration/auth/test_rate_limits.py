"""Requests a minute: counted by account and address, told with Retry-After, not counted while Redis is away."""

import os
from uuid import uuid4

import pytest
from flask import Flask
from structlog.testing import capture_logs
from tests import conftest as root
from tests.factories import ApiClient, MovableClock, token_for
from tests.integration.browser import Browser

from hotline import bootstrap
from hotline.bootstrap import Runtime, utc_now
from hotline.jobs.doorbell import SilentDoorbell
from hotline.web.app import create_app
from hotline.web.counters import Counters

TICKETS = "/api/v1/tickets"


@pytest.fixture
def changes() -> dict[str, object]:
    """Small limits, so that a test reaches them."""
    return {"rate_limit_account": 5, "rate_limit_address": 12, "rate_limit_login": 3, "trusted_proxies": 1}


def anywhere() -> str:
    """An address of its own for each test: all of them share one Redis."""
    part = uuid4().hex
    return f"2001:db8:{part[:4]}:{part[4:8]}:{part[8:12]}:{part[12:16]}::1"


def api_from(app: Flask, parts: Runtime, username: str, address: str) -> ApiClient:
    client = app.test_client()
    client.environ_base["HTTP_X_FORWARDED_FOR"] = address
    return ApiClient(client, token_for(parts, username))


@pytest.fixture
def clock() -> MovableClock:
    """A clock that stands early in a window of its own, so that none of two tests share one."""
    clock = MovableClock()
    clock.advance(days=-(uuid4().int % 9_000))
    clock.instant = clock.instant.replace(second=10)
    return clock


def test_an_account_is_told_to_wait(app: Flask, parts: Runtime, clock: MovableClock) -> None:
    first, second = (api_from(app, parts, "agent01", anywhere()) for _ in range(2))
    assert [first.get(TICKETS).status_code for _ in range(5)] == [200] * 5
    # The limit is the account's, whatever token and address it uses.
    answer = second.get(TICKETS)
    assert (answer.status_code, answer.content_type) == (429, "application/problem+json")
    assert answer.json["title"] == "Too many requests"
    assert answer.headers["Retry-After"] == "50"
    assert "50 s" in answer.json["detail"]
    clock.advance(seconds=50)
    assert second.get(TICKETS).status_code == 200


def test_an_account_is_not_slowed_down_by_another(app: Flask, parts: Runtime) -> None:
    for username in ("agent01", "agent02"):
        client = api_from(app, parts, username, anywhere())
        assert [client.get(TICKETS).status_code for _ in range(5)] == [200] * 5


def test_an_address_is_counted_before_anybody_is_known(app: Flask) -> None:
    client, other = app.test_client(), app.test_client()
    client.environ_base["HTTP_X_FORWARDED_FOR"] = anywhere()
    other.environ_base["HTTP_X_FORWARDED_FOR"] = anywhere()
    assert [client.get(TICKETS).status_code for _ in range(12)] == [401] * 12
    assert client.get(TICKETS).status_code == 429
    assert other.get(TICKETS).status_code == 401
    # Monitoring goes on.
    assert client.get("/healthz").status_code == 200


def test_a_person_gets_a_page(app: Flask) -> None:
    client = app.test_client()
    client.environ_base["HTTP_X_FORWARDED_FOR"] = anywhere()
    for _ in range(12):
        client.get("/login")
    answer = client.get("/login", headers={"Accept": "text/html"})
    assert answer.status_code == 429
    assert "请求过于频繁" in answer.get_data(as_text=True)
    assert answer.headers["Retry-After"] == "50"


def test_logins_are_fewer_and_keep_what_the_page_carries(app: Flask) -> None:
    browser = Browser.of(app)
    browser.client.environ_base["HTTP_X_FORWARDED_FOR"] = anywhere()
    assert [browser.sign_in(f"agent0{number}", "wrong").status_code for number in (1, 2, 3)] == [401] * 3
    answer = browser.sign_in("agent04", next="/tickets")
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "50"
    text = answer.get_data(as_text=True)
    assert "50 秒后再试" in text
    assert 'name="next" value="/tickets"' in text


def test_a_client_cannot_choose_its_address(app: Flask) -> None:
    client, address = app.test_client(), anywhere()
    for number in range(12):
        assert client.get(TICKETS, headers={"X-Forwarded-For": f"{number}.1.1.1, {address}"}).status_code == 401
    assert client.get(TICKETS, headers={"X-Forwarded-For": f"9.9.9.9, {address}"}).status_code == 429


def test_without_trusted_proxies_the_header_is_not_read(parts: Runtime) -> None:
    settings = parts.settings.model_copy(update={"trusted_proxies": 0, "rate_limit_address": 0})
    alone = bootstrap.start(settings, doorbell=SilentDoorbell())
    with capture_logs() as lines:
        create_app(alone).test_client().get("/login", headers={"X-Forwarded-For": "9.9.9.9"})
    alone.close()
    assert [line["address"] for line in lines if line["event"] == "request"] == ["127.0.0.1"]


def test_while_redis_is_away_everything_works_and_one_line_says_so(
    parts: Runtime, tmp_path: object, changes: dict[str, object]
) -> None:
    settings = parts.settings.model_copy(update={"redis_url": f"unix://{tmp_path}/nobody-listens.sock"})
    alone = bootstrap.start(settings, doorbell=SilentDoorbell())
    app = create_app(alone)
    with capture_logs() as lines:
        browser = Browser.of(app)
        assert browser.sign_in("agent01").status_code == 302
        assert [browser.get("/tickets").status_code for _ in range(20)] == [200] * 20
        client = ApiClient(app.test_client(), token_for(alone, "agent01"))
        assert [client.get(TICKETS).status_code for _ in range(20)] == [200] * 20
        assert browser.send("/logout", {}, form_on="/account").status_code == 302
    alone.close()
    warnings = [line for line in lines if line["event"] == "rate_limits_off_redis_away"]
    assert len(warnings) == 1
    assert warnings[0]["log_level"] == "warning"


def test_the_warning_comes_again_after_its_time(tmp_path: object) -> None:
    counters = Counters(f"unix://{tmp_path}/nobody.sock", utc_now, pause_seconds=0, warn_seconds=0)
    with capture_logs() as lines:
        for _ in range(3):
            assert counters.wait("account", "1", 1) is None
    assert len(lines) == 3


def test_redis_is_counted_on_again_when_it_is_back() -> None:
    counters = Counters(os.environ[root.REDIS], utc_now, pause_seconds=0)
    who = uuid4().hex
    assert counters.wait("account", who, 1) is None
    counters._redis.connection_pool.disconnect()
    assert counters.wait("account", who, 1) is not None
    counters.close()


def test_a_limit_of_zero_counts_nothing() -> None:
    counters = Counters("unix:///nowhere.sock", utc_now)
    with capture_logs() as lines:
        assert counters.wait("account", "1", 0) is None
    assert lines == []
