"""The ``hotline`` command.

Subcommands are imported only when they are called, so that ``hotline --help`` answers at once.
"""

import importlib

import click

from hotline import __version__

# name → (module:attribute of the click command, the line that --help shows)
COMMANDS: dict[str, tuple[str, str]] = {
    "audit": ("hotline.cli.audit:command", "Read the audit log and verify that none of it was changed."),
    "backup": ("hotline.cli.backup:command", "Write the whole database to a file."),
    "beat": ("hotline.cli.serve:beat", "Tick: sweep the job queue and start periodic work."),
    "calendar": ("hotline.cli.calendar:command", "List, import and export working calendars."),
    "catalogue": ("hotline.cli.catalogue:command", "List, import, export and replay the responsibility catalogue."),
    "db": ("hotline.cli.db:command", "Create, migrate and inspect the database."),
    "jobs": ("hotline.cli.jobs:command", "See, replay and prune background jobs."),
    "keys": ("hotline.cli.keys:command", "Make, count and rotate the keys of sealed data."),
    "knowledge": ("hotline.cli.knowledge:command", "Bring the knowledge base in and write it out."),
    "limits": ("hotline.cli.limits:command", "List, import and export time limits."),
    "model": ("hotline.cli.model:command", "Train, measure and list triage models."),
    "notify": ("hotline.cli.notify:command", "See that notifications arrive."),
    "report": ("hotline.cli.report:command", "Write a daily, weekly or monthly bulletin to files."),
    "reports": ("hotline.cli.reports:command", "Rebuild and verify what the reports are computed from."),
    "restore": ("hotline.cli.restore:command", "Bring a backup back, and check that it is whole."),
    "retention": ("hotline.cli.retention:command", "Close out personal data that has been kept long enough."),
    "similar": ("hotline.cli.similar:command", "Find tickets of the same event, without or in a database."),
    "sla": ("hotline.cli.sla:command", "Compute deadlines from a calendar."),
    "token": ("hotline.cli.token:command", "Issue, list and revoke tokens for the API."),
    "triage": ("hotline.cli.triage:command", "Run the triage model on texts."),
    "up": ("hotline.cli.up:command", "Start everything on this machine: PostgreSQL, Redis, web, worker, beat."),
    "user": ("hotline.cli.user:command", "Add, list, close and open people's accounts."),
    "web": ("hotline.cli.serve:web", "Serve the API and the pages."),
    "worker": ("hotline.cli.serve:worker", "Run background jobs."),
}


class LazyGroup(click.Group):
    """A group that knows its commands' names and help lines without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in self.list_commands(ctx)])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="hotline")
def main() -> None:
    """Run and look after a city's 12345 hotline.

    \b
    Examples:
      hotline up                          start everything on this machine
      hotline jobs list --state dead      see what could not be done
      hotline triage predict < calls.jsonl
    """
