"""Redis as Celery's transport, taught what a doorbell has to bear: lost acknowledgements, and rings nobody can read.

A message is only a ring.  Whichever is lost or dropped here, its job row still waits and the sweep rings again.
"""

from collections.abc import Callable
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


# Trouble with the connection is the consumer's business, which connects anew.  Any other error is the message's own.
_CONNECTION_TROUBLE = (OSError, RedisConnectionError, RedisTimeoutError)


class Channel(redis.Channel):
    """Reads messages.  Where the stock class would end the worker over one that cannot be read, this one drops it."""

    QoS = QoS

    def basic_consume(
        self, queue: str, no_ack: bool, callback: Callable[..., Any] | None, consumer_tag: str | None, **options: Any
    ) -> str:
        """Consume from ``queue``; a message that ``callback`` cannot take is out of hand again."""
        assert callback is not None, "a worker consumes with a callback"

        def take(message: virtual.Message) -> Any:
            try:
                _check(message)
                return callback(message)
            except _CONNECTION_TROUBLE:
                raise
            except Exception as error:
                _drop(error)
                if not message.acknowledged:
                    message.reject()

        tag: str = super().basic_consume(queue, no_ack, take, consumer_tag, **options)
        return tag

    def _brpop_read(self, **options: Any) -> Any:
        """Read what has come in, which may be no message at all."""
        try:
            return super()._brpop_read(**options)  # type: ignore[misc]  # The library's stubs leave it out.
        except (Empty, *_CONNECTION_TROUBLE):
            raise
        except Exception as error:
            _drop(error)
            return True


def _check(message: virtual.Message) -> None:
    """Raise unless the message is a call as our own programs write it.

    Celery finds these mistakes too late: its place in the worker's pool or hands is taken by then and never given back.
    """
    message.accept = {"application/json"}
    args, kwargs, embedded = message.payload
    if not (isinstance(args, list) and isinstance(kwargs, dict) and isinstance(embedded, dict)):
        raise TypeError("not a call")
    headers: dict[str, Any] = message.headers
    # The beat sends the task's own two limits along, the doorbell none.
    hard, soft = headers["timelimit"]
    if not isinstance(headers["id"], str) or not {type(hard), type(soft)} <= {int, float, type(None)}:
        raise TypeError("not a call of ours")


def _drop(error: Exception) -> None:
    # Only the error's type is told: what was in the message is somebody else's.
    log.warning("message_dropped", reason="unreadable", error=type(error).__name__)


class Transport(redis.Transport):
    """Redis with the channel above."""

    Channel = Channel


def use_this_transport() -> None:
    """Let ``redis://``, ``rediss://`` and ``redis+socket://`` mean the transport above, in this process."""
    ours = f"{__name__}:{Transport.__name__}"
    TRANSPORT_ALIASES.update(redis=ours, rediss=ours)
