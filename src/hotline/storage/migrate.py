"""Bring the database to the newest version of the tables (Alembic), and tell which version it has."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

_PACKAGE = Path(__file__).resolve().parents[1]


def migrations_folder() -> Path:
    """Return the folder of the migrations: inside the installed package, or at the top of the source tree."""
    packaged = _PACKAGE / "migrations"
    return packaged if packaged.is_dir() else _PACKAGE.parents[1] / "migrations"


def alembic_config(url: str) -> Config:
    """Return the Alembic configuration for the database at ``url``."""
    config = Config()
    config.set_main_option("script_location", str(migrations_folder()))
    config.attributes["url"] = url
    return config


def upgrade(url: str, revision: str = "head") -> None:
    """Migrate up to ``revision``.  Any number of processes may call it at once; one does the work."""
    command.upgrade(alembic_config(url), revision)


def downgrade(url: str, revision: str) -> None:
    """Migrate down to ``revision`` (``base`` removes every table)."""
    command.downgrade(alembic_config(url), revision)


def head() -> str:
    """Return the newest revision that this program knows."""
    script = ScriptDirectory.from_config(alembic_config(""))
    revision = script.get_current_head()
    assert revision is not None
    return revision


def is_known(revision: str) -> bool:
    """Tell whether this program knows the revision."""
    script = ScriptDirectory.from_config(alembic_config(""))
    return revision in {known.revision for known in script.walk_revisions()}


def current(engine: Engine) -> str | None:
    """Return the database's revision, None for an empty or unreachable database."""
    try:
        with engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    except DBAPIError:
        return None
