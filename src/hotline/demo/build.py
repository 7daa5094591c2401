"""Build the demo city into an empty database, once; a build that was interrupted is redone from the start."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, select, text

from hotline.bootstrap import Runtime, start, utc_now
from hotline.demo.city import build_city
from hotline.demo.credentials import demo_credentials, read_credentials, write_credentials
from hotline.demo.history import CALLS, DAYS, build_history
from hotline.demo.knowledge import build_knowledge
from hotline.jobs.doorbell import SilentDoorbell
from hotline.services import countings
from hotline.settings import Settings
from hotline.storage import migrate
from hotline.storage.engine import transaction
from hotline.storage.tables import Account

Say = Callable[[str], None]


def prepare_demo(settings: Settings, credentials_file: Path, url: str, say: Say, calls: int = CALLS) -> dict[str, Any]:
    """Migrate, build the city when there is none, and write ``demo.json``; return what it holds."""
    migrate.upgrade(settings.database_url)
    parts = start(settings, doorbell=SilentDoorbell())
    try:
        if not _is_built(parts):
            build_demo(parts, say, calls)
        with transaction(parts.sessions) as session:
            credentials = demo_credentials(session, url, utc_now(), read_credentials(credentials_file))
        write_credentials(credentials_file, credentials)
    finally:
        parts.close()
    return credentials


def _is_built(parts: Runtime) -> bool:
    with transaction(parts.sessions) as session:
        return bool(session.scalar(select(func.count()).select_from(Account)))


def build_demo(parts: Runtime, say: Say, calls: int) -> None:
    """Write city and history in one transaction, so that a half-built demo never exists."""
    say("building the demo city …")
    with transaction(parts.sessions) as session:
        # The same hundred statements come thousands of times: planning them anew takes a fifth of the database's time.
        session.execute(text("SET LOCAL plan_cache_mode = force_generic_plan"))
        build_city(session, valid_from=utc_now() - timedelta(days=DAYS + 30))
        build_knowledge(session, parts.context)
        build_history(session, parts.context, utc_now(), calls)
        # So that the first report has all of it and the first job is short.
        while countings.catch_up(session):
            pass
