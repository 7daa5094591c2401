"""Retraining learns from confirmed tickets, promotes by the rules, and tells the audit log either way."""

from pathlib import Path

import pytest
from sqlalchemy import select
from tests.factories import receive

from hotline import bootstrap
from hotline.bootstrap import Runtime
from hotline.jobs.doorbell import SilentDoorbell
from hotline.jobs.registry import RETRAIN
from hotline.jobs.runner import Outcome
from hotline.ml.build import build
from hotline.ml.classifier import TriageModel
from hotline.ml.promotion import Comparison, Score
from hotline.ml.recipe import Recipe
from hotline.ml.registry import active_version, default_corpus_folder, read_manifest, versions
from hotline.services import retraining
from hotline.services.retraining import retrain, settle
from hotline.storage.engine import transaction
from hotline.storage.tables import AuditEntry, Job

QUICK = Recipe(max_features=6000, folds=2)
NOISE = "隔壁驴友客栈天天半夜敲锣"


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A third of the phone-style texts, held-out ones among them."""
    folder = tmp_path_factory.mktemp("corpus")
    lines = (default_corpus_folder() / "phone_style.jsonl").read_text(encoding="utf-8").splitlines()
    (folder / "phone_style.jsonl").write_text("\n".join(lines[::3]), encoding="utf-8")
    return folder


@pytest.fixture
def models(corpus: Path, tmp_path: Path) -> Path:
    """A models folder with one version that was trained before any ticket."""
    folder = tmp_path / "triage"
    build([corpus], folder, version="before", recipe=QUICK)
    return folder


def confirm(parts: Runtime, number: int) -> None:
    """Let agents log calls that no model would put where they do."""
    with transaction(parts.sessions) as session:
        for serial in range(number):
            receive(session, parts.context, matter="B08", content=f"{NOISE}，第{serial}回")


def audited(parts: Runtime) -> list[tuple[str, str | None]]:
    with transaction(parts.sessions) as session:
        rows = session.execute(select(AuditEntry.action, AuditEntry.subject).order_by(AuditEntry.id))
        return [(action, subject) for action, subject in rows if action.startswith("model.")]


def test_a_new_version_has_learned_what_people_said_and_serves(parts: Runtime, models: Path, corpus: Path) -> None:
    confirm(parts, 60)
    assert TriageModel.load(models / "before").predict("", NOISE).matter != "B08"
    done = retrain(parts.sessions, parts.context, models, [corpus], QUICK)
    assert done is not None
    assert (done.objections, active_version(models)) == ((), done.version)
    assert TriageModel.load(models / done.version).predict("", NOISE).matter == "B08"
    manifest = read_manifest(models / done.version)
    assert {file["name"] for file in manifest["data"]} == {"phone_style.jsonl", "confirmed tickets"}
    subject = f"model:{done.version}"
    assert audited(parts) == [("model.trained", subject), ("model.promoted", subject)]


def test_too_little_that_is_new_trains_nothing(parts: Runtime, models: Path, corpus: Path) -> None:
    confirm(parts, 3)
    assert retrain(parts.sessions, parts.context, models, [corpus], QUICK) is None
    assert versions(models) == ["before"]
    assert audited(parts) == []


WORSE = Comparison(100, Score(0.8, {"A": 0.8, "E": 0.9}), Score(0.8, {"A": 0.8, "E": 0.8}))


def test_a_worse_version_does_not_serve_and_the_log_says_why(parts: Runtime, models: Path) -> None:
    assert not settle(parts.sessions, parts.context, models, "after", WORSE)
    assert active_version(models) == "before"
    with transaction(parts.sessions) as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "model.not_promoted")).one()
        assert entry.detail["objections"] == ["task E falls from 0.900 to 0.800"]


def test_the_job_runs_only_where_the_city_wants_it(parts: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = replace_settings(parts, retrain_every_days=7.0, models_folder=Path("/models"))
    asked = []
    monkeypatch.setattr(retraining, "retrain", lambda *given: asked.append(given[2]))
    for each in (parts, wanted):
        each.tick()
    with transaction(parts.sessions) as session:
        (job_id,) = session.scalars(select(Job.id).where(Job.kind == RETRAIN.name))
    assert wanted.run_job(job_id) is Outcome.DONE
    assert asked == [Path("/models")]
    wanted.close()


def replace_settings(parts: Runtime, **changes: object) -> Runtime:
    """Return the parts anew with other settings over the same database."""
    return bootstrap.start(parts.settings.model_copy(update=changes), doorbell=SilentDoorbell())
