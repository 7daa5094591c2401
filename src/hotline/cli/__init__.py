"""The ``hotline`` command.

Subcommands are imported only when they are called, so that ``hotline --help`` answers at once.
"""

import importlib

import click

from hotline import __version__

# name → (module with a click command called ``command``, the line that --help shows)
COMMANDS: dict[str, tuple[str, str]] = {
    "db": ("hotline.cli.db", "Create, migrate and inspect the database."),
    "jobs": ("hotline.cli.jobs", "See, replay and prune background jobs."),
    "model": ("hotline.cli.model", "Train, measure and list triage models."),
    "sla": ("hotline.cli.sla", "Compute deadlines from a calendar."),
    "triage": ("hotline.cli.triage", "Run the triage model on texts."),
    "up": ("hotline.cli.up", "Start everything on this machine: PostgreSQL, Redis, web, worker, beat."),
}


class LazyGroup(click.Group):
    """A group that knows its commands' names and help lines without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(COMMANDS[cmd_name][0]).command
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
