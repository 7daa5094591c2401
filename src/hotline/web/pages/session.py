"""Signing in and out, and where each role starts."""

from flask import redirect, render_template, request, url_for
from werkzeug import Response

from hotline.domain.people import Permission
from hotline.services.accounts import check_credentials
from hotline.storage.engine import transaction
from hotline.web import auth
from hotline.web.auth import requires
from hotline.web.pages.blueprint import bp
from hotline.web.runtime import actor, runtime

View = str | Response | tuple[str, int]


@bp.get("/login")
@requires(Permission.PUBLIC)
def login() -> View:
    """The sign-in page."""
    return render_template("login.html", next=auth.safe_next(request.args.get("next")))


@bp.post("/login")
@requires(Permission.PUBLIC)
def log_in() -> View:
    """Check name and password."""
    username, password = request.form.get("username", "")[:100], request.form.get("password", "")[:200]
    target = auth.safe_next(request.form.get("next"))
    # NUL cannot be stored, so no account can have it in its name.
    with transaction(runtime().sessions) as session:
        account = check_credentials(session, username.replace("\x00", ""), password)
    if account is None:
        return render_template("login.html", next=target, username=username, failed=True), 401
    auth.sign_in(account)
    return redirect(target or url_for(".home"))


@bp.post("/logout")
@requires(Permission.SIGNED_IN)
def log_out() -> View:
    """End the session."""
    auth.sign_out()
    return redirect(url_for(".login"))


@bp.get("/")
@requires(Permission.SIGNED_IN)
def home() -> View:
    """Send everybody to their work."""
    if actor().may(Permission.READ_REPORTS):
        return redirect(url_for(".report"))
    if actor().may(Permission.READ_TICKETS):
        return redirect(url_for(".ticket_list"))
    return render_template("home.html")
