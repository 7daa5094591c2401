"""Celery over Redis, configured once for those who ring (web, beat) and those who answer (workers).

Queues are bound to the anonymous exchange: its routing lives in the message, not in a Redis key, so that a FLUSHALL
loses messages at most and never the way to a queue.
"""

from celery import Celery
from kombu import Exchange, Queue

from hotline.jobs.registry import QUEUES, longest_in
from hotline.jobs.transport import use_this_transport

RUN_JOB = "hotline.run_job"
TICK = "hotline.tick"

# A quick job ends itself before this, so that its lease never runs out under a living worker.
SOFT_TIME_LIMIT = 50
TIME_LIMIT = 60


def time_limits(queue: str) -> tuple[float, float]:
    """Return the seconds after which a job of ``queue`` is killed, and after which it is asked to end before."""
    longest = longest_in(queue)
    return longest + (TIME_LIMIT - SOFT_TIME_LIMIT), longest


def broker_url(redis_url: str) -> str:
    """Return ``redis_url`` in Celery's spelling: a unix socket is ``redis+socket://`` there."""
    return redis_url.replace("unix://", "redis+socket://", 1) if redis_url.startswith("unix://") else redis_url


def make_celery(redis_url: str, tick_seconds: float) -> Celery:
    """Return the Celery application.  It keeps no results: what a job did is written in its row."""
    use_this_transport()
    app = Celery("hotline", broker=broker_url(redis_url), set_as_current=False)
    app.conf.update(
        accept_content=["json"],
        beat_schedule={
            # A tick that no worker took before the next one is worth nothing.
            "tick": {
                "task": TICK,
                "schedule": tick_seconds,
                "options": {"queue": "maintenance", "expires": tick_seconds},
            },
        },
        beat_scheduler="celery.beat.Scheduler",
        broker_connection_max_retries=None,
        broker_connection_retry_on_startup=True,
        broker_transport_options={
            # Whoever rings tries once: an intake must not wait six seconds because Redis is away.
            "max_retries": 0,
            "socket_connect_timeout": 1,
            "socket_timeout": 5,
            "socket_keepalive": True,
            "visibility_timeout": 3600,
        },
        task_acks_late=True,
        task_create_missing_queues=False,
        task_default_exchange="",
        task_default_queue="maintenance",
        task_default_routing_key="maintenance",
        task_ignore_result=True,
        task_queues=[Queue(name, Exchange("", type="direct"), routing_key=name) for name in QUEUES],
        task_reject_on_worker_lost=True,
        task_serializer="json",
        task_soft_time_limit=SOFT_TIME_LIMIT,
        task_time_limit=TIME_LIMIT,
        worker_enable_remote_control=False,
        worker_hijack_root_logger=False,
        worker_prefetch_multiplier=1,
        worker_send_task_events=False,
        worker_soft_shutdown_timeout=10,
    )
    return app
