"""``hotline user``: people's accounts."""

import click

from hotline.bootstrap import Runtime
from hotline.cli.operator import operator, refusals
from hotline.cli.runtime import open_runtime
from hotline.domain.people import Role
from hotline.services import accounts
from hotline.services.accounts import AddAccount
from hotline.storage.engine import transaction
from hotline.storage.tables import Account

ROLES = click.Choice([role.value for role in Role if role is not Role.SYSTEM])
GENERATE = click.option("--generate", is_flag=True, help="Make a random password and show it once.")


@click.group()
def command() -> None:
    """People's accounts: add, list, close and open them, give passwords and roles.

    Passwords are asked for or generated, never taken from the command line, where others could read them.
    Each change is recorded in the audit log.

    \b
    Examples:
      hotline user add li.na --name 李娜 --role agent
      hotline user add cgj.wang --name 王强 --role handler --department CGJ --generate
      hotline user list --role admin
      hotline user password li.na --generate     a forgotten password; lifts a lock-out too
      hotline user reset-totp li.na              a lost phone
      hotline user role li.na dispatcher
      hotline user email li.na li.na@city.example
      hotline user disable li.na                 ends sessions and tokens at once
    """


@command.command()
@click.argument("username")
@click.option("--name", required=True, help="The person's name, as colleagues see it.")
@click.option("--role", type=ROLES, required=True)
@click.option("--department", metavar="CODE", help="The department's code; handlers and leads need one.")
@click.option("--email", help="Where notifications for this person go.")
@GENERATE
def add(username: str, name: str, role: str, department: str | None, email: str | None, generate: bool) -> None:
    """Add an account.

    \b
    Examples:
      hotline user add li.na --name 李娜 --role agent
      hotline user add sj01 --name 周敏 --role auditor --generate
    """
    with open_runtime() as parts:
        password = _password(generate)
        shortest = parts.settings.shortest_password
        wanted = AddAccount(username, name, Role(role), password, department, shortest, email)
        with refusals(), transaction(parts.sessions) as session:
            accounts.add(session, parts.context, wanted, operator())
    click.echo(f"added {username} ({role})")
    _show_once(password, generate)


def _password(generate: bool) -> str:
    if generate:
        return accounts.new_password()
    given: str = click.prompt("Password", hide_input=True, confirmation_prompt="Once more")
    return given


def _show_once(password: str, generated: bool) -> None:
    if generated:
        click.echo(f"password, shown this once: {password}")


@command.command("list")
@click.option("--role", type=ROLES, help="Only accounts in this role.")
@click.option("--text", default="", help="Only accounts whose user name or name contains this.")
def list_(role: str | None, text: str) -> None:
    """List accounts: user name, role, department's code, state, second factor, name.

    \b
    Examples:
      hotline user list
      hotline user list --role auditor
    """
    with open_runtime() as parts, transaction(parts.sessions) as session:
        found = accounts.listed(session, text=text, role=Role(role) if role else None, limit=100_000)
        for account in found:
            department = account.department.code if account.department else "-"
            factor = "totp" if account.totp_sealed else "-"
            click.echo(
                f"{account.username:<24} {account.role:<11} {department:<8} {_state(parts, account):<9} {factor:<5} "
                f"{account.display_name}"
            )
    if not found:
        click.echo("no accounts match")


def _state(parts: Runtime, account: Account) -> str:
    if not account.active:
        return "disabled"
    return "locked" if account.locked_until and account.locked_until > parts.context.now() else "active"


@command.command()
@click.argument("username")
def disable(username: str) -> None:
    """Close an account; its sessions and tokens end at once.

    \b
    Example:
      hotline user disable li.na
    """
    with open_runtime() as parts, refusals(), transaction(parts.sessions) as session:
        accounts.disable(session, parts.context, username, operator())
    click.echo(f"disabled {username}; its sessions and tokens have ended")


@command.command()
@click.argument("username")
def enable(username: str) -> None:
    """Open an account again, or lift its lock-out.

    \b
    Example:
      hotline user enable li.na
    """
    with open_runtime() as parts, refusals(), transaction(parts.sessions) as session:
        accounts.enable(session, parts.context, username, operator())
    click.echo(f"enabled {username}")


@command.command()
@click.argument("username")
@GENERATE
def password(username: str, generate: bool) -> None:
    """Give an account another password; its sessions end and a lock-out is lifted.

    \b
    Examples:
      hotline user password li.na
      hotline user password li.na --generate
    """
    with open_runtime() as parts:
        with refusals(), transaction(parts.sessions) as session:
            accounts.find(session, username)
        new, shortest = _password(generate), parts.settings.shortest_password
        with refusals(), transaction(parts.sessions) as session:
            account = accounts.find(session, username, lock=True)
            accounts.set_password(session, parts.context, account, new, operator(), shortest=shortest)
    click.echo(f"changed the password of {username}; its sessions have ended")
    _show_once(new, generate)


@command.command()
@click.argument("username")
@click.argument("address", required=False)
@click.option("--none", "nowhere", is_flag=True, help="Forget the address.")
def email(username: str, address: str | None, nowhere: bool) -> None:
    """Say where notifications for an account go.

    \b
    Examples:
      hotline user email li.na li.na@city.example
      hotline user email li.na --none
    """
    if nowhere == (address is not None):
        raise click.UsageError("give an address, or say --none")
    with open_runtime() as parts, refusals(), transaction(parts.sessions) as session:
        accounts.set_email(session, parts.context, username, address, operator())
    click.echo(f"notifications for {username} go to {address}" if address else f"{username} gets no notifications")


@command.command("reset-totp")
@click.argument("username")
def reset_totp(username: str) -> None:
    """Forget an account's second factor, for a lost phone; where one is required, the next login sets up another.

    \b
    Example:
      hotline user reset-totp li.na
    """
    with open_runtime() as parts, refusals(), transaction(parts.sessions) as session:
        accounts.reset_second_factor(session, parts.context, username, operator())
    click.echo(f"{username} has no second factor now; its sessions have ended")


@command.command()
@click.argument("username")
@click.argument("role", type=ROLES)
@click.option("--department", metavar="CODE", help="Move to this department as well.")
def role(username: str, role: str, department: str | None) -> None:
    """Give an account another role; its sessions end.

    An administrator's or auditor's account keeps its role, so that the two are never the same person.

    \b
    Examples:
      hotline user role li.na dispatcher
      hotline user role li.na lead --department CGJ
    """
    with open_runtime() as parts, refusals(), transaction(parts.sessions) as session:
        accounts.change_role(session, parts.context, username, Role(role), department, operator())
    click.echo(f"{username} is '{role}' now; its sessions have ended")
