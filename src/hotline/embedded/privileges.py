"""Who the embedded servers run as, and how that user reaches their files.

PostgreSQL refuses to run as root, and neither server has any business being root, so root starts both as `nobody`.
The clone or the data folder may lie below a folder that `nobody` cannot enter (/root, a 0700 folder made by mktemp).
Opening those folders to everybody would change things that are not ours; instead the server keeps one capability
that lets it pass through them, and only when it needs to.
"""

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

from hotline.embedded.errors import EmbeddedError

# CAP_DAC_READ_SEARCH lets a process enter and read any folder but write nowhere new, which is all that is needed.
# Containers often take it from root and leave CAP_DAC_OVERRIDE, which does the same and more.
_CAP_DAC_READ_SEARCH = 2
_CAP_DAC_OVERRIDE = 1
# Handing a capability on through a change of user takes this one.
_CAP_SETPCAP = 8

_NOBODY = 65534


@dataclass(frozen=True)
class Identity:
    """A user and group that a server runs as."""

    uid: int
    gid: int


def service_identity() -> Identity | None:
    """Return `nobody` when this process is root, else None: the servers run as the user who starts them."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        return Identity(_NOBODY, _NOBODY)
    return Identity(entry.pw_uid, entry.pw_gid)


def capability_to_run(identity: Identity | None, program: Path, folder: Path) -> int | None:
    """Return the capability that `identity` needs to run `program` on `folder`, or None when it needs none.

    Raises:
        EmbeddedError: one of them is out of reach and root itself lacks the capability to give.
    """
    if identity is None:
        return None
    executable = _may_pass(identity, program.stat())
    program_in_reach = executable and can_reach(identity, program)
    if program_in_reach and can_reach(identity, folder):
        return None
    # Running a file without its execute bit (installed under umask 077) takes the stronger capability.
    suitable = (_CAP_DAC_READ_SEARCH, _CAP_DAC_OVERRIDE) if executable else (_CAP_DAC_OVERRIDE,)
    permitted = permitted_capabilities()
    for capability in suitable:
        if permitted >> capability & permitted >> _CAP_SETPCAP & 1:
            return capability
    raise EmbeddedError(_out_of_reach(folder) if program_in_reach else _out_of_reach_program(program))


def can_reach(identity: Identity, path: Path) -> bool:
    """Tell whether the permission bits let `identity` enter every folder above `path`."""
    return all(_may_pass(identity, folder.stat()) for folder in path.resolve().parents)


def _out_of_reach(folder: Path) -> str:
    return (
        f"root's PostgreSQL and Redis run as nobody, who cannot reach {folder}: "
        "choose a folder that everybody may enter with DATA=/some/readable/path"
    )


def _out_of_reach_program(program: Path) -> str:
    return (
        f"root's PostgreSQL and Redis run as nobody, who cannot run {program}: "
        "move the clone to a folder that everybody may enter, or start as an ordinary user"
    )


def _may_pass(identity: Identity, status: os.stat_result) -> bool:
    """Tell whether the execute bit (to run a file, to enter a folder) is set for `identity`."""
    if status.st_uid == identity.uid:
        return bool(status.st_mode & stat.S_IXUSR)
    if status.st_gid == identity.gid:
        return bool(status.st_mode & stat.S_IXGRP)
    return bool(status.st_mode & stat.S_IXOTH)


def permitted_capabilities() -> int:
    """Return this process's permitted capabilities as a bit set; 0 where the system has none (not Linux)."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return 0
    found = [line.split()[1] for line in status.splitlines() if line.startswith("CapPrm:")]
    return int(found[0], 16) if found else 0
