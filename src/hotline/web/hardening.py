"""What every answer carries to protect its reader, and the one line that is logged about it."""

import time

import structlog
from flask import Flask, Response, g, request
from werkzeug.middleware.proxy_fix import ProxyFix

from hotline.domain.people import Actor
from hotline.settings import Settings
from hotline.web.runtime import address

log = structlog.get_logger()

# Scripts, styles and fonts come from this site only and never stand inside a page.
CONTENT_POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "frame-ancestors 'none'; form-action 'self'"
)
SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=(), display-capture=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
STRICT_TRANSPORT = "max-age=31536000"


# Monitoring asks every few seconds from one address, and a page fetches its files: neither is counted or worth a line.
UNNOTED = frozenset({"health.healthz", "health.readyz", "health.metrics", "static"})


def harden(app: Flask, settings: Settings) -> None:
    """Put the headers on every answer of ``app``, log each request, and believe the proxies that there are."""
    headers = dict(SECURITY_HEADERS)
    if settings.environment == "production":
        headers["Strict-Transport-Security"] = STRICT_TRANSPORT

    def protect(response: Response) -> Response:
        for name, value in headers.items():
            response.headers.setdefault(name, value)
        if not response.headers.get("Cache-Control"):
            response.headers["Cache-Control"] = "no-store"
        return response

    app.before_request(_begin)
    app.after_request(_log_request)
    app.after_request(protect)
    if settings.trusted_proxies:
        steps = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=steps, x_proto=steps)  # type: ignore[method-assign]


def _begin() -> None:
    g.began = time.perf_counter()


def _log_request(response: Response) -> Response:
    """Write the access log's line: who, from where, which route, what came of it and how long it took.

    The route stands for the address, which may hold whatever a client put there; a query string is never logged.
    """
    if request.endpoint in UNNOTED and response.status_code < 400:
        return response
    actor: Actor | None = g.get("actor")
    log.info(
        "request",
        method=request.method,
        route=request.url_rule.rule if request.url_rule else None,
        status=response.status_code,
        milliseconds=round((time.perf_counter() - g.began) * 1000, 1) if "began" in g else None,
        address=address(),
        account=actor.account_id if actor is not None else None,
    )
    return response
