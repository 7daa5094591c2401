"""The clock: due computations beside a straightforward day-loop, and the sweep while closed tickets pile up."""

import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from sqlalchemy import text

from bench.report import Line
from hotline import bootstrap
from hotline.bootstrap import Runtime
from hotline.demo.city import build_city
from hotline.domain.people import SYSTEM
from hotline.domain.ticket import Channel
from hotline.domain.working_time import Calendar, Limit, Pause, Unit, due
from hotline.embedded import DataFolder, EmbeddedPostgres
from hotline.jobs.doorbell import SilentDoorbell
from hotline.reference.calendars import load_calendar
from hotline.services import intake, notices
from hotline.settings import Settings
from hotline.storage import migrate
from hotline.storage.engine import transaction

Say = Callable[[str], None]
Case = tuple[datetime, Limit, tuple[Pause, ...]]

# Everything that a limit can be, and what a department has for handling most of its tickets.
EVERY_KIND = tuple(Limit.parse(each) for each in ("30m", "2h", "1wd", "2wd", "10wd", "15wd", "24h clock", "2h clock"))
HANDLING = tuple(Limit.parse(each) for each in ("10wd", "15wd"))
# The day-loop is so much slower that it does a part of the same cases; its rate is what counts.
REFERENCE_SHARE = 50
SWEEPS = 15


def computations(say: Say, number: int) -> Iterator[Line]:
    """Compute ``number`` dues, and a part of them by the day-loop; both have to agree.

    Rates are per second of processor time: on a machine that others use, the clock on the wall tells about them.
    """
    for name, limits in (("every kind of limit", EVERY_KIND), ("10wd and 15wd", HANDLING)):
        say(f"computing {number:,} dues of {name} …")
        yield _beside_day_loop(name, _cases(number, limits))


def _beside_day_loop(name: str, cases: list[Case]) -> Line:
    calendar = load_calendar("cn")
    began = time.process_time()
    found = [due(calendar, start, limit, pauses).instant for start, limit, pauses in cases]
    rate = len(cases) / (time.process_time() - began)
    part = cases[: max(len(cases) // REFERENCE_SHARE, 1)]
    began = time.process_time()
    by_loop = [day_loop(calendar, *case) for case in part]
    reference = len(part) / (time.process_time() - began)
    if by_loop != found[: len(part)]:
        raise RuntimeError("the day-loop and the clock do not agree")
    return Line(f"{len(cases):,} dues, {name}", round(rate), "/s", reference=round(reference))


def _cases(number: int, limits: tuple[Limit, ...]) -> list[Case]:
    luck = random.Random(12345)  # noqa: S311 - the same cases each time
    first = datetime(2024, 1, 2, tzinfo=UTC)
    cases: list[Case] = []
    for _ in range(number):
        start = first + timedelta(seconds=luck.randrange(900 * 86_400))
        pauses: tuple[Pause, ...] = ()
        if luck.random() < 0.1:
            held = start + timedelta(seconds=luck.randrange(5 * 86_400))
            pauses = ((held, held + timedelta(seconds=luck.randrange(10 * 86_400))),)
        cases.append((start, luck.choice(limits), pauses))
    return cases


def day_loop(calendar: Calendar, start: datetime, limit: Limit, pauses: tuple[Pause, ...]) -> datetime:
    """Compute a due as anybody would at first: walk from day to day and take off what each window gives."""
    zone = calendar.zone
    day = start.astimezone(zone).date()
    if limit.unit is Unit.WORKING_DAYS:
        start = datetime.combine(day + timedelta(days=1), datetime.min.time(), tzinfo=zone)
        day, left = start.date(), _working_days(calendar, day, limit.amount)
    else:
        left = timedelta(seconds=limit.seconds)
    while True:
        for opens, closes in ((0, 86_400),) if limit.clock else calendar.windows_on(day):
            midnight = datetime.combine(day, datetime.min.time(), tzinfo=zone)
            window = (midnight + timedelta(seconds=opens), midnight + timedelta(seconds=closes))
            for begins, ends in _unpaused((max(window[0], start), window[1]), pauses):
                if ends - begins >= left:
                    return (begins + left).astimezone(UTC)
                left -= ends - begins
        day += timedelta(days=1)


def _working_days(calendar: Calendar, day: date, count: int) -> timedelta:
    total = timedelta(0)
    while count:
        day += timedelta(days=1)
        if windows := calendar.windows_on(day):
            total += sum((timedelta(seconds=closes - opens) for opens, closes in windows), timedelta(0))
            count -= 1
    return total


def _unpaused(window: tuple[datetime, datetime], pauses: tuple[Pause, ...]) -> Iterator[tuple[datetime, datetime]]:
    begins, ends = window
    for held, resumed in pauses:
        assert resumed is not None
        if held < ends and resumed > begins:
            if begins < held:
                yield begins, held
            begins = max(begins, resumed)
    if begins < ends:
        yield begins, ends


def sweep(say: Say, closed: int) -> Iterator[Line]:
    """Sweep a batch of due tickets on an empty table, and once more beside ``closed`` closed ones."""
    with (
        tempfile.TemporaryDirectory(prefix="hotline-bench-clock-") as home,
        DataFolder.open(Path(home) / "d") as folder,
    ):
        postgres = EmbeddedPostgres(folder, {})
        url = postgres.start().replace("postgresql://", "postgresql+psycopg://", 1)
        parts = bootstrap.start(_settings(url), doorbell=SilentDoorbell())
        try:
            migrate.upgrade(url)
            _open_tickets(parts)
            without = _seconds_of_a_sweep(parts)
            say(f"writing {closed:,} closed tickets …")
            _closed_tickets(parts, closed)
            beside = _seconds_of_a_sweep(parts)
        finally:
            parts.close()
            postgres.stop()
    name = f"sweep of {notices.SWEEP_BATCH} due tickets beside {closed:,} closed (reference: none closed)"
    yield Line(
        name,
        round(beside * 1000, 1),
        "ms",
        reference=round(without * 1000, 1),
        target="≤ 150 % of the reference",
        met=beside <= 1.5 * without,
    )


def _settings(url: str) -> Settings:
    return Settings(
        database_url=url,
        redis_url="redis://127.0.0.1:1/0",
        secret_key="x" * 32,
        index_key="y" * 32,
        encryption_keys="dGVzdHMgdXNlIHRoaXMga2V5IGFuZCBub2JvZHkgZWw=",
        environment="test",
    )


def _open_tickets(parts: Runtime) -> None:
    with transaction(parts.sessions) as session:
        build_city(session, parts.context.now() - timedelta(days=30))
        command = intake.ReceiveTicket(channel=Channel.PHONE, content="路灯不亮")
        for _ in range(notices.SWEEP_BATCH):
            intake.receive(session, parts.context, command, SYSTEM)


def _closed_tickets(parts: Runtime, number: int) -> None:
    with transaction(parts.sessions) as session:
        session.execute(
            text("""
                INSERT INTO ticket (number, state, channel, content, urgency, received_at, closed_at)
                SELECT 'closed-' || n, 'closed', 'phone', '路灯不亮', 'normal', now(), now()
                FROM generate_series(1, :number) AS n
            """),
            {"number": number},
        )
        session.execute(text("ANALYZE ticket"))


def _seconds_of_a_sweep(parts: Runtime) -> float:
    """Return the median; each sweep is undone, so that the next one finds the same."""
    later = replace(parts.context, now=lambda: bootstrap.utc_now() + timedelta(days=30))
    taken = []
    for _ in range(SWEEPS):
        with parts.sessions() as session:
            began = time.perf_counter()
            heard = notices.sweep(session, later)
            session.flush()
            taken.append(time.perf_counter() - began)
            session.rollback()
        if heard != notices.SWEEP_BATCH:
            raise RuntimeError(f"the sweep heard {heard} tickets")
    return statistics.median(taken)
