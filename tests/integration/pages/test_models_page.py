"""The model's page: figures for supervisors, versions for administrators, every change with its reason in the log."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select
from tests.factories import actor_named, receive
from tests.integration.browser import Browser

from hotline import bootstrap
from hotline.bootstrap import Runtime
from hotline.jobs.doorbell import SilentDoorbell
from hotline.ml.build import build
from hotline.ml.promotion import pin
from hotline.ml.recipe import Recipe
from hotline.ml.registry import active_version, default_corpus_folder
from hotline.services import dispatch
from hotline.services.triage import triage
from hotline.storage.engine import transaction
from hotline.storage.tables import AuditEntry
from hotline.web.app import create_app


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder with a fair version and a poor one, that knows two matters only."""
    home = tmp_path_factory.mktemp("models")
    lines = (default_corpus_folder() / "phone_style.jsonl").read_text(encoding="utf-8").splitlines()
    (home / "fair.jsonl").write_text("\n".join(lines[::8]), encoding="utf-8")
    poor = [line for line in lines if '"matter": "E03"' in line or '"matter": "C01"' in line]
    (home / "poor.jsonl").write_text("\n".join(poor), encoding="utf-8")
    for name in ("fair", "poor"):
        build([home / f"{name}.jsonl"], home / "triage", version=name, recipe=Recipe(max_features=2000, folds=2))
    return home / "triage"


@pytest.fixture
def models(built: Path) -> Path:
    """The folder with the fair version serving and nothing promoted yet."""
    for name in ("ACTIVE", "PROMOTIONS"):
        (built / name).unlink(missing_ok=True)
    (built / "ACTIVE").write_text("fair\n", encoding="utf-8")
    pin(built)
    return built


@pytest.fixture
def parts(settings: bootstrap.Settings, models: Path) -> Iterator[Runtime]:
    parts = bootstrap.start(settings.model_copy(update={"models_folder": models}), doorbell=SilentDoorbell())
    yield parts
    parts.close()


def browser(app: Flask, username: str) -> Browser:
    found = Browser.of(app)
    found.sign_in(username)
    return found


def entries(parts: Runtime) -> list[tuple[str, str | None, str | None, str]]:
    with transaction(parts.sessions) as session:
        rows = session.scalars(select(AuditEntry).where(AuditEntry.action.startswith("model.")).order_by(AuditEntry.id))
        return [(row.action, row.subject, row.reason, row.role) for row in rows]


def test_the_supervisor_reads_figures_with_their_intervals_and_changes_nothing(app: Flask, parts: Runtime) -> None:
    with transaction(parts.sessions) as session:
        for _ in range(3):
            ticket = receive(session, parts.context, content="你好，我想问一下那个事情怎么样了")
            triage(session, parts.context, ticket.id)
            matter = "E03" if ticket.matter != "E03" else "C01"
            command = dispatch.DispatchTicket(number=ticket.number, matter=matter)
            dispatch.dispatch(session, parts.context, command, actor_named(session, "dispatcher01"))
    boss = browser(app, "supervisor01")
    page = boss.text("/models")
    assert '<span class="text-secondary">3/3</span>' in page
    # Three of three is no proof of always.
    assert "约 44–100%" in page
    assert "使用中" in page
    assert "/promote" not in page
    assert boss.client.post("/models/poor/promote", data={"csrf_token": boss.token("/models")}).status_code == 403
    assert "最近 365 天" in boss.text("/models", days="365")
    assert "最近 30 天" in boss.text("/models", days="-1")


def test_a_worse_version_is_refused_and_says_where_it_falls(app: Flask, parts: Runtime, models: Path) -> None:
    admin = browser(app, "admin")
    admin.send("/models/poor/promote", {"reason": "试试"}, form_on="/models")
    page = admin.text("/models")
    assert "未启用 poor" in page
    assert "各事项平均 F1 由" in page
    assert active_version(models) == "fair"
    assert entries(parts) == [("model.not_promoted", "model:poor", "试试", "admin")]


def test_force_needs_a_reason_and_rolling_back_too(app: Flask, parts: Runtime, models: Path) -> None:
    admin = browser(app, "admin")
    admin.send("/models/poor/promote", {"force": "yes"}, form_on="/models")
    assert "强制启用必须写明理由" in admin.text("/models")
    admin.send("/models/poor/promote", {"force": "yes", "reason": "旧版数据有误"}, form_on="/models")
    assert active_version(models) == "poor"
    admin.send("/models/rollback", {"reason": " "}, form_on="/models")
    assert "回退必须写明理由" in admin.text("/models")
    admin.send("/models/rollback", {"reason": "改判太多"}, form_on="/models")
    assert active_version(models) == "fair"
    assert entries(parts) == [
        ("model.promoted", "model:poor", "旧版数据有误", "admin"),
        ("model.rolled_back", "model:fair", "改判太多", "admin"),
    ]


@pytest.mark.parametrize("version", ["nothing", "..", "fair"])
def test_a_version_that_is_not_there_or_serves_already_changes_nothing(
    app: Flask, parts: Runtime, models: Path, version: str
) -> None:
    admin = browser(app, "admin")
    answer = admin.send(f"/models/{version}/promote", {"reason": "试试"}, form_on="/models")
    assert answer.status_code in (302, 404, 308)
    assert active_version(models) == "fair"


def test_others_do_not_see_it(app: Flask) -> None:
    agent = browser(app, "agent01")
    assert "/models" not in agent.text("/tickets/new")
    assert agent.get("/models").status_code == 403


@pytest.fixture
def app(parts: Runtime) -> Flask:
    return create_app(parts)
