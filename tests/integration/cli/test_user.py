"""``hotline user`` and ``hotline token``: what an operator types, and what it does."""

import re
from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from sqlalchemy import select
from tests.factories import settings_environment
from tests.integration.browser import Browser

from hotline.bootstrap import Runtime
from hotline.cli import main
from hotline.settings import Settings
from hotline.storage.engine import transaction
from hotline.storage.tables import Account, ApiToken, AuditEntry

PASSWORD = "a passphrase of words"
Run = Callable[..., Result]


@pytest.fixture
def run(settings: Settings) -> Run:
    """Run ``hotline …`` over this test's database; ``typed`` is what the operator types."""
    environment = settings_environment(settings)

    def call(*words: str, typed: str = "", **more: str) -> Result:
        return CliRunner().invoke(main, words, input=typed, env=environment | more)

    return call


def entries(parts: Runtime) -> list[tuple[str, str | None]]:
    with transaction(parts.sessions) as session:
        return [(entry.action, entry.subject) for entry in session.scalars(select(AuditEntry).order_by(AuditEntry.id))]


def account(parts: Runtime, username: str) -> Account:
    with transaction(parts.sessions) as session:
        return session.scalars(select(Account).where(Account.username == username)).one()


def test_an_account_is_added_with_a_password_that_is_asked_for(run: Run, app: Flask, parts: Runtime) -> None:
    done = run("user", "add", "li.na", "--name", "李娜", "--role", "agent", typed=f"{PASSWORD}\n{PASSWORD}\n")
    assert done.exit_code == 0, done.output
    assert PASSWORD not in done.output
    assert Browser.of(app).sign_in("li.na", PASSWORD).status_code == 302
    assert entries(parts)[0] == ("account.added", "account:li.na")


def test_a_generated_password_is_shown_once_and_works(run: Run, app: Flask) -> None:
    done = run("user", "add", "wang.q", "--name", "王强", "--role", "handler", "--department", "CGJ", "--generate")
    assert done.exit_code == 0, done.output
    found = re.search(r"shown this once: (\S+)", done.output)
    assert found
    assert len(found[1]) == 24
    assert Browser.of(app).sign_in("wang.q", found[1]).status_code == 302


@pytest.mark.parametrize(
    ("words", "typed", "why"),
    [
        (("agent01", "--name", "李娜", "--role", "agent"), PASSWORD, "there is an account 'agent01' already"),
        (("Li Na", "--name", "李娜", "--role", "agent"), PASSWORD, "username: use 3 to 64 small letters"),
        (("li.na", "--name", "李娜", "--role", "handler"), PASSWORD, "department: the role 'handler' belongs to"),
        (
            ("li.na", "--name", "李娜", "--role", "lead", "--department", "NOWHERE"),
            PASSWORD,
            "department: there is no department with this code",
        ),
        (("li.na", "--name", "李娜", "--role", "agent"), "short", "password: a password has 12 to 200 characters"),
        (("li.na", "--name", "\n", "--role", "agent"), PASSWORD, "name: give it 1 to 60"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(
    run: Run, parts: Runtime, words: tuple[str, ...], typed: str, why: str
) -> None:
    done = run("user", "add", *words, typed=f"{typed}\n{typed}\n")
    assert done.exit_code == 1
    assert f"Error: {why}" in done.output
    assert entries(parts) == []


def test_the_role_system_is_not_offered(run: Run) -> None:
    assert run("user", "add", "li.na", "--name", "李娜", "--role", "system").exit_code == 2


def test_a_demo_takes_a_shorter_password(run: Run) -> None:
    words = ("user", "add", "li.na", "--name", "李娜", "--role", "agent")
    assert run(*words, typed="shorter1\nshorter1\n", HOTLINE_ENVIRONMENT="demo").exit_code == 0


@pytest.mark.parametrize(("username", "wanted"), [("admin", "auditor"), ("auditor", "admin"), ("admin", "agent")])
def test_administrator_and_auditor_keep_their_roles(run: Run, parts: Runtime, username: str, wanted: str) -> None:
    done = run("user", "role", username, wanted)
    assert done.exit_code == 1
    assert "administrator and auditor are never the same person" in done.output
    assert account(parts, username).role == username
    assert entries(parts) == []


def test_the_same_person_gets_no_account_in_both_roles(run: Run, parts: Runtime) -> None:
    name = account(parts, "admin").display_name
    done = run("user", "add", "second", "--name", name, "--role", "auditor", "--generate")
    assert done.exit_code == 1
    assert "must not be the same person" in done.output
    assert run("user", "add", "second", "--name", name, "--role", "admin", "--generate").exit_code == 0


def test_a_role_changes_with_its_department(run: Run, parts: Runtime) -> None:
    assert run("user", "role", "agent01", "lead", "--department", "CGJ").exit_code == 0
    changed = account(parts, "agent01")
    assert (changed.role, changed.session_epoch) == ("lead", 1)
    assert entries(parts) == [("role.changed", "account:agent01")]
    assert run("user", "role", "agent01", "lead").exit_code == 1


def test_a_password_lifts_a_lock_out(run: Run, app: Flask, parts: Runtime) -> None:
    browser = Browser.of(app)
    for _ in range(5):
        browser.sign_in("agent01", "wrong")
    assert "locked" in run("user", "list", "--text", "agent01").output
    done = run("user", "password", "agent01", typed=f"{PASSWORD}\n{PASSWORD}\n")
    assert done.exit_code == 0, done.output
    assert browser.sign_in("agent01", PASSWORD).status_code == 302
    assert run("user", "password", "nobody", "--generate").output == "Error: there is no such account\n"


def test_enable_lifts_a_lock_out_too(run: Run, app: Flask) -> None:
    browser = Browser.of(app)
    for _ in range(5):
        browser.sign_in("agent01", "wrong")
    assert run("user", "enable", "agent01").exit_code == 0
    assert browser.sign_in("agent01").status_code == 302


def test_a_closed_account_s_tokens_stay_closed(run: Run, app: Flask, parts: Runtime) -> None:
    token = run("token", "issue", "agent01", "--name", "phone system").output.split()[-1]
    headers = {"Authorization": f"Bearer {token}"}
    assert app.test_client().get("/api/v1/tickets", headers=headers).status_code == 200
    assert run("user", "disable", "agent01").exit_code == 0
    assert app.test_client().get("/api/v1/tickets", headers=headers).status_code == 401
    assert "disabled" in run("user", "list", "--text", "agent01").output
    assert run("user", "enable", "agent01").exit_code == 0
    assert app.test_client().get("/api/v1/tickets", headers=headers).status_code == 401
    assert entries(parts) == [
        ("token.issued", "token:1"),
        ("account.disabled", "account:agent01"),
        ("account.enabled", "account:agent01"),
    ]


def test_the_last_administrator_stays(run: Run) -> None:
    done = run("user", "disable", "admin")
    assert done.exit_code == 1
    assert "last active administrator" in done.output
    assert run("user", "add", "second", "--name", "赵六", "--role", "admin", "--generate").exit_code == 0
    assert run("user", "disable", "admin").exit_code == 0


def test_a_lost_phone_is_forgotten(run: Run, parts: Runtime) -> None:
    assert run("user", "reset-totp", "supervisor01").exit_code == 0
    assert entries(parts) == [("totp.reset", "account:supervisor01")]


def test_the_log_names_the_operator(run: Run, parts: Runtime) -> None:
    run("user", "disable", "agent01")
    with transaction(parts.sessions) as session:
        entry = session.scalars(select(AuditEntry)).one()
    assert entry.role == "system"
    assert re.fullmatch(r"cli:\S+@\S+", entry.address or "")


def test_a_token_is_limited_in_time_and_scope(run: Run, app: Flask, parts: Runtime) -> None:
    done = run("token", "issue", "agent01", "--name", "reader", "--days", "30", "--scope", "ticket.read")
    assert done.exit_code == 0, done.output
    headers = {"Authorization": f"Bearer {done.output.split()[-1]}"}
    client = app.test_client()
    assert client.get("/api/v1/tickets", headers=headers).status_code == 200
    refused = client.post("/api/v1/tickets", json={"channel": "phone", "content": "路灯坏了"}, headers=headers)
    assert refused.status_code == 403
    assert "scopes" in refused.json["detail"]
    with transaction(parts.sessions) as session:
        token = session.scalars(select(ApiToken)).one()
    assert token.scopes == ["ticket.read"]
    assert 29 <= (token.expires_at - token.created_at).days <= 30


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (("agent01", "--name", "x", "--scope", "audit.read"), 1, "the role 'agent' lacks audit.read"),
        (("agent01", "--name", "x", "--scope", "everything"), 2, "is not one of"),
        (("agent01", "--name", "x", "--days", "400"), 2, "not in the range"),
        (("agent01", "--name", ""), 1, "name: give it"),
        (("nobody", "--name", "x"), 1, "there is no such account"),
    ],
)
def test_a_token_that_cannot_be_is_refused(run: Run, words: tuple[str, ...], code: int, why: str) -> None:
    done = run("token", "issue", *words)
    assert (done.exit_code, why in done.output) == (code, True), done.output


def test_tokens_are_listed_and_revoked(run: Run, app: Flask, parts: Runtime) -> None:
    token = run("token", "issue", "agent01", "--name", "phone system").output.split()[-1]
    headers = {"Authorization": f"Bearer {token}"}
    assert "used never" in run("token", "list").output
    app.test_client().get("/api/v1/tickets", headers=headers)
    listed = run("token", "list", "agent01").output
    assert "valid" in listed
    assert "used 2" in listed
    assert token not in listed
    assert run("token", "list", "agent02").output == "there are no tokens\n"
    assert run("token", "revoke", "1").exit_code == 0
    assert app.test_client().get("/api/v1/tickets", headers=headers).status_code == 401
    assert "revoked" in run("token", "list").output
    missing = run("token", "revoke", "99")
    assert (missing.exit_code, missing.output) == (1, "Error: there is no token 99\n")
    assert [action for action, _ in entries(parts)] == ["token.issued", "token.revoked"]


@pytest.mark.parametrize("group", ["user", "token", "audit"])
def test_help_shows_examples(run: Run, group: str) -> None:
    shown = run(group, "--help").output
    assert "Examples:" in shown
    commands = re.findall(r"^  ([a-z-]+)  ", shown.split("Commands:")[1], re.MULTILINE)
    assert commands
    for command in commands:
        assert "Example" in run(group, command, "--help").output, command


def test_no_command_takes_a_password_as_an_argument(run: Run) -> None:
    for command in ("add", "password"):
        assert "--password" not in run("user", command, "--help").output


def test_an_address_for_notifications_is_set_shown_nowhere_else_and_forgotten(run: Run, parts: Runtime) -> None:
    done = run("user", "email", "cgj-lead", "lead@city.example")
    assert (done.exit_code, account(parts, "cgj-lead").email) == (0, "lead@city.example"), done.output
    refused = run("user", "email", "cgj-lead", "lead@city\nBcc: x@y.example")
    assert (refused.exit_code, "email" in refused.output) == (1, True)
    assert run("user", "email", "cgj-lead", "--none").exit_code == 0
    assert account(parts, "cgj-lead").email is None
    assert [action for action, _ in entries(parts)].count("account.email_changed") == 2
    with transaction(parts.sessions) as session:
        assert "lead@" not in str([entry.detail for entry in session.scalars(select(AuditEntry))])


def test_a_test_notification_says_how_it_went(run: Run) -> None:
    assert "HOTLINE_NOTIFIER is none" in run("notify", "test").output
    assert run("notify", "test", HOTLINE_NOTIFIER="console").output.endswith("sent by console\n")
    away = {"HOTLINE_NOTIFY_URL": "http://127.0.0.1:9/x", "HOTLINE_NOTIFY_SECRET": "s" * 32}
    refused = run("notify", "test", HOTLINE_NOTIFIER="webhook", **away)
    assert (refused.exit_code, "cannot be reached" in refused.output) == (1, True)
    mail = {"HOTLINE_SMTP_HOST": "mail.city.example", "HOTLINE_SMTP_FROM": "hotline@city.example"}
    assert "--to" in run("notify", "test", HOTLINE_NOTIFIER="smtp", **mail).output
