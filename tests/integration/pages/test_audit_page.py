"""The auditor's page: find, page through, verify and export."""

import csv
import io

import pytest
from flask import Flask
from sqlalchemy import text
from tests.integration.browser import Browser

from hotline.bootstrap import Runtime
from hotline.domain.people import SYSTEM
from hotline.services import audit
from hotline.storage.engine import transaction


@pytest.fixture
def auditor(app: Flask) -> Browser:
    """The auditor's browser."""
    browser = Browser.of(app)
    assert browser.sign_in("auditor").status_code == 302
    return browser


def write(parts: Runtime, number: int, **given: str) -> None:
    with transaction(parts.sessions) as session:
        for n in range(number):
            audit.append(session, parts.context, SYSTEM, "test.done", subject=f"thing:{n}", **given)


def test_home_leads_to_the_log(auditor: Browser) -> None:
    home = auditor.text("/")
    assert "审计日志现有 1 条记录" in home
    assert 'href="/audit"' in home


def test_what_happened_is_told_in_words(auditor: Browser) -> None:
    page = auditor.text("/audit")
    assert "登录成功" in page
    assert "account:auditor" in page
    assert "127.0.0.1" in page


def test_it_is_filtered_by_account_action_and_period(auditor: Browser, app: Flask) -> None:
    Browser.of(app).sign_in("agent01")
    Browser.of(app).sign_in("agent01", "wrong")
    assert "account:agent01" not in auditor.text("/audit", account="auditor")
    assert auditor.text("/audit", account="agent01").count("account:agent01") == 2
    failed = auditor.text("/audit", action="login.failed")
    assert failed.count("account:agent01") == 1
    assert "没有符合条件的记录" in auditor.text("/audit", to="2020-01-01")
    assert auditor.text("/audit", **{"from": "2020-01-01"}).count("account:agent01") == 2
    assert auditor.get("/audit", **{"from": "2026-13-01"}).status_code == 422


def test_older_entries_are_a_page_away(auditor: Browser, parts: Runtime) -> None:
    write(parts, 60)
    first = auditor.text("/audit", action="test.done")
    assert first.count(">thing:") == 50
    assert "更早的记录" in first
    assert ">thing:59<" in first
    second = auditor.text("/audit", action="test.done", before="12")
    assert second.count(">thing:") == 10
    assert "更早的记录" not in second
    assert auditor.text("/audit", before="x" * 200)


def test_the_chain_is_verified_at_a_press(auditor: Browser, parts: Runtime) -> None:
    write(parts, 3)
    with transaction(parts.sessions) as session:
        noted = audit.last_seal(session)[1]
    page = auditor.send("/audit/verify", {"seal": noted}, form_on="/audit").get_data(as_text=True)
    assert "链条完整：4 条记录" in page
    assert noted in page
    assert "没有找到您抄录的封印" in auditor.send("/audit/verify", {"seal": "0f" * 32}, form_on="/audit").text
    with transaction(parts.sessions) as session:
        session.execute(text("SET LOCAL session_replication_role = replica"))
        session.execute(text("UPDATE audit_entry SET subject = 'x' WHERE subject = 'thing:1'"))
    assert "断开" in auditor.send("/audit/verify", {}, form_on="/audit").text


def test_the_export_holds_all_columns_and_is_itself_recorded(auditor: Browser, parts: Runtime) -> None:
    write(parts, 3, reason="=HYPERLINK(1)")
    answer = auditor.get("/audit/export", action="test.done")
    assert answer.headers["Content-Disposition"] == "attachment; filename=audit.csv"
    rows = list(csv.reader(io.StringIO(answer.get_data().decode("utf-8-sig"))))
    assert rows[0][:3] == ["编号", "时间", "账号"]
    assert [row[6] for row in rows[1:]] == ["thing:2", "thing:1", "thing:0"]
    # A spreadsheet must not run what somebody typed.
    assert {row[8] for row in rows[1:]} == {"'=HYPERLINK(1)"}
    assert "导出审计日志" in auditor.text("/audit")


def test_nobody_else_reads_it(app: Flask) -> None:
    browser = Browser.of(app)
    browser.sign_in("admin")
    for path in ("/audit", "/audit/export"):
        assert browser.get(path).status_code == 403
