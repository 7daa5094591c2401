"""Logging: JSON lines with static event names; data goes into fields; personal data never.

Our own events keep to that.  What libraries log is not ours to word, so every line is cleaned on its way out: of an
exception only its type and places are told, since its message may quote a citizen, and every text is masked.
"""

import logging
import re
import sys
import traceback
from types import TracebackType
from typing import Any

import structlog

from hotline.domain.masking import mask_text

_ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]

# gunicorn quotes a request that it cannot parse, query string included.
_QUOTED_REQUEST = re.compile(r"(Invalid request from ip=\S*?:).*", re.DOTALL)
_URI = re.compile(r"(Error handling request) .*", re.DOTALL)


# Most texts of most lines are names of events, routes and methods: ASCII without "@" and with fewer digits than any
# number that is masked.  Without a space it is no sentence of gunicorn's either.
_PLAIN = re.compile(r"[!-/:-?A-~]*(?:\d[!-/:-?A-~]*){0,6}", re.ASCII)


def clean_exception(_logger: Any, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Replace ``exc_info`` by the exception's type and the places it came through, without any message."""
    given = event.pop("exc_info", None)
    found = _exc_info(given)
    if found is not None:
        event["exception"] = found[0].__name__
        event["trace"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(found[2])]
    event.pop("stack", None)
    return event


def _exc_info(given: object) -> _ExcInfo | None:
    if isinstance(given, BaseException):
        return type(given), given, given.__traceback__
    found = given if isinstance(given, tuple) else sys.exc_info() if given else (None, None, None)
    return found if found[0] is not None else None


def mask_fields(_logger: Any, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Mask every text of the line."""
    return {name: _masked(value) if name != "timestamp" else value for name, value in event.items()}


def _masked(value: Any) -> Any:
    match value:
        case str() if _PLAIN.fullmatch(value):
            return value
        case str():
            return mask_text(_URI.sub(r"\1", _QUOTED_REQUEST.sub(r"\1 …", value)))
        case dict():
            return {_masked(name): _masked(item) for name, item in value.items()}
        case list() | tuple():
            return [_masked(item) for item in value]
        case int() | float() | None:
            return value
        case _:
            return mask_text(str(value))


def configure_logging(level: str) -> None:
    """Send structlog and the standard library's loggers as JSON lines to standard error."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        clean_exception,
        mask_fields,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer(ensure_ascii=False)],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
        )
    )
    logging.basicConfig(handlers=[handler], level=max(logging.INFO, logging.getLevelNamesMapping()[level]), force=True)
    _take_over("gunicorn.error", handler)


def _take_over(name: str, handler: logging.Handler) -> None:
    """Let a library that brings handlers of its own log through ours."""
    logger = logging.getLogger(name)
    if logger.handlers:
        logger.handlers[:] = [handler]
