"""Notifications as signed JSON to a city's own message system.

The receiver checks ``X-Hotline-Signature: t=<seconds>,v1=<hex>``: an HMAC-SHA256 with the shared secret over
``<seconds>.<body>``; a time long ago is a replay.  ``Idempotency-Key`` is the job's id and the same in each repetition.
"""

import hmac
import http.client
import ssl
import time
from collections.abc import Callable
from hashlib import sha256
from urllib.parse import urlsplit

import orjson

from hotline.notify.message import Message, NotifyError

TIMEOUT_SECONDS = 10.0
LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


def signature(secret: str, at: int, body: bytes) -> str:
    """Return the value of the signature header for ``body`` sent at ``at`` (seconds since 1970)."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, sha256).hexdigest()
    return f"t={at},v1={digest}"


def url_refusal(url: str) -> str | None:
    """Return why ``url`` cannot be a webhook, None when it can."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "it is not a URL"
    if parts.scheme not in ("https", "http") or not host:
        return "it must start with https://"
    if parts.scheme == "http" and host not in LOCAL:
        return "plain http is only accepted to this machine itself; use https://"
    if parts.username or parts.password:
        return "it must not hold a user name or password; the signature says who sends"
    return None


class WebhookNotifier:
    """Posts each notification once per try; answers other than 2xx, redirects included, are failures."""

    def __init__(self, url: str, secret: str, now: Callable[[], float] = time.time) -> None:
        refusal = url_refusal(url)
        if refusal:
            raise ValueError(refusal)
        self._url, self._secret, self._now = urlsplit(url), secret, now

    def send(self, key: str, message: Message) -> None:
        """Post the message.  Raises ``NotifyError`` when it was not accepted."""
        body = orjson.dumps(payload(key, message))
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "hotline",
            "Idempotency-Key": key,
            "X-Hotline-Signature": signature(self._secret, int(self._now()), body),
        }
        connection = self._connection()
        try:
            path = (self._url.path or "/") + (f"?{self._url.query}" if self._url.query else "")
            connection.request("POST", path, body, headers)
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            raise NotifyError(f"the webhook cannot be reached: {type(error).__name__}") from error
        finally:
            connection.close()
        if not 200 <= status < 300:
            raise NotifyError(f"the webhook answered {status}")

    def _connection(self) -> http.client.HTTPConnection:
        host, port = self._url.hostname or "", self._url.port
        if self._url.scheme == "https":
            trusted = ssl.create_default_context()
            return http.client.HTTPSConnection(host, port, timeout=TIMEOUT_SECONDS, context=trusted)
        return http.client.HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)


def payload(key: str, message: Message) -> dict[str, object]:
    """Return what is posted."""
    facts = message.ticket
    return {
        "id": key,
        "subject": message.code,
        "title": message.title,
        "text": message.text,
        "recipients": [recipient.username for recipient in message.recipients],
        "ticket": None
        if facts is None
        else {
            "number": facts.number,
            "matter": facts.matter,
            "matter_name": facts.matter_name,
            "urgency": facts.urgency,
            "due": facts.due.isoformat() if facts.due else None,
            "department": facts.department,
            "link": facts.link,
        },
    }
