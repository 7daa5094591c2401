"""Counters in Redis that all web processes share: requests a minute, and which sessions have ended.

Redis is a convenience here, not a condition: while it is away nothing is counted and nothing waits for it.
"""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

import structlog
from redis import Redis
from redis.exceptions import RedisError

from hotline.services.context import Clock

log = structlog.get_logger()

Answer = TypeVar("Answer")

WINDOW_SECONDS = 60
_PREFIX = "hotline:web"


class Counters:
    """Counts in fixed windows of a minute; the count of a window goes with it."""

    def __init__(self, redis_url: str, now: Clock, *, pause_seconds: float = 5.0, warn_seconds: float = 60.0) -> None:
        # A Redis that hangs must not make every request wait, so the patience is short and a failure is remembered.
        self._redis = Redis.from_url(redis_url, socket_timeout=0.25, socket_connect_timeout=0.25)
        self._now = now
        self._pause, self._warn_every = pause_seconds, warn_seconds
        self._away_until = self._warned_at = float("-inf")
        self._lock = threading.Lock()

    def wait(self, kind: str, who: str, limit: int) -> int | None:
        """Count one request of ``who``; return the seconds to wait when it is beyond ``limit`` a minute, else None.

        A limit of 0 counts nothing.
        """
        if limit == 0 or self._is_away():
            return None
        second = self._now().timestamp()
        key = f"{_PREFIX}:{kind}:{who}:{int(second // WINDOW_SECONDS)}"
        try:
            count = int(self._redis.incr(key))
            if count == 1:
                self._redis.expire(key, 2 * WINDOW_SECONDS)
        except RedisError as error:
            self._note_failure(error)
            return None
        return WINDOW_SECONDS - int(second % WINDOW_SECONDS) if count > limit else None

    def end_session(self, session_id: str, remember_seconds: float) -> None:
        """Remember that a session has ended, so that a copy of its cookie opens nothing."""
        try:
            self._redis.set(f"{_PREFIX}:ended:{session_id}", "1", ex=int(remember_seconds) + 1)
        except RedisError as error:
            self._note_failure(error)

    def has_ended(self, session_id: str) -> bool:
        """Tell whether the session was ended; no while Redis is away."""
        if self._is_away():
            return False
        try:
            return bool(self._redis.exists(f"{_PREFIX}:ended:{session_id}"))
        except RedisError as error:
            self._note_failure(error)
            return False

    def ask(self, question: Callable[[Redis], Answer], otherwise: Answer) -> Answer:
        """Return what ``question`` makes of Redis, and ``otherwise`` while Redis is away."""
        if self._is_away():
            return otherwise
        try:
            return question(self._redis)
        except RedisError as error:
            self._note_failure(error)
            return otherwise

    def close(self) -> None:
        """Give the connections back."""
        self._redis.close()

    def _is_away(self) -> bool:
        return time.monotonic() < self._away_until

    def _note_failure(self, error: RedisError) -> None:
        """Leave Redis alone for a moment, and say so once a minute."""
        with self._lock:
            now = time.monotonic()
            self._away_until = now + self._pause
            if now - self._warned_at < self._warn_every:
                return
            self._warned_at = now
        log.warning("rate_limits_off_redis_away", error=type(error).__name__)
