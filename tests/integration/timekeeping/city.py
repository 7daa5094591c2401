"""What the tests about calendars and limits share: files, jobs that wait, and the command line."""

import json
from datetime import UTC, datetime
from pathlib import Path

from click.testing import CliRunner, Result
from sqlalchemy import select, update
from tests.factories import settings_environment

from hotline.bootstrap import Runtime
from hotline.cli import main
from hotline.jobs.runner import Outcome
from hotline.storage.engine import transaction
from hotline.storage.tables import Job

# Nearly all of ten working days from here lies in 2027, whose notice does not ship.
LATE_DECEMBER = datetime(2026, 12, 28, 2, 0, tzinfo=UTC)

# A made-up notice: New Year's Day with the Monday after it, made up for on the Sunday before.
NOTICE_2027 = {
    "year": 2027,
    "notice": "测试用通知，2026-11-20",
    "holidays": [{"name": "元旦", "from": "2027-01-01", "to": "2027-01-04"}],
    "makeup_days": ["2027-01-09"],
}


def written(folder: Path, content: object, name: str = "file.json") -> Path:
    """Write ``content`` as JSON; return where."""
    path = folder / name
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    return path


def run(parts: Runtime, *words: object) -> Result:
    """Run a command on the test's installation."""
    return CliRunner(env=settings_environment(parts.settings)).invoke(main, [str(word) for word in words])


def run_waiting(parts: Runtime, kind: str) -> list[Outcome]:
    """Run the queued jobs of ``kind``, also those that still wait, until none is left."""
    outcomes: list[Outcome] = []
    while True:
        with transaction(parts.sessions) as session:
            query = select(Job.id).where(Job.state == "queued", Job.kind == kind).order_by(Job.id)
            waiting = session.scalars(query).all()
            session.execute(update(Job).where(Job.id.in_(waiting)).values(available_at=Job.created_at))
        if not waiting:
            return outcomes
        outcomes += [parts.run_job(job_id) for job_id in waiting]
