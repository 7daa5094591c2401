"""The Celery application of the workers and the beat.

Tasks are thin: they take an id and call the runtime.  Start it with ``hotline worker`` and ``hotline beat``.
"""

from functools import cache
from typing import TYPE_CHECKING, Any

import structlog
from celery import Celery
from celery.signals import setup_logging, worker_process_init
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from hotline.jobs.messaging import RUN_JOB, TICK, make_celery
from hotline.logs import configure_logging
from hotline.settings import load_settings

if TYPE_CHECKING:
    from hotline.bootstrap import Runtime

log = structlog.get_logger()

# PostgreSQL's bigint.
_LARGEST_ID = 2**63 - 1

settings = load_settings()
app: Celery = make_celery(settings.redis_url, settings.tick_seconds)


@setup_logging.connect
def _use_our_logging(**_: Any) -> None:
    configure_logging(settings.log_level)


@cache
def runtime() -> "Runtime":
    """The runtime of this process, built at its first job.

    Imported here, since neither the beat nor the parent of the workers needs all that a job does.
    """
    from hotline.bootstrap import start

    return start(settings)


@worker_process_init.connect
def _start_fresh(**_: Any) -> None:
    # Connections of the parent must not be shared with its children; the model is loaded before the first job needs it.
    runtime.cache_clear()
    runtime().models.current()


@app.task(name=RUN_JOB)
def run_job(job_id: object) -> None:
    """Run the job.  A message that is no job id is dropped; an unreachable database leaves the row to the sweep."""
    if not isinstance(job_id, int) or isinstance(job_id, bool) or not 0 < job_id <= _LARGEST_ID:
        log.warning("message_dropped", reason="not a job id")
        return
    try:
        runtime().run_job(job_id)
    except (DBAPIError, PoolTimeout) as error:
        log.warning("database_unreachable", job_id=job_id, error=type(error).__name__)


@app.task(name=TICK)
def tick() -> None:
    """Sweep the queue and enqueue periodic work."""
    try:
        swept = runtime().tick()
    except (DBAPIError, PoolTimeout) as error:
        log.warning("database_unreachable", error=type(error).__name__)
        return
    if swept.expired or swept.rung:
        log.info("queue_swept", expired=swept.expired, rung=swept.rung)
