"""Accounts as a table: added with a password, moved, closed, and nobody closes their own."""

from typing import Any

import pytest
from sqlalchemy import select
from tests.integration.services.lists.city import City
from tests.sheets import edited, put, row_of

from hotline.bootstrap import Runtime
from hotline.services import accounts
from hotline.services.errors import Forbidden
from hotline.storage.engine import transaction
from hotline.storage.tables import (
    Account,
    AuditEntry,
)


def test_accounts_are_added_with_a_password_moved_and_closed(city: City, parts: Runtime) -> None:
    def edit(sheet: Any) -> None:
        sheet.append(["li.na", "李娜", "经办人", "ZJJ", "li.na@city.example", "在用"])
        put(sheet, row_of(sheet, "agent01"), "角色", "派单员")
        put(sheet, row_of(sheet, "agent02"), "姓名", "坐席乙")
        put(sheet, row_of(sheet, "cgj-handler"), "单位编码", "ZJJ")
        put(sheet, row_of(sheet, "cgj-lead"), "状态", "停用")

    with transaction(parts.sessions) as session:
        epochs = {account.username: account.session_epoch for account in session.scalars(select(Account))}
    import_id = city.upload("accounts", edited(city.export("accounts"), edit))
    applied = city.apply("accounts", import_id)
    assert applied.changes == 5
    with transaction(parts.sessions) as session:
        found = {account.username: account for account in session.scalars(select(Account))}
        assert accounts.password_matches(found["li.na"].password_hash, applied.passwords["li.na"])
        assert (found["li.na"].department.code, found["li.na"].email) == ("ZJJ", "li.na@city.example")
        assert found["agent01"].role == "dispatcher"
        assert found["agent02"].display_name == "坐席乙"
        assert found["cgj-handler"].department.code == "ZJJ"
        assert not found["cgj-lead"].active
        ended = {name for name, epoch in epochs.items() if found[name].session_epoch > epoch}
        # A new name is no reason to sign in again.
        assert ended == {"agent01", "cgj-handler", "cgj-lead"}
        told = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
        assert "李娜" not in str([entry.detail for entry in told])
        assert applied.passwords["li.na"] not in str([entry.detail for entry in told])
        kinds = {(entry.action, entry.subject) for entry in told}
        assert ("account.added", "account:li.na") in kinds
        assert ("account.changed", "account:agent02") in kinds
        assert ("account.disabled", "account:cgj-lead") in kinds


def test_what_is_wrong_with_accounts_is_told_row_by_row(city: City) -> None:
    rows = 0

    def edit(sheet: Any) -> None:
        nonlocal rows
        rows = sheet.max_row
        sheet.append(["Li Na", "甲", "坐席", None, None, "在用"])
        sheet.append(["li.na", "乙", "经办人", None, "no mail", "在用"])
        sheet.append(["li.nb", "丙", "经办人", "NIX", None, "停用"])
        sheet.append(["li.nc", "丁", "经办人", "NIX", None, "在用"])
        sheet.append(["li.nd", "同一人", "系统管理员", None, None, "在用"])
        sheet.append(["li.ne", "同一人", "安全审计员", None, None, "在用"])
        put(sheet, row_of(sheet, "auditor"), "角色", "坐席")

    apart = "is the name of both an administrator and an auditor, who must not be the same person"
    told = city.refused("accounts", edit)
    assert [(row - rows, column, message.split(";")[0]) for row, column, message in told if row > rows] == [
        (1, "username", "use 3 to 64 small letters, digits, dots, hyphens and underscores"),
        (2, "department", "is empty"),
        (2, "email", "is no mail address"),
        (3, "active", "is out of use and new"),
        (4, "department", "there is no active department with this code"),
        (5, "display_name", apart),
        (6, "display_name", apart),
    ]
    assert [(column, message.split(",")[0]) for row, column, message in told if row <= rows] == [
        ("role", "is of an administrator or auditor")
    ]


def test_nobody_closes_their_own_account_by_a_table(city: City, parts: Runtime) -> None:
    def edit(sheet: Any) -> None:
        put(sheet, row_of(sheet, "admin"), "状态", "停用")
        put(sheet, row_of(sheet, "agent01"), "姓名", "坐席甲")

    import_id = city.upload("accounts", edited(city.export("accounts"), edit))
    with pytest.raises(Forbidden):
        city.apply("accounts", import_id)
    with transaction(parts.sessions) as session:
        assert session.scalars(select(Account).where(Account.username == "agent01")).one().display_name != "坐席甲"


def test_one_file_adds_no_more_accounts_than_can_be_hashed_at_once(city: City) -> None:
    def edit(sheet: Any) -> None:
        for number in range(101):
            sheet.append([f"many{number}", f"坐席{number}", "坐席", None, None, "在用"])

    ((_, column, message),) = city.refused("accounts", edit)
    assert (column, message) == ("username", "is beyond the 100 new accounts that one file adds")
