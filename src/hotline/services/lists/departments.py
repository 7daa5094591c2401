"""The tree of departments as a table (承办单位)."""

from collections.abc import Mapping, Sequence

from sqlalchemy.orm import Session

from hotline.domain.departments import DEPARTMENT_KIND_NAMES
from hotline.domain.people import Actor
from hotline.services import departments
from hotline.services.context import Context
from hotline.services.departments import Office
from hotline.services.lists.columns import Column, Kind, Row
from hotline.services.lists.listing import Draft, ImportList, Missing, named_errors
from hotline.services.lists.workbook import CellError

ACTIVE = {"yes": "在用", "no": "停用"}

COLUMNS = (
    Column(
        name="code",
        title="单位编码",
        kind=Kind.CODE,
        required=True,
        longest=departments.CODE_CHARS,
        hint="大写字母、数字和连字符；定下后不能更改，工单、账号和清单都按编码指到单位。",
    ),
    Column(name="name", title="单位名称", required=True, longest=departments.NAME_CHARS, hint="各单位不得同名。"),
    Column(
        name="kind",
        title="类别",
        kind=Kind.CHOICE,
        required=True,
        choices={kind.value: name for kind, name in DEPARTMENT_KIND_NAMES.items()},
        hint="街道（镇）受“不得下派”保护。",
    ),
    Column(name="parent", title="上级单位编码", kind=Kind.CODE, hint="可以是本表中的新单位；上级能看到下级的工单。"),
    Column(name="district", title="区编码", kind=Kind.CODE, hint="单位所属的区。"),
    Column(
        name="active",
        title="状态",
        kind=Kind.CHOICE,
        required=True,
        choices=ACTIVE,
        hint="有未办结工单、在用账号、下级单位或仍列在权责清单中的单位不能停用。",
    ),
)


def _row(office: Office) -> Row:
    return {
        "code": office.code,
        "name": office.name,
        "kind": office.kind,
        "parent": office.parent,
        "district": office.district,
        "active": "yes" if office.active else "no",
    }


def _office(row: Row) -> Office:
    code, name, kind = row["code"], row["name"], row["kind"]
    assert code is not None and name is not None and kind is not None
    return Office(
        code=code,
        name=name,
        kind=kind,
        parent=row["parent"],
        district=row["district"],
        active=row["active"] == "yes",
    )


def _wanted(draft: Draft) -> list[Office]:
    return [_office(change.row) for change in draft.plan.changes]


def _present(session: Session, context: Context, options: Mapping[str, str]) -> Sequence[Row]:
    return [_row(office) for office in departments.offices(session).values()]


def _check(session: Session, context: Context, draft: Draft) -> Sequence[CellError]:
    columns = {column.name: column for column in COLUMNS}
    faults = departments.faults(session, _wanted(draft), context.now())
    return named_errors(
        draft.rows, lambda row: row["code"], [(fault.code, columns[fault.field], fault.message) for fault in faults]
    )


def _apply(session: Session, context: Context, draft: Draft, actor: Actor) -> Mapping[str, str]:
    departments.settle(session, context, _wanted(draft), actor)
    return {}


DEPARTMENTS = ImportList(
    name="departments",
    title="承办单位",
    columns=COLUMNS,
    key=("code",),
    missing=Missing.LEFT,
    present=_present,
    check=_check,
    apply=_apply,
)
