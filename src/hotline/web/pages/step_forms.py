"""Read a step's form into the step's input, and say in the page's language what is wrong with it, field by field."""

import re
from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from pydantic import ValidationError

from hotline.services.errors import InvalidInput
from hotline.web.api.fields import Input
from hotline.web.pages.refusals import refusal
from hotline.web.pages.step_fields import FIELDS, Field
from hotline.web.steps import Step

MOST_PARTS = 5
_WHOLE = re.compile(r"\d{1,18}", re.ASCII)

# What pydantic calls a mistake, and what a person is told.
_PROBLEMS = {
    "missing": "此项必填",
    "string_too_long": "太长了，请缩短",
    "string_pattern_mismatch": "格式不对",
    "enum": "请从列表中选择",
    "literal_error": "请从列表中选择",
    "int_parsing": "请填写整数",
    "greater_than_equal": "数字太小",
    "less_than_equal": "数字太大",
    "date_from_datetime_parsing": "请填写日期",
    "date_parsing": "请填写日期",
    "too_short": "至少填写一件",
}


def body_of(step: Step, form: Mapping[str, str]) -> Input:
    """Return the checked input.  Raises ``ValidationError`` and never looks at what the form does not ask for."""
    given: dict[str, Any] = {}
    for field in FIELDS.get(step.action, ()):
        if field.kind == "parts":
            given[field.name] = parts_of(form)
            continue
        value = form.get(field.name, "")
        if value.strip():
            given[field.name] = _typed(field, value)
    return step.schema.model_validate(given)


def _typed(field: Field, value: str) -> Any:
    if field.kind in ("yes_no", "flag"):
        return value == "yes"
    if (field.kind == "number" or field.choices == "knowledge") and _WHOLE.fullmatch(value.strip()):
        return int(value)
    return value


def parts_of(form: Mapping[str, str]) -> list[dict[str, str]]:
    """Return the parts that were filled in, each with its words and perhaps its matter."""
    parts = []
    for number in range(1, MOST_PARTS + 1):
        content, matter = form.get(f"part_{number}", ""), form.get(f"part_{number}_matter", "")
        if content.strip() or matter:
            parts.append({"content": content} | ({"matter": matter} if matter else {}))
    return parts


def messages(error: ValidationError | InvalidInput) -> dict[str, str]:
    """Return what is wrong, by the name of the field that it stands beside."""
    if isinstance(error, InvalidInput):
        return {error.field: refusal(error.message)}
    found: dict[str, str] = {}
    for problem in error.errors(include_input=False, include_url=False):
        name = str(problem["loc"][0]) if problem["loc"] else ""
        if problem["type"] == "value_error":
            text = refusal(str(problem["ctx"]["error"]))
        else:
            text = _(_PROBLEMS.get(problem["type"], "填写有误"))
        found.setdefault(name, text)
    return found
