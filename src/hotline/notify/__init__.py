"""Ways to send a notification (通知): to a log, to a webhook, by mail, or not at all.

Each is a `Notifier`.  What is sent holds a ticket's number, matter, due and link; never a citizen's words, name or
phone.
"""

from hotline.notify.console import ConsoleNotifier
from hotline.notify.message import Message, Notifier, NotifyError, Recipient, TicketFacts
from hotline.notify.smtp import Mailbox, SmtpNotifier
from hotline.notify.webhook import WebhookNotifier, signature

__all__ = [
    "ConsoleNotifier",
    "Mailbox",
    "Message",
    "Notifier",
    "NotifyError",
    "Recipient",
    "SmtpNotifier",
    "TicketFacts",
    "WebhookNotifier",
    "signature",
]
