"""What is stricter in production than in a demo or a test."""

import pytest
from flask import Flask
from tests.integration.browser import Browser

from hotline.bootstrap import Runtime
from hotline.settings import RATE_LIMITS


@pytest.fixture
def changes() -> dict[str, object]:
    """As an installation behind a TLS proxy sets it."""
    return {"environment": "production", "trusted_proxies": 1}


def test_browsers_are_told_to_come_by_tls_only(app: Flask) -> None:
    answer = app.test_client().get("/login")
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"


def test_the_cookie_is_bound_to_this_host_and_to_tls(app: Flask) -> None:
    cookie = app.test_client().get("/login", headers={"X-Forwarded-Proto": "https"}).headers["Set-Cookie"]
    assert cookie.startswith("__Host-hotline=")
    assert "; Secure" in cookie
    assert "; Path=/" in cookie
    assert "Domain" not in cookie


def test_a_form_over_tls_has_to_come_from_here(app: Flask) -> None:
    client = app.test_client()
    https = {"base_url": "https://localhost"}
    page = client.get("/login", **https).get_data(as_text=True)
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    fields = {"csrf_token": token, "username": "agent01", "password": "hotline-demo"}
    # The login page is shown anew: its form did not come from a page of ours.
    assert client.post("/login", data=fields, **https).status_code == 401
    referrer = {"Referer": "https://localhost/login"}
    assert client.post("/login", data=fields, headers=referrer, **https).status_code == 302


def test_limits_and_second_factor_are_on(parts: Runtime, app: Flask) -> None:
    assert parts.settings.rate_limits == RATE_LIMITS["production"]
    assert parts.settings.second_factor_required
    assert parts.settings.shortest_password == 12


@pytest.mark.parametrize("changes", [{"environment": "demo"}])
def test_a_demo_asks_for_no_second_factor(app: Flask, changes: dict[str, object]) -> None:
    assert Browser.of(app).sign_in("admin").status_code == 302
