"""Log lines tell what happened and nothing about citizens, also where a library chose the words."""

import json
import logging

import pytest
import structlog

from hotline.logs import configure_logging

PHONE, NAME = "13800005678", "张建国"


@pytest.fixture(autouse=True)
def _logging_as_before() -> None:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


def _fail() -> None:
    raise ValueError(f"我叫{NAME}，{PHONE}；Failing row contains {NAME}")


def _line(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    written = capsys.readouterr().err
    assert PHONE not in written
    assert NAME not in written
    line: dict[str, object] = json.loads(written)
    return line


def test_an_exception_tells_its_type_and_place_but_not_its_message(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("INFO")
    try:
        _fail()
    except ValueError:
        logging.getLogger("library").exception("task failed")
    line = _line(capsys)
    assert line["exception"] == "ValueError"
    assert "_fail" in str(line["trace"])
    assert line["event"] == "task failed"


def test_the_same_for_our_own_logger(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("INFO")
    try:
        _fail()
    except ValueError:
        structlog.get_logger().exception("broken", note=f"电话{PHONE}", list=[PHONE], map={PHONE: {"deep": PHONE}})
    assert _line(capsys)["exception"] == "ValueError"


@pytest.mark.parametrize(
    "message",
    [
        f"Invalid request from ip=127.0.0.1: Invalid HTTP request line: '/tickets?q={NAME} {PHONE}'",
        f"Error handling request /tickets?q={NAME}",
    ],
)
def test_gunicorn_quotes_no_request(message: str, capsys: pytest.CaptureFixture[str]) -> None:
    logger = logging.getLogger("gunicorn.error")
    logger.handlers[:], logger.propagate = [logging.StreamHandler()], False
    configure_logging("INFO")
    logger.warning(message)
    line = _line(capsys)
    assert line["logger"] == "gunicorn.error"
    logger.handlers.clear()
    logger.propagate = True
