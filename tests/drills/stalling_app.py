"""The shipped Celery application with one handler that leaves a trace, and stalls while a drill keeps its gate shut.

What is around the handler (messages, claim, lease, fence, transaction) is what we ship.
"""

import os
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import text
from sqlalchemy.orm import Session

from hotline import bootstrap
from hotline.bootstrap import Runtime
from hotline.jobs.registry import TRIAGE, Handler
from hotline.settings import Settings
from hotline_workers import app as shipped

log = structlog.get_logger()
app = shipped.app
_gate = Path(os.environ.get("HOTLINE_DRILL_GATE", "/nowhere/gate"))


def _stalling(handler: Handler) -> Handler:
    def run(session: Session, args: Mapping[str, Any]) -> None:
        trace = {"ticket": args["ticket_id"], "process": os.getpid()}
        session.execute(text("INSERT INTO drill_effect (ticket_id, process) VALUES (:ticket, :process)"), trace)
        if _gate.exists():
            log.info("drill_stalled")
        while _gate.exists():
            time.sleep(0.05)
        handler(session, args)

    return run


_start_as_shipped = bootstrap.start


def _start(settings: Settings) -> Runtime:
    parts = _start_as_shipped(settings)
    handlers = {**parts.runner.handlers, TRIAGE.name: _stalling(parts.runner.handlers[TRIAGE.name])}
    return replace(parts, runner=replace(parts.runner, handlers=handlers))


bootstrap.start = _start
