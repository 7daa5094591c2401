"""The road of every list: export, upload, dry run, apply.

What was uploaded waits in a table and is compared with the present whenever somebody looks.  Applying names the
digest of the plan that was shown; when the present has changed in between, the plan is another one and is refused.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from hotline.domain.audit import AuditAction
from hotline.domain.people import Actor
from hotline.services import audit
from hotline.services.context import Context
from hotline.services.errors import Conflict, NotFound
from hotline.services.lists.changes import compare, keyed, refuse_repeated
from hotline.services.lists.columns import Row, as_kept, tidy
from hotline.services.lists.listing import Applied, Draft, ImportList, Missing, Option
from hotline.services.lists.workbook import ReadRow, RowsRefused, read, write
from hotline.storage.tables import ListImport

KEPT_FOR = timedelta(days=1)

# One import after the other, whatever its list: they name one another's codes.  The number only has to be ours.
_IMPORT_LOCK = 12345_014


def export(session: Session, context: Context, which: ImportList, actor: Actor) -> bytes:
    """Return the list as it is now as a workbook that `upload` reads; the export is recorded."""
    rows = [as_kept(row) for row in which.present(session, context, {})]
    content = write(which.title, which.columns, rows)
    detail = {"list": which.name, "rows": len(rows)}
    audit.append(session, context, actor, AuditAction.LIST_EXPORTED, detail=detail)
    return content


def upload(
    session: Session, context: Context, which: ImportList, content: bytes, options: Mapping[str, str], actor: Actor
) -> int:
    """Read a workbook and keep it for its dry run; return its id.

    Raises ``InvalidInput`` for a file that is no such list, ``RowsRefused`` for rows that cannot be used.
    """
    rows = read(content, which.title, which.columns)
    refuse_repeated(rows, which.key, which.columns)
    given = {option.value: tidy(options.get(option, ""))[:100] for option in which.options}
    _checked(session, context, which, rows, given)
    assert actor.account_id is not None
    kept = ListImport(
        account_id=actor.account_id,
        name=which.name,
        options=given,
        rows=[{"number": row.number, "cells": dict(row.cells)} for row in rows],
        uploaded_at=context.now(),
    )
    session.add(kept)
    session.flush()
    return kept.id


def opened(session: Session, context: Context, which: ImportList, import_id: int, actor: Actor) -> Draft:
    """Return what an upload would do now.

    Raises ``NotFound``, ``RowsRefused`` and ``InvalidInput`` when it no longer fits what is there.
    """
    kept = _kept(session, which, import_id, actor)
    return _checked(session, context, which, _rows(kept), kept.options)


def apply(session: Session, context: Context, which: ImportList, import_id: int, shown: str, actor: Actor) -> Applied:
    """Do what was shown, all of it or nothing; ``shown`` is the digest of the plan that was looked at.

    Raises ``Conflict`` when the plan is another one by now, and as ``opened`` does.
    """
    session.execute(select(func.pg_advisory_xact_lock(_IMPORT_LOCK)))
    kept = _kept(session, which, import_id, actor, lock=True)
    draft = _checked(session, context, which, _rows(kept), kept.options)
    if draft.plan.digest != shown:
        raise Conflict("what is there has changed since the dry run; look at it again")
    if not draft.plan.changes:
        raise Conflict("nothing would change")
    passwords = which.apply(session, context, draft, actor)
    session.delete(kept)
    return Applied(len(draft.plan.changes), passwords)


def drop(session: Session, which: ImportList, import_id: int, actor: Actor) -> None:
    """Forget an upload.  Raises ``NotFound``."""
    session.delete(_kept(session, which, import_id, actor))


def prune(session: Session, context: Context) -> int:
    """Delete uploads that nobody has applied within a day; return how many."""
    late = delete(ListImport).where(ListImport.uploaded_at < context.now() - KEPT_FOR)
    return len(session.scalars(late.returning(ListImport.id)).all())


def _kept(session: Session, which: ImportList, import_id: int, actor: Actor, *, lock: bool = False) -> ListImport:
    query = select(ListImport).where(
        ListImport.id == import_id, ListImport.name == which.name, ListImport.account_id == actor.account_id
    )
    kept = session.scalars(query.with_for_update() if lock else query).one_or_none()
    if kept is None:
        raise NotFound("this import has been applied or dropped already")
    return kept


def _rows(kept: ListImport) -> list[ReadRow]:
    return [ReadRow(row["number"], row["cells"]) for row in kept.rows]


def _checked(
    session: Session, context: Context, which: ImportList, rows: list[ReadRow], options: Mapping[str, str]
) -> Draft:
    present = keyed(map(as_kept, which.present(session, context, options)), which.key)
    completed = []
    for row in rows:
        before = present.get(tuple(row.cells[name] for name in which.key))
        completed.append(ReadRow(row.number, which.complete(context, row.cells, before)))
    plan = compare(present, completed, which.key, goes=_goes(which, completed, options))
    draft = Draft(tuple(completed), plan, options)
    errors = which.check(session, context, draft)
    if errors:
        raise RowsRefused(errors)
    return draft


def _goes(which: ImportList, rows: list[ReadRow], options: Mapping[str, str]) -> Callable[[Row], bool]:
    """Return the rule by which something that is not in the file goes."""
    whole = which.missing is Missing.REMOVED or options.get(Option.WHOLE) == "yes"
    if which.within is None:
        return lambda row: whole
    column = which.within
    named = {row.cells[column] for row in rows}
    return lambda row: whole and row[column] in named
