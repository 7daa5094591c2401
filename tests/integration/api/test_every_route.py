"""Every route names its permission, and every role gets from every route what its permission says."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from tests.factories import ApiClient, receive
from tests.integration.browser import Browser
from werkzeug.routing import Rule

from hotline.bootstrap import Runtime
from hotline.domain.people import PERMISSIONS, Permission, Role
from hotline.services.tokens import issue_token
from hotline.storage.engine import transaction
from hotline.storage.tables import Account
from hotline.web import app as web_app
from hotline.web import pages
from hotline.web.auth import check_routes, permission_of

USERS = {
    Role.AGENT: "agent01",
    Role.DISPATCHER: "dispatcher01",
    Role.HANDLER: "cgj-handler",
    Role.LEAD: "cgj-lead",
    Role.FOLLOWUP: "followup01",
    Role.SUPERVISOR: "supervisor01",
    Role.ADMIN: "admin",
    Role.AUDITOR: "auditor",
}
# What the login's own addresses answer to who sends nothing that signs in.
PUBLIC_ANSWERS = {
    "/login": (200, 401),
    "/login/again": (200, 302),
    "/login/code": (401,),
    "/login/enrol": (401,),
}


@pytest.fixture(scope="module")
def number(standing_parts: Runtime) -> str:
    """A ticket that nobody has dispatched yet."""
    with transaction(standing_parts.sessions) as session:
        return receive(session, standing_parts.context).number


def routes(app: Flask, *, api: bool) -> Iterator[tuple[str, str, Permission]]:
    """Yield address pattern, method and permission of the API's routes, or of all others."""
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/api/") == api:
            permission = permission_of(app.view_functions[rule.endpoint])
            assert permission is not None, rule
            yield from ((rule.rule, method, permission) for method in _methods(rule))


def _methods(rule: Rule) -> list[str]:
    return sorted((rule.methods or set()) & {"GET", "POST"})


def address(pattern: str, number: str) -> str:
    filled = pattern.replace("<number>", number).replace("<action>", "sign")
    filled = re.sub(r"<int:[^>]+>", "1", filled)
    return re.sub(r"<[^>]+>", "favicon.svg", filled)


def test_a_route_without_a_permission_keeps_the_application_from_starting(
    standing_parts: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_shipped = pages.register

    def register_and_leave_a_door_open(app: Flask) -> None:
        as_shipped(app)
        app.add_url_rule("/open", view_func=lambda: "everybody reads this", endpoint="open")

    monkeypatch.setattr(pages, "register", register_and_leave_a_door_open)
    with pytest.raises(RuntimeError, match=r"name no permission: /open$"):
        web_app.create_app(standing_parts)


def test_even_static_files_need_a_permission() -> None:
    with pytest.raises(RuntimeError, match="/static"):
        check_routes(Flask("bare"))


def test_the_api_asks_everybody_without_a_token_to_sign_in(standing_app: Flask, number: str) -> None:
    for pattern, method, _ in routes(standing_app, api=True):
        answer = standing_app.test_client().open(address(pattern, number), method=method, json={})
        assert answer.status_code == 401, pattern
        assert answer.content_type == "application/problem+json"
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("role", USERS)
def test_the_api_gives_each_role_what_its_permissions_say(
    standing_app: Flask, standing_api: Callable[[str], ApiClient], number: str, role: Role
) -> None:
    client = standing_api(USERS[role])
    for pattern, method, permission in routes(standing_app, api=True):
        path = address(pattern, number)
        answer = client.post(path, {}) if method == "POST" else client.get(path)
        assert answer.status_code < 500, (pattern, answer.get_data(as_text=True))
        if permission in PERMISSIONS[role]:
            assert answer.status_code in (200, 403, 404, 409, 422), (pattern, answer.status_code)
            assert answer.status_code != 403 or "lacks the permission" not in answer.json["detail"]
        else:
            assert answer.status_code == 403, pattern
            assert answer.content_type == "application/problem+json"
            assert permission in answer.json["detail"]


@pytest.mark.parametrize("scope", [None, Permission.INTAKE, Permission.READ_TICKETS, Permission.READ_REPORTS])
def test_a_token_opens_no_more_than_its_scopes(
    standing_app: Flask, standing_parts: Runtime, number: str, scope: Permission | None
) -> None:
    role = Role.SUPERVISOR if scope is Permission.READ_REPORTS else Role.AGENT
    with transaction(standing_parts.sessions) as session:
        account = session.scalars(select(Account).where(Account.username == USERS[role])).one()
        until = standing_parts.context.now() + timedelta(hours=1)
        token = issue_token(session, account, "narrow", until, [scope] if scope else [])
    client = ApiClient(standing_app.test_client(), token)
    for pattern, method, permission in routes(standing_app, api=True):
        path = address(pattern, number)
        answer = client.post(path, {}) if method == "POST" else client.get(path)
        if permission is scope:
            assert answer.status_code != 403, (pattern, answer.get_data(as_text=True))
        else:
            assert (answer.status_code, answer.content_type) == (403, "application/problem+json"), pattern


def test_pages_send_everybody_without_a_session_to_the_login_page(standing_app: Flask, number: str) -> None:
    browser = Browser.of(standing_app)
    token = browser.token("/login")
    for pattern, method, permission in routes(standing_app, api=False):
        path = address(pattern, number)
        answer = browser.client.open(path, method=method, data={"csrf_token": token} if method == "POST" else None)
        if permission is Permission.PUBLIC:
            assert answer.status_code in PUBLIC_ANSWERS.get(path, (200,)), (pattern, answer.status_code)
        else:
            assert answer.status_code == (307 if method == "POST" else 302), pattern
            assert answer.location.startswith("/login"), pattern
        answer.close()


@pytest.mark.parametrize("role", USERS)
def test_pages_give_each_role_what_its_permissions_say(standing_app: Flask, number: str, role: Role) -> None:
    browser = Browser.of(standing_app)
    assert browser.sign_in(USERS[role]).status_code == 302
    token = browser.token("/login")
    # Signing out comes last.
    for pattern, method, permission in sorted(routes(standing_app, api=False), key=lambda route: route[0] == "/logout"):
        path = address(pattern, number)
        answer = browser.client.open(path, method=method, data={"csrf_token": token} if method == "POST" else None)
        if permission in PERMISSIONS[role]:
            assert answer.status_code in (200, 302, 404, 409, 422, *PUBLIC_ANSWERS.get(pattern, ())), pattern
        else:
            assert answer.status_code == 403, (pattern, answer.status_code)
        answer.close()


def test_an_unknown_address_is_not_found_for_everybody(standing_app: Flask) -> None:
    for path, kind in (("/api/v1/nothing", "application/problem+json"), ("/nothing", "text/html; charset=utf-8")):
        answer = standing_app.test_client().get(path)
        assert (answer.status_code, answer.content_type) == (404, kind)


def test_a_wrong_method_names_the_right_ones(standing_app: Flask) -> None:
    answer = standing_app.test_client().delete("/api/v1/tickets")
    assert (answer.status_code, answer.content_type) == (405, "application/problem+json")
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "POST"}


def test_every_answer_carries_the_security_headers(standing_app: Flask) -> None:
    for path in ("/login", "/api/v1/tickets", "/nothing", "/healthz", "/openapi.json"):
        headers = standing_app.test_client().get(path).headers
        assert "default-src 'self'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Cross-Origin-Opener-Policy"] == headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "geolocation=()" in headers["Permissions-Policy"]
        # Over plain HTTP, as a demo is, browsers would ignore it; a production is always behind TLS.
        assert "Strict-Transport-Security" not in headers
        assert headers["Cache-Control"]


def test_the_api_describes_itself_with_every_route_of_its_own(standing_app: Flask) -> None:
    document = standing_app.test_client().get("/openapi.json").json
    assert document["openapi"].startswith("3.1")
    described = {path.replace("{", "<").replace("}", ">") for path in document["paths"]}
    # The document names a parameter's type elsewhere.
    ours = {pattern.replace("<int:", "<") for pattern, _, _ in routes(standing_app, api=True)}
    shown = {pattern for pattern in ours if not pattern.endswith("<action>")}
    assert shown <= described
