"""The responsibility catalogue as a table (权责清单): who leads what where, and what must not be pushed down."""

from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.domain.people import Actor
from hotline.services import catalogue
from hotline.services.catalogue import Line
from hotline.services.context import Context
from hotline.services.lists.columns import Column, Kind, Row
from hotline.services.lists.listing import Draft, ImportList, Missing, Option, since_of
from hotline.services.lists.workbook import CellError
from hotline.storage.tables import Department, District

ENTRY, BAN = "entry", "must_not_push_down"

COLUMNS = (
    Column(
        name="kind",
        title="类别",
        kind=Kind.CHOICE,
        required=True,
        choices={ENTRY: "承办", BAN: "不得下派"},
        hint="“承办”定由谁主办、谁协办；“不得下派”定哪些事项不得交街道（镇）办理，只填事项和依据。",
    ),
    Column(name="matter", title="事项编码", kind=Kind.CODE, required=True, hint="A01 至 G09。"),
    Column(name="district", title="区编码", kind=Kind.CODE, hint="空着表示全市；有本区一行的以本区为准。"),
    Column(name="lead", title="主办单位编码", kind=Kind.CODE, hint="“承办”必填。"),
    Column(name="cohandlers", title="协办单位编码", kind=Kind.CODES, longest=400, hint="多个以空格隔开。"),
    Column(name="note", title="依据或备注", longest=500, hint="“不得下派”必填依据。"),
)
_COLUMN = {column.name: column for column in COLUMNS}


def _present(session: Session, context: Context, options: Mapping[str, str]) -> Sequence[Row]:
    at = since_of(options) or context.now()
    rows: list[Row] = [
        {
            "kind": ENTRY,
            "matter": row.matter,
            "district": row.district,
            "lead": row.lead_department.code,
            "cohandlers": " ".join(sorted(helper.code for helper in row.cohandlers)) or None,
            "note": row.note,
        }
        for row in catalogue.entries_at(session, at)
    ]
    empty = dict.fromkeys(_COLUMN)
    return rows + [
        empty | {"kind": BAN, "matter": ban.matter, "note": ban.basis} for ban in catalogue.bans_at(session, at)
    ]


def _check(session: Session, context: Context, draft: Draft) -> Sequence[CellError]:
    districts = set(session.scalars(select(District.code)))
    active = set(session.scalars(select(Department.code).where(Department.active)))
    errors = [
        CellError(row.number, _COLUMN[name], message)
        for row in draft.rows
        for name, message in _wrong(row.cells, set(context.taxonomy.matters), districts, active)
    ]
    if not errors and draft.plan.changes:
        catalogue.plan_import(session, context, as_draft(draft), since_of(draft.options))
    return errors


def _wrong(row: Row, matters: set[str], districts: set[str], active: set[str]) -> Iterator[tuple[str, str]]:
    if row["matter"] not in matters:
        yield "matter", "unknown matter; use a code from A01 to G09"
    helpers = (row["cohandlers"] or "").split()
    if row["kind"] == BAN:
        yield from ((name, "stays empty for what must not be pushed down") for name in _ENTRY_ONLY if row[name])
        if not row["note"]:
            yield "note", "is empty"
        return
    if row["district"] is not None and row["district"] not in districts:
        yield "district", "there is no district with this code"
    if row["lead"] is None:
        yield "lead", "is empty"
    elif row["lead"] not in active:
        yield "lead", "there is no active department with this code"
    for helper in helpers:
        if helper not in active:
            yield "cohandlers", f"there is no active department with the code {helper}"
    if row["lead"] in helpers:
        yield "cohandlers", "leads the ticket itself"


_ENTRY_ONLY = ("district", "lead", "cohandlers")


def as_draft(draft: Draft) -> catalogue.Draft:
    """Return the rows as a draft of the catalogue, to plan it or to replay it."""
    lines, bans = [], {}
    for row in draft.rows:
        matter, lead, note = row.cells["matter"], row.cells["lead"], row.cells["note"]
        assert matter is not None
        if row.cells["kind"] == BAN:
            bans[matter] = note or ""
        else:
            assert lead is not None
            helpers = tuple((row.cells["cohandlers"] or "").split())
            lines.append(Line(matter, row.cells["district"], lead, helpers, note))
    return catalogue.Draft(tuple(lines), bans)


def _warn(session: Session, context: Context, draft: Draft) -> Sequence[str]:
    if not draft.plan.changes:
        return []
    plan = catalogue.plan_import(session, context, as_draft(draft), since_of(draft.options))
    named = ", ".join(plan.ownerless)
    return [f"matters without a line for the whole city: {named}"] if plan.ownerless else []


def _apply(session: Session, context: Context, draft: Draft, actor: Actor) -> Mapping[str, str]:
    plan = catalogue.plan_import(session, context, as_draft(draft), since_of(draft.options))
    catalogue.import_catalogue(session, context, plan, actor)
    return {}


CATALOGUE = ImportList(
    name="catalogue",
    title="权责清单",
    columns=COLUMNS,
    key=("kind", "matter", "district"),
    missing=Missing.REMOVED,
    present=_present,
    check=_check,
    apply=_apply,
    warn=_warn,
    options=(Option.SINCE,),
)
