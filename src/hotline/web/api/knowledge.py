"""The knowledge base over the API."""

from datetime import date
from typing import Annotated

from apiflask import APIBlueprint
from pydantic import AfterValidator, BaseModel, Field

from hotline.domain.people import Permission
from hotline.services import knowledge
from hotline.storage.engine import transaction
from hotline.web.api.fields import Input, clean_text
from hotline.web.auth import requires
from hotline.web.runtime import runtime

bp = APIBlueprint("knowledge", __name__, url_prefix="/api/v1/knowledge", tag="Knowledge base")


class KnowledgeQuery(Input):
    """What is asked, in a citizen's words."""

    q: Annotated[str, Field(max_length=2000), AfterValidator(clean_text)]
    limit: Annotated[int, Field(ge=1, le=20)] = 5


class KnowledgeEntryOut(BaseModel):
    """An entry in force: ``id`` is what ``knowledge_entry`` takes when a call is answered from it."""

    id: int
    question: str
    answer: str
    matter: str | None
    source: str | None
    owner: str | None
    valid_to: date | None
    likeness: float


class KnowledgeOut(BaseModel):
    """The nearest entries, the nearest first."""

    entries: list[KnowledgeEntryOut]


@bp.get("")
@bp.input(KnowledgeQuery, location="query", arg_name="query")
@bp.output(KnowledgeOut)
@bp.doc(summary="Find answers in the knowledge base", responses={422: "A field is wrong"})
@requires(Permission.READ_TICKETS)
def find(query: KnowledgeQuery) -> KnowledgeOut:
    """Find entries by likeness; retired and expired ones are left out."""
    with transaction(runtime().sessions) as session:
        found = knowledge.search(session, runtime().context, query.q, limit=query.limit)
        return KnowledgeOut(entries=[_out(each) for each in found])


def _out(found: knowledge.FoundEntry) -> KnowledgeEntryOut:
    entry = found.entry
    return KnowledgeEntryOut(
        id=entry.id,
        question=entry.question,
        answer=entry.answer,
        matter=entry.matter,
        source=entry.source,
        owner=entry.owner.name if entry.owner else None,
        valid_to=entry.valid_to,
        likeness=round(found.likeness, 4),
    )
