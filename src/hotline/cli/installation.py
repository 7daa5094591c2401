"""Which installation a command works on: the one that HOTLINE_… variables name, or a data folder of ``hotline up``."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import click

from hotline.embedded import DataFolder, EmbeddedError, EmbeddedPostgres, EmbeddedRedis, is_in_use

Command = Callable[..., Any]

# What a backup cannot be used without: names in a data folder's secrets.json, and the variables they become.
SECRETS = {
    "secret_key": "HOTLINE_SECRET_KEY",
    "index_key": "HOTLINE_INDEX_KEY",
    "encryption_key": "HOTLINE_ENCRYPTION_KEYS",
}


def data_option(command: Command) -> Command:
    """Add ``--data`` to a command."""
    option = click.option(
        "--data",
        type=click.Path(path_type=Path, file_okay=False),
        help="A data folder of `hotline up`, running or not; otherwise HOTLINE_… variables name the installation.",
    )
    decorated: Command = option(command)
    return decorated


def environment_of(folder: DataFolder, database_url: str, redis_url: str) -> dict[str, str]:
    """Return the settings of an embedded installation; its secrets are made at the first start."""
    return {
        "HOTLINE_DATABASE_URL": database_url,
        "HOTLINE_REDIS_URL": redis_url,
        **{variable: folder.secret(name) for name, variable in SECRETS.items()},
        "HOTLINE_ENVIRONMENT": "demo",
        "HOTLINE_ATTACHMENTS_FOLDER": str(folder.path / "attachments"),
    }


@contextmanager
def on_installation(
    data: Path | None, *, create: bool = False, secrets: Mapping[str, str] | None = None
) -> Iterator[DataFolder | None]:
    """Let the environment name the installation while the block runs; give its data folder, None for ``data`` None.

    PostgreSQL of a folder in which nothing runs is started for the block and stopped after it.  A folder that holds no
    database is refused unless ``create`` is set.  ``secrets`` take the place of the installation's own: in the folder
    for good, in the environment for the block.
    """
    before = dict(os.environ)
    with ExitStack() as exits:
        exits.callback(_restore_environment, before)
        folder = None
        if data is not None:
            try:
                folder = _open(data.absolute(), exits, create, secrets or {})
            except EmbeddedError as error:
                raise click.ClickException(str(error)) from None
        os.environ.update({SECRETS[name]: value for name, value in (secrets or {}).items()})
        yield folder


def _restore_environment(before: Mapping[str, str]) -> None:
    os.environ.clear()
    os.environ.update(before)


def _open(data: Path, exits: ExitStack, create: bool, secrets: Mapping[str, str]) -> DataFolder:
    if not create and not (data / "pg").is_dir():
        raise EmbeddedError(f"{data} holds no Hotline data: name the folder that `hotline up` uses")
    if is_in_use(data):
        if secrets:
            raise EmbeddedError(f"Hotline runs in {data} with its own keys: stop it before giving it others")
        folder = DataFolder.attach(data)
        database_url = EmbeddedPostgres(folder).url()
    else:
        folder = exits.enter_context(DataFolder.open(data))
        folder.adopt(secrets)
        postgres = EmbeddedPostgres(folder)
        exits.callback(postgres.stop)
        database_url = postgres.start()
    # Redis carries rings only; whoever works on a stopped installation rings for nobody.
    os.environ.update(environment_of(folder, database_url, EmbeddedRedis(folder).url()))
    return folder
