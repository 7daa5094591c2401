"""The one search box: a number, a phone, and words, places, departments, matters and states in any order.

A phone is found through the blind index, words through the stored pairs; both only among what the searcher may see.
"""

import re
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, cast, select
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.orm import Session, selectinload

from hotline.domain.people import DEPARTMENT_STAFF, Actor
from hotline.domain.phones import clean_phone
from hotline.domain.ticket import STATE_NAMES, State
from hotline.ml.pairs import question_words, words_query
from hotline.services.access import scope_of
from hotline.services.context import Context
from hotline.storage.tables import Caller, Department, District, Ticket, TicketWords

LONGEST = 200
_MOST_WORDS = 12
_NUMBER = re.compile(r"#?(\d{8})-?(\d{6,})", re.ASCII)
_BETWEEN = re.compile(r"[\s，,、；;]+")
# Endings that name one department are taken for it from this length on.
_NAMES_DEPARTMENT = 4


@dataclass(slots=True)
class Question:
    """What was asked for, as it was understood."""

    number: str | None = None
    phone: str | None = None
    states: list[State] = field(default_factory=list)
    districts: list[District] = field(default_factory=list)
    departments: list[Department] = field(default_factory=list)
    matters: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to look for."""
        return not (self.number or self.phone or self.words or self.has_filters)

    @property
    def has_filters(self) -> bool:
        """Whether something other than words narrows the search."""
        return bool(self.states or self.districts or self.departments or self.matters)


def understand(session: Session, context: Context, asked: str) -> Question:
    """Tell what ``asked`` is about.  What is in quotation marks is always a word: "供电公司"."""
    asked = asked.strip()[:LONGEST]
    question = Question(phone=_phone(asked))
    if question.phone:
        return question
    # Every second piece stands between quotation marks.
    pieces = re.split(r"[\"“”]", asked)
    terms, words = pieces[0::2], pieces[1::2]
    districts = session.scalars(select(District)).all()
    departments = session.scalars(select(Department)).all()
    for term in (piece for given in terms for piece in _BETWEEN.split(given) if piece):
        if number := _NUMBER.fullmatch(term):
            question.number = f"{number[1]}-{number[2]}"
        elif phone := _phone(term):
            question.phone = phone
        elif state := next((state for state, name in STATE_NAMES.items() if term in (name, state)), None):
            question.states.append(state)
        elif matter := next((m for m in context.taxonomy.matters.values() if term.upper() == m.code), None):
            question.matters.append(matter.code)
        elif district := next((d for d in districts if term in (d.code, d.name, d.name.removesuffix("区"))), None):
            question.districts.append(district)
        elif department := _department(departments, term):
            question.departments.append(department)
        else:
            words.append(term)
    question.words = question_words(" ".join(words))[:_MOST_WORDS]
    return question


def _phone(text: str) -> str | None:
    try:
        return clean_phone(text)
    except ValueError:
        return None


def _department(departments: Any, term: str) -> Department | None:
    """Return the one department that ``term`` names: by code, name, or an ending that no other has."""
    named = [d for d in departments if term in (d.code, d.name)]
    if not named and len(term) >= _NAMES_DEPARTMENT:
        named = [d for d in departments if d.name.endswith(term)]
    found: Department | None = named[0] if len(named) == 1 else None
    return found


def search(
    session: Session, context: Context, question: Question, actor: Actor, *, before: int | None = None, limit: int = 20
) -> list[Ticket]:
    """Return up to ``limit`` tickets that fit, the newest first, older than the ticket with id ``before``."""
    if question.is_empty:
        return []
    query = _narrowed(context, question, actor)
    query = scope_of(session, actor).narrow(query)
    if before is not None:
        query = query.where(Ticket.id < before)
    query = query.order_by(Ticket.id.desc()).limit(limit)
    query = query.options(
        selectinload(Ticket.lead_department), selectinload(Ticket.caller), selectinload(Ticket.cohandlers)
    )
    return list(session.scalars(query))


def _narrowed(context: Context, question: Question, actor: Actor) -> Select[Ticket]:
    query = select(Ticket)
    if question.number:
        query = query.where(Ticket.number == question.number)
    if question.phone:
        query = query.join(Caller, Caller.ticket_id == Ticket.id)
        query = query.where(Caller.phone_index == context.vault.index(question.phone))
        if actor.role in DEPARTMENT_STAFF:
            # Trying numbers would otherwise tell a department who has complained about it in confidence.
            query = query.where(~Ticket.confidential)
    if question.words:
        query = query.join(TicketWords, TicketWords.ticket_id == Ticket.id)
        query = query.where(TicketWords.words.op("@@")(cast(words_query(question.words), TSQUERY)))
    if question.states:
        query = query.where(Ticket.state.in_(question.states))
    if question.matters:
        query = query.where(Ticket.matter.in_(question.matters))
    if question.districts:
        query = query.where(Ticket.district.in_([district.code for district in question.districts]))
    if question.departments:
        query = query.where(Ticket.lead_department_id.in_([department.id for department in question.departments]))
    return query
