"""Small, careful ways to write files in the data folder."""

import contextlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

# A log is set aside once it is this large (bytes), so a folder keeps at most twice this per process.
LOG_LIMIT = 10 * 1024 * 1024


def write_json(path: Path, content: Any) -> None:
    """Replace `path` with `content` as JSON, readable by its owner only; a crash leaves the old file or the new one."""
    fresh = path.with_name(path.name + ".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(content, file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make renames in `folder` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def open_log(path: Path) -> int:
    """Return a descriptor that appends to the log at `path`; appending is what makes `trim_log` safe."""
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)


def trim_log(path: Path, limit: int = LOG_LIMIT) -> None:
    """Set a log of more than `limit` bytes aside as `<name>.1` and empty it while its writer goes on writing.

    Lines written between the copy and the emptying are lost, the price of needing no help from the writer.
    """
    with contextlib.suppress(FileNotFoundError):
        if path.stat().st_size > limit:
            shutil.copy2(path, path.with_name(path.name + ".1"))
            os.truncate(path, 0)


def last_lines(path: Path, since: int, count: int = 5) -> str:
    """Return the last `count` non-empty lines that `path` got after byte `since`, joined into one line."""
    try:
        with path.open("rb") as file:
            file.seek(since)
            text = file.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return ""
    return " | ".join([line.strip() for line in text.splitlines() if line.strip()][-count:])
