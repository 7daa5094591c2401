"""What a request's body must be before any route looks at it.  One place settles it for all of them."""

import json
from typing import Any, NoReturn

from flask import Request, request

from hotline.web.problems import FieldError, Problem, invalid

# 200,000 characters arrive whole, so that the answer can name the field that is too long; far more is refused unread.
MAX_BODY_BYTES = 4 * 1024 * 1024


def _refuse(detail: str, status: int = 400) -> NoReturn:
    raise Problem(status, f"body: {detail}", [FieldError("body", detail)])


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


class _Repeated(ValueError):
    """An object names a member twice; which one was meant is not for us to guess."""


def _members_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _Repeated
    return members


class StrictRequest(Request):
    """A request whose JSON is an object in UTF-8, sent as ``application/json``, and nothing else."""

    max_content_length = MAX_BODY_BYTES

    def get_json(self, force: bool = False, silent: bool = False, cache: bool = True) -> Any:  # noqa: ARG002 - Flask's
        """Return the body as a dict.  Raises ``Problem`` that says what is wrong with it; ``force`` is not honoured.

        Lone surrogates inside strings pass here and are refused by the field they stand in.
        """
        if not self.is_json:
            _refuse("send JSON with Content-Type: application/json", 415)
        try:
            text = self.get_data(cache=cache).decode("utf-8")
        except UnicodeDecodeError:
            _refuse("is not valid UTF-8")
        try:
            data = json.loads(text, parse_constant=_no_constant, object_pairs_hook=_members_once)
        except RecursionError:
            _refuse("is nested too deeply")
        except _Repeated:
            _refuse("names a member twice")
        except ValueError:
            _refuse("is not valid JSON")
        if not isinstance(data, dict):
            _refuse("must be a JSON object", 422)
        return data


def refuse_nul() -> None:
    """Before every request: PostgreSQL cannot hold a NUL, so no address with one names anything."""
    if "\x00" in request.path:
        raise Problem(404, "there is nothing at this address")
    for name, value in request.args.items(multi=True):
        if "\x00" in value:
            raise invalid(name, "contains NUL; remove it", 400)


def header(request: Request, name: str, longest: int = 255) -> str | None:
    """Return a header's value; raises ``Problem`` when it is empty, too long or not printable ASCII."""
    value = request.headers.get(name)
    if value is None:
        return None
    if not 1 <= len(value) <= longest or not value.isascii() or not value.isprintable():
        raise invalid(name, f"must be 1 to {longest} printable ASCII characters", 400)
    return value
