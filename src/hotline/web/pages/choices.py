"""What the forms of a ticket offer to choose from; each list is read only when a form needs it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from hotline.domain.city_time import CITY_ZONE
from hotline.domain.departments import DEPARTMENT_KIND_NAMES
from hotline.domain.people import ROLE_NAMES, Role
from hotline.domain.ticket import (
    EXCLUSION_REASON_NAMES,
    FOLLOWUP_RESULT_NAMES,
    RETURN_REASON_NAMES,
    SATISFACTION_NAMES,
    URGENCY_NAMES,
    Action,
    ComplaintType,
)
from hotline.services.access import subtree
from hotline.services.masking import mask_for
from hotline.storage.tables import Account, Department, Followup, KnowledgeEntry, Ticket
from hotline.web.api.schemas import PredictionOut
from hotline.web.pages.step_fields import FIELDS
from hotline.web.runtime import actor, runtime

MOST_KNOWLEDGE = 50
CARDS = {"yellow": "黄牌", "red": "红牌"}


@dataclass(frozen=True, slots=True)
class Group:
    """Choices under one heading (none for an empty heading): code and name."""

    heading: str
    options: tuple[tuple[str, str], ...]


Groups = tuple[Group, ...]


def choices_for(
    session: Session, ticket: Ticket, prediction: PredictionOut | None, actions: Iterable[Action]
) -> dict[str, Groups]:
    """Return the lists that the forms of ``actions`` choose from, by name."""
    needed = {field.choices for action in actions for field in FIELDS.get(action, ()) if field.choices}
    if Action.SPLIT in actions:
        needed.add("matters")
    makers: Mapping[str, Callable[[], Groups]] = {
        "matters": lambda: matters(prediction),
        "departments": lambda: departments(session),
        "subunits": lambda: _subunits(session, ticket),
        "colleagues": lambda: _colleagues(session, ticket),
        "callers": lambda: _callers(session, ticket),
        "knowledge": lambda: _knowledge(session, ticket),
        "types": lambda: _one((name, _(name)) for name in ComplaintType),
        "urgencies": lambda: _named(URGENCY_NAMES),
        "return_reasons": lambda: _named(RETURN_REASON_NAMES),
        "exclusion_reasons": lambda: _named(EXCLUSION_REASON_NAMES),
        "results": lambda: _named(FOLLOWUP_RESULT_NAMES),
        "ratings": lambda: _named(SATISFACTION_NAMES),
        "cards": lambda: _named(CARDS),
    }
    return {name: makers[name]() for name in needed}


def _one(options: Iterable[tuple[str, str]]) -> Groups:
    return (Group("", tuple(options)),)


def _named(names: Mapping[Any, str]) -> Groups:
    return _one((str(code), _(name)) for code, name in names.items())


def matters(prediction: PredictionOut | None) -> Groups:
    """Return the model's candidates, then every matter under its task."""
    taxonomy = runtime().context.taxonomy
    found = [
        Group(
            f"{task.code} {task.name}",
            tuple((m.code, f"{m.code} {m.name}") for m in taxonomy.matters.values() if m.task == task.code),
        )
        for task in taxonomy.tasks.values()
    ]
    if prediction is not None:
        suggested = tuple((c.matter, f"{c.matter} {c.name} {c.p:.0%}") for c in prediction.top)
        found.insert(0, Group(_("系统建议"), suggested))
    return tuple(found)


def departments(session: Session) -> Groups:
    """Return the active departments by kind."""
    found = session.scalars(select(Department).where(Department.active).order_by(Department.id)).all()
    return tuple(
        Group(_(name), tuple((row.code, row.name) for row in found if row.kind == kind))
        for kind, name in DEPARTMENT_KIND_NAMES.items()
    )


def _subunits(session: Session, ticket: Ticket) -> Groups:
    if ticket.lead_department_id is None:
        return ()
    below = subtree(session, ticket.lead_department_id) - {ticket.lead_department_id}
    query = select(Department).where(Department.id.in_(below), Department.active).order_by(Department.id)
    return _one((row.code, row.name) for row in session.scalars(query))


def _colleagues(session: Session, ticket: Ticket) -> Groups:
    if ticket.lead_department_id is None:
        return ()
    query = select(Account).where(
        Account.department_id.in_(subtree(session, ticket.lead_department_id)), Account.active
    )
    return _one(
        (row.username, f"{row.display_name}（{_(ROLE_NAMES[Role(row.role)])}）")
        for row in session.scalars(query.order_by(Account.id))
    )


def _callers(session: Session, ticket: Ticket) -> Groups:
    """Return the callers who are still to be reached, by the number of their own ticket."""
    query = select(Ticket).join(Followup, Followup.caller_ticket_id == Ticket.id)
    query = query.where(Followup.ticket_id == ticket.id, Followup.round == ticket.reworks, Followup.result.is_(None))
    return _one((row.number, _caller_words(row)) for row in session.scalars(query.order_by(Followup.id)))


def _caller_words(member: Ticket) -> str:
    mask = mask_for(member, runtime().context, actor())
    return " ".join(filter(None, (member.number, mask.name, mask.phone)))


def _knowledge(session: Session, ticket: Ticket) -> Groups:
    today = runtime().context.now().astimezone(CITY_ZONE).date()
    query = select(KnowledgeEntry).where(
        KnowledgeEntry.active,
        KnowledgeEntry.valid_from <= today,
        or_(KnowledgeEntry.valid_to.is_(None), KnowledgeEntry.valid_to >= today),
        or_(KnowledgeEntry.matter.is_(None), KnowledgeEntry.matter == ticket.matter),
    )
    found = session.scalars(query.order_by(KnowledgeEntry.used.desc()).limit(MOST_KNOWLEDGE))
    return _one((str(row.id), row.question[:60]) for row in found)
