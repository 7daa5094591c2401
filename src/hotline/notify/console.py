"""Notifications as lines of the log, to see what would be sent."""

import structlog

from hotline.notify.message import Message

log = structlog.get_logger()


class ConsoleNotifier:
    """Writes one structured line per notification."""

    def send(self, key: str, message: Message) -> None:
        """Log it; user names of colleagues are counted, not written."""
        facts = message.ticket
        log.info(
            "notification",
            key=key,
            subject=message.code,
            ticket=facts.number if facts else None,
            matter=facts.matter if facts else None,
            due=facts.due.isoformat() if facts and facts.due else None,
            recipients=len(message.recipients),
        )
