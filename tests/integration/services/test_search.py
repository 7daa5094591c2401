"""The search box: finds what people mean, among what they may see, and tells nothing of what is hidden."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import delete, select
from sqlalchemy.orm import Session
from tests.factories import actor_named, receive, run_jobs, ticket_after

from hotline.bootstrap import Runtime
from hotline.domain.people import SYSTEM
from hotline.domain.ticket import Action
from hotline.jobs.queue import enqueue
from hotline.jobs.registry import SEARCH_WORDS
from hotline.services import retention, search_box, search_words
from hotline.storage.engine import transaction
from hotline.storage.tables import District, Ticket, TicketWords


@pytest.fixture
def session(parts: Runtime) -> Iterator[Session]:
    with transaction(parts.sessions) as session:
        yield session


def logged(session: Session, parts: Runtime, content: str, **given: Any) -> str:
    ticket = receive(session, parts.context, content=content, **given)
    search_words.write_words(session, parts.context, [ticket])
    return ticket.number


def found(session: Session, parts: Runtime, asked: str, username: str = "agent01", **more: Any) -> list[str]:
    question = search_box.understand(session, parts.context, asked)
    actor = actor_named(session, username)
    return [ticket.number for ticket in search_box.search(session, parts.context, question, actor, **more)]


@pytest.mark.parametrize(
    ("asked", "is_found"),
    [
        ("管道", True),
        ("供水管道", True),
        ("爆裂 供水", True),
        ("供水爆裂", True),
        ("幸福路", True),
        ("幸福", True),
        ("路口", False),
        ("福路口", False),
        ("裂供", False),
        ("路灯", False),
        ("供水 路灯", False),
        ("水", True),
        ("ABC", True),
    ],
)
def test_words_are_found_wherever_they_stand(session: Session, parts: Runtime, asked: str, is_found: bool) -> None:
    number = logged(session, parts, "幸福路的供水管道。爆裂了，水流满地，旁边是abc店")
    assert (found(session, parts, asked) == [number]) is is_found


@pytest.mark.parametrize("spelled", ["138 0000 5678", "13800005678", "+86 138-0000-5678", " 13800005678 "])
def test_a_phone_is_found_however_it_is_spelled(session: Session, parts: Runtime, spelled: str) -> None:
    number = logged(session, parts, "路灯不亮", caller_phone="13800005678")
    logged(session, parts, "路灯不亮", caller_phone="13800005679")
    assert found(session, parts, spelled) == [number]


@pytest.mark.parametrize("spell", [str, lambda number: "#" + number, lambda number: number.replace("-", "")])
def test_a_number_is_found(session: Session, parts: Runtime, spell: Any) -> None:
    number = logged(session, parts, "路灯不亮")
    logged(session, parts, "路灯不亮")
    assert found(session, parts, spell(number)) == [number]


def test_words_states_districts_departments_and_matters_narrow_one_another(session: Session, parts: Runtime) -> None:
    district = session.scalars(select(District)).first()
    assert district is not None
    here = ticket_after(session, parts.context, Action.DISPATCH, content="路灯不亮", district=district.code)
    there = ticket_after(session, parts.context, Action.DISPATCH, content="路灯不亮")
    waiting = receive(session, parts.context, content="路灯不亮", district=district.code)
    search_words.write_words(session, parts.context, [here, there, waiting])
    both = [there.number, here.number]
    owner = there.lead_department
    assert owner is not None
    led = [ticket.number for ticket in (there, here) if ticket.lead_department_id == owner.id]
    assert found(session, parts, "路灯 待签收") == both
    assert found(session, parts, f"路灯 待签收 {district.name}") == [here.number]
    assert found(session, parts, owner.name) == found(session, parts, f"{owner.code} 路灯") == led
    assert found(session, parts, "E03 路灯") == both
    assert found(session, parts, f"{district.name} 已受理") == [waiting.number]
    assert found(session, parts, f'"{owner.name}"') == []


def test_pages_follow_one_another_without_gap_or_repeat(session: Session, parts: Runtime) -> None:
    numbers = [logged(session, parts, "路灯不亮") for _ in range(5)][::-1]
    first = found(session, parts, "路灯", limit=2)
    last = session.scalars(select(Ticket.id).where(Ticket.number == first[-1])).one()
    assert first + found(session, parts, "路灯", before=last, limit=9) == numbers


def test_a_department_finds_its_own_only(session: Session, parts: Runtime) -> None:
    ticket = ticket_after(session, parts.context, Action.DISPATCH, content="路灯不亮", caller_phone="13800005678")
    search_words.write_words(session, parts.context, [ticket])
    logged(session, parts, "路灯不亮", caller_phone="13800005678")
    for asked in ("路灯", "13800005678", ticket.number):
        assert found(session, parts, asked, "cgj-handler") == [ticket.number]
        assert found(session, parts, asked, "gaj-handler") == []


def test_nobody_finds_by_what_is_masked(session: Session, parts: Runtime) -> None:
    logged(session, parts, "我叫张建国，手机13800005678，路灯不亮", caller_name="张建国", address="幸福路12号3栋501室")
    for asked in ("张建国", "建国", "501"):
        assert found(session, parts, asked) == []


def test_a_department_cannot_try_numbers_on_confidential_tickets(session: Session, parts: Runtime) -> None:
    known: dict[str, Any] = {"caller_phone": "13800005678", "caller_name": "张建国", "confidential": True}
    ticket = ticket_after(session, parts.context, Action.DISPATCH, content="张建国举报，号码尾数5678", **known)
    search_words.write_words(session, parts.context, [ticket])
    assert found(session, parts, "13800005678") == [ticket.number]
    for asked in ("13800005678", "张"):
        assert found(session, parts, asked, "cgj-handler") == []
    assert found(session, parts, "举报", "cgj-handler") == [ticket.number]


@pytest.mark.parametrize("asked", ["", "  ", "，。！", "'", "\\", ":*", "& | !", '"', "( <-> )", "%_", "\ud800路"])
def test_no_question_breaks_it(session: Session, parts: Runtime, asked: str) -> None:
    logged(session, parts, "供水管道")
    assert found(session, parts, asked) == []


def test_triage_writes_the_words(parts: Runtime) -> None:
    with transaction(parts.sessions) as session:
        number = receive(session, parts.context, content="路灯不亮").number
        assert found(session, parts, "路灯") == []
    run_jobs(parts)
    with transaction(parts.sessions) as session:
        assert found(session, parts, "路灯") == [number]


def test_tickets_from_before_the_search_are_caught_up_with(parts: Runtime) -> None:
    with transaction(parts.sessions) as session:
        number = receive(session, parts.context, content="路灯不亮").number
    run_jobs(parts)
    with transaction(parts.sessions) as session:
        session.execute(delete(TicketWords))
        enqueue(session, SEARCH_WORDS, {}, dedupe_key="now")
    run_jobs(parts)
    with transaction(parts.sessions) as session:
        assert found(session, parts, "路灯") == [number]
        assert search_words.catch_up(session, parts.context) == 0


def test_what_retention_closes_out_is_found_no_more(session: Session, parts: Runtime) -> None:
    ticket = ticket_after(session, parts.context, Action.FOLLOW_UP, content="路灯不亮")
    search_words.write_words(session, parts.context, [ticket])
    assert found(session, parts, "路灯") == [ticket.number]
    retention.close_out(session, parts.context, SYSTEM, parts.context.now().replace(year=2100))
    assert found(session, parts, "路灯") == []
    assert search_words.catch_up(session, parts.context) == 0
