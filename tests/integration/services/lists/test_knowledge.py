"""The knowledge base as a table: what the file leaves out goes only when it is the whole."""

from typing import Any

from sqlalchemy import select
from tests.integration.services.lists.city import City, counts
from tests.sheets import put, row_of

from hotline.bootstrap import Runtime
from hotline.services import knowledge
from hotline.storage.engine import transaction
from hotline.storage.tables import (
    KnowledgeEntry,
)


def test_knowledge_is_added_changed_and_retired_only_when_the_file_is_the_whole(
    city: City, answers: None, parts: Runtime
) -> None:
    with transaction(parts.sessions) as session:
        first, second = [text.question for _, text in knowledge.entries(session)][:2]

    def edit(sheet: Any) -> None:
        put(sheet, row_of(sheet, first), "答复", "新的答复")
        put(sheet, row_of(sheet, first), "生效日", None)
        sheet.delete_rows(row_of(sheet, second))
        sheet.append(["自行车能带上地铁吗？", "折叠车可以。", "E03", None, "CGJ", None, "2030-12-31"])

    assert counts(city.change("knowledge", edit)) == (1, 1, 0)
    with transaction(parts.sessions) as session:
        found = {text.question: text for _, text in knowledge.entries(session)}
        assert found[first].answer == "新的答复"
        assert found["自行车能带上地铁吗？"].owner == "CGJ"
        assert second in found
    gone: list[object] = []

    def leave_out(sheet: Any) -> None:
        row = row_of(sheet, second)
        gone.extend(cell.value for cell in sheet[row])
        sheet.delete_rows(row)

    draft = city.change("knowledge", leave_out, whole="yes")
    assert counts(draft) == (0, 0, 1)
    with transaction(parts.sessions) as session:
        assert second not in {text.question for _, text in knowledge.entries(session)}
        # Retired, not deleted: tickets name it.
        assert not session.scalars(select(KnowledgeEntry).where(KnowledgeEntry.question == second)).one().active
    # The same row, to the letter, brings it back.
    assert counts(city.change("knowledge", lambda sheet: sheet.append(gone))) == (1, 0, 0)
    with transaction(parts.sessions) as session:
        assert second in {text.question for _, text in knowledge.entries(session)}
