"""The services at a time that the test sets, by people it names."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from tests.factories import actor_named, receive, take, ticket_after

from hotline.bootstrap import Runtime
from hotline.domain.city_time import CITY_ZONE
from hotline.domain.people import Actor
from hotline.domain.ticket import Action
from hotline.services.context import Context
from hotline.storage.tables import Ticket, TicketEvent


def city(month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    """An instant of 2026 by the city's clock."""
    return datetime(2026, month, day, hour, minute, tzinfo=CITY_ZONE)


class Play:
    """A session and a clock; ``now`` begins on a Monday at nine."""

    def __init__(self, session: Session, context: Context) -> None:
        self.session, self.now = session, city(11, 9, 9)
        self.context = replace(context, now=lambda: self.now)

    def who(self, username: str) -> Actor:
        """The account as an actor."""
        return actor_named(self.session, username)

    def receive(self, **given: Any) -> Ticket:
        """Log a call."""
        return receive(self.session, self.context, **given)

    def after(self, last: Action | None, **given: Any) -> Ticket:
        """A ticket that has come along the ordinary road, led by 城市管理局."""
        return ticket_after(self.session, self.context, last, **given)

    def take(self, ticket: Ticket, action: Action) -> Ticket:
        """One ordinary step."""
        return take(self.session, self.context, ticket, action)

    def do(self, service: Any, command: Any, username: str) -> Ticket:
        """Call a service as ``username``."""
        done: Ticket = service(self.session, self.context, command, self.who(username))
        self.session.flush()
        return done

    def kinds(self, ticket: Ticket) -> list[str]:
        """The kinds of the ticket's events, in order."""
        self.session.flush()
        query = select(TicketEvent.kind).where(TicketEvent.ticket_id == ticket.id).order_by(TicketEvent.id)
        return list(self.session.scalars(query))

    def told(self, ticket: Ticket, kind: str) -> dict[str, Any]:
        """What the newest event of ``kind`` says."""
        self.session.flush()
        query = select(TicketEvent.data).where(TicketEvent.ticket_id == ticket.id, TicketEvent.kind == kind)
        return self.session.scalars(query.order_by(TicketEvent.id.desc()).limit(1)).one()


@pytest.fixture
def play(standing_parts: Runtime) -> Iterator[Play]:
    """A play on the standing database; nothing of it is kept."""
    with standing_parts.sessions() as session:
        yield Play(session, standing_parts.context)
