"""Drafts: kept sealed, one's own, gone with their ticket, and never brought back by a late save."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select, text, update
from tests.factories import actor_named, receive, run_jobs

from hotline.bootstrap import Runtime
from hotline.domain.ticket import Channel
from hotline.jobs.queue import enqueue
from hotline.jobs.registry import PRUNE
from hotline.services import drafts, intake
from hotline.storage.engine import transaction
from hotline.storage.tables import Draft

FIELDS = {"content": "我叫张建国，楼下烧烤店油烟很大", "caller_phone": "13800005678"}


def save(parts: Runtime, key: str, fields: dict[str, str], username: str = "agent01") -> bool:
    with transaction(parts.sessions) as session:
        return drafts.save(session, parts.context, key, fields, actor_named(session, username))


def find(parts: Runtime, key: str, username: str = "agent01") -> object:
    with transaction(parts.sessions) as session:
        return drafts.find(session, parts.context, key, actor_named(session, username))


def test_what_was_typed_comes_back_as_it_was_saved_last(parts: Runtime) -> None:
    save(parts, "one", FIELDS)
    save(parts, "one", FIELDS | {"address": "幸福路"})
    assert find(parts, "one") == FIELDS | {"address": "幸福路"}


def test_nothing_of_it_can_be_read_in_the_database(parts: Runtime) -> None:
    save(parts, "one", FIELDS)
    with transaction(parts.sessions) as session:
        row = session.scalars(text("SELECT row_to_json(draft)::text FROM draft")).one()
    assert "张建国" not in row
    assert "13800005678" not in row


def test_a_draft_is_its_owners_alone(parts: Runtime) -> None:
    save(parts, "one", FIELDS)
    assert find(parts, "one", "agent02") is None
    with transaction(parts.sessions) as session:
        assert drafts.listed(session, parts.context, actor_named(session, "agent02")) == []
        drafts.discard(session, "one", actor_named(session, "agent02"))
    assert find(parts, "one") == FIELDS


def test_several_drafts_are_listed_newest_first_without_names_or_numbers(parts: Runtime) -> None:
    for key in ("one", "two"):
        save(parts, key, FIELDS)
    save(parts, "one", FIELDS)
    with transaction(parts.sessions) as session:
        lines = drafts.listed(session, parts.context, actor_named(session, "agent01"))
    assert [line.key for line in lines] == ["one", "two"]
    assert "张建国" not in lines[0].beginning
    assert "烧烤店" in lines[0].beginning


def test_an_emptied_form_leaves_no_draft(parts: Runtime) -> None:
    save(parts, "one", FIELDS)
    assert save(parts, "one", {"content": "  "}) is False
    assert find(parts, "one") is None


def test_a_late_save_does_not_bring_the_draft_of_a_ticket_back(parts: Runtime) -> None:
    save(parts, "one", FIELDS)
    with transaction(parts.sessions) as session:
        agent = actor_named(session, "agent01")
        drafts.settle(session, "one", agent)
        command = intake.ReceiveTicket(channel=Channel.PHONE, content=FIELDS["content"])
        intake.receive(session, parts.context, command, agent, intake.Retry("one", "digest"))
    assert find(parts, "one") is None
    assert save(parts, "one", FIELDS) is False
    assert find(parts, "one") is None


def test_the_oldest_drafts_make_room(parts: Runtime) -> None:
    for number in range(drafts.MOST + 3):
        save(parts, str(number), FIELDS)
    with transaction(parts.sessions) as session:
        assert session.scalar(select(func.count()).select_from(Draft)) == drafts.MOST
    assert find(parts, "0") is None
    assert find(parts, str(drafts.MOST + 2)) == FIELDS


@pytest.mark.parametrize(("days", "left"), [(6, True), (8, False)])
def test_what_nobody_comes_back_to_is_thrown_away(parts: Runtime, days: int, left: bool) -> None:
    save(parts, "one", FIELDS)
    with transaction(parts.sessions) as session:
        receive(session, parts.context)
        session.execute(update(Draft).values(saved_at=parts.context.now() - timedelta(days=days)))
        enqueue(session, PRUNE, {}, dedupe_key="now")
    run_jobs(parts)
    assert (find(parts, "one") is not None) is left
