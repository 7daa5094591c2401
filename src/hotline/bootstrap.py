"""Wires settings, database, model, queue and services together: the only place that chooses implementations."""

import os
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Generic, TypeVar

import structlog
from celery import Celery
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from hotline.domain.kpi import Weights
from hotline.domain.people import SYSTEM
from hotline.domain.retention import closes_before
from hotline.jobs import queue
from hotline.jobs.doorbell import CeleryDoorbell, Doorbell, ring_after_commit
from hotline.jobs.messaging import make_celery
from hotline.jobs.queue import Sweep
from hotline.jobs.registry import (
    ARCHIVE,
    BULLETINS,
    CLOCK,
    COUNT,
    NOTIFY,
    PRUNE,
    RECOMPUTE,
    RETENTION,
    RETRAIN,
    SEARCH_WORDS,
    TOPICS,
    TRIAGE,
    Errand,
    Handler,
)
from hotline.jobs.runner import Outcome, Runner
from hotline.jobs.schedule import RETENTION_SCHEDULE, SCHEDULE, Periodic, retraining_schedule, tick
from hotline.ml.classifier import TriageModel
from hotline.ml.errors import ModelError
from hotline.ml.registry import active_version, default_corpus_folder, default_models_folder
from hotline.ml.similar import SimilarModel
from hotline.ml.similar_store import default_similar_folder
from hotline.notify import ConsoleNotifier, Mailbox, Notifier, SmtpNotifier, WebhookNotifier
from hotline.reference import load_taxonomy
from hotline.services import calls, countings, drafts, notices, publishing, retention, search_words, sending, topics
from hotline.services.archiving import archive
from hotline.services.context import Clock, Context
from hotline.services.dues import recompute_open
from hotline.services.lists import importing
from hotline.services.timekeeping import TimekeepingSource
from hotline.services.triage import triage
from hotline.settings import Settings
from hotline.storage.engine import SessionFactory, open_engine, open_sessions, transaction
from hotline.storage.files import FileStore
from hotline.storage.vault import Vault

log = structlog.get_logger()

# How long done jobs and idempotency keys are kept.  A client retries within minutes; a week covers a stopped batch.
KEEP_DONE_JOBS = timedelta(days=7)
KEEP_IDEMPOTENCY_KEYS = timedelta(days=7)


def utc_now() -> datetime:
    """The present instant."""
    return datetime.now(UTC)


Model = TypeVar("Model")


class ModelSource(Generic[Model]):
    """Gives the active model and notices within seconds when another one, or none, has taken its place.

    ``name`` tells the kinds of models apart in the log.
    """

    def __init__(
        self, folder: Path, load: Callable[[Path], Model], name: str = "triage", check_every_seconds: float = 5.0
    ) -> None:
        self._folder = folder
        self._load = load
        self._name = name
        self._check_every = check_every_seconds
        self._lock = threading.Lock()
        self._checked_at = float("-inf")
        self._version: str | None = None
        self._model: Model | None = None

    def current(self) -> Model | None:
        """Return the active model, or None when there is none that can be used (logged once per change)."""
        with self._lock:
            if time.monotonic() - self._checked_at >= self._check_every:
                self._refresh()
                self._checked_at = time.monotonic()
            return self._model

    def _refresh(self) -> None:
        try:
            version = active_version(self._folder)
            if self._model is None or version != self._version:
                self._model = self._load(self._folder / version)
                log.info("model_loaded", kind=self._name, version=version)
        except (ModelError, OSError) as error:
            if self._model is not None or self._version is not None or self._checked_at == float("-inf"):
                log.warning("model_unusable", kind=self._name, error=str(error))
            version, self._model = None, None
        self._version = version


@dataclass(frozen=True)
class Runtime:
    """One process's running parts."""

    settings: Settings
    engine: Engine
    sessions: SessionFactory
    context: Context
    celery: Celery
    runner: Runner
    models: ModelSource[TriageModel] = field(repr=False)
    timekeeping: TimekeepingSource = field(repr=False)
    notifier: Notifier | None = field(repr=False, default=None)

    def run_job(self, job_id: int) -> Outcome:
        """Run one job to its end."""
        return self.runner.run(job_id)

    def tick(self) -> Sweep:
        """Do what the beat asks for every few seconds."""
        with transaction(self.sessions) as session:
            patience = self.settings.job_ring_again_seconds
            return tick(session, utc_now(), ring_again_seconds=patience, schedule=_schedule(self.settings))

    def close(self) -> None:
        """Give connections back."""
        self.engine.dispose()
        self.celery.close()


def _schedule(settings: Settings) -> tuple[Periodic, ...]:
    """What happens by the clock here: some of it only where the city has said so."""
    retention_too = (RETENTION_SCHEDULE,) if settings.retention_automatic else ()
    retraining_too = (retraining_schedule(settings.retrain_every_days),) if settings.retrain_every_days else ()
    return (*SCHEDULE, *retention_too, *retraining_too)


def start(settings: Settings, *, clock: Clock = utc_now, doorbell: Doorbell | None = None) -> Runtime:
    """Build the runtime of one process.  Nothing is connected before it is used."""
    engine = open_engine(settings.database_url, pool_size=settings.database_pool, max_overflow=settings.database_pool)
    sessions = open_sessions(engine)
    celery = make_celery(settings.redis_url, settings.tick_seconds)
    ring_after_commit(sessions, doorbell or CeleryDoorbell(celery))
    models = ModelSource(settings.models_folder or default_models_folder(), TriageModel.load)
    similar = ModelSource(default_similar_folder(), SimilarModel.load, "similar")
    keeping = TimekeepingSource(sessions)
    notifier = make_notifier(settings)
    context = Context(
        now=clock,
        taxonomy=load_taxonomy(),
        classifier=models.current,
        similar=similar.current,
        vault=make_vault(settings),
        files=FileStore(settings.attachments_folder) if settings.attachments_folder else None,
        timekeeping=keeping.current,
        blind_share=settings.blind_share,
        answer_followup_share=settings.answer_followup_share,
        weights=Weights(*settings.composite_weights),
        notifies=settings.notifier != "none",
    )
    worker = f"{socket.gethostname()}:{os.getpid()}"
    handlers = _handlers(sessions, context, settings, keeping) | _notify_handler(context, settings, notifier)
    runner = Runner(sessions, handlers, worker, settings.job_lease_seconds)
    return Runtime(settings, engine, sessions, context, celery, runner, models, keeping, notifier)


def make_vault(settings: Settings) -> Vault:
    """Return the vault with the configured keys."""
    keys = tuple(key.get_secret_value() for key in settings.encryption_keys)
    return Vault(keys, settings.index_key.get_secret_value())


def make_notifier(settings: Settings) -> Notifier | None:
    """Return what sends notifications, None for nothing.  The settings have been checked."""
    match settings.notifier:
        case "console":
            return ConsoleNotifier()
        case "webhook":
            assert settings.notify_url is not None and settings.notify_secret is not None
            return WebhookNotifier(settings.notify_url, settings.notify_secret.get_secret_value())
        case "smtp":
            assert settings.smtp_host is not None and settings.smtp_from is not None
            password = settings.smtp_password.get_secret_value() if settings.smtp_password else None
            place = (settings.smtp_host, settings.smtp_port, settings.smtp_security, settings.smtp_from)
            return SmtpNotifier(Mailbox(*place, username=settings.smtp_username, password=password))
    return None


def _notify_handler(context: Context, settings: Settings, notifier: Notifier | None) -> dict[str, Handler]:
    def run_notify(session: Session, args: Mapping[str, Any]) -> Errand | None:
        if notifier is None:
            # Switched off since it was written down.
            return None
        waits = sending.waits_until(session, context, args)
        if waits is not None:
            queue.enqueue(session, NOTIFY, args, not_before=waits)
            return None
        message = sending.compose(session, context, args, settings.public_url)
        return None if message is None else lambda job_id: notifier.send(str(job_id), message)

    return {NOTIFY.name: run_notify}


def _handlers(
    sessions: SessionFactory, context: Context, settings: Settings, keeping: TimekeepingSource
) -> dict[str, Handler]:
    """Bind each kind of job to the one service call that does it."""

    def run_triage(session: Session, args: Mapping[str, Any]) -> None:
        triage(session, context, int(args["ticket_id"]))

    def run_prune(session: Session, _args: Mapping[str, Any]) -> None:
        queue.prune(session, keep=KEEP_DONE_JOBS)
        retention.prune_keys(session, keep=KEEP_IDEMPOTENCY_KEYS)
        drafts.prune(session)
        calls.prune(session)
        importing.prune(session, context)

    def run_search_words(session: Session, _args: Mapping[str, Any]) -> None:
        if search_words.catch_up(session, context) == search_words.BATCH:
            queue.enqueue(session, SEARCH_WORDS, {})

    def run_retention(session: Session, _args: Mapping[str, Any]) -> None:
        # Asked again here, since the setting may have been taken back after the job was enqueued.
        if settings.retention_automatic:
            before = closes_before(context.now(), settings.retention_days)
            retention.close_out(session, context, SYSTEM, before)

    def run_clock(session: Session, _args: Mapping[str, Any]) -> None:
        if notices.sweep(session, context) == notices.SWEEP_BATCH:
            queue.enqueue(session, CLOCK, {})

    def run_recompute(session: Session, args: Mapping[str, Any]) -> None:
        # This very process may still have the calendar from before.
        keeping.refresh()
        last = recompute_open(session, context, int(args["after_id"]), str(args["reason"]))
        if last is not None:
            queue.enqueue(session, RECOMPUTE, {"after_id": last, "reason": args["reason"]})

    def run_topics(session: Session, _args: Mapping[str, Any]) -> None:
        topics.find_rolling(session, context)

    def run_bulletins(session: Session, _args: Mapping[str, Any]) -> None:
        publishing.publish_due(session, context)

    def run_count(session: Session, _args: Mapping[str, Any]) -> None:
        moved, packed = countings.catch_up(session), countings.pack_days(session, context.now())
        if moved >= countings.BATCH or packed == countings.DAYS_AT_ONCE:
            queue.enqueue(session, COUNT, {})

    def run_archive(session: Session, _args: Mapping[str, Any]) -> None:
        archive(session, context)

    def run_retrain(_session: Session, _args: Mapping[str, Any]) -> Errand | None:
        if not settings.retrain_every_days:
            return None
        # Imported here: only trainers need scikit-learn, which would double the memory of every other process.
        from hotline.services.retraining import retrain

        folder = settings.models_folder or default_models_folder()
        data = (default_corpus_folder(), *settings.training_data)

        def train_and_tell(_job_id: int) -> None:
            done = retrain(sessions, context, folder, data)
            log.info("retrained", version=done and done.version, serves=done is not None and not done.objections)

        return train_and_tell

    return {
        TRIAGE.name: run_triage,
        CLOCK.name: run_clock,
        RECOMPUTE.name: run_recompute,
        COUNT.name: run_count,
        TOPICS.name: run_topics,
        BULLETINS.name: run_bulletins,
        ARCHIVE.name: run_archive,
        PRUNE.name: run_prune,
        RETENTION.name: run_retention,
        SEARCH_WORDS.name: run_search_words,
        RETRAIN.name: run_retrain,
    }
