"""Logging tickets over HTTP: how many a second, how long an answer takes, how soon a call is dispatched."""

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from bench.load import Order, Result, percentile
from bench.report import Line
from bench.rig import Hotline, Rig, send
from bench.texts import call_bodies

CONNECTIONS = 16
WARM_UP_SECONDS = 2.0

Say = Callable[[str], None]


@dataclass(frozen=True)
class Lengths:
    """How long the measurements last, in seconds, and how often the alternating ones are repeated."""

    rounds: int = 5
    round: float = 8.0
    latency: float = 20.0
    flow: float = 60.0
    search: float = 15.0


SHORT = Lengths(rounds=2, round=3.0, latency=5.0, flow=10.0, search=5.0)


def intake_rate(rig: Rig, lengths: Lengths, say: Say) -> Iterator[Line]:
    """Measure how many tickets a second are created, by turns with the reference, so that noise hits both."""
    bodies = call_bodies(500)
    with rig.hotline() as hotline, rig.reference() as reference:
        _warm_up(hotline, reference, bodies)
        pairs = []
        for number in range(lengths.rounds):
            order = hotline.order(bodies, lengths.round, connections=CONNECTIONS, key=f"round-{number}")
            orders = (replace(order, port=reference), order)
            # Who goes first changes too: the second finds warmer caches and a fuller database.
            results = [send(each) for each in (orders if number % 2 else orders[::-1])]
            theirs, ours = results if number % 2 else results[::-1]
            pairs.append((ours.rate, theirs.rate))
            say(f"round {number + 1}: {ours.rate:.0f}/s, reference {theirs.rate:.0f}/s, {ours.rate / theirs.rate:.0%}")
        ours_all, theirs_all = zip(*pairs, strict=True)
        # The median round by ratio is told whole, so that the three numbers of its line belong together.
        ours_rate, theirs_rate = sorted(pairs, key=lambda pair: pair[0] / pair[1])[len(pairs) // 2]
        met = ours_rate / theirs_rate >= 0.20
        yield Line("create a ticket, 16 connections", ours_rate, "/s", theirs_rate, "≥ 20 %, aim 40 %", met)
        yield Line("… the best round of each", max(ours_all), "/s", max(theirs_all))
        with hotline.worker():
            time.sleep(5)
            working = send(hotline.order(bodies, lengths.round, connections=CONNECTIONS, key="working"))
        yield Line("… with its worker busy", working.rate, "/s", statistics.median(theirs_all))


def latency(rig: Rig, lengths: Lengths, say: Say) -> Iterator[Line]:
    """Measure the time to the answer at 50 requests a second while the worker works off a backlog."""
    bodies = call_bodies(500)
    with rig.hotline() as hotline, rig.reference() as reference:
        _warm_up(hotline, reference, bodies)
        _pile_up(hotline, bodies, lengths)
        with hotline.worker():
            time.sleep(5)
            order = hotline.order(bodies, lengths.latency, rate=50, key="steady")
            theirs, ours = send(replace(order, port=reference)), send(order)
            backlog = hotline.unfinished()
    say(f"p50 {ours.percentile(0.5):.1f} ms, p99 {ours.percentile(0.99):.1f} ms; {backlog} jobs still waited")
    p95 = ours.percentile(0.95)
    busy = "p95 at 50 requests/s, worker busy" if backlog else "p95 at 50 requests/s, worker NOT busy to the end"
    yield Line(busy, p95, "ms", theirs.percentile(0.95), "≤ 50 ms", p95 <= 50)


def flow(rig: Rig, lengths: Lengths, say: Say) -> Iterator[Line]:
    """Measure the time from sending a call to its ticket lying with a department, and how fast that can go on."""
    p95, left = _dispatch_times(rig, 20, lengths.flow, say)
    name = f"call to dispatched, p95, 20 tickets/s for {lengths.flow:.0f} s"
    yield Line(name, p95, "s", target="≤ 1 s", met=p95 <= 1)
    yield Line("… left behind", left, "tickets", target="0", met=left == 0)
    yield Line("highest sustained rate (p95 ≤ 1 s, none left)", _highest_rate(rig, lengths, say), "/s")


def _highest_rate(rig: Rig, lengths: Lengths, say: Say) -> float:
    """Raise the rate by quarters until the p95 is above a second, then try between the last two."""

    def holds(rate: float) -> bool:
        p95, left = _dispatch_times(rig, rate, lengths.search, say)
        return p95 <= 1 and not left

    rates = [25 * 1.25**step for step in range(14)]
    for held, next_rate in pairwise([0.0, *rates]):
        if not holds(next_rate):
            between = (held + next_rate) / 2
            return between if held and holds(between) else held
    return rates[-1]


def _dispatch_times(rig: Rig, rate: float, seconds: float, say: Say) -> tuple[float, int]:
    """Return the p95 in seconds and how many tickets were neither dispatched nor put before a dispatcher."""
    bodies = call_bodies(500)
    with rig.hotline() as hotline, hotline.worker():
        _wait_for_worker(hotline, bodies)
        result = send(hotline.order(bodies, seconds, rate=rate, key="flow", keep_numbers=True))
        # Whoever is late beyond this counts as left behind.
        deadline = time.monotonic() + 10
        while hotline.unfinished() and time.monotonic() < deadline:
            time.sleep(0.2)
        settled = _settled_at(hotline)
    times = [settled[number] - sent for number, sent in result.sent.items() if number in settled]
    left = len(result.sent) - len(times)
    p95 = percentile(times, 0.95)
    middle = percentile(times, 0.5)
    say(f"{rate:.0f}/s for {seconds:.0f} s: {len(times)} tickets, p50 {middle:.3f} s, p95 {p95:.3f} s, left {left}")
    return p95, left


def _settled_at(hotline: Hotline) -> dict[str, float]:
    """When each ticket that has left its first state was committed so, in Unix time, by number."""
    query = """SELECT number, extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8 FROM ticket
               WHERE state IN ('awaiting_sign', 'awaiting_dispatch')"""
    return {str(number): float(str(at)) for number, at in hotline.rows(query)}


def _wait_for_worker(hotline: Hotline, bodies: list[str]) -> None:
    """Let the first tickets through, so that all programs are up and warm before anything is measured."""
    send(hotline.order(bodies, WARM_UP_SECONDS, rate=20, key="warm-up"))
    deadline = time.monotonic() + 60
    while hotline.unfinished():
        if time.monotonic() > deadline:
            raise TimeoutError("the worker does not work")
        time.sleep(0.2)


def _warm_up(hotline: Hotline, reference: int, bodies: list[str]) -> None:
    order = hotline.order(bodies, WARM_UP_SECONDS, connections=CONNECTIONS, key="warm-up")
    for each in (order, replace(order, port=reference)):
        send(each)


def _pile_up(hotline: Hotline, bodies: list[str], lengths: Lengths) -> Result:
    """Log more calls than the worker can triage in the time of the measurement."""
    order: Order = hotline.order(bodies, lengths.latency, connections=CONNECTIONS, key="pile")
    return send(order)
