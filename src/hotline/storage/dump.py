"""Dump the database into a file and load it back, with PostgreSQL's own programs.

They learn where the database is from a service file and the password from a password file, both private and gone
afterwards: a command line or an environment could be read by others.
"""

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from sqlalchemy import make_url

from hotline.domain.masking import mask_text

_SERVICE = "service=hotline"

# Numbers that citizens were told after the backup was made must not be given to anybody else.
NUMBERS_LEFT_OUT = 10_000

_BEGIN = b"BEGIN;\nDROP SCHEMA public CASCADE;\nCREATE SCHEMA public;\n"
_END = (
    b"""
SELECT pg_catalog.setval('public.ticket_number_seq', last_value + %d) FROM public.ticket_number_seq;
COMMIT;
"""
    % NUMBERS_LEFT_OUT
)


class DumpError(Exception):
    """A dump could not be made, read or loaded; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Programs:
    """PostgreSQL's client programs."""

    pg_dump: str
    pg_restore: str
    psql: str


def find_programs(folder: Path | None) -> Programs:
    """Return the programs in ``folder``, or on PATH for None.  Raises ``DumpError`` naming what is missing."""
    path = None if folder is None else str(folder)
    found = {name: shutil.which(name, path=path) for name in ("pg_dump", "pg_restore", "psql")}
    missing = [name for name, where in found.items() if where is None]
    if missing:
        raise DumpError(f"{', '.join(missing)} not found: install PostgreSQL's client programs, or run `make install`")
    return Programs(**{name: where for name, where in found.items() if where is not None})


@contextlib.contextmanager
def _connection(url: str) -> Iterator[dict[str, str]]:
    """Give the environment in which the programs find the database at the SQLAlchemy URL."""
    parsed = make_url(url)
    members = {name: value if isinstance(value, str) else value[0] for name, value in parsed.query.items()}
    named = {"host": parsed.host, "port": parsed.port, "user": parsed.username, "dbname": parsed.database}
    members |= {name: str(value) for name, value in named.items() if value is not None}
    with tempfile.TemporaryDirectory(prefix="hotline-") as private:
        service, password = Path(private, "service"), Path(private, "password")
        lines = ["[hotline]", *(f"{name}={value}" for name, value in members.items())]
        _write_private(service, "\n".join(lines) + "\n")
        escaped = str(parsed.password or "").replace("\\", "\\\\").replace(":", "\\:")
        _write_private(password, f"*:*:*:*:{escaped}\n")
        ours = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8", "PGAPPNAME": "hotline-backup"}
        yield ours | {"PGSERVICEFILE": str(service), "PGPASSFILE": str(password)}


def _write_private(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


def dump(programs: Programs, url: str, path: Path, snapshot: str) -> None:
    """Write the database as ``snapshot`` sees it to ``path``, readable by its owner only.

    The file appears when it is whole.  Raises ``DumpError`` also when ``path`` exists already.
    """
    if path.exists():
        raise DumpError(f"{path} exists already: choose another name")
    part = path.with_name(path.name + ".part")
    try:
        part.unlink(missing_ok=True)
        # Made by us with these permissions; pg_dump only fills it.
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except OSError as error:
        raise DumpError(f"cannot write {part} ({error.strerror}): choose another folder") from None
    options = ["--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}", f"--file={part}"]
    try:
        with _connection(url) as environment:
            _run([programs.pg_dump, *options, f"--dbname={_SERVICE}"], environment)
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.rename(path)
    finally:
        part.unlink(missing_ok=True)


def revision_in(programs: Programs, path: Path) -> str:
    """Return the migration that the dump at ``path`` was made at.  Raises ``DumpError`` when it is no dump of ours."""
    if not path.is_file():
        raise DumpError(f"there is no file {path}")
    options = ["--data-only", "--table=alembic_version", "--file=-"]
    lines = _run([programs.pg_restore, *options, str(path)], _bare()).decode("utf-8", "replace").splitlines()
    for line, following in pairwise(lines):
        if line.startswith("COPY public.alembic_version"):
            return following.strip()
    raise DumpError(f"{path} is no backup of Hotline")


def load(programs: Programs, url: str, path: Path) -> None:
    """Put the dump at ``path`` in the place of everything in the database, in one transaction.

    When anything fails, the database is as it was.  Raises ``DumpError``.
    """
    script = [programs.pg_restore, "--no-owner", "--no-privileges", "--no-comments", "--file=-", str(path)]
    # Terse errors name no row; what is left of one is masked below.
    quiet = ["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--set=VERBOSITY=terse", "--set=SHOW_CONTEXT=never"]
    with (
        _connection(url) as environment,
        tempfile.TemporaryFile() as complaints,
        subprocess.Popen(script, stdout=subprocess.PIPE, stderr=complaints, env=_bare()) as reading,
        subprocess.Popen(
            [programs.psql, *quiet, "--file=-", f"--dbname={_SERVICE}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=complaints,
            env=environment,
        ) as writing,
    ):
        assert reading.stdout is not None
        assert writing.stdin is not None
        # A psql that has given up says why below.
        with contextlib.suppress(BrokenPipeError):
            writing.stdin.write(_BEGIN)
            shutil.copyfileobj(reading.stdout, writing.stdin)
            # Only a script that was read to its end is committed; without the COMMIT psql's end rolls back.
            if reading.wait() == 0:
                writing.stdin.write(_END)
        with contextlib.suppress(BrokenPipeError):
            writing.stdin.close()
        reading.stdout.close()
        if reading.wait() or writing.wait():
            raise DumpError(f"nothing was restored and the database is as it was: {_last_line(complaints.fileno())}")


def _last_line(descriptor: int) -> str:
    size = os.fstat(descriptor).st_size
    text = os.pread(descriptor, min(size, 65536), 0).decode("utf-8", "replace")
    lines = [line for line in text.splitlines() if "ERROR" in line or "error" in line] or text.splitlines()
    return mask_text(lines[0].strip()) if lines else "the program ended without a word"


def _bare() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"}


def _run(argv: Sequence[str], environment: dict[str, str]) -> bytes:
    done = subprocess.run(argv, capture_output=True, env=environment, stdin=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        lines = [line.strip() for line in done.stderr.decode("utf-8", "replace").splitlines() if line.strip()]
        said = mask_text(lines[0]) if lines else f"status {done.returncode}"
        advice = "; its version must be at least the server's" if "version mismatch" in said else ""
        raise DumpError(f"{Path(argv[0]).name} failed: {said.removeprefix(Path(argv[0]).name + ': ')}{advice}")
    return done.stdout
