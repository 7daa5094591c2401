"""The list pages at two hundred thousand tickets, counts included, as each role opens them."""

import html
import re
from collections.abc import Callable, Iterator

from bench.filling import TICKETS, fill
from bench.report import Line, pages
from bench.rig import Rig
from bench.search import Person

TARGET_MILLISECONDS = 200.0
_NEXT = re.compile(r'<div class="card-footer"><a href="([^"]+)"')

Say = Callable[[str], None]

# The filled database leaves these dues open; a queue without them would have nothing to sort by.
DUES = """
UPDATE ticket SET dispatch_due = received_at + interval '30 minutes' WHERE state = 'awaiting_dispatch';
UPDATE ticket SET followup_due = received_at + interval '20 days' WHERE state = 'awaiting_followup';
UPDATE ticket SET queue_reason = 'not_confident' WHERE state = 'awaiting_dispatch';
"""

PAGES = {
    "cgj-handler": (
        "sign",
        "handling",
        "today",
        "overdue",
        "again",
        "help",
        "all",
        "handling&matter=E",
        "all&district=LD",
    ),
    "cgj-lead": ("review", "all"),
    "agent01": ("dispatch", "open", "all", "all&matter=E03"),
    "supervisor01": ("overdue", "unsigned", "handling", "follow_up", "handling&department=CGJ"),
}
DESKS = {"supervisor01": ("/board", "/requests"), "dispatcher01": ("/dispatch",), "followup01": ("/calls",)}


def lists(rig: Rig, tickets: int, rounds: int, say: Say) -> Iterator[Line]:
    """Measure every tab that opens a role's day, its next page, and the desks, by turns."""
    with rig.hotline() as hotline:
        say(f"writing {tickets:,} tickets …")
        fill(hotline, tickets)
        hotline.run(DUES)
        people = {who: Person(hotline, who) for who in {*PAGES, *DESKS}}
        times: dict[str, list[float]] = {}
        for _turn in range(rounds):
            for who, tabs in PAGES.items():
                for tab in tabs:
                    took, page = people[who].open(f"/tickets?tab={tab}")
                    times.setdefault(f"{tab}, {who}", []).append(took)
                    more = _NEXT.search(page)
                    if more:
                        following = people[who].open(html.unescape(more[1]))[0]
                        times.setdefault(f"{tab}, next page, {who}", []).append(following)
            for who, paths in DESKS.items():
                for path in paths:
                    times.setdefault(f"{path}, {who}", []).append(people[who].open(path)[0])
        yield from pages(f"list page at {tickets:,} tickets", times, TARGET_MILLISECONDS, say)


def measure(rig: Rig, *, short: bool, say: Say) -> Iterator[Line]:
    """Measure at full size, or see that it works."""
    yield from lists(rig, TICKETS // 20 if short else TICKETS, 3 if short else 20, say)
