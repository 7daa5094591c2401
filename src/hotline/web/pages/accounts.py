"""The administrator's page: who has an account, who is locked out; close and open accounts."""

from flask import flash, redirect, render_template, request, url_for

from hotline.domain.people import Permission, Role
from hotline.services import accounts
from hotline.services.errors import Forbidden
from hotline.storage.engine import transaction
from hotline.web.auth import SMALL_BODY, requires
from hotline.web.pages.blueprint import bp
from hotline.web.pages.session import View
from hotline.web.runtime import actor, runtime


@bp.get("/accounts")
@requires(Permission.MANAGE_ACCOUNTS)
def account_list() -> View:
    """All accounts, or those whose name contains ``?text=`` and that have ``?role=``."""
    text, chosen = request.args.get("text", "").strip()[:60], request.args.get("role", "")
    role = Role(chosen) if chosen in list(Role) else None
    with transaction(runtime().sessions) as session:
        found = accounts.listed(session, text=text, role=role)
    return render_template("accounts.html", accounts=found, text=text, role=role)


@bp.post("/accounts/<username>/disable")
@requires(Permission.MANAGE_ACCOUNTS, longest_body=SMALL_BODY)
def disable_account(username: str) -> View:
    """Close an account."""
    try:
        with transaction(runtime().sessions) as session:
            accounts.disable(session, runtime().context, username, actor())
        flash(f"账号 {username} 已停用，其登录和令牌立即失效。", "success")
    except Forbidden:
        flash("不能停用自己的账号，也不能停用最后一个系统管理员。", "danger")
    return redirect(url_for(".account_list"))


@bp.post("/accounts/<username>/enable")
@requires(Permission.MANAGE_ACCOUNTS, longest_body=SMALL_BODY)
def enable_account(username: str) -> View:
    """Open an account again, or lift its lock-out."""
    with transaction(runtime().sessions) as session:
        accounts.enable(session, runtime().context, username, actor())
    flash(f"账号 {username} 已启用。", "success")
    return redirect(url_for(".account_list"))
