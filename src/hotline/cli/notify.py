"""``hotline notify``: see that notifications arrive."""

from uuid import uuid4

import click

from hotline.cli.runtime import open_runtime
from hotline.domain.mail_address import is_mail_address
from hotline.notify import Message, NotifyError, Recipient


@click.group()
def command() -> None:
    """Notifications by log, signed webhook or mail (HOTLINE_NOTIFIER=console, webhook or smtp).

    \b
    Examples:
      hotline notify test
      hotline notify test --to li.na@city.example
    """


@command.command()
@click.option("--to", "address", help="The mail address that a test mail goes to (smtp).")
def test(address: str | None) -> None:
    """Send one notification that says it is a test, by the configured way and at once.

    \b
    Examples:
      hotline notify test
      hotline notify test --to li.na@city.example
    """
    if address is not None and not is_mail_address(address):
        raise click.UsageError("--to is no mail address")
    with open_runtime() as parts:
        notifier, way = parts.notifier, parts.settings.notifier
        if notifier is None:
            raise click.ClickException("nothing is sent: HOTLINE_NOTIFIER is none; set it to console, webhook or smtp")
        if way == "smtp" and address is None:
            raise click.UsageError("say with --to which address the test mail goes to")
        message = Message("test", "【12345】测试通知", "这是一条测试通知，无需处理。", (Recipient("test", address),))
        try:
            notifier.send(f"test-{uuid4()}", message)
        except NotifyError as error:
            raise click.ClickException(str(error)) from None
    click.echo(f"sent by {way}")
