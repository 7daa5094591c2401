"""Finding similar tickets among a million, as an agent types and as a handler asks, while tickets are written.

The vectors are the served model's of the demo city's complaints, each moved a little at random, so that they lie in
clusters as real ones do.  The reference is the exact scan of the same rows in the same run, which also tells the
share of its nearest tickets that the index finds.
"""

import json
import multiprocessing
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import cycle
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from bench.cost import Cost, p95, server_seconds
from bench.report import Line
from bench.reports import CALLS_A_DAY
from bench.rig import Rig, settings_of
from bench.texts import SEED, call_bodies
from hotline import bootstrap
from hotline.bootstrap import Runtime
from hotline.domain.people import Actor, Role
from hotline.ml.similar import SimilarModel
from hotline.ml.similar_space import DIMENSIONS
from hotline.ml.similar_text import Message
from hotline.services import similar
from hotline.services.access import find_ticket
from hotline.services.vectors import masked_message
from hotline.storage.engine import transaction
from hotline.storage.vector_type import vector_text

TICKETS, SHORT_TICKETS = 1_000_000, 20_000
DISTINCT, SHORT_DISTINCT = 4_000, 200
QUESTIONS, SHORT_QUESTIONS = 100, 10
EXACT = 20
TARGET_MILLISECONDS = 30.0

# Tickets of the last ten days are open, the rest is archived.
OPEN_DAYS = 10
MOVED = 0.5
WRITES_A_SECOND = 20
BATCH = 20_000

Say = Callable[[str], None]
Vectors = NDArray[np.float32]

MAKE = """
CREATE TABLE bench_text (place int PRIMARY KEY, content text NOT NULL);
CREATE FUNCTION bench_at(n bigint, tickets bigint) RETURNS timestamptz LANGUAGE sql STABLE
AS $$ SELECT now() - (tickets - n) * interval '1 day' / %(calls)s $$;
"""

# With triggers off nothing is noted for reports, which nobody reads here.
FILL = """
SET LOCAL session_replication_role = replica;
INSERT INTO ticket (id, number, state, channel, type, content, task, matter, received_at, lead_department_id,
                    dispatched_at, closed_at)
OVERRIDING SYSTEM VALUE
SELECT n, '20260101-' || n, CASE WHEN open THEN 'handling' ELSE 'archived' END, 'phone', '投诉', content, 'E', 'E03',
       at, d.id, at, CASE WHEN open THEN NULL ELSE at + interval '8 days' END
FROM (SELECT n, bench_at(n, %(tickets)s) AS at, bench_at(n, %(tickets)s) > now() - %(open)s AS open
      FROM generate_series(1, %(tickets)s::bigint) n) made
JOIN bench_text b ON b.place = n %% %(distinct)s
JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS place, count(*) OVER () AS number FROM department) d
     ON d.place = n * 7919 %% d.number;
INSERT INTO reply (ticket_id, at, text, valid, contacted, resolved, approved_at)
SELECT id, received_at, '已处理完毕。', true, true, true, received_at FROM ticket WHERE state = 'archived';
"""

EXACT_OPEN = text("""
WITH here AS MATERIALIZED (
    SELECT v.ticket_id, v.embedding FROM ticket_vector v JOIN ticket t ON t.id = v.ticket_id
    WHERE v.received_at > now() - interval '90 days' AND is_open(t.state, t.merged_into_id)
)
SELECT ticket_id FROM here ORDER BY embedding <=> CAST(:vector AS vector) LIMIT :many
""")
EXACT_SOLVED = text("""
WITH here AS MATERIALIZED (
    SELECT v.ticket_id, v.embedding <=> CAST(:vector AS vector) AS apart
    FROM ticket_vector v JOIN ticket t ON t.id = v.ticket_id
    WHERE v.received_at > now() - interval '730 days' AND t.state = 'archived'
)
SELECT ticket_id FROM here ORDER BY apart LIMIT :many
""")


@dataclass
class Stopwatch:
    """How long statements are with the database, from sending to the last row."""

    began: float = 0.0
    spent: float = 0.0
    busy: float = 0.0

    def watch(self, parts: Runtime) -> None:
        """Listen to all statements of this process."""
        event.listen(parts.engine, "before_cursor_execute", self._before)
        event.listen(parts.engine, "after_cursor_execute", self._after)

    def lap(self, session: Session) -> Cost:
        """Return what statements have cost since the last lap: milliseconds by the clock, and of the database's
        processor.
        """
        spent, self.spent = self.spent, 0.0
        server = session.connection().connection.driver_connection.info.backend_pid  # type: ignore[union-attr]
        busy, self.busy = self.busy, server_seconds(server)
        return Cost(1000 * spent, 1000 * (self.busy - busy))

    def _before(self, *_: Any) -> None:
        self.began = time.perf_counter()

    def _after(self, *_: Any) -> None:
        self.spent += time.perf_counter() - self.began


def measure(rig: Rig, tickets: int, *, short: bool, say: Say) -> Iterator[Line]:
    """Fill a database with ``tickets`` tickets and ask it, while another process writes."""
    distinct = SHORT_DISTINCT if short else DISTINCT
    questions = SHORT_QUESTIONS if short else QUESTIONS
    bodies = [json.loads(body) for body in call_bodies(distinct + questions)]
    asked = [f"{body['content']} {body['address']}" for body in bodies[distinct:]]
    with rig.database("prepared") as url:
        plain = url.replace("+psycopg", "")
        parts = bootstrap.start(settings_of({**rig.env, "HOTLINE_DATABASE_URL": url}))
        model = parts.context.similar()
        assert model is not None
        try:
            say(f"reading {distinct:,} texts …")
            texts = [f"{body['content']} {body['address']}" for body in bodies[:distinct]]
            vectors = model.vectors([model.read(Message("", written)) for written in texts])
            yield from _fill(plain, tickets, texts, vectors, model.version, say)
            with _Writer(plain, vectors, model.version, tickets) as writer:
                yield from _open(parts, model, asked, tickets, say)
                yield from _solved(parts, model, tickets, questions, say)
            say(f"meanwhile {writer.written():,} tickets were written")
        finally:
            parts.close()


class _Writer:
    """A process that writes tickets with vectors, evenly, until the block ends."""

    def __init__(self, url: str, vectors: Vectors, version: str, tickets: int) -> None:
        self._url, self._tickets = url, tickets
        fork = multiprocessing.get_context("fork")
        self._process = fork.Process(target=_write, args=(url, vectors, version, tickets + 1), daemon=True)

    def __enter__(self) -> "_Writer":
        self._process.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.join()

    def written(self) -> int:
        """How many tickets it has written so far."""
        with psycopg.connect(self._url) as connection:
            found = connection.execute("SELECT count(*) FROM ticket_vector WHERE ticket_id > %s", (self._tickets,))
            return int(found.fetchall()[0][0])


def _write(url: str, vectors: Vectors, version: str, first: int) -> None:
    chance = np.random.default_rng(SEED + 1)
    with psycopg.connect(url, autocommit=True) as connection:
        for number in range(first, first + 10_000_000):
            began = time.perf_counter()
            (vector,) = _moved(vectors, np.array([number % len(vectors)]), chance)
            with connection.transaction():
                connection.execute(
                    "INSERT INTO ticket (id, number, state, channel, content, received_at) OVERRIDING SYSTEM VALUE "
                    "SELECT %s, %s, 'received', 'phone', content, now() FROM bench_text WHERE place = %s",
                    (number, f"20260101-{number}", number % len(vectors)),
                )
                connection.execute(
                    "INSERT INTO ticket_vector (ticket_id, version, embedding, places, received_at) "
                    "VALUES (%s, %s, %s::vector, '{}', now())",
                    (number, version, vector_text(vector.tolist())),
                )
            time.sleep(max(0.0, 1 / WRITES_A_SECOND - (time.perf_counter() - began)))


def _moved(vectors: Vectors, rows: NDArray[np.int64], chance: np.random.Generator) -> Vectors:
    """Vectors near those of ``rows``, each moved by ``MOVED`` in a direction of its own, of length one."""
    away = chance.standard_normal((len(rows), DIMENSIONS), np.float32)
    moved = vectors[rows] + MOVED * away / np.linalg.norm(away, axis=1, keepdims=True)
    near: Vectors = moved / np.linalg.norm(moved, axis=1, keepdims=True)
    return near


def _fill(url: str, tickets: int, texts: list[str], vectors: Vectors, version: str, say: Say) -> Iterator[Line]:
    """Write tickets, replies and vectors, and build the index as a restore does: after its rows."""
    began = time.perf_counter()
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute((MAKE % {"calls": CALLS_A_DAY}).encode())
        with cursor.copy("COPY bench_text FROM STDIN") as copy:
            for row in enumerate(texts):
                copy.write_row(row)
        given = {"tickets": tickets, "distinct": len(texts), "open": timedelta(days=OPEN_DAYS)}
        for statement in FILL.split(";"):
            if statement.strip():
                cursor.execute(statement.encode(), given if "%" in statement else None)
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = 'ix_ticket_vector_embedding'")
        ((index,),) = cursor.fetchall()
        cursor.execute("DROP INDEX ix_ticket_vector_embedding")
        with cursor.copy(
            "COPY ticket_vector (ticket_id, version, embedding, places, received_at) FROM STDIN (FORMAT BINARY)"
        ) as copy:
            for part in _binary(vectors, version, tickets):
                copy.write(part)
        # What triggers would have kept, had they been on.
        cursor.execute(
            "INSERT INTO open_vector SELECT v.ticket_id, v.version, v.embedding, v.received_at "
            "FROM ticket_vector v JOIN ticket t ON t.id = v.ticket_id WHERE is_open(t.state, t.merged_into_id)"
        )
    say(f"{tickets:,} tickets with vectors written in {time.perf_counter() - began:.0f} s, building the index …")
    began = time.perf_counter()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET maintenance_work_mem = '2GB'")
        connection.execute(index.encode())
        built = time.perf_counter() - began
        connection.execute("VACUUM ANALYZE")
        ((size,),) = connection.execute("SELECT pg_relation_size('ix_ticket_vector_embedding')").fetchall()
    yield Line(f"index of {tickets:,} vectors, build", built, "s")
    yield Line("… on disk", size / 2**30, "GB")


def _binary(vectors: Vectors, version: str, tickets: int) -> Iterator[bytes]:
    """PostgreSQL's binary COPY, in which all rows are equally long here: many of them are one array."""
    name = version.encode()
    row = np.dtype(
        [
            ("fields", ">i2"),
            *[("id_bytes", ">i4"), ("id", ">i8"), ("version_bytes", ">i4"), ("version", f"S{len(name)}")],
            *[("vector_bytes", ">i4"), ("dimensions", ">i2"), ("unused", ">i2"), ("vector", ">f4", (DIMENSIONS,))],
            # An empty text[]: no dimensions, no nulls, and the type of its members.
            *[("places_bytes", ">i4"), ("places", ">i4", (3,)), ("at_bytes", ">i4"), ("at", ">i8")],
        ]
    )
    chance, now = np.random.default_rng(SEED), datetime.now(UTC)
    yield b"PGCOPY\n\xff\r\n\0" + bytes(8)
    for start in range(1, tickets + 1, BATCH):
        numbers = np.arange(start, min(start + BATCH, tickets + 1))
        rows = np.zeros(len(numbers), row)
        rows["fields"], rows["id_bytes"], rows["version_bytes"], rows["vector_bytes"] = (
            5,
            8,
            len(name),
            4 + 4 * DIMENSIONS,
        )
        rows["places_bytes"], rows["places"], rows["at_bytes"] = 12, (0, 0, TEXT), 8
        rows["id"], rows["version"], rows["dimensions"] = numbers, name, DIMENSIONS
        rows["vector"] = _moved(vectors, numbers % len(vectors), chance)
        ago = (tickets - numbers) * (86_400_000_000 / CALLS_A_DAY)
        rows["at"] = (now - EPOCH) / timedelta(microseconds=1) - ago
        yield rows.tobytes()
    yield b"\xff\xff"


TEXT = 25
"""The type ``text`` by its number in every PostgreSQL."""
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
"""Where PostgreSQL's timestamps begin."""


def _open(parts: Runtime, model: SimilarModel, asked: list[str], tickets: int, say: Say) -> Iterator[Line]:
    """What an agent and a department see beside the words that are typed: open tickets of the last ninety days."""
    with transaction(parts.sessions) as session:
        department = session.scalar(text("SELECT min(lead_department_id) FROM ticket WHERE state = 'handling'"))
    people = {"agent": Actor(Role.AGENT), "department": Actor(Role.HANDLER, department_id=department)}
    watch = Stopwatch()
    watch.watch(parts)
    times: dict[str, list[Cost]] = {who: [] for who in people}
    whole: list[float] = []
    exact: list[Cost] = []
    shares: list[float] = []
    for number, words in enumerate(asked):
        for who, actor in people.items():
            began = time.perf_counter()
            with transaction(parts.sessions) as session:
                watch.lap(session)
                command = similar.SimilarTo(content=words, limit=similar.CANDIDATES)
                found = similar.similar_open(session, parts.context, actor, command)
                times[who].append(watch.lap(session))
                whole.append(1000 * (time.perf_counter() - began))
                if who == "agent" and number < EXACT:
                    vector = vector_text(model.vectors([model.read(Message("", words))])[0].tolist())
                    nearest = _exact(session, EXACT_OPEN, vector, similar.CANDIDATES)
                    exact.append(watch.lap(session))
                    shares.append(len(nearest & {ticket.ticket.id for ticket in found}) / len(nearest))
    for who, each in times.items():
        say(f"{who}: {_told(each)}")
    what = f"similar open tickets among {tickets:,}"
    yield from _lines(what, [took for each in times.values() for took in each], exact)
    yield Line("… read and judged, the whole answer, p95", p95(whole), "ms")
    yield Line("… of the nearest fifty the share that is found", 100 * statistics.mean(shares), "%")


def _solved(parts: Runtime, model: SimilarModel, tickets: int, questions: int, say: Say) -> Iterator[Line]:
    """What a handler sees beside a ticket: how others were solved in the last two years."""
    numbers = [f"20260101-{tickets - 31 * turn}" for turn in range(questions)]
    watch = Stopwatch()
    watch.watch(parts)
    times: list[Cost] = []
    exact: list[Cost] = []
    shares: list[float] = []
    for turn, number in zip(range(questions), cycle(numbers), strict=False):
        with transaction(parts.sessions) as session:
            watch.lap(session)
            found = similar.similar_solved(session, parts.context, number, Actor(Role.AGENT))
            times.append(watch.lap(session))
            if turn < EXACT // 2:
                message = masked_message(find_ticket(session, Actor(Role.AGENT), number), parts.context)
                vector = vector_text(model.vectors([model.read(message)])[0].tolist())
                watch.lap(session)
                nearest = _exact(session, EXACT_SOLVED, vector, similar.LIMIT)
                exact.append(watch.lap(session))
                shares.append(len(nearest & {solved.ticket.id for solved in found}) / len(nearest))
    say(f"solved: {_told(times)}")
    yield from _lines(f"solved tickets among {tickets:,}", times, exact)
    yield Line("… of the nearest five the share that is found", 100 * statistics.mean(shares), "%")


def _exact(session: Session, query: Any, vector: str, many: int) -> set[int]:
    return set(session.scalars(query, {"vector": vector, "many": many}))


def _told(costs: list[Cost]) -> str:
    walls = [cost.wall for cost in costs]
    return f"median {statistics.median(walls):.1f} ms, slowest {max(walls):.1f} ms in the database"


def _lines(what: str, costs: list[Cost], exact: list[Cost]) -> Iterator[Line]:
    """The p95 by the clock against the target, and that of processor time, which other programs disturb less."""
    wall, reference = (p95([cost.wall for cost in each]) for each in (costs, exact))
    met = wall <= TARGET_MILLISECONDS
    yield Line(f"{what}, p95 of {len(costs)}", wall, "ms", reference, f"≤ {TARGET_MILLISECONDS:g} ms", met)
    busy, reference = (p95([cost.processor for cost in each]) for each in (costs, exact))
    yield Line("… of the database's processor", busy, "ms", reference)
