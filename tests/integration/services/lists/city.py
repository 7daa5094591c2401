"""Lists of one city, as an administrator exports, changes and imports them."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.factories import actor_named
from tests.sheets import edited

from hotline.bootstrap import Runtime
from hotline.domain.people import Actor
from hotline.services.context import Context
from hotline.services.lists import importing
from hotline.services.lists.listing import Draft
from hotline.services.lists.registry import LISTS
from hotline.services.lists.workbook import RowsRefused
from hotline.storage.engine import transaction


class City:
    """Lists of one city, as an administrator exports, changes and imports them."""

    def __init__(self, parts: Runtime) -> None:
        self.parts = parts
        self.context: Context = parts.context
        with transaction(parts.sessions) as session:
            self.admin: Actor = actor_named(session, "admin")

    def export(self, name: str) -> bytes:
        with transaction(self.parts.sessions) as session:
            return importing.export(session, self.context, LISTS[name], self.admin)

    def upload(self, name: str, content: bytes, **options: str) -> int:
        with transaction(self.parts.sessions) as session:
            return importing.upload(session, self.context, LISTS[name], content, options, self.admin)

    def dry_run(self, name: str, import_id: int) -> Draft:
        with transaction(self.parts.sessions) as session:
            return importing.opened(session, self.context, LISTS[name], import_id, self.admin)

    def apply(self, name: str, import_id: int, digest: str | None = None) -> Any:
        shown = digest or self.dry_run(name, import_id).plan.digest
        with transaction(self.parts.sessions) as session:
            return importing.apply(session, self.context, LISTS[name], import_id, shown, self.admin)

    def change(self, name: str, edit: Callable[[Any], None], **options: str) -> Draft:
        """Export, edit, upload, look, apply; return what the dry run said."""
        import_id = self.upload(name, edited(self.export(name), edit), **options)
        draft = self.dry_run(name, import_id)
        self.apply(name, import_id)
        return draft

    def refused(self, name: str, edit: Callable[[Any], None], **options: str) -> list[tuple[int, str, str]]:
        with pytest.raises(RowsRefused) as error:
            self.upload(name, edited(self.export(name), edit), **options)
        return [(each.row, each.column.name if each.column else "", each.message) for each in error.value.errors]


def counts(draft: Draft) -> tuple[int, int, int]:
    return len(draft.plan.added), len(draft.plan.changed), len(draft.plan.removed)
