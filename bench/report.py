"""The measurements as a table and as ``bench/latest.json``."""

import json
import os
import platform
import statistics
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.load import percentile

HERE = Path(__file__).resolve().parent
LATEST = HERE / "latest.json"


@dataclass(frozen=True)
class Line:
    """One figure: ``value`` in ``unit``, beside its ``reference`` of the same run where there is one.

    ``target`` says in words what is wanted, ``met`` whether it is so; both are None for a figure that is only told.
    """

    name: str
    value: float
    unit: str
    reference: float | None = None
    target: str | None = None
    met: bool | None = None

    @property
    def ratio(self) -> float | None:
        """The value as a share of the reference."""
        return self.value / self.reference if self.reference else None

    def cells(self) -> tuple[str, ...]:
        """The line as a row of the table."""
        ratio = "" if self.ratio is None else (f"{self.ratio:.0%}" if self.ratio < 10 else f"{self.ratio:.0f} ×")
        verdict = {None: "", True: "yes", False: "NO"}[self.met]
        reference = "" if self.reference is None else _number(self.reference)
        return self.name, f"{_number(self.value)} {self.unit}", reference, ratio, self.target or "", verdict


HEAD = ("what", "measured", "reference", "ratio", "target", "met")


def table(lines: Sequence[Line]) -> str:
    """Return the lines as a Markdown table."""
    rows = [HEAD, *(line.cells() for line in lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    padded = [" | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    padded = [f"| {row} |" for row in padded]
    padded.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(padded)


def circumstances() -> dict[str, Any]:
    """Return when, where and on what the benchmark runs; the load is that of others before it begins."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _git("rev-parse", "--short", "HEAD"),
        "changed": bool(_git("status", "--porcelain", "--", "src", "workers", "bench", "migrations")),
        "cores": os.cpu_count(),
        "processor": _processor(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "python": platform.python_version(),
        "load": [round(value, 2) for value in os.getloadavg()],
    }


def describe(where: dict[str, Any]) -> str:
    """Return the circumstances in a sentence."""
    commit = f"commit {where['commit']}" + (" with changes" if where["changed"] else "")
    machine = f"{where['cores']} cores ({where['processor']}), {where['memory_gib']:g} GiB, Python {where['python']}"
    loads = f"load before the run {where['load'][0]:g}"
    return f"{where['date']}, {commit}; {machine}; {loads}."


def write(where: dict[str, Any], lines: Sequence[Line]) -> None:
    """Write ``bench/latest.json``."""
    figures = [{**asdict(line), "ratio": line.ratio} for line in lines]
    LATEST.write_text(json.dumps({**where, "figures": figures}, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=HERE, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def pages(what: str, times: Mapping[str, list[float]], target: float, say: Callable[[str], None]) -> Iterator[Line]:
    """Tell how long pages took, in milliseconds by kind: p95 of all against ``target``, and of the slowest kind."""
    for kind, each in times.items():
        say(f"{kind}: median {statistics.median(each):.0f} ms, slowest {max(each):.0f} ms")
    everything = [took for each in times.values() for took in each]
    p95 = percentile(everything, 0.95)
    yield Line(f"{what}, p95 of {len(everything)}", p95, "ms", None, f"≤ {target:g} ms", p95 <= target)
    worst = max(times, key=lambda kind: percentile(times[kind], 0.95))
    yield Line(f"… slowest ({worst}), p95", percentile(times[worst], 0.95), "ms")
