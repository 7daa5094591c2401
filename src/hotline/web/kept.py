"""A form that came after its session had ended: keep what was typed until its sender has signed in again.

It is sealed with the vault's key and travels through the login page in a hidden field.  So it stays on no disk, in no
log and in no address, needs no Redis, and any web process can open it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from flask import request

from hotline.storage.vault import VaultError
from hotline.web.runtime import runtime
from hotline.web.sessions import former_account

FIELD = "kept"

# Far more than the longest ticket; the login form that carries it must stay below the limit of a body.
_LONGEST = 1024 * 1024
_KEEP_FOR = timedelta(hours=12)

# What proves who somebody is gets typed again.
_NEVER_KEPT = frozenset({"csrf_token", "password", "new_password", "repeated_password", "code", FIELD})


@dataclass(frozen=True, slots=True)
class KeptForm:
    """Where a form was sent, what it held, and whose session it was (None: nobody can tell)."""

    path: str
    fields: Mapping[str, str]
    account_id: int | None


def keep(path: str | None) -> str | None:
    """Seal the form of the present request, meant for ``path``; None when it is not a page's of ours or too large."""
    if path is None or not is_from_our_page():
        return None
    fields = {name: value for name, value in request.form.items() if name not in _NEVER_KEPT}
    at = runtime().context.now().timestamp()
    text = json.dumps([at, former_account(), path, fields], ensure_ascii=True)
    return runtime().context.vault.seal(text) if len(text) <= _LONGEST else None


def is_from_our_page() -> bool:
    """Tell whether a browser sent this from a page of ours.

    A foreign page must not have its own words shown here as if the user had typed them.  Browsers tell where a form
    comes from in headers that a page cannot set.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("Origin")
    return origin is None or urlsplit(origin).netloc == request.host


def opened(sealed: str | None) -> KeptForm | None:
    """Return the form that ``keep`` sealed, None when it is too old or not ours."""
    if not sealed:
        return None
    try:
        at, account_id, path, fields = json.loads(runtime().context.vault.open(sealed) or "")
    except (VaultError, ValueError, TypeError):
        return None
    age = runtime().context.now().timestamp() - at
    return KeptForm(path, fields, account_id) if age <= _KEEP_FOR.total_seconds() else None
