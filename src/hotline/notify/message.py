"""What a notification says, and what sends it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


class NotifyError(Exception):
    """The notification was not taken; it is worth another try.  The message names no recipient."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """A colleague: user name, and mail address where one is known."""

    username: str
    email: str | None = None


@dataclass(frozen=True, slots=True)
class TicketFacts:
    """What may be said of a ticket outside the system.  ``due`` is aware; ``link`` needs a login."""

    number: str
    matter: str | None
    matter_name: str | None
    urgency: str
    due: datetime | None
    department: str | None
    link: str | None


@dataclass(frozen=True, slots=True)
class Message:
    """``code`` names for programs what it is about, ``title`` and ``text`` for people."""

    code: str
    title: str
    text: str
    recipients: tuple[Recipient, ...]
    ticket: TicketFacts | None = None


class Notifier(Protocol):
    """Something that sends notifications."""

    def send(self, key: str, message: Message) -> None:
        """Send ``message``.

        It may be sent again with the same ``key``, by which a receiver knows the repetition.  Raises ``NotifyError``.
        """
