"""Which installation a command works on: the one that HOTLINE_… variables name, or a data folder of ``hotline up``."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import click

from hotline.embedded import DataFolder, EmbeddedError, EmbeddedPostgres, EmbeddedRedis, is_in_use

Command = Callable[..., Any]


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
        "HOTLINE_SECRET_KEY": folder.secret("secret_key"),
        "HOTLINE_INDEX_KEY": folder.secret("index_key"),
        "HOTLINE_ENCRYPTION_KEYS": folder.secret("encryption_key"),
        "HOTLINE_ENVIRONMENT": "demo",
    }


@contextmanager
def on_installation(data: Path | None, *, create: bool = False) -> Iterator[DataFolder | None]:
    """Let the environment name the installation while the block runs; give its data folder, None for ``data`` None.

    PostgreSQL of a folder in which nothing runs is started for the block and stopped after it.  A folder that holds no
    database is refused unless ``create`` is set.
    """
    if data is None:
        yield None
        return
    before = dict(os.environ)
    with ExitStack() as exits:
        try:
            folder = _open(data.absolute(), exits, create)
        except EmbeddedError as error:
            raise click.ClickException(str(error)) from None
        try:
            yield folder
        finally:
            os.environ.clear()
            os.environ.update(before)


def _open(data: Path, exits: ExitStack, create: bool) -> DataFolder:
    if not create and not (data / "pg").is_dir():
        raise EmbeddedError(f"{data} holds no Hotline data: name the folder that `hotline up` uses")
    if is_in_use(data):
        folder = DataFolder.attach(data)
        database_url = EmbeddedPostgres(folder).url()
    else:
        folder = exits.enter_context(DataFolder.open(data))
        postgres = EmbeddedPostgres(folder)
        exits.callback(postgres.stop)
        database_url = postgres.start()
    # Redis carries rings only; whoever works on a stopped installation rings for nobody.
    os.environ.update(environment_of(folder, database_url, EmbeddedRedis(folder).url()))
    return folder
