"""The knowledge base as a table (知识库)."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.domain.city_time import CITY_ZONE
from hotline.domain.people import Actor
from hotline.services import knowledge
from hotline.services.context import Context
from hotline.services.knowledge import EntryText
from hotline.services.lists.columns import Column, Kind, Row, as_kept
from hotline.services.lists.listing import Draft, ImportList, Missing, Option
from hotline.services.lists.workbook import CellError
from hotline.storage.tables import Department

COLUMNS = (
    Column(
        name="question",
        title="问题",
        required=True,
        longest=knowledge.QUESTION_CHARS,
        hint="条目按问题辨认：问题相同的更新，其余新增。",
    ),
    Column(name="answer", title="答复", required=True, longest=knowledge.ANSWER_CHARS),
    Column(name="matter", title="事项编码", kind=Kind.CODE, hint="A01 至 G09。"),
    Column(name="source", title="来源", longest=500, hint="文件、网页或提供人。"),
    Column(name="owner", title="责任单位编码", kind=Kind.CODE, hint="由谁保证答复正确。"),
    Column(name="valid_from", title="生效日", kind=Kind.DATE, hint="空着：新条目自今日起，已有条目不变。"),
    Column(name="valid_to", title="失效日", kind=Kind.DATE, hint="有效的最后一天；空着表示长期有效。"),
)
_COLUMN = {column.name: column for column in COLUMNS}


def _row(text: EntryText) -> Row:
    return {
        "question": text.question,
        "answer": text.answer.replace("\r\n", "\n"),
        "matter": text.matter,
        "source": text.source,
        "owner": text.owner,
        "valid_from": text.valid_from.isoformat() if text.valid_from else None,
        "valid_to": text.valid_to.isoformat() if text.valid_to else None,
    }


def _text(row: Row) -> EntryText:
    question, answer = row["question"], row["answer"]
    assert question is not None and answer is not None
    return EntryText(
        question=question,
        answer=answer,
        matter=row["matter"],
        source=row["source"],
        owner=row["owner"],
        valid_from=_day(row["valid_from"]),
        valid_to=_day(row["valid_to"]),
    )


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _present(session: Session, context: Context, options: Mapping[str, str]) -> Sequence[Row]:
    return [_row(text) for _, text in knowledge.entries(session)]


def _complete(context: Context, row: Row, before: Row | None) -> Row:
    if row["valid_from"] is not None:
        return row
    today = context.now().astimezone(CITY_ZONE).date().isoformat()
    return {**row, "valid_from": before["valid_from"] if before else today}


def _check(session: Session, context: Context, draft: Draft) -> Sequence[CellError]:
    owners = set(session.scalars(select(Department.code)))
    return [
        CellError(row.number, _COLUMN[name], message)
        for row in draft.rows
        for name, message in _wrong(row.cells, set(context.taxonomy.codes), owners)
    ]


def _wrong(row: Row, matters: set[str], owners: set[str]) -> Iterator[tuple[str, str]]:
    if row["matter"] is not None and row["matter"] not in matters:
        yield "matter", "unknown matter; use a code from A01 to G09"
    if row["owner"] is not None and row["owner"] not in owners:
        yield "owner", "there is no department with this code"
    if row["valid_from"] and row["valid_to"] and row["valid_to"] < row["valid_from"]:
        yield "valid_to", "lies before valid_from"


def _apply(session: Session, context: Context, draft: Draft, actor: Actor) -> Mapping[str, str]:
    wanted = [_text(change.after) for change in draft.plan.changes if change.after is not None]
    knowledge.load(session, context, wanted, actor, dry_run=False)
    gone = {change.row["question"] for change in draft.plan.removed}
    for entry, text in knowledge.entries(session) if gone else ():
        if as_kept(_row(text))["question"] in gone:
            knowledge.retire(session, context, entry.id, actor)
    return {}


KNOWLEDGE = ImportList(
    name="knowledge",
    title="知识库",
    columns=COLUMNS,
    key=("question",),
    missing=Missing.ASKED,
    present=_present,
    check=_check,
    apply=_apply,
    complete=_complete,
    options=(Option.WHOLE,),
)
