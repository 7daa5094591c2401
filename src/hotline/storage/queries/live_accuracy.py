"""How the model does on living tickets, by version and matter, in one query.

Accuracy is told from blind tickets alone: a dispatcher who has seen the model's answer is no independent judge.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

# The last label of a ticket counts.  A label without a prediction before it (an agent's own choice during the call) is
# compared with what the model said afterwards.
_QUERY = text("""
WITH last_label AS (
    SELECT DISTINCT ON (ticket_id) ticket_id, matter, source FROM label ORDER BY ticket_id, id DESC
)
SELECT p.model_version,
       p.matter,
       count(*) AS predicted,
       count(*) FILTER (WHERE p.auto) AS confident,
       count(*) FILTER (WHERE l.source = 'blind') AS blind,
       count(*) FILTER (WHERE l.source = 'blind' AND l.matter = p.matter) AS blind_right,
       count(*) FILTER (WHERE l.source IN ('agent', 'dispatcher', 'return')) AS judged,
       count(*) FILTER (WHERE l.source IN ('agent', 'dispatcher', 'return') AND l.matter <> p.matter) AS overridden
FROM prediction p
LEFT JOIN last_label l USING (ticket_id)
WHERE p.created_at >= :start AND p.created_at < :end
GROUP BY p.model_version, p.matter
ORDER BY p.model_version, p.matter
""")


@dataclass(frozen=True, slots=True)
class LiveLine:
    """The counts of one model version and the matter it predicted."""

    model_version: str
    matter: str
    predicted: int
    confident: int
    blind: int
    blind_right: int
    judged: int
    overridden: int


def live_accuracy(session: Session, start: datetime, end: datetime) -> list[LiveLine]:
    """Return the counts of predictions made in ``[start, end)``."""
    return [LiveLine(*row) for row in session.execute(_QUERY, {"start": start, "end": end})]
