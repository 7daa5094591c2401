"""The bulk road: history is read by the present model, and nothing moves."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select
from tests.factories import receive

from hotline.bootstrap import Runtime
from hotline.services import retriage as road
from hotline.services.triage import triage
from hotline.storage.engine import transaction
from hotline.storage.tables import Prediction, Ticket, TicketEvent

SINCE, UNTIL = datetime(2000, 1, 1, tzinfo=UTC), datetime.now(UTC) + timedelta(days=1)


def test_unread_tickets_are_read_once_in_batches_and_stay_where_they_are(parts: Runtime, monkeypatch: object) -> None:
    monkeypatch.setattr(road, "BATCH", 4)  # type: ignore[attr-defined]
    model = parts.models.current()
    assert model is not None
    with transaction(parts.sessions) as session:
        tickets = [receive(session, parts.context).id for _ in range(10)]
        triage(session, parts.context, tickets[0])
        states = session.execute(select(Ticket.id, Ticket.state).order_by(Ticket.id)).all()
        events = session.scalar(select(func.count()).select_from(TicketEvent))
    steps = road.retriage(parts.sessions, parts.context, model, SINCE, UNTIL)
    assert next(steps) == 4
    # Stopped here and started again, it goes on where it was.
    assert list(road.retriage(parts.sessions, parts.context, model, SINCE, UNTIL)) == [4, 1]
    with transaction(parts.sessions) as session:
        assert session.scalar(select(func.count()).select_from(Prediction)) == 10
        assert session.execute(select(Ticket.id, Ticket.state).order_by(Ticket.id)).all() == states
        assert session.scalar(select(func.count()).select_from(TicketEvent)) == events
        assert road.count_unread(session, model.version, SINCE, UNTIL) == 0
