"""Attachments in one file beside a backup: a plain tar whose members are named by the SHA-256 of their content."""

import os
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from hotline.storage.files import FileStore

# Longer than any file that a ticket takes; a member beyond it was not written by a backup.
LONGEST = 64 * 1024 * 1024


class ArchiveError(Exception):
    """The archive cannot be written or read; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Archived:
    """How many files an archive holds, how many bytes these are, and how many were no longer there."""

    files: int
    size: int
    missing: int


def write_archive(store: FileStore, digests: Iterable[str], path: Path) -> Archived:
    """Write the files with these digests to ``path``, which must not exist yet.

    One that is gone, for instance because retention removed it meanwhile, is counted and left out.
    Raises ``ArchiveError``.
    """
    part = path.with_name(f".{path.name}.part")
    files = size = missing = 0
    try:
        part.unlink(missing_ok=True)
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as raw:
            with tarfile.open(fileobj=raw, mode="w|", format=tarfile.PAX_FORMAT) as archive:
                for digest in digests:
                    content = store.read(digest)
                    if content is None:
                        missing += 1
                        continue
                    member = tarfile.TarInfo(digest)
                    member.size, member.mode = len(content), 0o600
                    archive.addfile(member, BytesIO(content))
                    files, size = files + 1, size + len(content)
            raw.flush()
            os.fsync(raw.fileno())
        # Unlike a rename, a link never takes the place of a file that came meanwhile.
        os.link(part, path)
    except OSError as error:
        raise ArchiveError(f"cannot write {path} ({error.strerror})") from None
    finally:
        part.unlink(missing_ok=True)
    return Archived(files, size, missing)


def read_archive(store: FileStore, path: Path) -> Archived:
    """Put every file of the archive into the store; each is there once, however often this is done.

    Raises ``ArchiveError`` for anything that a backup would not have written; nothing of it lies outside the store.
    """
    files = size = 0
    try:
        with tarfile.open(path, mode="r|") as archive:
            for member in archive:
                source = archive.extractfile(member) if member.isreg() and member.size <= LONGEST else None
                content = source.read() if source is not None else b""
                if source is None or store.digest_of(content) != member.name:
                    raise ArchiveError(f"{path} is damaged or no backup's: a member is not what its name says")
                store.put(content)
                files, size = files + 1, size + len(content)
    except (tarfile.TarError, EOFError) as error:
        raise ArchiveError(f"{path} is damaged or no archive ({type(error).__name__})") from None
    except OSError as error:
        raise ArchiveError(f"cannot read {path} ({error.strerror})") from None
    return Archived(files, size, 0)
