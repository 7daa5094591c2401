"""Sessions of the pages: a signed cookie that names the account, and what makes it end.

It ends by idleness, by age, when its account is closed or gets another password or role (``session_epoch``), and by
signing out.  An ended session still tells whose it was, so that a form sent too late can be kept for its owner.
"""

import secrets
from datetime import timedelta

from flask import session

from hotline.domain.people import SECOND_FACTOR_ROLES, Role
from hotline.storage.engine import transaction
from hotline.storage.tables import Account
from hotline.web.runtime import runtime

# The cookie outlives the session for this long, to tell whose form came too late.
COOKIE_LIFE = timedelta(days=7)

# Activity is written into the cookie once a minute at most, so that most answers need not renew it.
_NOTE_EVERY_SECONDS = 60.0

# How long somebody may take to type the code of the second factor or to enrol one.
_PENDING_SECONDS = 600.0


def second_factor_required(account: Account) -> bool:
    """Tell whether this account signs in with two factors only."""
    return runtime().settings.second_factor_required and Role(account.role) in SECOND_FACTOR_ROLES


def start(account: Account, factors: int) -> None:
    """Start a session; what an earlier one held is dropped, its anti-forgery token too."""
    session.clear()
    now = _now()
    session.update(
        account=account.id,
        epoch=account.session_epoch,
        since=now,
        seen=now,
        factors=factors,
        id=secrets.token_urlsafe(16),
    )
    session.permanent = True


def end() -> None:
    """End the session, also for a copy of its cookie."""
    session_id = session.get("id")
    if isinstance(session_id, str):
        runtime().counters.end_session(session_id, runtime().settings.session_hours * 3600)
    # A form that lies open in another tab still finds its owner, and its anti-forgery token still proves where it was.
    left = {name: session[name] for name in ("account", "csrf_token") if name in session}
    session.clear()
    session.update(left)


def former_account() -> int | None:
    """Return the id of the account whose session this is or was, None when the cookie tells nothing."""
    account_id = session.get("account")
    return account_id if isinstance(account_id, int) else None


def present_account(*, active: bool = True) -> Account | None:
    """Return the account that is signed in, None when nobody is (any more).

    What a page asks by itself is no activity (``active`` False): an unattended screen must not keep its session.
    """
    account_id, since, seen = session.get("account"), session.get("since"), session.get("seen")
    if not isinstance(account_id, int) or not isinstance(since, float) or not isinstance(seen, float):
        return None
    settings, now = runtime().settings, _now()
    if now - since > settings.session_hours * 3600 or now - seen > settings.session_idle_minutes * 60:
        return None
    if runtime().counters.has_ended(str(session.get("id"))):
        return None
    with transaction(runtime().sessions) as db:
        account = db.get(Account, account_id)
    if account is None or not account.active or account.session_epoch != session.get("epoch"):
        return None
    if second_factor_required(account) and session.get("factors") != 2:
        return None
    if active and now - seen > _NOTE_EVERY_SECONDS:
        session["seen"] = now
    return account


def await_second_factor(account: Account, sealed_secret: str | None = None) -> None:
    """Note that the password was right and a code is awaited; with ``sealed_secret``, to enrol this new secret."""
    session.clear()
    session.update(pending=account.id, pending_epoch=account.session_epoch, pending_since=_now())
    if sealed_secret is not None:
        session["pending_secret"] = sealed_secret


def awaited() -> tuple[int, int] | None:
    """Return id and epoch of the account whose second factor is awaited, None when none is or it took too long."""
    account_id, epoch, since = (session.get(name) for name in ("pending", "pending_epoch", "pending_since"))
    if not isinstance(account_id, int) or not isinstance(epoch, int) or not isinstance(since, float):
        return None
    return (account_id, epoch) if _now() - since <= _PENDING_SECONDS else None


def awaited_secret() -> str | None:
    """Return the sealed secret that is being enrolled at this login."""
    sealed = session.get("pending_secret")
    return sealed if isinstance(sealed, str) else None


def _now() -> float:
    return runtime().context.now().timestamp()
