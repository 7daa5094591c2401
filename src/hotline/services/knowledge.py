"""The knowledge base (知识库): questions with standard answers, each with an owner, a source and an expiry."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, selectinload

from hotline.domain.audit import AuditAction
from hotline.domain.city_time import CITY_ZONE
from hotline.domain.masking import mask_text
from hotline.domain.people import Actor
from hotline.ml.similar_text import Message
from hotline.services import audit
from hotline.services.context import Context
from hotline.services.errors import InvalidInput, NotFound
from hotline.services.vectors import keep_entry_vectors
from hotline.storage.tables import Department, KnowledgeEntry, KnowledgeVector

CANDIDATES = 30
LEAST_LIKENESS = 0.05
QUESTION_CHARS = 500
# As much as a cell of a spreadsheet holds, with room to spare.
ANSWER_CHARS = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryText:
    """What an entry says.  ``owner`` is a department's code; ``valid_to`` is the last day on which it holds."""

    question: str
    answer: str
    matter: str | None = None
    source: str | None = None
    owner: str | None = None
    valid_from: date | None = None
    valid_to: date | None = None


@dataclass(frozen=True, slots=True)
class FoundEntry:
    """An entry with how near it is to what was asked (0–1)."""

    entry: KnowledgeEntry
    likeness: float


@dataclass(frozen=True, slots=True)
class Changes:
    """What an import does: how many entries are new, changed and as they were."""

    added: int
    changed: int
    unchanged: int


def search(session: Session, context: Context, question: str, *, limit: int = 5) -> list[FoundEntry]:
    """Return the entries nearest to a question, the nearest first; retired and expired ones are never among them.

    Without a similarity model nothing is found.
    """
    model = context.similar()
    if model is None:
        return []
    reading = model.read(Message("", mask_text(question)))
    today = context.now().astimezone(CITY_ZONE).date()
    query = (
        select(KnowledgeEntry)
        .join(KnowledgeVector, KnowledgeVector.entry_id == KnowledgeEntry.id)
        .where(KnowledgeVector.version == model.version, KnowledgeEntry.active, KnowledgeEntry.valid_from <= today)
        .where(or_(KnowledgeEntry.valid_to.is_(None), KnowledgeEntry.valid_to >= today))
        .order_by(KnowledgeVector.embedding.cosine_distance(model.vectors([reading])[0].tolist()))
        .limit(CANDIDATES)
        .options(selectinload(KnowledgeEntry.owner))
    )
    entries = session.scalars(query).all()
    if not entries:
        return []
    likeness = model.likeness(reading, [model.read(Message(entry.question, entry.answer)) for entry in entries])
    found = [FoundEntry(entry, float(like)) for entry, like in zip(entries, likeness, strict=True)]
    found = [each for each in found if each.likeness >= LEAST_LIKENESS]
    return sorted(found, key=lambda each: (-each.likeness, each.entry.id))[:limit]


def add(session: Session, context: Context, text: EntryText, actor: Actor) -> KnowledgeEntry:
    """Add an entry.  Raises ``InvalidInput``."""
    _refuse_twin(session, text, None)
    entry = KnowledgeEntry()
    _fill(session, context, entry, text, actor)
    session.add(entry)
    _keep(session, context, [entry], actor, "added")
    return entry


def edit(session: Session, context: Context, entry_id: int, text: EntryText, actor: Actor) -> KnowledgeEntry:
    """Change what an entry says.  Raises ``NotFound`` and ``InvalidInput``."""
    entry = _locked(session, entry_id)
    _refuse_twin(session, text, entry_id)
    _fill(session, context, entry, text, actor)
    _keep(session, context, [entry], actor, "changed")
    return entry


def retire(session: Session, context: Context, entry_id: int, actor: Actor) -> KnowledgeEntry:
    """Take an entry out of use; tickets that were answered from it still name it.  Raises ``NotFound``."""
    entry = _locked(session, entry_id)
    entry.active, entry.updated_at, entry.updated_by = False, context.now(), actor.account_id
    _note(session, context, actor, entry.id, "retired")
    return entry


def load(session: Session, context: Context, texts: Sequence[EntryText], actor: Actor, *, dry_run: bool) -> Changes:
    """Bring entries in: one with the same question is changed, another added; none is removed.

    With ``dry_run`` the changes are only counted.  Raises ``InvalidInput`` whose field names the row.
    """
    known = {entry.question: entry for entry in session.scalars(select(KnowledgeEntry).with_for_update())}
    touched: list[KnowledgeEntry] = []
    added = changed = 0
    for row, text in enumerate(texts, 1):
        entry = known.get(text.question.strip())
        if entry is not None and entry.active and _says(session, entry) == _written(context, text, entry):
            continue
        added, changed = added + (entry is None), changed + (entry is not None)
        try:
            checked = entry or KnowledgeEntry()
            with session.no_autoflush:
                _check(session, context, text)
                if not dry_run:
                    _fill(session, context, checked, text, actor)
        except InvalidInput as error:
            raise InvalidInput(f"row {row}, {error.field}", error.message) from error
        if not dry_run:
            session.add(checked)
            known[checked.question] = checked
            touched.append(checked)
    if touched:
        _keep(session, context, touched, actor, "imported")
    return Changes(added, changed, len(texts) - added - changed)


def entries(session: Session) -> list[tuple[KnowledgeEntry, EntryText]]:
    """Return every entry in use, in order, with what it says."""
    query = select(KnowledgeEntry).where(KnowledgeEntry.active).order_by(KnowledgeEntry.id)
    found = session.scalars(query.options(selectinload(KnowledgeEntry.owner))).all()
    return [(entry, _says(session, entry)) for entry in found]


def entry_text(session: Session, entry_id: int) -> tuple[KnowledgeEntry, EntryText]:
    """Return an entry, also a retired one, with what it says.  Raises ``NotFound``."""
    entry = session.get(KnowledgeEntry, entry_id)
    if entry is None:
        raise NotFound("there is no such entry in the knowledge base")
    return entry, _says(session, entry)


def _locked(session: Session, entry_id: int) -> KnowledgeEntry:
    entry = session.get(KnowledgeEntry, entry_id, with_for_update=True)
    if entry is None:
        raise NotFound("there is no such entry in the knowledge base")
    return entry


def _says(session: Session, entry: KnowledgeEntry) -> EntryText:
    owner = session.get(Department, entry.owner_department_id) if entry.owner_department_id else None
    return EntryText(
        question=entry.question,
        answer=entry.answer,
        matter=entry.matter,
        source=entry.source,
        owner=owner.code if owner else None,
        valid_from=entry.valid_from,
        valid_to=entry.valid_to,
    )


def _written(context: Context, text: EntryText, entry: KnowledgeEntry | None = None) -> EntryText:
    """An entry's text as it is stored; one without a first day holds from when it was first written."""
    today = context.now().astimezone(CITY_ZONE).date()
    return EntryText(
        question=text.question.strip(),
        answer=text.answer.strip(),
        matter=text.matter or None,
        source=(text.source or "").strip() or None,
        owner=text.owner or None,
        valid_from=text.valid_from or (entry.valid_from if entry and entry.valid_from else today),
        valid_to=text.valid_to,
    )


def _refuse_twin(session: Session, text: EntryText, entry_id: int | None) -> None:
    """Raise ``InvalidInput`` when another entry in use answers the same question: a table could not tell them apart."""
    query = select(KnowledgeEntry.id).where(KnowledgeEntry.question == text.question.strip(), KnowledgeEntry.active)
    if any(found != entry_id for found in session.scalars(query)):
        raise InvalidInput("question", "is answered by another entry already; change that one")


def _check(session: Session, context: Context, text: EntryText) -> Department | None:
    """Return the owner.  Raises ``InvalidInput``."""
    written = _written(context, text)
    if not 0 < len(written.question) <= QUESTION_CHARS:
        raise InvalidInput("question", f"must have 1 to {QUESTION_CHARS} characters")
    if not written.answer:
        raise InvalidInput("answer", "is empty")
    if len(written.answer) > ANSWER_CHARS:
        raise InvalidInput("answer", f"must have 1 to {ANSWER_CHARS} characters")
    if written.matter is not None and written.matter not in context.taxonomy.codes:
        raise InvalidInput("matter", "is not a matter of the taxonomy")
    if text.valid_from and text.valid_to and text.valid_to < text.valid_from:
        raise InvalidInput("valid_to", "lies before valid_from")
    if written.owner is None:
        return None
    owner = session.scalars(select(Department).where(Department.code == written.owner)).one_or_none()
    if owner is None:
        raise InvalidInput("owner", "there is no department with this code")
    return owner


def _fill(session: Session, context: Context, entry: KnowledgeEntry, text: EntryText, actor: Actor) -> None:
    owner, written = _check(session, context, text), _written(context, text, entry)
    assert written.valid_from is not None
    entry.question, entry.answer, entry.matter, entry.source = (
        written.question,
        written.answer,
        written.matter,
        written.source,
    )
    entry.owner_department_id = owner.id if owner else None
    entry.valid_from, entry.valid_to, entry.active = written.valid_from, written.valid_to, True
    entry.updated_at, entry.updated_by = context.now(), actor.account_id


def _keep(session: Session, context: Context, found: Sequence[KnowledgeEntry], actor: Actor, how: str) -> None:
    session.flush()
    keep_entry_vectors(session, context, found)
    _note(session, context, actor, found[0].id if len(found) == 1 else None, how, len(found))


def _note(session: Session, context: Context, actor: Actor, entry_id: int | None, how: str, number: int = 1) -> None:
    subject = None if entry_id is None else f"knowledge:{entry_id}"
    detail = {"how": how, "entries": number}
    audit.append(session, context, actor, AuditAction.KNOWLEDGE_CHANGED, subject=subject, detail=detail)
