"""Guessing a password: counted, locked for longer each time, and telling nothing to who guesses."""

import re
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from flask import Flask
from sqlalchemy import update
from tests.factories import MovableClock
from tests.integration.browser import Browser

from hotline.bootstrap import Runtime
from hotline.domain.sign_in import FAILURES_BEFORE_LOCK
from hotline.services.signing_in import Credentials, check_password
from hotline.storage.engine import transaction
from hotline.storage.tables import Account, AuditEntry

WRONG = "not the password"
ReadAccount = Callable[[str], Account]


def fail(browser: Browser, username: str = "agent01", times: int = FAILURES_BEFORE_LOCK) -> None:
    for _ in range(times):
        assert browser.sign_in(username, WRONG).status_code == 401


def test_the_fifth_failure_locks_the_account_for_a_quarter_of_an_hour(browser: Browser, clock: MovableClock) -> None:
    fail(browser)
    assert browser.sign_in("agent01").status_code == 401
    clock.advance(minutes=14, seconds=59)
    assert browser.sign_in("agent01").status_code == 401
    clock.advance(seconds=2)
    assert browser.sign_in("agent01").status_code == 302


def test_each_further_lock_is_twice_as_long(browser: Browser, clock: MovableClock, account: ReadAccount) -> None:
    for minutes in (15, 30, 60):
        fail(browser)
        assert account("agent01").locked_until == clock.instant + timedelta(minutes=minutes)
        clock.advance(minutes=minutes, seconds=1)


def test_tries_while_locked_do_not_lengthen_the_lock(browser: Browser, account: ReadAccount) -> None:
    fail(browser)
    until = account("agent01").locked_until
    fail(browser, times=3)
    assert (account("agent01").locked_until, account("agent01").failed_logins) == (until, FAILURES_BEFORE_LOCK)


def test_a_login_forgets_earlier_failures(browser: Browser, account: ReadAccount) -> None:
    fail(browser, times=FAILURES_BEFORE_LOCK - 1)
    assert browser.sign_in("agent01").status_code == 302
    assert account("agent01").failed_logins == 0


def test_other_accounts_stay_open(browser: Browser) -> None:
    fail(browser)
    assert browser.sign_in("agent02").status_code == 302


def seen_by_the_guesser(browser: Browser, username: str, password: str) -> tuple[int, str]:
    answer = browser.sign_in(username, password)
    page = re.sub(r'value="[^"]*"', "", answer.get_data(as_text=True))
    return answer.status_code, page


def test_unknown_wrong_closed_and_locked_look_the_same(app: Flask, parts: Runtime) -> None:
    fail(Browser.of(app), "agent02")
    with transaction(parts.sessions) as session:
        session.execute(update(Account).where(Account.username == "followup01").values(active=False))
    answers = {
        seen_by_the_guesser(Browser.of(app), username, password)
        for username, password in (
            ("agent01", WRONG),
            ("nobody", WRONG),
            ("agent02", "hotline-demo"),
            ("followup01", "hotline-demo"),
            ("a\x00b", WRONG),
            ("", ""),
        )
    }
    assert len(answers) == 1
    status, page = answers.pop()
    assert status == 401
    # The message says what to do.
    assert "15 分钟" in page
    assert "系统管理员" in page


def test_an_unknown_name_takes_as_long_as_a_known_one(parts: Runtime) -> None:
    def seconds(username: str) -> float:
        began = time.perf_counter()
        with transaction(parts.sessions) as session:
            assert check_password(session, parts.context, Credentials(username, WRONG)) is None
        return time.perf_counter() - began

    seconds("nobody")
    pairs = [(seconds(f"agent{number:02}"), seconds(f"nobody{number:02}")) for number in range(1, 5)]
    known, unknown = (statistics.median(column) for column in zip(*pairs, strict=True))
    # The hash takes tens of milliseconds; leaving it out would make an unknown name many times faster.
    assert unknown > known / 3
    assert known > unknown / 3


def test_guesses_at_once_are_counted_one_by_one(parts: Runtime, account: ReadAccount) -> None:
    together = Barrier(8)

    def guess(_: int) -> None:
        together.wait()
        with transaction(parts.sessions) as session:
            check_password(session, parts.context, Credentials("agent01", WRONG))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(guess, range(8)))
    # The fifth locks it, and what comes after is not even tried.
    assert account("agent01").failed_logins == FAILURES_BEFORE_LOCK


def test_failures_are_recorded_without_what_was_typed(
    browser: Browser, audited: Callable[[], list[AuditEntry]]
) -> None:
    fail(browser)
    browser.sign_in("agent01", WRONG)
    browser.sign_in("my-secret-passphrase", WRONG)
    entries = audited()
    assert [entry.action for entry in entries] == [
        *["login.failed"] * 4,
        "login.locked",
        "login.failed",
        "login.failed",
    ]
    assert {entry.subject for entry in entries[:6]} == {"account:agent01"}
    assert entries[4].detail == {"factor": "password", "locked_minutes": "15"}
    assert entries[5].detail["state"] == "locked"
    assert (entries[6].subject, entries[6].address) == (None, "127.0.0.1")
    assert "passphrase" not in str(entries[6].detail)
    assert all(entry.account_id is None for entry in entries)


@pytest.mark.parametrize("username", ["agent01", "cgj-handler"])
def test_success_is_recorded(
    browser: Browser, audited: Callable[[], list[AuditEntry]], account: ReadAccount, username: str
) -> None:
    browser.sign_in(username)
    browser.send("/logout", {}, form_on="/account")
    assert [(entry.action, entry.account_id) for entry in audited()] == [
        ("login.succeeded", account(username).id),
        ("logout", account(username).id),
    ]
