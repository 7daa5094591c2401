"""What is logged of a request: enough to trace who did what, nothing of what they said or asked for."""

from collections.abc import Callable

from flask import Flask
from structlog.testing import capture_logs
from tests.factories import ApiClient
from tests.integration.browser import Browser

PHONE = "13912345678"


def test_no_query_string_and_no_address_typed_by_a_client_is_logged(
    app: Flask, api: Callable[[str], ApiClient]
) -> None:
    browser = Browser.of(app)
    with capture_logs() as lines:
        api("agent01").get("/api/v1/tickets", state="closed", phone=PHONE)
        browser.get(f"/tickets/{PHONE}", q=PHONE)
        browser.get(f"/{PHONE}/nothing")
        browser.sign_in(PHONE, PHONE)
    assert len([line for line in lines if line["event"] == "request"]) >= 5
    assert PHONE not in str(lines)


def test_a_line_tells_who_from_where_which_route_and_what_came_of_it(
    app: Flask, api: Callable[[str], ApiClient]
) -> None:
    with capture_logs() as lines:
        api("agent01").get("/api/v1/tickets")
    line = next(line for line in lines if line["event"] == "request")
    assert (line["method"], line["route"], line["status"]) == ("GET", "/api/v1/tickets", 200)
    assert line["address"] == "127.0.0.1"
    assert isinstance(line["account"], int)
    assert line["milliseconds"] >= 0
