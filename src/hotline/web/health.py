"""Is it alive, is it ready, how is it doing: for load balancers and Prometheus."""

import orjson
from flask import Blueprint, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hotline.domain.people import Permission
from hotline.jobs.queue import counts
from hotline.storage.engine import ping, transaction
from hotline.storage.migrate import current, head
from hotline.storage.tables import Ticket
from hotline.web.auth import requires
from hotline.web.runtime import runtime

bp = Blueprint("health", __name__)


def _json(data: object, status: int = 200) -> Response:
    return Response(orjson.dumps(data), status, content_type="application/json")


@bp.get("/healthz")
@requires(Permission.PUBLIC)
def healthz() -> Response:
    """Answer as long as the process lives."""
    return _json({"status": "ok"})


@bp.get("/readyz")
@requires(Permission.PUBLIC)
def readyz() -> Response:
    """503 without the database or at the wrong migration; otherwise 200 with what is degraded."""
    engine = runtime().parts.engine
    if not ping(engine):
        return _json({"status": "unavailable", "reason": "the database cannot be reached"}, 503)
    found, wanted = current(engine), head()
    if found != wanted:
        reason = f"the database is at migration {found}, this program needs {wanted}; run `hotline db upgrade`"
        return _json({"status": "unavailable", "reason": reason}, 503)
    degraded = [] if _redis_answers() else ["redis"]
    if runtime().context.classifier() is None:
        degraded.append("model")
    return _json({"status": "degraded" if degraded else "ok", "degraded": degraded})


def _redis_answers() -> bool:
    client = Redis.from_url(runtime().settings.redis_url, socket_timeout=1, socket_connect_timeout=1)
    try:
        return bool(client.ping())
    except RedisError:
        return False
    finally:
        client.close()


@bp.get("/metrics")
@requires(Permission.PUBLIC)
def metrics() -> Response:
    """Counts of jobs and tickets by state, read from the database, so that any web process tells the whole story."""
    registry = CollectorRegistry()
    with transaction(runtime().sessions) as session:
        _count_jobs(session, registry)
        _count_tickets(session, registry)
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _count_jobs(session: Session, registry: CollectorRegistry) -> None:
    gauge = Gauge("hotline_jobs", "Background jobs by kind and state", ["kind", "state"], registry=registry)
    for (kind, state), number in counts(session).items():
        gauge.labels(kind, state).set(number)


def _count_tickets(session: Session, registry: CollectorRegistry) -> None:
    gauge = Gauge("hotline_tickets", "Tickets by state", ["state"], registry=registry)
    for state, number in session.execute(select(Ticket.state, func.count()).group_by(Ticket.state)):
        gauge.labels(state).set(number)
