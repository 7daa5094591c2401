"""Mail against a real server on this machine."""

import socket
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from hotline.notify import Mailbox, Message, NotifyError, Recipient, SmtpNotifier

MESSAGE = Message(
    "red_card",
    "【12345】红牌：20261109-000001",
    "红牌：工单 20261109-000001",
    (Recipient("cgj-lead", "lead@city.example"), Recipient("nobody"), Recipient("boss", "boss@city.example")),
)


class Inbox:
    """Takes mail, unless it is for an address it refuses."""

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], EmailMessage]] = []
        self.refused: str | None = None

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if address == self.refused:
            return "450 try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append((envelope.rcpt_tos, mail))
        return "250 OK"


@pytest.fixture
def server() -> Iterator[tuple[Inbox, SmtpNotifier]]:
    inbox = Inbox()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(inbox, hostname="127.0.0.1", port=port)
    controller.start()
    yield inbox, SmtpNotifier(Mailbox("127.0.0.1", port, "none", "hotline@city.example"))
    controller.stop()


def test_each_recipient_with_an_address_gets_a_mail_of_their_own(server: tuple[Inbox, SmtpNotifier]) -> None:
    inbox, notifier = server
    notifier.send("77", MESSAGE)
    assert [to for to, _ in inbox.mails] == [["lead@city.example"], ["boss@city.example"]]
    for to, mail in inbox.mails:
        assert (mail["Subject"], mail["To"], mail["From"]) == (MESSAGE.title, to[0], "hotline@city.example")
        assert mail.get_content().strip() == MESSAGE.text
        assert mail["Auto-Submitted"] == "auto-generated"


def test_a_repetition_has_the_same_message_id_and_two_mails_have_two(server: tuple[Inbox, SmtpNotifier]) -> None:
    inbox, notifier = server
    for key in ("77", "77", "78"):
        notifier.send(key, MESSAGE)
    ids = [mail["Message-ID"] for _, mail in inbox.mails]
    assert ids[:2] == ids[2:4]
    assert len(set(ids)) == 4


def test_a_mail_that_is_not_taken_is_a_refusal_that_names_nobody(server: tuple[Inbox, SmtpNotifier]) -> None:
    inbox, notifier = server
    inbox.refused = "boss@city.example"
    with pytest.raises(NotifyError) as refused:
        notifier.send("77", MESSAGE)
    assert "boss" not in str(refused.value)


def test_without_any_address_no_server_is_asked() -> None:
    nowhere = SmtpNotifier(Mailbox("127.0.0.1", 1, "none", "hotline@city.example"))
    nowhere.send("77", Message("test", "title", "text", (Recipient("nobody"),)))


def test_a_server_without_encryption_gets_nothing_when_encryption_is_asked_for(
    server: tuple[Inbox, SmtpNotifier],
) -> None:
    inbox, notifier = server
    port = notifier._mailbox.port
    with pytest.raises(NotifyError):
        SmtpNotifier(Mailbox("127.0.0.1", port, "starttls", "hotline@city.example")).send("77", MESSAGE)
    assert inbox.mails == []
