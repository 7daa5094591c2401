"""Signing in and out, and where each role starts."""

from flask import flash, g, redirect, render_template, request, url_for
from werkzeug import Response

from hotline.domain import totp
from hotline.domain.audit import AuditAction, account_subject
from hotline.domain.people import Permission, Role
from hotline.services import audit, signing_in
from hotline.services.signing_in import Credentials
from hotline.storage.engine import transaction
from hotline.storage.tables import Account
from hotline.web import kept, sessions
from hotline.web.auth import SMALL_BODY, become, requires, safe_next
from hotline.web.pages import again
from hotline.web.pages.blueprint import bp
from hotline.web.runtime import actor, address, runtime

View = str | Response | tuple[str, int] | tuple[str, int, dict[str, str]]


@bp.get("/login")
@requires(Permission.PUBLIC)
def login() -> View:
    """The sign-in page."""
    return render_template("login.html", next=safe_next(request.args.get("next")))


@bp.get("/login/again")
@requires(Permission.PUBLIC)
def login_after_reload() -> View:
    """Where a browser goes that asks for the page below anew; what it kept is gone by then."""
    return redirect(url_for(".login"))


@bp.post("/login/again")
@requires(Permission.PUBLIC, takes_foreign_forms=True)
def login_and_keep() -> View:
    """The sign-in page for a form that came after its session had ended; the page carries what was typed, sealed."""
    return render_template("login.html", kept=kept.keep(safe_next(request.args.get("to"))), expired=True)


@bp.post("/login")
@requires(Permission.PUBLIC)
def log_in() -> View:
    """Check name and password; ask for the second factor where there is one or has to be one."""
    refused = _too_often("login.html")
    if refused:
        return refused
    given = Credentials(request.form.get("username", "")[:100], request.form.get("password", "")[:200], address())
    with transaction(runtime().sessions) as session:
        account = signing_in.check_password(session, runtime().context, given)
        one_factor = account and account.totp_sealed is None and not sessions.second_factor_required(account)
        if account is not None and one_factor:
            signing_in.complete(session, runtime().context, account, address(), factors=1)
    if account is None:
        return _again("login.html", username=given.username, failed=True), 401
    if one_factor:
        return _welcome(account, factors=1)
    if account.totp_sealed is not None:
        sessions.await_second_factor(account)
        return _again("login_code.html")
    secret = totp.new_secret()
    sessions.await_second_factor(account, runtime().context.vault.seal(secret))
    return _enrolment(account, secret)


@bp.post("/login/code")
@requires(Permission.PUBLIC)
def log_in_with_code() -> View:
    """Check the second factor's code."""
    awaited = sessions.awaited()
    if awaited is None:
        return _again("login.html", expired=True), 401
    refused = _too_often("login_code.html")
    if refused:
        return refused
    account_id, epoch = awaited
    with transaction(runtime().sessions) as session:
        code = request.form.get("code", "")[:20]
        account = signing_in.check_code(session, runtime().context, account_id, code, address())
        welcome = account is not None and account.session_epoch == epoch
        if account is not None and welcome:
            signing_in.complete(session, runtime().context, account, address(), factors=2)
    if account is None or not welcome:
        return _again("login_code.html", failed=True), 401
    return _welcome(account, factors=2)


@bp.post("/login/enrol")
@requires(Permission.PUBLIC)
def enrol_at_login() -> View:
    """Set up the second factor that the role needs, then sign in."""
    awaited, sealed = sessions.awaited(), sessions.awaited_secret()
    if awaited is None or sealed is None:
        return _again("login.html", expired=True), 401
    refused = _too_often("login.html")
    if refused:
        return refused
    account_id, epoch = awaited
    context = runtime().context
    secret = context.vault.open(sealed) or ""
    with transaction(runtime().sessions) as session:
        found = session.get(Account, account_id)
        code = request.form.get("code", "")[:20]
        account = signing_in.enrol(session, context, account_id, secret, code, address())
        welcome = account is not None and account.session_epoch == epoch
        if account is not None and welcome:
            signing_in.complete(session, context, account, address(), factors=2)
    if account is not None and welcome:
        return _welcome(account, factors=2)
    if found is None or found.totp_sealed is not None:
        return _again("login.html", expired=True), 401
    return _enrolment(found, secret, failed=True), 401


def _too_often(template: str) -> View | None:
    seconds = runtime().counters.wait("login", address() or "unknown", runtime().settings.rate_limits.login)
    if seconds is None:
        return None
    return _again(template, wait=seconds), 429, {"Retry-After": str(seconds)}


def _again(template: str, **more: object) -> str:
    """Show a page of the login; it carries on where the person was going and what they had typed."""
    target, form = safe_next(request.form.get("next")), request.form.get(kept.FIELD)
    return render_template(template, next=target, kept=form, **more)


def _enrolment(account: Account, secret: str, *, failed: bool = False) -> str:
    uri = totp.enrolment_uri(secret, account.username, signing_in.ISSUER)
    return _again("login_enrol.html", secret=secret, uri=uri, failed=failed)


def _welcome(account: Account, *, factors: int) -> View:
    """Start the session, and go on with what was typed, where the person was going, or home."""
    sessions.start(account, factors)
    become(account)
    form = kept.opened(request.form.get(kept.FIELD))
    if form is not None and form.account_id not in (None, account.id):
        flash("会话过期前填写的内容属于另一个账号，没有恢复。", "warning")
    elif form is not None:
        shown = again.show(form)
        if shown is not None:
            return shown
    return redirect(safe_next(request.form.get("next")) or url_for(".home"))


@bp.post("/logout")
@requires(Permission.SIGNED_IN, longest_body=SMALL_BODY)
def log_out() -> View:
    """End the session."""
    sessions.end()
    with transaction(runtime().sessions) as session:
        subject = account_subject(g.account.username)
        audit.append(session, runtime().context, actor(), AuditAction.LOGOUT, subject=subject)
    return redirect(url_for(".login"))


@bp.get("/")
@requires(Permission.SIGNED_IN)
def home() -> View:
    """Send everybody to their work."""
    if actor().may(Permission.READ_REPORTS):
        return redirect(url_for(".board"))
    if actor().may(Permission.DISPATCH):
        return redirect(url_for(".dispatch_desk"))
    if actor().may(Permission.FOLLOW_UP):
        return redirect(url_for(".call_list"))
    if actor().role is Role.AGENT:
        return redirect(url_for(".new_ticket"))
    if actor().may(Permission.READ_TICKETS):
        return redirect(url_for(".ticket_list"))
    if actor().may(Permission.MANAGE_ACCOUNTS):
        return redirect(url_for(".account_list"))
    with transaction(runtime().sessions) as session:
        entries = audit.last_seal(session)[0] if actor().may(Permission.READ_AUDIT) else None
    return render_template("home.html", entries=entries)
