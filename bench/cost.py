"""What a piece of work costs: milliseconds by the clock on the wall, and of processor time on both sides.

The wall's clock also counts what others do on the same machine meanwhile; processor time does not.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.orm import Session

from bench.report import Line
from hotline.storage.engine import SessionFactory


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds that one piece of work took."""

    wall: float
    processor: float


def cost_of(sessions: SessionFactory, work: Callable[[Session], object]) -> Cost:
    """Do ``work`` in a transaction and return what it cost this process and the database's, without its helpers."""
    with sessions() as session:
        server = session.scalar(text("SELECT pg_backend_pid()"))
        began, ours, theirs = time.perf_counter(), time.process_time(), server_seconds(server)
        work(session)
        session.commit()
        processor = time.process_time() - ours + server_seconds(server) - theirs
        return Cost(1000 * (time.perf_counter() - began), 1000 * processor)


def server_seconds(server: int) -> float:
    """Return how long the database's process for this connection has been on a processor."""
    return int(Path(f"/proc/{server}/schedstat").read_text().split()[0]) / 1e9


def p95(values: Sequence[float]) -> float:
    """Return the 95th percentile."""
    return sorted(values)[min(len(values) - 1, int(0.95 * len(values)))]


def lines(
    name: str, costs: Sequence[Cost], target: float | None = None, reference: float | None = None
) -> Iterator[Line]:
    """Tell the p95 of ``costs``: by the wall's clock against ``target``, and in processor time."""
    wall, processor = p95([cost.wall for cost in costs]), p95([cost.processor for cost in costs])
    wanted = None if target is None else f"≤ {target:g} ms"
    yield Line(f"{name}, p95", wall, "ms", reference, wanted, None if target is None else wall <= target)
    yield Line("… in processor time", processor, "ms")
