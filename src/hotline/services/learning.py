"""The loop that learns: confirmed labels for training, and how the model does on living tickets."""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from hotline.domain.kpi import Rate
from hotline.domain.successors import Successors
from hotline.ml.corpus import Row, of_today
from hotline.reference import load_successors
from hotline.storage.queries.live_accuracy import LiveLine, live_accuracy
from hotline.storage.tables import Label, Ticket

TICKET = "ticket"
"""The source of rows that come from tickets."""

HELD_OUT_ONE_IN = 10

# A correction, and what a department returned, teach more than a confirmation.
CONFIRMATION_WEIGHT, CORRECTION_WEIGHT = 1.0, 2.0

# A population stability index above this is a drift that somebody should look into (the usual rule of thumb).
DRIFT_ALARM = 0.2


def confirmed_tickets(session: Session, successors: Successors | None = None) -> list[Row]:
    """Return the tickets with human labels as labelled texts, the last label of each under its matter of today.

    Those whose words were closed out are gone.  A tenth, always the same, is held out for comparing versions.  Type and
    urgency are left out, since the model may have said them itself.
    """
    newest = select(Label).ext(distinct_on(Label.ticket_id)).order_by(Label.ticket_id, Label.id.desc()).subquery()
    found = session.execute(
        select(Ticket.number, Ticket.title, Ticket.content, newest.c.matter, newest.c.predicted, newest.c.source)
        .join(newest, newest.c.ticket_id == Ticket.id)
        .where(Ticket.anonymised_at.is_(None))
        .order_by(Ticket.id)
    )
    rows = (
        Row(
            title,
            content,
            matter,
            source=TICKET,
            held_out=is_held_out(number),
            weight=CORRECTION_WEIGHT if source == "return" or predicted not in (None, matter) else CONFIRMATION_WEIGHT,
        )
        for number, title, content, matter, predicted, source in found
    )
    today = successors or load_successors()
    return [row for old in rows if (row := of_today(old, today)) is not None]


def is_held_out(number: str) -> bool:
    """Whether the ticket with this number is kept from training; told by its number, so that it stays so."""
    return sha256(number.encode()).digest()[0] % HELD_OUT_ONE_IN == 0


def count_labels_since(session: Session, since: datetime) -> int:
    """Return how many tickets people have labelled since an instant."""
    return session.scalar(select(func.count(Label.ticket_id.distinct())).where(Label.at > since)) or 0


@dataclass(frozen=True, slots=True)
class LiveFigures:
    """How one model version, or one of its matters, does: all as counts, so that they can be added up."""

    model_version: str
    matter: str | None
    coverage: Rate
    accuracy: Rate
    overridden: Rate


@dataclass(frozen=True, slots=True)
class LiveReport:
    """By version, then by version and matter; ``drift`` is the stability index of each version's matters."""

    versions: tuple[LiveFigures, ...]
    matters: tuple[LiveFigures, ...]
    drift: dict[str, float]


def live_report(session: Session, start: datetime, end: datetime, before: datetime) -> LiveReport:
    """Report on ``[start, end)``; drift compares it with ``[before, start)``."""
    lines = live_accuracy(session, start, end)
    versions = sorted({line.model_version for line in lines})
    earlier = live_accuracy(session, before, start)
    return LiveReport(
        versions=tuple(_figures(version, None, _of(lines, version)) for version in versions),
        matters=tuple(_figures(line.model_version, line.matter, [line]) for line in lines),
        drift={version: stability_index(_shares(earlier), _shares(_of(lines, version))) for version in versions},
    )


def _of(lines: Iterable[LiveLine], version: str) -> list[LiveLine]:
    return [line for line in lines if line.model_version == version]


def _shares(lines: Iterable[LiveLine]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for line in lines:
        counts[line.matter] += line.predicted
    return counts


def _figures(version: str, matter: str | None, lines: list[LiveLine]) -> LiveFigures:
    def total(name: str) -> int:
        return sum(getattr(line, name) for line in lines)

    return LiveFigures(
        version,
        matter,
        coverage=Rate(total("confident"), total("predicted")),
        accuracy=Rate(total("blind_right"), total("blind")),
        overridden=Rate(total("overridden"), total("judged")),
    )


def stability_index(before: Counter[str], after: Counter[str]) -> float:
    """Return the population stability index between two counts of matters; 0 when either is empty.

    Half a case is added to each matter, so that one that appears or vanishes does not make it infinite.
    """
    matters = sorted(before.keys() | after.keys())
    if not before.total() or not after.total():
        return 0.0
    index = 0.0
    for matter in matters:
        was = (before[matter] + 0.5) / (before.total() + 0.5 * len(matters))
        now = (after[matter] + 0.5) / (after.total() + 0.5 * len(matters))
        index += (now - was) * math.log(now / was)
    return index
