"""The set of limits as a table (时限规则): one line per rule, a whole set at a time."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy.orm import Session

from hotline.domain.limit import Limit, LimitError
from hotline.domain.limits import Rule
from hotline.domain.people import Actor
from hotline.domain.ticket import URGENCY_NAMES, ComplaintType
from hotline.services import limit_sets
from hotline.services.context import Context
from hotline.services.departments import districts
from hotline.services.errors import InvalidInput
from hotline.services.explaining import KIND_NAMES
from hotline.services.limit_sets import LimitsPlan
from hotline.services.lists.columns import Column, Kind, Row
from hotline.services.lists.listing import Draft, ImportList, Missing, Option, since_of
from hotline.services.lists.workbook import CellError
from hotline.services.timekeeping import load_timekeeping

UNITS = {
    "wd": "工作日",
    "h": "工作小时",
    "m": "工作分钟",
    "h clock": "小时（昼夜连续）",
    "m clock": "分钟（昼夜连续）",
}

COLUMNS = (
    Column(
        name="kind",
        title="环节",
        kind=Kind.CHOICE,
        required=True,
        choices={kind.value: name for kind, name in KIND_NAMES.items()},
        hint="每个环节须有一行是全市通用的：诉求类型、事项、区、紧急程度都空着。",
    ),
    Column(
        name="type",
        title="诉求类型",
        kind=Kind.CHOICE,
        choices={kind.value: kind.value for kind in ComplaintType},
        hint="空着表示不限；填了类型就不能再填事项。",
    ),
    Column(name="matter", title="事项编码", kind=Kind.CODE, hint="空着表示不限。"),
    Column(name="district", title="区编码", kind=Kind.CODE, hint="只与事项一起填。"),
    Column(
        name="urgency",
        title="紧急程度",
        kind=Kind.CHOICE,
        choices={urgency.value: name for urgency, name in URGENCY_NAMES.items()},
        hint="填了就是上限：与通常的时限比较，以先到者为准；须昼夜连续计时。",
    ),
    Column(name="amount", title="时限", kind=Kind.CODE, required=True, longest=9, hint="整数。"),
    Column(name="unit", title="单位", kind=Kind.CHOICE, required=True, choices=UNITS),
    Column(name="source", title="依据", longest=200),
)
_COLUMN = {column.name: column for column in COLUMNS}
_SCOPE = ("kind", "urgency", "type", "matter", "district")


def _row(rule: Rule) -> Row:
    return {
        "kind": rule.kind.value,
        "type": rule.type,
        "matter": rule.matter,
        "district": rule.district,
        "urgency": rule.urgency,
        "amount": str(rule.limit.amount),
        "unit": f"{rule.limit.unit}{' clock' if rule.limit.clock else ''}",
        "source": rule.source or None,
    }


def _present(session: Session, context: Context, options: Mapping[str, str]) -> Sequence[Row]:
    at = since_of(options) or context.now()
    return [_row(rule) for rule in load_timekeeping(session).limits_at(at).rules]


def _check(session: Session, context: Context, draft: Draft) -> Sequence[CellError]:
    known = set(districts(session))
    errors = [
        CellError(row.number, _COLUMN[name], message)
        for row in draft.rows
        for name, message in _wrong(row.cells, set(context.taxonomy.matters), known)
    ]
    if not errors:
        general = {row.cells["kind"] for row in draft.rows if not any(row.cells[name] for name in _SCOPE[1:])}
        missing = [name for kind, name in KIND_NAMES.items() if kind.value not in general]
        if missing:
            raise InvalidInput("file", f"has no line for the whole city: {'、'.join(missing)}")
        _plan(session, context, draft)
    return errors


def _wrong(row: Row, matters: set[str], known: set[str]) -> Iterator[tuple[str, str]]:
    amount, unit = row["amount"] or "", row["unit"] or ""
    try:
        Limit.parse(f"{amount}{unit}" if amount.isascii() and amount.isdigit() else "")
    except LimitError:
        yield "amount", "is no whole number of at most ten years"
    if row["matter"] is not None and row["matter"] not in matters:
        yield "matter", "unknown matter; use a code from A01 to G09"
    if row["district"] is not None and row["district"] not in known:
        yield "district", "there is no district with this code"
    if row["type"] and row["matter"]:
        yield "type", "stands beside a matter; only one of them can decide"
    if row["district"] and not row["matter"]:
        yield "district", "stands without a matter"
    if row["urgency"] and "clock" not in unit:
        yield "unit", "has to run day and night, since urgent tickets do not wait"


def _plan(session: Session, context: Context, draft: Draft) -> LimitsPlan | None:
    """Return what the import would do; None when it changes nothing.  Raises ``InvalidInput`` and ``Conflict``."""
    if not draft.plan.changes:
        return None
    version = draft.options.get(Option.VERSION)
    if not version:
        raise InvalidInput(Option.VERSION, "is empty")
    given = {"version": version, "rules": [_rule(row.cells) for row in draft.rows]}
    return limit_sets.plan_import(session, _fresh(session, context), given, since_of(draft.options))


def _fresh(session: Session, context: Context) -> Context:
    """Return the surroundings with what the database says now; a process looks again every few seconds only."""
    present = load_timekeeping(session)
    return replace(context, timekeeping=lambda: present)


def _rule(row: Row) -> dict[str, Any]:
    scope = {name: row[name] for name in ("type", "matter", "district", "urgency", "source") if row[name]}
    return {"kind": row["kind"], "limit": f"{row['amount']}{row['unit']}", **scope}


def planned(session: Session, context: Context, draft: Draft) -> Context | None:
    """Return the surroundings as the import would make them; None when it changes nothing."""
    plan = _plan(session, context, draft)
    return limit_sets.in_force(context, plan) if plan else None


def _apply(session: Session, context: Context, draft: Draft, actor: Actor) -> Mapping[str, str]:
    plan = _plan(session, context, draft)
    assert plan is not None
    limit_sets.import_limits(session, context, plan, actor)
    return {}


LIMITS = ImportList(
    name="limits",
    title="时限规则",
    columns=COLUMNS,
    key=_SCOPE,
    missing=Missing.REMOVED,
    present=_present,
    check=_check,
    apply=_apply,
    options=(Option.VERSION, Option.SINCE),
)
