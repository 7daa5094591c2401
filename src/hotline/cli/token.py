"""``hotline token``: bearer tokens for the API."""

from datetime import datetime, timedelta

import click

from hotline.cli.operator import operator, refusals
from hotline.cli.runtime import open_runtime
from hotline.domain.city_time import CITY_ZONE
from hotline.domain.people import Permission
from hotline.services import accounts, tokens
from hotline.services.tokens import LONGEST_LIFE, IssueToken
from hotline.storage.engine import transaction
from hotline.storage.tables import ApiToken

SCOPES = click.Choice([p.value for p in Permission if p not in (Permission.PUBLIC, Permission.SIGNED_IN)])


@click.group()
def command() -> None:
    """Bearer tokens for the API: issue, list and revoke them.

    Only a digest is kept, so a token is shown once.  Each change is recorded in the audit log.

    \b
    Examples:
      hotline token issue agent01 --name "phone system" --days 90 --scope ticket.intake
      hotline token list agent01
      hotline token revoke 17
    """


@command.command()
@click.argument("username")
@click.option("--name", required=True, help="What the token is for.")
@click.option("--days", type=click.IntRange(1, LONGEST_LIFE.days), default=90, show_default=True)
@click.option("--scope", "scopes", type=SCOPES, multiple=True, help="Limit it to this permission; may be repeated.")
def issue(username: str, name: str, days: int, scopes: tuple[str, ...]) -> None:
    """Issue a token for an account and show it once.  Without --scope it may do all that the account's role may.

    \b
    Examples:
      hotline token issue agent01 --name "phone system" --scope ticket.intake --scope ticket.read
      hotline token issue supervisor01 --name "city dashboard" --days 30 --scope report.read
    """
    limited = tuple(Permission(scope) for scope in scopes) or None
    with open_runtime() as parts, refusals(), transaction(parts.sessions) as session:
        account = accounts.find(session, username)
        token = tokens.issue(
            session, parts.context, IssueToken(account, name, timedelta(days=days), limited), operator()
        )
    click.echo(f"token of {username} for {days} days, shown this once:\n{token}")


@command.command("list")
@click.argument("username", required=False)
def list_(username: str | None) -> None:
    """List tokens, or an account's: number, account, state, expiry, last use, scopes, name.

    \b
    Examples:
      hotline token list
      hotline token list agent01
    """
    with open_runtime() as parts, transaction(parts.sessions) as session:
        found = tokens.listed(session, username)
        now = parts.context.now()
    if not found:
        click.echo("there are no tokens")
    for token in found:
        scopes = ",".join(token.scopes) if token.scopes is not None else "all of the role's"
        click.echo(
            f"{token.id:>6}  {token.account.username:<20} {_state(token, now):<8} until {_day(token.expires_at)}  "
            f"used {_day(token.last_used_at)}  {scopes}  {token.name}"
        )


def _state(token: ApiToken, now: datetime) -> str:
    if token.revoked_at is not None:
        return "revoked"
    if not token.account.active:
        return "closed"
    return "valid" if token.expires_at > now else "expired"


def _day(at: datetime | None) -> str:
    return f"{at.astimezone(CITY_ZONE):%Y-%m-%d %H:%M}" if at else "never"


@command.command()
@click.argument("token_ids", nargs=-1, required=True, type=int)
def revoke(token_ids: tuple[int, ...]) -> None:
    """End the tokens with these numbers (see `hotline token list`) at once.

    \b
    Example:
      hotline token revoke 17 18
    """
    with open_runtime() as parts, refusals(), transaction(parts.sessions) as session:
        for token_id in token_ids:
            tokens.revoke(session, parts.context, token_id, operator())
    click.echo(f"revoked {', '.join(str(token_id) for token_id in token_ids)}")
