"""Who works at the command line, for the audit log, and how a refusal of a service is told there."""

import getpass
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import click

from hotline.domain.people import Actor, Role
from hotline.services.errors import Conflict, Forbidden, InvalidInput, NotFound


def operator() -> Actor:
    """Return the system as actor, with the operating system's user and machine as the place it acts from."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        # A container may run under a number that has no name.
        user = str(os.getuid())
    return Actor(Role.SYSTEM, address=f"cli:{user}@{socket.gethostname()}")


@contextmanager
def refusals() -> Iterator[None]:
    """Turn what a service refuses into one clear line and exit status 1."""
    try:
        yield
    except InvalidInput as refused:
        raise click.ClickException(f"{refused.field}: {refused.message}") from None
    except (Conflict, Forbidden, NotFound) as refused:
        raise click.ClickException(str(refused)) from None
