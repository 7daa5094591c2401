"""Redis as Celery's transport, taught what a doorbell has to bear: lost acknowledgements, and rings nobody can read.

A message is only a ring.  Whichever is lost or dropped here, its job row still waits and the sweep rings again.
"""

from typing import Any

import structlog
from kombu.transport import TRANSPORT_ALIASES, redis, virtual
from kombu.transport.virtual import Empty
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

log = structlog.get_logger()


class QoS(redis.QoS):
    """Counts the messages in hand."""

    def ack(self, delivery_tag: str) -> None:
        """Acknowledge; the message is out of hand even when Redis cannot be told.

        The stock class keeps it in hand then.  Celery logs the failure and goes on, so a worker whose hands were full
        when Redis restarted would never ask for another message.
        """
        try:
            super().ack(delivery_tag)
        except Exception:
            virtual.QoS.ack(self, delivery_tag)
            raise

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        """Reject; the message is out of hand even when Redis cannot be told."""
        try:
            super().reject(delivery_tag, requeue=requeue)
        except Exception:
            virtual.QoS.ack(self, delivery_tag)
            raise


class Channel(redis.Channel):
    """Reads messages."""

    QoS = QoS

    def _brpop_read(self, **options: Any) -> Any:
        """Read a message that has come in; one that is no message at all is dropped, where the stock class would end
        the worker.
        """
        try:
            return super()._brpop_read(**options)  # type: ignore[misc]  # The library's stubs leave it out.
        except (Empty, OSError, RedisConnectionError, RedisTimeoutError):
            raise
        except Exception as error:
            log.warning("message_dropped", reason="unreadable", error=type(error).__name__)
            return True


class Transport(redis.Transport):
    """Redis with the channel above."""

    Channel = Channel


def use_this_transport() -> None:
    """Let ``redis://``, ``rediss://`` and ``redis+socket://`` mean the transport above, in this process."""
    ours = f"{__name__}:{Transport.__name__}"
    TRANSPORT_ALIASES.update(redis=ours, rediss=ours)
