"""``hotline model``: train a version, list it, measure it."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hotline.cli import main
from hotline.ml import registry


def run(*args: str | Path) -> Result:
    return CliRunner().invoke(main, ["model", *map(str, args)])


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A source tree with a tenth of the corpus and a recipe of few features; returns its models folder."""
    from hotline.ml.recipe import Recipe

    shipped = registry.default_models_folder().parent / "corpus"
    corpus, models = tmp_path / "models" / "corpus", tmp_path / "models" / "triage"
    corpus.mkdir(parents=True)
    glossary = (shipped / "glossary.txt").read_text(encoding="utf-8").splitlines()
    (corpus / "glossary.txt").write_text("\n".join(line[:60] for line in glossary), encoding="utf-8")
    lines = (shipped / "phone_style.jsonl").read_text(encoding="utf-8").splitlines()
    (corpus / "phone_style.jsonl").write_text("\n".join(lines[::8]), encoding="utf-8")
    monkeypatch.setattr(registry, "default_models_folder", lambda: models)
    monkeypatch.setattr("hotline.ml.build.Recipe", lambda: Recipe(max_features=1500, folds=2))
    return models


def test_train_list_and_evaluate(quick: Path) -> None:
    models = quick
    trained = run("train", "--version", "try-1")
    assert trained.exit_code == 0, trained.output
    assert trained.stdout.strip() == str(models / "try-1")
    assert "folds" in trained.stderr
    manifest = json.loads((models / "try-1" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["segmenter"]["name"] == "rjieba"
    assert {file["name"] for file in manifest["data"]} == {"phone_style.jsonl", "glossary.txt"}
    assert manifest["files"]["weights.npz"]["bytes"] == (models / "try-1" / "weights.npz").stat().st_size
    card = (models / "try-1" / "CARD.md").read_text(encoding="utf-8")
    assert "E03" in card
    assert "Known weaknesses" in card
    assert "* try-1" in run("list").output
    measured = run("evaluate")
    assert measured.exit_code == 0
    assert "phone plain (test)" in measured.output
    assert run("evaluate", "--check").exit_code == 1
    again = run("train", "--version", "try-1")
    assert again.exit_code == 1
    assert "there already" in again.output


def test_held_out_data_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "letters_dev.jsonl"
    path.write_text('{"content": "路灯坏了", "matter": "E03"}\n', encoding="utf-8")
    result = run("train", "--models", tmp_path / "triage", "--data", path)
    assert result.exit_code == 1
    assert "held out" in result.output


def test_no_model_says_what_to_do(tmp_path: Path) -> None:
    for command in ("list", "evaluate"):
        result = run(command, "--models", tmp_path)
        assert result.exit_code == 1
        assert "hotline model train" in result.output


def test_a_broken_version_is_listed_as_such(tmp_path: Path) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / registry.MANIFEST_FILE).write_text("{", encoding="utf-8")
    assert "broken  unusable" in run("list", "--models", tmp_path).output


@pytest.mark.parametrize("command", ["train", "evaluate", "list"])
def test_help_shows_examples(command: str) -> None:
    assert "Example" in run(command, "--help").output
