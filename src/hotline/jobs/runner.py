"""Run one job: claim it, do it, and commit its effects together with its end."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

import structlog
from sqlalchemy.exc import SQLAlchemyError

from hotline.jobs import queue
from hotline.jobs.registry import Handler
from hotline.storage.engine import SessionFactory, transaction

log = structlog.get_logger()


class Outcome(StrEnum):
    """How a call for a job ended."""

    DONE = "done"
    NOT_CLAIMED = "not_claimed"
    RETRY = "queued"
    DEAD = "dead"
    LEASE_LOST = "lease_lost"


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs jobs under the name of one worker process."""

    sessions: SessionFactory
    handlers: Mapping[str, Handler]
    worker: str
    lease_seconds: float

    def run(self, job_id: int) -> Outcome:
        """Do the job if it can be claimed.

        Errors of the handler are recorded in the row and never raised.  An unreachable database is raised: the row is
        then still as it was, and the sweep will ring again.
        """
        with transaction(self.sessions) as session:
            job = queue.claim(session, job_id, worker=self.worker, lease_seconds=self.lease_seconds)
        if job is None:
            return Outcome.NOT_CLAIMED
        try:
            self._do(job)
        except queue.LeaseLost:
            log.warning("job_lease_lost", job_id=job.job_id, kind=job.kind, attempt=job.attempt)
            return Outcome.LEASE_LOST
        except Exception as error:
            return self._give_back(job, error)
        log.info("job_done", job_id=job.job_id, kind=job.kind, attempt=job.attempt)
        return Outcome.DONE

    def _do(self, job: queue.Claim) -> None:
        handler = self.handlers.get(job.kind)
        if handler is None:
            raise LookupError(f"no handler for jobs of kind {job.kind!r}; is this worker older than the web server?")
        with self._held(job):
            self._work(handler, job)

    def _work(self, handler: Handler, job: queue.Claim) -> None:
        with transaction(self.sessions) as session:
            errand = handler(session, job.args)
            if errand is None:
                queue.finish(session, job)
                return
        errand(job.job_id)
        with transaction(self.sessions) as session:
            queue.finish(session, job)

    @contextmanager
    def _held(self, job: queue.Claim) -> Iterator[None]:
        """Renew the lease of a long job for as long as it is being done; a vanished worker renews nothing."""
        kind = queue.kind_of(job)
        if kind is None or kind.longest < self.lease_seconds:
            yield
            return
        done = threading.Event()
        renewing = threading.Thread(target=self._renew, args=(job, done), daemon=True)
        renewing.start()
        try:
            yield
        finally:
            done.set()
            renewing.join()

    def _renew(self, job: queue.Claim, done: threading.Event) -> None:
        while not done.wait(self.lease_seconds / 3):
            try:
                with transaction(self.sessions) as session:
                    held = queue.renew(session, job, lease_seconds=self.lease_seconds)
            except SQLAlchemyError as error:
                log.warning("lease_not_renewed", job_id=job.job_id, error=type(error).__name__)
                continue
            if not held:
                # The fence refuses the end of this attempt; there is nothing left to hold.
                return

    def _give_back(self, job: queue.Claim, error: Exception) -> Outcome:
        kind = queue.kind_of(job)
        wait = kind.backoff(job.attempt) if kind else 60.0
        described = describe(error)
        with transaction(self.sessions) as session:
            state = queue.fail(session, job, described, retry_after=wait)
        log.warning("job_failed", job_id=job.job_id, kind=job.kind, attempt=job.attempt, state=state, error=described)
        return Outcome(state) if state else Outcome.LEASE_LOST


def describe(error: BaseException) -> str:
    """Name an error by its type and the place that raised it.

    Its message is left out, because it may quote a citizen's words.
    """
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f" in {trace.tb_frame.f_globals.get('__name__')}:{trace.tb_lineno}" if trace is not None else ""
    return f"{type(error).__name__}{place}"
