"""How fast reports are over a city's years: closed tickets made in SQL, beside a plain GROUP BY over their events."""

import random
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from bench.cost import Cost, cost_of, lines
from bench.report import Line
from bench.rig import Rig, settings_of
from hotline import bootstrap
from hotline.bootstrap import Runtime
from hotline.domain.city_time import CITY_ZONE
from hotline.domain.kpi import Measure, Period
from hotline.services import countings
from hotline.services.bursts import bursts
from hotline.services.charts import charts
from hotline.services.context import Context
from hotline.services.reporting import Choice, report
from hotline.storage.engine import transaction
from hotline.storage.queries import figures
from hotline.storage.queries.handled import handling_times
from hotline.storage.queries.slices import Slice

TICKETS = 1_000_000
# A city of so many calls a day: a million tickets are two years, and fewer are as many fewer days, so that a month
# always holds as many.
CALLS_A_DAY = 1370
# So many of them, a month and a half, may still move.
MOVING = 60_000
END = datetime(2026, 11, 1, tzinfo=CITY_ZONE)

# One ordinary life each, with some late, some returned and reworked by nobody: what matters here is how many there are.
MAKE = """
SET LOCAL session_replication_role = replica;
SET LOCAL statement_timeout = 0;
SELECT setseed(0.12345);
CREATE TEMP TABLE made ON COMMIT DROP AS
SELECT n AS id, at AS received_at, at + hours(random() * 0.5) AS dispatched_at, d.id AS department_id, d.code,
       m.matter, left(m.matter, 1) AS task, i.district, random() AS luck, random() AS mood,
       (ARRAY['phone', 'phone', 'phone', 'wechat', 'web'])[1 + floor(random() * 5)::int] AS channel,
       (ARRAY['咨询', '求助', '投诉', '投诉', '建议'])[1 + floor(random() * 5)::int] AS type
FROM (
    SELECT n, :start + (n + random()) * (:span / :tickets) AS at, floor(random() * :departments)::int AS department,
           floor(random() * :matters)::int AS matter, floor(random() * :districts)::int AS district
    FROM generate_series(1, :tickets) n
) drawn
JOIN (SELECT id, code, row_number() OVER (ORDER BY id) - 1 AS place FROM department) d ON d.place = drawn.department
JOIN (SELECT matter, row_number() OVER (ORDER BY matter) - 1 AS place
      FROM (SELECT DISTINCT matter FROM catalogue_entry) c) m
     ON m.place = (drawn.department * 3 + drawn.matter % 3) % :matters
JOIN (SELECT code AS district, row_number() OVER (ORDER BY code) - 1 AS place FROM district) i
     ON i.place = drawn.district;
CREATE TEMP TABLE lived ON COMMIT DROP AS
SELECT *, dispatched_at + hours(4) AS sign_due, dispatched_at + hours(0.2 + luck * 4.1) AS signed_at,
       dispatched_at + interval '15 days' AS handle_due, dispatched_at + hours(20 + luck * luck * 360) AS completed_at,
       dispatched_at + interval '1 day' AS contact_due, dispatched_at + hours(3 + luck * 22) AS contacted_at,
       dispatched_at + hours(44 + luck * luck * 360) AS closed_at,
       CASE WHEN mood < 0.8 THEN 'resolved' WHEN mood < 0.93 THEN 'unresolved' ELSE 'unreachable' END AS result,
       CASE WHEN mood < 0.6 THEN 'satisfied' WHEN mood < 0.75 THEN 'basically_satisfied'
            WHEN mood < 0.9 THEN 'dissatisfied' END AS satisfaction
FROM made;
INSERT INTO ticket (id, number, state, channel, type, content, district, urgency, task, matter, received_at,
                    lead_department_id, dispatched_at, sign_due, signed_at, handle_due, completed_at, contact_due,
                    contacted_at, followup_due, followed_up_at, followup_result, satisfaction, closed_at)
OVERRIDING SYSTEM VALUE
SELECT id, to_char(received_at, 'YYYYMMDD') || '-' || id, 'archived', channel, type, repeat('路灯不亮', 20), district,
       'normal', task, matter, received_at, department_id, dispatched_at, sign_due, signed_at, handle_due, completed_at,
       contact_due, contacted_at, completed_at + interval '3 days', closed_at, result, satisfaction, closed_at
FROM lived;
INSERT INTO assignment (ticket_id, department_id, at, sign_due, return_due, signed_at)
SELECT id, department_id, dispatched_at, sign_due, sign_due + interval '1 day', signed_at FROM lived;
INSERT INTO followup (ticket_id, caller_ticket_id, round, due, tries, result, satisfaction, at)
SELECT id, id, 0, completed_at + interval '3 days', 1, result, satisfaction, closed_at FROM lived;
INSERT INTO ticket_event (ticket_id, kind, to_state, at, role, data)
SELECT id, e.kind, e.state, e.at, 'system', e.data
FROM lived CROSS JOIN LATERAL (VALUES
    (1, 'received', 'received', received_at, jsonb_build_object('channel', channel, 'matter', matter)),
    (2, 'dispatch', 'awaiting_sign', dispatched_at, jsonb_build_object('department', code, 'sign_due', sign_due,
        'handle_due', handle_due, 'contact_due', contact_due)),
    (3, 'sign', 'handling', signed_at, '{}'),
    (4, 'reply', 'replied', greatest(contacted_at, signed_at), '{"contacted": true, "valid": true, "resolved": true}'),
    (5, 'approve', 'awaiting_followup', completed_at,
        jsonb_build_object('followup_due', completed_at + interval '3 days')),
    (6, 'follow_up', NULL, closed_at, jsonb_build_object('final', true, 'own', true, 'round', 0, 'result', result,
        'satisfaction', satisfaction)),
    (7, 'close', 'closed', closed_at, '{}')
) e (step, kind, state, at, data)
ORDER BY id, e.step;
"""

# What a life's moves do to its countings: nine of thirteen are other ones afterwards.
MOVED = """
UPDATE ticket SET signed_at = signed_at + CAST(:by AS interval), completed_at = completed_at + CAST(:by AS interval)
WHERE id = ANY(:ids);
UPDATE assignment SET signed_at = signed_at + CAST(:by AS interval) WHERE ticket_id = ANY(:ids);
UPDATE followup SET at = at + CAST(:by AS interval) WHERE ticket_id = ANY(:ids);
INSERT INTO uncounted (ticket_id) SELECT unnest(CAST(:ids AS bigint[]))
"""

# The same monthly figures from the events, as somebody writes them who has nothing else.
PLAIN = text("""
WITH life AS (
    SELECT ticket_id,
           max(data ->> 'department') FILTER (WHERE kind = 'dispatch') AS department,
           max((data ->> 'handle_due')::timestamptz) FILTER (WHERE kind = 'dispatch') AS handle_due,
           max((data ->> 'sign_due')::timestamptz) FILTER (WHERE kind = 'dispatch') AS sign_due,
           min(at) FILTER (WHERE kind = 'received') AS received_at,
           min(at) FILTER (WHERE kind = 'dispatch') AS dispatched_at,
           min(at) FILTER (WHERE kind = 'sign') AS signed_at,
           min(at) FILTER (WHERE kind = 'approve') AS completed_at,
           max(at) FILTER (WHERE kind = 'follow_up') AS asked_at,
           max(data ->> 'result') FILTER (WHERE kind = 'follow_up') AS result
    FROM ticket_event GROUP BY ticket_id
)
SELECT department,
       count(*) FILTER (WHERE received_at >= :start AND received_at < :end),
       count(*) FILTER (WHERE sign_due >= :start AND sign_due < :end),
       count(*) FILTER (WHERE sign_due >= :start AND sign_due < :end AND signed_at <= sign_due),
       count(*) FILTER (WHERE handle_due >= :start AND handle_due < :end),
       count(*) FILTER (WHERE handle_due >= :start AND handle_due < :end AND completed_at <= handle_due),
       count(*) FILTER (WHERE asked_at >= :start AND asked_at < :end AND result IN ('resolved', 'unresolved')),
       count(*) FILTER (WHERE asked_at >= :start AND asked_at < :end AND result = 'resolved'),
       percentile_cont(0.9) WITHIN GROUP (ORDER BY extract(epoch FROM completed_at - dispatched_at))
           FILTER (WHERE completed_at >= :start AND completed_at < :end)
FROM life GROUP BY department
""")


def measure(rig: Rig, tickets: int, say: Callable[[str], None]) -> Iterator[Line]:
    """Build ``tickets`` closed tickets and measure counting, reports and tiles over them."""
    with rig.database("prepared") as url:
        parts = bootstrap.start(settings_of({**rig.env, "HOTLINE_DATABASE_URL": url}))
        try:
            yield from _measure(parts, tickets, say)
        finally:
            parts.close()


def _measure(parts: Runtime, tickets: int, say: Callable[[str], None]) -> Iterator[Line]:
    began = time.perf_counter()
    with transaction(parts.sessions) as session:
        _make(session, tickets)
    _analyse(parts)
    say(f"{tickets:,} closed tickets made in {time.perf_counter() - began:.0f} s")
    began = time.perf_counter()
    for _ in countings.rebuild(parts.sessions):
        pass
    took = time.perf_counter() - began
    say(f"counted in {took:.0f} s")
    _analyse(parts)
    size = f"{tickets:,} closed tickets"
    yield Line(f"rebuild of all countings, {size}, per ticket", 1000 * took / tickets, "ms")
    yield from _upkeep(parts, tickets)
    yield from _reports(parts, tickets, say)
    yield from _tiles(parts, tickets)


def _analyse(parts: Runtime) -> None:
    with parts.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))


def _make(session: Session, tickets: int) -> None:
    session.execute(
        text(
            "CREATE FUNCTION pg_temp.hours(n double precision) RETURNS interval LANGUAGE sql IMMUTABLE "
            "AS $$ SELECT n * interval '1 hour' $$"
        )
    )
    numbers = session.execute(
        text(
            "SELECT (SELECT count(*) FROM department), (SELECT count(*) FROM district), "
            "(SELECT count(DISTINCT matter) FROM catalogue_entry)"
        )
    ).one()
    given = {
        "start": END - timedelta(days=tickets / CALLS_A_DAY),
        "span": timedelta(days=tickets / CALLS_A_DAY),
        "tickets": tickets,
        **dict(zip(("departments", "districts", "matters"), numbers, strict=True)),
    }
    for statement in MAKE.replace("hours(", "pg_temp.hours(").split(";"):
        if statement.strip():
            session.execute(text(statement), given if ":" in statement else {})


def _upkeep(parts: Runtime, tickets: int) -> Iterator[Line]:
    """Count moved tickets as the job does, two thousand at a time: moved by an hour and, as it was, back again.

    They are drawn from the newest, as the tickets that move are those of the last weeks.
    """
    draw = random.Random(1)  # noqa: S311 - draws tickets, keeps no secret
    moved: list[Cost] = []
    same: list[Cost] = []
    for _ in range(5):
        ids = draw.sample(range(max(1, tickets - MOVING), tickets + 1), min(2000, tickets))
        for hours, costs in ((1, moved), (0, same), (-1, moved)):
            with transaction(parts.sessions) as session:
                for statement in MOVED.split(";"):
                    given = {"ids": ids} | ({"by": timedelta(hours=hours)} if ":by" in statement else {})
                    session.execute(text(statement), given)
            cost = cost_of(parts.sessions, countings.catch_up)
            costs.append(Cost(cost.wall / len(ids), cost.processor / len(ids)))
    yield from lines("upkeep of one moved ticket, 10 batches of 2,000", moved, 1)
    yield from lines("upkeep of one whose figures stay, 5 batches", same, 1)
    began = time.perf_counter()
    days = _pack(parts)
    yield Line("packing of a day's handling times", 1000 * (time.perf_counter() - began) / max(days, 1), "ms")


def _pack(parts: Runtime) -> int:
    """Pack the handling times of all days that are over, as the job does."""
    days = 0
    while True:
        with transaction(parts.sessions) as session:
            packed = countings.pack_days(session, parts.context.now())
        if not packed:
            return days
        days += packed


def _months(tickets: int) -> list[Period]:
    """Return the whole months of the tickets' time, at most the last twelve."""
    starts = [datetime(END.year - (month > END.month), month, 1, tzinfo=CITY_ZONE) for month in range(1, 13)]
    began = END - timedelta(days=tickets / CALLS_A_DAY)
    starts = sorted(start for start in starts if began <= start < END) or [END - timedelta(days=31)]
    now = datetime.now(UTC)
    return [Period(start, (start + timedelta(days=32)).replace(day=1), now) for start in starts]


Reading = Callable[[Session, Period], object]


def _costs(parts: Runtime, read: Reading, months: list[Period]) -> list[Cost]:
    return [cost_of(parts.sessions, partial(_of_month, read, month)) for month in months]


def _of_month(read: Reading, month: Period, session: Session) -> object:
    return read(session, month)


def _plain(session: Session, month: Period) -> list[Any]:
    session.execute(text("SET LOCAL statement_timeout = 0"))
    return list(session.execute(PLAIN, {"start": month.start, "end": month.end}))


def _reports(parts: Runtime, tickets: int, say: Callable[[str], None]) -> Iterator[Line]:
    months, context = _months(tickets), parts.context
    costs = _costs(parts, lambda session, month: report(session, context, month, Choice()), months * 5)
    plain = _costs(parts, _plain, months[-1:])[0].wall
    with transaction(parts.sessions) as session:
        worst = _compare(parts, session, months[-1])
    say(f"the month's figures by department equal those of the events; percentiles differ by {worst:.3%} at most")
    yield from lines("monthly report, all departments", costs, 500, plain)
    yield Line("… its percentiles beside those of the events", 100 * worst, "% off", None, "≤ 1 %", worst <= 0.01)


def _compare(parts: Runtime, session: Session, month: Period) -> float:
    """Hold the figures equal; return by how much a percentile differs at most.  Raises when a count differs."""
    found = report(session, parts.context, month, Choice())
    lines = {line.key: line for line in found.by_department}
    worst = 0.0
    for code, received, *numbers, p90 in _plain(session, month):
        line = lines[code]
        rates = [line.rates[key] for key in ("signing", "completion", "resolution")]
        ours = [number for rate in rates for number in (rate.denominator, rate.numerator)]
        if [received, *numbers] != [line.received, *ours]:
            raise RuntimeError(f"{code}: the report says {[line.received, *ours]}, the events {[received, *numbers]}")
        worst = max(worst, abs((line.handling.p90 or 0) / float(p90) - 1))
    return worst


def _tiles(parts: Runtime, tickets: int) -> Iterator[Line]:
    context, whole = parts.context, Slice()
    e03 = Slice(matter="E03")
    tiles: dict[str, Reading] = {
        "figures of the city": lambda session, month: figures.counts(session, month, whole, (), now=context.now()),
        "handling times": lambda session, month: handling_times(session, month, whole, ()),
        "backlog at a past instant": lambda session, month: figures.backlog(session, month.start, whole, "task"),
        "trend and heat map": lambda session, month: charts(session, context, month, Choice()),
        "tickets behind a figure": lambda session, month: figures.cohort(
            session, month, whole, Measure.COMPLETION, False, offset=0, limit=50
        ),
        "bursts of three hours": lambda session, month: bursts(session, context, month.end),
        "figures of one matter": lambda session, month: figures.counts(session, month, e03, (), now=context.now()),
    }
    for name, tile in tiles.items():
        yield from lines(f"tile: {name}, a month", _costs(parts, tile, _months(tickets) * 5), 200)
    for name, choice in {
        "department": Choice(department="CGJ"),
        "matter": Choice(matter="E03"),
        "district": Choice(district="LD"),
        "channel": Choice(channel="phone"),
    }.items():
        read = partial(_chosen, context, choice)
        yield from lines(f"monthly report, one {name}", _costs(parts, read, _months(tickets) * 2))


def _chosen(context: Context, choice: Choice, session: Session, month: Period) -> object:
    return report(session, context, month, choice)
