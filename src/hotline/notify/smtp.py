"""Notifications by mail, with the standard library."""

import smtplib
import ssl
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import Literal

from hotline.notify.message import Message, NotifyError

TIMEOUT_SECONDS = 10.0
Security = Literal["starttls", "tls", "none"]


@dataclass(frozen=True, slots=True)
class Mailbox:
    """Where mail is handed in, and as whom."""

    host: str
    port: int
    security: Security
    sender: str
    username: str | None = None
    password: str | None = None


class SmtpNotifier:
    """Mails each recipient who has an address; they do not see one another's."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    def send(self, key: str, message: Message) -> None:
        """Hand the mails in.

        A repetition has the same Message-ID, by which mail programs know it.  Raises ``NotifyError`` when one of them
        was not taken; nothing is sent, and nothing is wrong, when nobody has an address.
        """
        addresses = [recipient.email for recipient in message.recipients if recipient.email]
        if not addresses:
            return
        try:
            with self._server() as server:
                for place, address in enumerate(addresses):
                    server.send_message(self._mail(f"{key}.{place}", message, address))
        except (OSError, smtplib.SMTPException) as error:
            raise NotifyError(f"the mail server did not take it: {type(error).__name__}") from error

    def _server(self) -> smtplib.SMTP:
        box = self._mailbox
        trusted = ssl.create_default_context()
        if box.security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(box.host, box.port, timeout=TIMEOUT_SECONDS, context=trusted)
        else:
            server = smtplib.SMTP(box.host, box.port, timeout=TIMEOUT_SECONDS)
        try:
            if box.security == "starttls":
                server.starttls(context=trusted)
            if box.username:
                server.login(box.username, box.password or "")
        except Exception:
            server.close()
            raise
        return server

    def _mail(self, key: str, message: Message, address: str) -> EmailMessage:
        mail = EmailMessage(policy=SMTP)
        sender = Address(addr_spec=self._mailbox.sender)
        mail["From"], mail["To"], mail["Subject"] = sender, Address(addr_spec=address), message.title
        mail["Message-ID"] = f"<hotline.{key}@{sender.domain}>"
        # Nobody's holiday note shall answer a machine.  Source: RFC 3834.
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(message.text)
        return mail
