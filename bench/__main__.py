"""``python -m bench``: measure everything, print a table, write ``bench/latest.json``."""

import argparse
import sys
from collections.abc import Iterator

from bench import clock, footprint, lists, reports, search, serving, similar
from bench.report import LATEST, Line, circumstances, describe, table, write
from bench.rig import open_rig

PARTS = ("rate", "latency", "flow", "search", "lists", "triage", "similar", "clock", "help", "stack", "reports")


def main() -> int:
    """Measure; return 0 when every target is met."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", choices=PARTS, action="append", help="measure this part only; may be repeated")
    parser.add_argument("--short", action="store_true", help="see that it works: figures of seconds mean little")
    parser.add_argument("--tickets", type=int, default=reports.TICKETS, help="closed tickets that reports are told of")
    parser.add_argument("--similar", type=int, default=similar.TICKETS, help="tickets among which similar ones are")
    given = parser.parse_args()
    where = circumstances()
    _say(describe(where))
    lines = list(_measure(given.only or PARTS, given.tickets, given.similar, short=given.short))
    if not given.only:
        write(where, lines)
        _say(f"written to {LATEST}")
    sys.stdout.write(f"\n{table(lines)}\n")
    return 0 if all(line.met is not False for line in lines) else 1


def _measure(parts: list[str] | tuple[str, ...], tickets: int, among: int, *, short: bool) -> Iterator[Line]:
    lengths = serving.SHORT if short else serving.Lengths()
    if {"rate", "latency", "flow"} & set(parts):
        with open_rig() as rig:
            for part, measure in (("rate", serving.intake_rate), ("latency", serving.latency), ("flow", serving.flow)):
                if part in parts:
                    _say(f"measuring {part} …")
                    yield from measure(rig, lengths, _say)
    if "search" in parts:
        _say("measuring search …")
        with open_rig() as rig:
            yield from search.measure(rig, short=short, say=_say)
    if "lists" in parts:
        _say("measuring lists …")
        with open_rig() as rig:
            yield from lists.measure(rig, short=short, say=_say)
    if "triage" in parts:
        _say("measuring triage …")
        # Imported here: the other parts need no classifier.
        from bench.triage import triage

        yield from triage(_say, short=short)
    if "similar" in parts:
        _say("measuring similar …")
        with open_rig() as rig:
            yield from similar.measure(rig, similar.SHORT_TICKETS if short else among, short=short, say=_say)
    if "clock" in parts:
        _say("measuring clock …")
        yield from clock.computations(_say, 50_000 if short else 1_000_000)
        yield from clock.sweep(_say, 20_000 if short else 200_000)
    if "reports" in parts:
        _say("measuring reports …")
        with open_rig() as rig:
            yield from reports.measure(rig, 20_000 if short else tickets, _say)
    if "help" in parts:
        _say("measuring help …")
        yield from footprint.command_line(3 if short else 15)
    if "stack" in parts:
        _say("measuring stack …")
        yield from footprint.stack(_say, 200 if short else 3000)


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
