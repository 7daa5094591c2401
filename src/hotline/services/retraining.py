"""Retraining (再训练): learn from what people have confirmed since, and let the new version serve if it is no worse."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from hotline.domain.audit import AuditAction
from hotline.domain.people import SYSTEM, Actor
from hotline.ml.build import build
from hotline.ml.corpus import Row
from hotline.ml.evaluate import worlds
from hotline.ml.promotion import Comparison, compare, pin, promote
from hotline.ml.recipe import Recipe
from hotline.ml.registry import active_version, read_manifest
from hotline.services import audit
from hotline.services.context import Context
from hotline.services.learning import confirmed_tickets, count_labels_since
from hotline.storage.engine import SessionFactory, transaction

FEWEST_NEW_LABELS = 50
"""Fewer confirmed tickets than this since the last training teach too little for a new version."""


@dataclass(frozen=True, slots=True)
class Retrained:
    """A new version, and why it does not serve if it does not."""

    version: str
    objections: tuple[str, ...]


def retrain(
    sessions: SessionFactory, context: Context, folder: Path, data: Sequence[Path], recipe: Recipe | None = None
) -> Retrained | None:
    """Train on ``data`` and the confirmed tickets, and promote by the rules; None when too little is new.

    The database is asked before and told afterwards, so that no transaction stays open while the model trains.
    Raises ``CorpusError`` and ``ModelError``.
    """
    pin(folder)
    with transaction(sessions) as session:
        trained_at = datetime.fromisoformat(str(read_manifest(folder / active_version(folder))["created"]))
        if count_labels_since(session, trained_at) < FEWEST_NEW_LABELS:
            return None
        tickets = confirmed_tickets(session)
    written = build(data, folder, recipe=recipe, tickets=[row for row in tickets if not row.held_out])
    note(sessions, context, AuditAction.MODEL_TRAINED, written.name, {"tickets": len(tickets)})
    compared = compare(folder, written.name, [*held_out_in(data), *(row for row in tickets if row.held_out)])
    settle(sessions, context, folder, written.name, compared)
    return Retrained(written.name, compared.objections)


def settle(
    sessions: SessionFactory,
    context: Context,
    folder: Path,
    version: str,
    compared: Comparison,
    *,
    actor: Actor = SYSTEM,
    reason: str = "",
    force: bool = False,
) -> bool:
    """Let ``version`` serve unless ``compared`` objects or ``force`` overrules it; audited either way.

    Returns whether it serves now.  Raises ``ModelError``.
    """
    detail = {"objections": list(compared.objections), "texts": compared.texts}
    if compared.objections and not force:
        note(sessions, context, AuditAction.MODEL_NOT_PROMOTED, version, detail, actor=actor, reason=reason)
        return False
    # Written first: a promotion that nobody can find in the audit log must not happen.
    note(sessions, context, AuditAction.MODEL_PROMOTED, version, detail, actor=actor, reason=reason)
    promote(folder, version, reason)
    return True


def held_out_in(data: Sequence[Path]) -> list[Row]:
    """Return the rows of the folders in ``data`` that are kept for measuring."""
    return [row for folder in data if folder.is_dir() for rows in worlds(folder).values() for row in rows]


def note(
    sessions: SessionFactory,
    context: Context,
    action: AuditAction,
    version: str,
    detail: dict[str, Any],
    *,
    actor: Actor = SYSTEM,
    reason: str = "",
) -> None:
    """Write to the audit log in a transaction of its own."""
    with transaction(sessions) as session:
        audit.append(session, context, actor, action, subject=f"model:{version}", reason=reason or None, detail=detail)
