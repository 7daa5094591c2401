"""Is it alive, is it ready: what a load balancer is told when something is away."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text
from tests.factories import receive

from hotline import bootstrap
from hotline.bootstrap import Runtime
from hotline.jobs.doorbell import SilentDoorbell
from hotline.settings import Settings
from hotline.storage.engine import transaction
from hotline.web.app import create_app

NOWHERE = "postgresql+psycopg://hotline:hidden@127.0.0.1:1/hotline"


@contextmanager
def serving(settings: Settings, **changes: object) -> Iterator[FlaskClient]:
    parts = bootstrap.start(settings.model_copy(update=changes), doorbell=SilentDoorbell())
    yield create_app(parts).test_client()
    parts.close()


def test_with_everything_there_it_is_ready(client: FlaskClient) -> None:
    assert (client.get("/healthz").status_code, client.get("/healthz").json) == (200, {"status": "ok"})
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json) == (200, {"status": "ok", "degraded": []})


@pytest.mark.parametrize(
    ("missing", "degraded"),
    [
        ({"redis_url": "unix:///nowhere/redis.sock"}, ["redis"]),
        ({"models_folder": Path("/nowhere")}, ["model"]),
        ({"redis_url": "redis://127.0.0.1:1/0", "models_folder": Path("/nowhere")}, ["redis", "model"]),
    ],
)
def test_without_redis_or_a_model_it_still_works_and_says_so(
    settings: Settings, missing: dict[str, object], degraded: list[str]
) -> None:
    with serving(settings, **missing) as client:
        ready = client.get("/readyz")
        assert (ready.status_code, ready.json) == (200, {"status": "degraded", "degraded": degraded})


def test_without_the_database_it_lives_and_is_not_ready(settings: Settings) -> None:
    with serving(settings, database_url=NOWHERE) as client:
        assert client.get("/healthz").status_code == 200
        ready = client.get("/readyz")
        assert (ready.status_code, ready.json["reason"]) == (503, "the database cannot be reached")
        listed = client.get("/api/v1/tickets", headers={"Authorization": "Bearer hl_x"})
        assert (listed.status_code, listed.content_type) == (503, "application/problem+json")
        assert listed.headers["Retry-After"]
        assert "hidden" not in listed.get_data(as_text=True)


def test_at_the_wrong_migration_it_says_what_to_run(client: FlaskClient, parts: Runtime) -> None:
    with transaction(parts.sessions) as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    ready = client.get("/readyz")
    assert ready.status_code == 503
    assert "run `hotline db upgrade`" in ready.json["reason"]


def test_the_metrics_count_tickets_and_jobs_and_name_nobody(client: FlaskClient, parts: Runtime) -> None:
    with transaction(parts.sessions) as session:
        receive(session, parts.context, caller_name="王小明", caller_phone="13912345678")
    told = client.get("/metrics").get_data(as_text=True)
    assert 'hotline_tickets{state="received"} 1.0' in told
    assert 'hotline_jobs{kind="triage",state="queued"} 1.0' in told
    assert "139" not in told
