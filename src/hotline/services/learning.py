"""The loop that learns: confirmed labels for training, and how the model does on living tickets."""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from hotline.domain.kpi import Rate
from hotline.storage.queries.live_accuracy import LiveLine, live_accuracy
from hotline.storage.tables import Label, Ticket

# A correction teaches more than a confirmation.
CONFIRMATION_WEIGHT, CORRECTION_WEIGHT = 1.0, 2.0

# A population stability index above this is a drift that somebody should look into (the usual rule of thumb).
DRIFT_ALARM = 0.2


@dataclass(frozen=True, slots=True)
class ConfirmedTicket:
    """A ticket whose matter a person has confirmed.  ``weight`` is how much it counts in training."""

    title: str
    content: str
    matter: str
    weight: float


def confirmed_tickets(session: Session) -> list[ConfirmedTicket]:
    """Return the tickets with human labels, the last label of each; those whose words were closed out are gone."""
    newest = select(Label).ext(distinct_on(Label.ticket_id)).order_by(Label.ticket_id, Label.id.desc()).subquery()
    rows = session.execute(
        select(Ticket.title, Ticket.content, newest.c.matter, newest.c.predicted)
        .join(newest, newest.c.ticket_id == Ticket.id)
        .where(Ticket.anonymised_at.is_(None))
        .order_by(Ticket.id)
    )
    return [
        ConfirmedTicket(
            title, content, matter, CORRECTION_WEIGHT if predicted not in (None, matter) else CONFIRMATION_WEIGHT
        )
        for title, content, matter, predicted in rows
    ]


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
