"""Whoever sits before a page reads no code and no English: refusals, events and their data have words."""

import ast
import re
from pathlib import Path

import pytest
from flask import Flask

from hotline.domain.clock_notices import NoticeKind
from hotline.domain.ticket import Action
from hotline.services import errors
from hotline.web.pages import timeline
from hotline.web.pages.filters import EVENT_NAMES
from hotline.web.pages.refusals import refusal
from hotline.web.steps import STEPS

SERVICES = Path(errors.__file__).parent
# What refuses on pages: the modules whose functions are steps, and those that these call.
MODULES = {step.service.__module__.rsplit(".", 1)[1] for step in STEPS.values()} | {
    "access",
    "answers",
    "attachments",
    "ownership",
    "pictures",
}
REFUSALS = {"InvalidInput": 1, "Conflict": 0, "Forbidden": 0}
DATA_BUILDERS = {"move", "record", "hand_over"}
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def _text(node: ast.expr) -> str | None:
    """Return a message as it may come out, with something in the place of what is filled in."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else "7" for part in node.values)
    return None


def messages() -> list[str]:
    found = []
    for module in sorted(MODULES):
        tree = ast.parse((SERVICES / f"{module}.py").read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in REFUSALS:
                text = _text(node.args[REFUSALS[node.func.id]])
                if text is not None:
                    found.append(text)
    return found


def test_the_services_refuse_in_many_ways() -> None:
    assert len(messages()) > 25


@pytest.mark.parametrize("message", messages())
def test_every_refusal_of_a_step_is_told_in_chinese(app: Flask, message: str) -> None:
    with app.test_request_context():
        assert CHINESE.search(refusal(message)), message


def list_messages() -> list[str]:
    """Return what the administrator's lists say of cells, rows, files and departments."""
    found = []
    for path in [*sorted((SERVICES / "lists").glob("*.py")), SERVICES / "departments.py"]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            texts: list[ast.expr] = []
            if isinstance(node, ast.Yield) and isinstance(node.value, ast.Tuple):
                texts = node.value.elts[1:2]
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                place = {"CellRefused": 0, "CellError": 2, "Fault": 2, **REFUSALS}.get(node.func.id)
                texts = [] if place is None else node.args[place : place + 1]
            found += [text for text in map(_text, texts) if text is not None]
    return found


def test_the_lists_refuse_in_many_ways() -> None:
    assert len(list_messages()) > 50


@pytest.mark.parametrize("message", sorted(set(list_messages())))
def test_every_refusal_of_a_list_is_told_in_chinese_and_english(standing_app: Flask, message: str) -> None:
    with standing_app.test_request_context():
        assert CHINESE.search(refusal(message)), message
    with standing_app.test_request_context(headers={"Cookie": "language=en"}):
        assert refusal(message) == message


def data_keys() -> set[str]:
    """Return the members that services put into the data of events."""
    found: set[str] = set()
    for path in SERVICES.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            is_data = isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign) and any(
                isinstance(target, ast.Name) and target.id in ("data", "told")
                for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
            )
            values = [node.value] if is_data else []
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in DATA_BUILDERS:
                values += [keyword.value for keyword in node.keywords if keyword.arg == "data"]
            for value in filter(None, values):
                dicts = [part for part in ast.walk(value) if isinstance(part, ast.Dict)]
                found |= {key.value for part in dicts for key in part.keys if isinstance(key, ast.Constant)}
    return found


def test_every_member_of_an_events_data_has_words_or_is_for_programs_only() -> None:
    told = set(timeline._TOLD) | timeline.FOR_PROGRAMS
    assert len(data_keys()) > 25
    assert data_keys() - told == set()


def test_every_kind_of_event_has_a_chinese_name() -> None:
    kinds = {*Action, *NoticeKind, "received", "triaged", "dues_recomputed", "caller_revealed"}
    assert {kind for kind in kinds if not CHINESE.search(EVENT_NAMES.get(kind, ""))} == set()
