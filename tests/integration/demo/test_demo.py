"""The demo city: consistent, the same every time, started again after an interruption, and kept by a second start."""

import json
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hotline import bootstrap
from hotline.bootstrap import Runtime
from hotline.demo import stage
from hotline.demo.build import prepare_demo
from hotline.demo.city import DEMO_PASSWORD, build_city
from hotline.demo.history import History, build_history
from hotline.domain.clock_notices import NoticeKind
from hotline.domain.kpi import Period
from hotline.domain.ticket import State
from hotline.jobs.doorbell import SilentDoorbell
from hotline.services.accounts import password_matches
from hotline.services.countings import catch_up
from hotline.services.reporting import summary
from hotline.settings import Settings
from hotline.storage import migrate
from hotline.storage.engine import transaction
from hotline.storage.tables import Account, Caller, Followup, Job, Reply, Ticket, TicketEvent
from hotline.web.app import create_app

CALLS = 60
UNTIL = datetime(2026, 11, 25, 6, 30, tzinfo=UTC)
ROLES = {"agent", "dispatcher", "handler", "lead", "followup", "supervisor", "admin", "auditor"}
URL = "http://127.0.0.1:8000"


@pytest.fixture
def bare(settings: Settings, empty_database_url: str) -> Settings:
    """Settings over a database with nothing in it."""
    return settings.model_copy(update={"database_url": empty_database_url})


@contextmanager
def running(settings: Settings) -> Iterator[Runtime]:
    parts = bootstrap.start(settings, doorbell=SilentDoorbell())
    yield parts
    parts.close()


def prepare(settings: Settings, folder: Path, said: list[str] | None = None, calls: int = CALLS) -> dict[str, Any]:
    say: Callable[[str], None] = (said if said is not None else []).append
    return prepare_demo(settings, folder / "demo.json", URL, say, calls)


@pytest.fixture(scope="module")
def played(standing_parts: Runtime) -> Runtime:
    """The parts over a database in which the history was played once."""
    with transaction(standing_parts.sessions) as session:
        build_history(session, replace(standing_parts.context, answer_followup_share=0.5), UNTIL, CALLS)
    return standing_parts


def story(session: Session) -> list[tuple[Any, ...]]:
    """Return all that a reader of the demo could see, without what is encrypted anew each time."""
    tickets = select(Ticket.number, Ticket.state, Ticket.content, Ticket.type, Ticket.matter, Ticket.handle_due)
    events = select(TicketEvent.kind, TicketEvent.at, TicketEvent.account_id, TicketEvent.reason, TicketEvent.role)
    replies = select(Reply.text, Reply.at, Reply.account_id)
    queries = (tickets.order_by(Ticket.id), events.order_by(TicketEvent.id), replies.order_by(Reply.id))
    return [tuple(row) for query in queries for row in session.execute(query)]


def test_the_history_is_consistent(played: Runtime) -> None:
    with transaction(played.sessions) as session:
        tickets = session.scalar(select(func.count()).select_from(Ticket)) or 0
        assert tickets >= CALLS
        assert UNTIL - timedelta(days=62) <= session.scalars(select(func.min(TicketEvent.at))).one()
        assert session.scalars(select(func.max(TicketEvent.at))).one() <= UNTIL
        assert set(session.scalars(select(Job.state))) == {"done"}
        assert session.scalar(select(func.count()).select_from(Caller)) == tickets
        assert {State.CLOSED, State.HANDLING, State.AWAITING_FOLLOWUP} <= set(session.scalars(select(Ticket.state)))
        for ticket in session.scalars(select(Ticket)):
            _consistent(session, ticket)
        # Nobody is left uncalled for weeks: that would look as if the hotline did not work.
        late = select(func.count()).where(Followup.result.is_(None), Followup.due < UNTIL - timedelta(days=14))
        assert session.scalar(late) == 0
        period = Period(UNTIL - timedelta(days=70), UNTIL + timedelta(days=1), UNTIL)
        while catch_up(session):
            pass
        figures = summary(session, played.context, period).total
        assert figures.received == tickets
        assert figures.rates["signing"].denominator
        assert figures.rates["resolution"].denominator


def _consistent(session: Session, ticket: Ticket) -> None:
    """The ticket's state and dates are what its events say, and its events are in order."""
    query = select(TicketEvent).where(TicketEvent.ticket_id == ticket.id).order_by(TicketEvent.id)
    # What the clock says bears the time that it fell due, whenever somebody came to hear it.
    events = [event for event in session.scalars(query) if event.kind not in list(NoticeKind)]
    assert [event.at for event in events] == sorted(event.at for event in events)
    moves = [event for event in events if event.to_state]
    assert [event.to_state for event in moves][-1] == ticket.state
    assert all(later.from_state == before.to_state for before, later in pairwise(moves))
    when = {event.kind: event.at for event in reversed(events)}
    last = {event.kind: event.at for event in events}
    assert ticket.received_at == when["received"]
    assert ticket.signed_at in (None, last.get("sign"))
    assert (ticket.dispatched_at, ticket.completed_at) == (when.get("dispatch"), when.get("approve"))
    assert (ticket.lead_department_id is None) == ("dispatch" not in when)


def test_the_same_instant_gives_the_same_city_again(played: Runtime, parts: Runtime) -> None:
    with transaction(played.sessions) as session:
        first = story(session)
    with transaction(parts.sessions) as session:
        build_history(session, replace(parts.context, answer_followup_share=0.5), UNTIL, CALLS)
        again = story(session)
    assert len(first) > CALLS * 3
    assert again == first


def test_writing_together_changes_nothing_of_the_story(
    played: Runtime, parts: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Steps about several tickets are written together; each sees what it would have seen after the one before."""
    monkeypatch.setattr(stage, "TOGETHER", 1)
    with transaction(parts.sessions) as session:
        build_history(session, replace(parts.context, answer_followup_share=0.5), UNTIL, CALLS)
        singly = sorted(map(repr, story(session)))
    with transaction(played.sessions) as session:
        assert sorted(map(repr, story(session))) == singly


def test_demo_json_has_all_that_others_rely_on_and_a_second_start_keeps_it(bare: Settings, tmp_path: Path) -> None:
    said: list[str] = []
    credentials = prepare(bare, tmp_path, said)
    file = tmp_path / "demo.json"
    assert json.loads(file.read_text(encoding="utf-8")) == credentials
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert credentials["url"] == URL
    assert set(credentials["accounts"]) >= ROLES
    assert set(credentials["tokens"]) >= ROLES
    assert said
    with running(bare) as parts:
        client = create_app(parts).test_client()
        with transaction(parts.sessions) as session:
            for role in ROLES:
                shown = credentials["accounts"][role]
                account = session.scalars(select(Account).where(Account.username == shown["username"])).one()
                assert (account.role, account.active, shown["password"]) == (role, True, DEMO_PASSWORD)
            assert password_matches(account.password_hash, DEMO_PASSWORD)
        for role, status in {"agent": 200, "handler": 200, "supervisor": 200, "admin": 403, "auditor": 403}.items():
            headers = {"Authorization": f"Bearer {credentials['tokens'][role]}"}
            assert client.get("/api/v1/tickets", headers=headers).status_code == status, role
    said.clear()
    assert prepare(bare, tmp_path, said) == credentials
    assert said == [], "the second start built something"


@pytest.mark.parametrize("damage", ["gone", "half", "another shape", "foreign tokens"])
def test_a_lost_or_damaged_demo_json_is_made_anew(bare: Settings, tmp_path: Path, damage: str) -> None:
    migrate.upgrade(bare.database_url)
    with running(bare) as parts, transaction(parts.sessions) as session:
        build_city(session, UNTIL)
    first, file = prepare(bare, tmp_path), tmp_path / "demo.json"
    match damage:
        case "gone":
            file.unlink()
        case "half":
            file.write_text(file.read_text(encoding="utf-8")[:100], encoding="utf-8")
        case "another shape":
            file.write_text('["tokens"]', encoding="utf-8")
        case "foreign tokens":
            file.write_text(json.dumps({"tokens": {"agent": first["tokens"]["admin"], "lead": "x"}}), encoding="utf-8")
    again = prepare(bare, tmp_path)
    assert again["accounts"] == first["accounts"]
    assert again["tokens"]["agent"] != first["tokens"]["admin"]
    assert set(again["tokens"]) >= ROLES


def test_a_build_that_was_interrupted_is_redone_from_the_start(
    bare: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    played = History.run

    def run_and_break_off(history: History) -> None:
        played(history)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(History, "run", run_and_break_off)
        with pytest.raises(KeyboardInterrupt):
            prepare(bare, tmp_path, calls=5)
    assert not (tmp_path / "demo.json").exists()
    with running(bare) as parts, transaction(parts.sessions) as session:
        assert session.scalar(select(func.count()).select_from(Account)) == 0
        assert session.scalar(select(func.count()).select_from(Ticket)) == 0
    said: list[str] = []
    assert set(prepare(bare, tmp_path, said, calls=5)["tokens"]) >= ROLES
    assert said == ["building the demo city …"]


def test_callers_of_the_demo_are_nobodys_numbers(played: Runtime) -> None:
    with transaction(played.sessions) as session:
        phones = [played.context.vault.open(sealed) for sealed in session.scalars(select(Caller.phone_sealed))]
    known = [phone for phone in phones if phone is not None]
    assert known
    assert all(phone.startswith("1380000") for phone in known)
