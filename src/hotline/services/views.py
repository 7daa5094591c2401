"""Saved views (视图): filters of a queue under a name, each account its own."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from hotline.domain.people import Actor
from hotline.services.context import Context
from hotline.services.errors import InvalidInput
from hotline.services.queues import Filters, Tab
from hotline.storage.tables import SavedView

LONGEST_NAME = 30
MOST = 20


def listed(session: Session, actor: Actor) -> Sequence[SavedView]:
    """Return the actor's views by name."""
    query = select(SavedView).where(SavedView.account_id == actor.account_id)
    return session.scalars(query.order_by(SavedView.name)).all()


def save(session: Session, context: Context, actor: Actor, name: str, tab: Tab, filters: Filters) -> None:
    """Keep the filters under ``name``, in the place of an older view of that name.

    Words are sealed: they may be a citizen's.  Raises ``InvalidInput`` for an unusable name or one view too many.
    """
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise InvalidInput("name", f"1 to {LONGEST_NAME} printable characters")
    kept = {field: value for field, value in asdict(filters).items() if value}
    if "text" in kept:
        kept["text"] = context.vault.seal(kept["text"])
    row = {"tab": tab.value, "filters": kept}
    written = insert(SavedView).values(account_id=actor.account_id, name=name, **row)
    session.execute(written.on_conflict_do_update(index_elements=["account_id", "name"], set_=row))
    mine = select(func.count()).where(SavedView.account_id == actor.account_id)
    if (session.scalar(mine) or 0) > MOST:
        raise InvalidInput("name", f"at most {MOST} views; delete one first")


def discard(session: Session, actor: Actor, name: str) -> None:
    """Delete the actor's view ``name``, if there is one."""
    session.execute(delete(SavedView).where(SavedView.account_id == actor.account_id, SavedView.name == name))


def filters_of(view: SavedView) -> Mapping[str, str]:
    """Return the view's filters as they stand in an address, words still sealed."""
    return {"tab": view.tab, **view.filters}
