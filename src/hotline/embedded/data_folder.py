"""The data folder: one running Hotline at a time, its secrets, and where everything else lies.

DATA/lock                who runs here (flock; the file holds the process id)
DATA/secrets.json        generated passwords and keys, readable by the owner only
DATA/pg/                 PostgreSQL's data
DATA/sock/               unix sockets, in a folder that only the servers' user may enter
DATA/run/pids.json       processes to end when the next start finds them still alive
DATA/log/<name>.log      one log per process
"""

import base64
import contextlib
import fcntl
import hashlib
import json
import os
import re
import secrets
import shutil
import stat
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from hotline.embedded.errors import EmbeddedError
from hotline.embedded.files import write_json
from hotline.embedded.privileges import Identity, service_identity

# The address of a unix socket holds this many bytes besides its closing NUL.
_SOCKET_ADDRESS_LIMIT = 107 if sys.platform == "linux" else 103
_LONGEST_SOCKET_NAME = ".s.PGSQL.5432"

# Socket paths travel in URLs and in PostgreSQL's comma-separated lists, whose readers quote each in their own way;
# a path of these characters needs no quoting anywhere.
_PLAIN_PATH = re.compile(r"[A-Za-z0-9/._+-]+")

# What may lie in a folder that is new to Hotline: mount points and version control leave such things behind.
_HARMLESS = re.compile(r"\..*|lost\+found")


class DataFolder:
    """An opened and locked data folder; use `DataFolder.open`."""

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self.identity: Identity | None = service_identity()
        self._lock = lock
        self._socket_base: Path | None = None

    @classmethod
    def open(cls, path: Path | str) -> Self:
        """Create the folder when it is missing and lock it for this process until `close`.

        Raises:
            EmbeddedError: it is in use, not writable, another user's, not a folder, or holds somebody's other files.
        """
        resolved = Path(path).expanduser().resolve()
        _create(resolved)
        _check_owner(resolved)
        try:
            _check_content(resolved)
            folder = cls(resolved, _take_lock(resolved))
            try:
                folder._lay_out()
            except BaseException:
                folder.close()
                raise
        except OSError as error:
            raise EmbeddedError(
                f"the data folder {resolved} is not writable ({error.strerror}): "
                "make it so (chmod u+rwx) or choose another with DATA=/some/path"
            ) from error
        return folder

    @classmethod
    def attach(cls, path: Path | str) -> Self:
        """Look into the folder of a running Hotline without its lock: to read its secrets and find its sockets.

        Raises:
            EmbeddedError: nothing runs there, or it is another user's.
        """
        resolved = Path(path).expanduser().resolve()
        if not is_in_use(resolved):
            raise EmbeddedError(f"no Hotline runs in {resolved}")
        _check_owner(resolved)
        folder = cls(resolved, -1)
        if not _fits_a_socket(resolved / "sock"):
            folder._socket_base = _temporary_base(resolved)
        return folder

    def close(self) -> None:
        """Remove what lies outside the folder (a socket folder under the temporary one) and release the lock."""
        if self._socket_base is not None and self._lock >= 0:
            shutil.rmtree(self._socket_base, ignore_errors=True)
            self._socket_base = None
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def log_dir(self) -> Path:
        """The folder of the logs."""
        return self.path / "log"

    @property
    def run_dir(self) -> Path:
        """The folder of what is true only while Hotline runs."""
        return self.path / "run"

    @property
    def socket_dir(self) -> Path:
        """The folder of the unix sockets: a plain, short path that only the servers' user (and root) may enter."""
        base = self.path if self._socket_base is None else self._socket_base
        return base / "sock"

    def log_path(self, name: str) -> Path:
        """Return where the process called `name` logs."""
        return self.log_dir / f"{name}.log"

    def secret(self, name: str) -> str:
        """Return the secret called `name`, made on first use: 32 random bytes in url-safe base64 (a valid Fernet key).

        Raises:
            EmbeddedError: `secrets.json` cannot be read.
        """
        path = self.path / "secrets.json"
        known: dict[str, str] = {}
        if path.exists():
            try:
                known = dict(json.loads(path.read_text(encoding="utf-8")))
            except (OSError, ValueError) as error:
                raise EmbeddedError(f"cannot read {path} ({error}): restore it from a backup") from error
        if name not in known:
            known[name] = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode("ascii")
            write_json(path, known)
        return known[name]

    def adopt(self, secrets: Mapping[str, str]) -> None:
        """Take over secrets that were kept elsewhere, in the place of the folder's own of the same names."""
        path = self.path / "secrets.json"
        known = dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}
        write_json(path, {**known, **secrets})

    def _lay_out(self) -> None:
        # Root's servers run as nobody, who must be able to pass through to what is theirs.
        self.path.chmod(0o711 if self.identity else 0o700)
        for private in (self.log_dir, self.run_dir):
            private.mkdir(mode=0o700, exist_ok=True)
        if not _fits_a_socket(self.path / "sock"):
            self._socket_base = _temporary_base(self.path)
            self._socket_base.chmod(0o711 if self.identity else 0o700)
        self.socket_dir.mkdir(mode=0o700, exist_ok=True)
        if self.identity:
            os.chown(self.socket_dir, self.identity.uid, self.identity.gid)
        self.socket_dir.chmod(0o700)


def is_in_use(path: Path) -> bool:
    """Tell whether a running Hotline holds the lock of the data folder at `path`."""
    try:
        descriptor = os.open(path / "lock", os.O_RDWR | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _create(path: Path) -> None:
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except FileExistsError as error:
        raise EmbeddedError(f"{path} is a file, not a folder: choose another folder with DATA=/some/path") from error
    except OSError as error:
        raise EmbeddedError(
            f"cannot create the data folder {path} ({error.strerror}): choose another with DATA=/some/path"
        ) from error


def _check_owner(path: Path) -> None:
    owner = path.stat().st_uid
    if owner != os.geteuid():
        raise EmbeddedError(
            f"the data folder {path} belongs to another user (uid {owner}, you are uid {os.geteuid()}): "
            "start Hotline as that user or choose another folder with DATA=/some/path"
        )


def _check_content(path: Path) -> None:
    """Refuse a folder with other files in it: `DATA=/tmp` as root would close /tmp to everybody else."""
    if (path / "lock").exists():
        return
    foreign = sorted(entry.name for entry in path.iterdir() if not _HARMLESS.fullmatch(entry.name))
    if foreign:
        raise EmbeddedError(
            f"{path} holds other files ({foreign[0]}, …) and no Hotline data: "
            "choose an empty folder with DATA=/some/path"
        )


def _take_lock(path: Path) -> int:
    """Return the descriptor that holds the lock. Python keeps it from child processes, so it ends with this one."""
    descriptor = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip() or "unknown"
        os.close(descriptor)
        raise EmbeddedError(
            f"the data folder {path} is in use by a running Hotline (pid {holder}): "
            "stop that one or choose another folder with DATA=/some/path"
        ) from error
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)
    return descriptor


def _fits_a_socket(folder: Path) -> bool:
    longest = os.fsencode(folder / _LONGEST_SOCKET_NAME)
    return len(longest) <= _SOCKET_ADDRESS_LIMIT and _PLAIN_PATH.fullmatch(str(folder)) is not None


def _temporary_base(data: Path) -> Path:
    """Create the folder under the system's temporary one that stands in for a path no socket can have.

    The name is predictable, so anybody may have put something there first: it must turn out to be a folder (not a
    link) of ours that nobody else may write to.
    """
    digest = hashlib.sha256(os.fsencode(data)).hexdigest()[:12]
    name = f"hotline-{os.geteuid()}-{digest}"
    bases = [Path(parent) / name for parent in (tempfile.gettempdir(), "/tmp")]  # noqa: S108  # Checked below.
    fitting = [base for base in bases if _fits_a_socket(base / "sock")]
    if not fitting:
        raise EmbeddedError(f"{data} is too long or unusual a path for a unix socket: choose a shorter one with DATA=")
    base = fitting[0]
    with contextlib.suppress(FileExistsError):
        base.mkdir(mode=0o700)
    status = base.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o022:
        raise EmbeddedError(f"{base} is not a private folder of yours: remove it or choose a shorter path with DATA=")
    return base
