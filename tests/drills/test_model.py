"""The model file missing: people take over, nothing waits, and the model takes over again when it is back."""

import shutil
from itertools import count
from pathlib import Path

import pytest
from tests.drills.checks import assert_each_triaged_once, wait_until_triaged
from tests.drills.stack import Stack, wait_for

from hotline.ml.registry import default_models_folder

pytestmark = pytest.mark.drill

LAST_STEPS = """
SELECT ticket.number, ticket.state, event.kind, event.reason, event.data ->> 'model_version'
FROM ticket JOIN ticket_event AS event ON event.ticket_id = ticket.id WHERE event.kind <> 'received' ORDER BY event.id
"""


def test_without_a_model_people_triage_until_it_is_back(stack: Stack, tmp_path: Path) -> None:
    """The models folder is empty at the start and is filled while everything runs.

    Until then each ticket must go to the human queue once, with events that say why; then the model must take over
    without a restart.
    """
    models = tmp_path / "models"
    stack.environment["HOTLINE_MODELS_FOLDER"] = str(models)
    web = stack.start_web()
    stack.start_worker()
    stack.start_beat()
    numbers = [web.log_ticket(f"before-{serial}").body["number"] for serial in range(5)]
    wait_until_triaged(stack)
    queued = [("triaged", "no_model", None), ("queue", "no_model", None)]
    assert stack.rows(LAST_STEPS) == [(number, "awaiting_dispatch", *step) for number in numbers for step in queued]
    ready = web.ready()
    assert (ready.status, ready.body["degraded"]) == (200, ["model"])

    shutil.copytree(default_models_folder(), tmp_path / "copy")
    (tmp_path / "copy").rename(models)
    serial = count()

    def is_triaged_by_the_model() -> bool:
        numbers.append(web.log_ticket(f"meanwhile-{next(serial)}").body["number"])
        wait_until_triaged(stack)
        return bool(stack.rows("SELECT 1 FROM prediction"))

    wait_for("the worker notices the model", is_triaged_by_the_model, 20)
    wait_for("the web server notices the model", lambda: web.ready().body["degraded"] == [], 20)
    after = [web.log_ticket(f"after-{number}").body["number"] for number in range(5)]
    wait_until_triaged(stack)
    steps = {row[0]: (row[1], row[4]) for row in stack.rows(LAST_STEPS) if row[2] == "triaged"}
    version = next(models.iterdir()).name
    assert [steps[number] for number in after] == [("awaiting_sign", version)] * 5
    assert_each_triaged_once(stack, numbers + after)
