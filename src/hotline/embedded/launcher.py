"""Become another program, after setting what only a process can set for itself.

This file is run by path (`python -I -S launcher.py SPEC program arguments…`), never imported by the program it starts.
The alternative, `preexec_fn`, runs Python between fork and exec, which may deadlock as soon as the parent has threads.

SPEC is JSON: {"parent": pid, "death_signal": number or null, "umask": number or null,
               "identity": [uid, gid] or null, "capability": number or null}.
"""

import ctypes
import json
import os
import signal
import sys
from typing import Any

# From linux/prctl.h, linux/securebits.h and linux/capability.h, which Python does not expose.
_PR_SET_PDEATHSIG = 1
_PR_SET_SECUREBITS = 28
_SECBIT_NO_SETUID_FIXUP = 1 << 2
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAPABILITY_VERSION_3 = 0x20080522


def main(arguments: list[str]) -> int:
    """Apply the SPEC in `arguments[0]` and become the program that follows; returns 127 only when that failed."""
    spec: dict[str, Any] = json.loads(arguments[0])
    program = arguments[1:]
    try:
        if spec["umask"] is not None:
            os.umask(spec["umask"])
        if spec["identity"] is not None:
            _become(*spec["identity"], capability=spec["capability"])
        # The kernel forgets the death signal when the user changes, so it is set after that.
        if spec["death_signal"] is not None and sys.platform == "linux":
            _die_with_parent(spec["parent"], spec["death_signal"])
        os.execvp(program[0], program)  # noqa: S606  # Becoming the program, without a shell, is this file's purpose.
    except OSError as error:
        sys.stderr.write(f"hotline: cannot start {program[0]}: {error}\n")
    return 127


def _become(uid: int, gid: int, *, capability: int | None) -> None:
    """Change to another user for good, keeping one capability (and no other) when one is given."""
    if capability is not None:
        # Changing the user would otherwise clear the capabilities, and so would access(2), for the length of its call:
        # initdb asks that way whether it may run the programs beside it. The bit stays with the program.
        _prctl(_PR_SET_SECUREBITS, _SECBIT_NO_SETUID_FIXUP)
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    if capability is not None:
        _keep_only(capability)


def _keep_only(capability: int) -> None:
    """Reduce this process to one capability and make it ambient, so that it survives the exec that follows."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    # Version 3 takes two triples (effective, permitted, inheritable): capabilities 0–31 and 32–63.
    words = (ctypes.c_uint32 * 6)()
    for position in range(3):
        words[3 * (capability // 32) + position] = 1 << (capability % 32)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.capset(ctypes.byref(header), ctypes.byref(words)) != 0:
        _raise_errno("capset")
    _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability)


def _die_with_parent(parent: int, death_signal: int) -> None:
    """Let the kernel signal this process when the thread that started it ends."""
    _prctl(_PR_SET_PDEATHSIG, death_signal)
    # A parent that died before the line above will never send its signal.
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def _prctl(option: int, *values: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    padded = [*values, 0, 0, 0, 0][:4]
    if libc.prctl(option, *(ctypes.c_ulong(value) for value in padded)) != 0:
        _raise_errno("prctl")


def _raise_errno(call: str) -> None:
    number = ctypes.get_errno()
    raise OSError(number, f"{call}: {os.strerror(number)}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
