"""One's own account: another password, and the second factor."""

from flask import flash, g, redirect, render_template, request, session, url_for

from hotline.domain import totp
from hotline.domain.people import Permission
from hotline.services import accounts, signing_in
from hotline.services.errors import InvalidInput
from hotline.storage.engine import transaction
from hotline.storage.tables import Account
from hotline.web import sessions
from hotline.web.auth import SMALL_BODY, requires
from hotline.web.pages.blueprint import bp
from hotline.web.pages.session import View
from hotline.web.runtime import actor, address, runtime


@bp.get("/account")
@requires(Permission.SIGNED_IN)
def own_account() -> View:
    """The page of one's own account."""
    return _page()


def _page(problem: str | None = None, *, failed: bool = False) -> str:
    """Show it; an account without a second factor is offered a fresh secret, which waits sealed in its session."""
    secret, uri = None, None
    if g.account.totp_sealed is None:
        sealed = session.get("offered_secret")
        secret = runtime().context.vault.open(sealed) if isinstance(sealed, str) else None
        secret = secret or totp.new_secret()
        if sealed is None:
            session["offered_secret"] = runtime().context.vault.seal(secret)
        uri = totp.enrolment_uri(secret, g.account.username, signing_in.ISSUER)
    shortest = runtime().settings.shortest_password
    return render_template("account.html", secret=secret, uri=uri, problem=problem, failed=failed, shortest=shortest)


@bp.post("/account/password")
@requires(Permission.SIGNED_IN, longest_body=SMALL_BODY)
def change_own_password() -> View:
    """Change the password; every session of the account ends but this one."""
    present, new = request.form.get("password", "")[:200], request.form.get("new_password", "")[:300]
    if new != request.form.get("repeated_password", "")[:300]:
        return _page("两次输入的新密码不一致。"), 422
    shortest = runtime().settings.shortest_password
    given = signing_in.Credentials(g.account.username, present, address())
    with transaction(runtime().sessions) as db:
        # A guess of the present password counts as a failed login, or an unattended screen would invite to try.
        account = signing_in.check_password(db, runtime().context, given)
        if account is not None:
            try:
                accounts.set_password(db, runtime().context, account, new, actor(), shortest=shortest)
            except InvalidInput:
                return _page(f"新密码须 {shortest} 位以上，不含用户名，且与原密码不同。"), 422
    if account is None:
        return _page("原密码不正确。"), 422
    sessions.start(account, session.get("factors", 1))
    flash("密码已修改，其他设备上的登录已全部退出。", "success")
    return redirect(url_for(".own_account"))


@bp.post("/account/totp")
@requires(Permission.SIGNED_IN, longest_body=SMALL_BODY)
def enrol_own_second_factor() -> View:
    """Make the offered secret one's second factor, when the code shows that the phone has it."""
    sealed = session.get("offered_secret")
    if not isinstance(sealed, str):
        return redirect(url_for(".own_account"))
    context = runtime().context
    with transaction(runtime().sessions) as db:
        secret, code = context.vault.open(sealed) or "", request.form.get("code", "")[:20]
        account: Account | None = signing_in.enrol(db, context, g.account.id, secret, code, address())
    if account is None:
        return _page(failed=True), 422
    sessions.start(account, factors=2)
    flash("动态口令已启用，下次登录时需要。", "success")
    return redirect(url_for(".own_account"))
