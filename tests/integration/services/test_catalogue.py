"""The responsibility catalogue decides who gets a ticket: by matter, district and the day it is asked."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from tests.factories import SettledClassifier, actor_named, at, department, receive, with_classifier

from hotline.bootstrap import Runtime
from hotline.demo.city import demo_file
from hotline.domain.limits import Kind, deadline, resolve
from hotline.domain.ticket import ComplaintType, State, Urgency
from hotline.services import dispatch
from hotline.services.context import Context
from hotline.services.errors import InvalidInput
from hotline.services.triage import triage
from hotline.storage.tables import CatalogueEntryRow, Ticket, TicketEvent

# A Friday morning, so that working time has a weekend to skip.
FRIDAY = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def hand_over(session: Session, context: Context, ticket: Ticket, **decided: object) -> Ticket:
    command = dispatch.DispatchTicket(number=ticket.number, **decided)  # type: ignore[arg-type]
    return dispatch.dispatch(session, context, command, actor_named(session, "dispatcher01"))


def entry(session: Session, lead: str, since: datetime, until: datetime | None = None, **where: str) -> None:
    row = {"matter": "E03", "district": None} | where
    helpers = [department(session, "GDGS")] if lead == "ZJJ" else []
    lead_row = department(session, lead)
    session.add(
        CatalogueEntryRow(**row, lead_department=lead_row, cohandlers=helpers, valid_from=since, valid_to=until)
    )
    session.flush()


def leads(session: Session, context: Context, district: str | None, matter: str) -> tuple[str, list[str]]:
    ticket = hand_over(session, context, receive(session, context, district=district), matter=matter)
    assert ticket.lead_department is not None
    return ticket.lead_department.code, sorted(helper.code for helper in ticket.cohandlers)


def test_every_line_of_the_shipped_catalogue_is_followed(standing_parts: Runtime) -> None:
    with standing_parts.sessions() as session:
        lines = demo_file("catalogue.yaml")["entries"]
        assert {line["matter"] for line in lines} == set(standing_parts.context.taxonomy.codes)
        for line in lines:
            expected = (line["lead"], sorted(line["cohandlers"]))
            assert leads(session, standing_parts.context, line["district"], line["matter"]) == expected, line


def test_a_district_without_a_line_of_its_own_falls_to_the_city(standing_parts: Runtime) -> None:
    with standing_parts.sessions() as session:
        assert leads(session, standing_parts.context, "LD", "C05")[0] == "LD-CGJ"
        assert leads(session, standing_parts.context, "QH", "C05")[0] == "CGJ"
        assert leads(session, standing_parts.context, None, "C05")[0] == "CGJ"


def test_a_new_line_holds_from_its_first_instant_to_before_its_last(standing_parts: Runtime) -> None:
    with standing_parts.sessions() as session:
        entry(session, "ZJJ", FRIDAY, FRIDAY + DAY)
        for instant, lead in (
            (FRIDAY - timedelta(microseconds=1), "CGJ"),
            (FRIDAY, "ZJJ"),
            (FRIDAY + DAY - timedelta(microseconds=1), "ZJJ"),
            (FRIDAY + DAY, "CGJ"),
        ):
            assert leads(session, at(standing_parts.context, instant), None, "E03")[0] == lead, instant


def test_the_district_wins_over_a_younger_line_for_the_city(standing_parts: Runtime) -> None:
    with standing_parts.sessions() as session:
        entry(session, "LD-CGJ", FRIDAY - 30 * DAY, district="LD")
        entry(session, "ZJJ", FRIDAY - DAY)
        context = at(standing_parts.context, FRIDAY)
        assert leads(session, context, "LD", "E03") == ("LD-CGJ", [])
        assert leads(session, context, None, "E03") == ("ZJJ", ["GDGS"])


def test_a_change_of_the_catalogue_moves_no_ticket_that_was_dispatched(standing_parts: Runtime) -> None:
    with standing_parts.sessions() as session:
        ticket = receive(session, standing_parts.context)
        hand_over(session, at(standing_parts.context, FRIDAY), ticket, matter="E03")
        before = ticket.catalogue_entry_id
        entry(session, "ZJJ", FRIDAY)
        session.flush()
        session.refresh(ticket)
        assert (ticket.lead_department_id, ticket.catalogue_entry_id) == (department(session, "CGJ").id, before)


def test_without_an_owner_the_ticket_waits_for_a_person(standing_parts: Runtime) -> None:
    with standing_parts.sessions() as session:
        for row in session.scalars(select(CatalogueEntryRow).where(CatalogueEntryRow.matter == "E03")):
            row.valid_to = FRIDAY
        context = with_classifier(at(standing_parts.context, FRIDAY), SettledClassifier(matter="E03"))
        ticket = receive(session, context)
        assert triage(session, context, ticket.id)
        session.flush()
        assert (ticket.state, ticket.matter, ticket.lead_department_id) == (State.AWAITING_DISPATCH, "E03", None)
        queued = session.scalars(select(TicketEvent).where(TicketEvent.kind == "queue")).one()
        assert (queued.reason, queued.role) == ("no_owner", "system")
        with pytest.raises(InvalidInput) as refused:
            hand_over(session, context, ticket)
        assert refused.value.field == "department"
        hand_over(session, context, ticket, department="ZJJ")
        assert (ticket.state, ticket.catalogue_entry_id) == (State.AWAITING_SIGN, None)


def test_a_named_department_must_exist_and_be_active(standing_parts: Runtime) -> None:
    with standing_parts.sessions() as session:
        ticket = receive(session, standing_parts.context)
        department(session, "ZJJ").active = False
        session.flush()
        for code in ("ZJJ", "NOBODY"):
            with pytest.raises(InvalidInput) as refused:
                hand_over(session, standing_parts.context, ticket, matter="E03", department=code)
            assert refused.value.field == "department"


@pytest.mark.parametrize("urgency", Urgency)
@pytest.mark.parametrize(("matter", "kind"), [("E03", "投诉"), ("C04", "求助"), ("C04", "投诉"), ("A01", "咨询")])
def test_both_dues_are_what_the_limits_say(standing_parts: Runtime, matter: str, kind: str, urgency: Urgency) -> None:
    context = at(standing_parts.context, FRIDAY + timedelta(hours=7, minutes=11))
    with standing_parts.sessions() as session:
        ticket = receive(session, context, district="LD")
        hand_over(session, context, ticket, matter=matter, type=ComplaintType(kind), urgency=urgency)
        for what, found in ((Kind.SIGN, ticket.sign_due), (Kind.HANDLE, ticket.handle_due)):
            limit = resolve(context.limits, what, kind, matter, "LD", urgency)
            assert found == deadline(context.calendar, context.now(), limit).instant
        assert ticket.dispatched_at == context.now()


def test_the_dues_of_a_friday_afternoon_skip_the_weekend(standing_parts: Runtime) -> None:
    # 16:30 in the city: one hour is left of Friday, so the two hours for signing end on Monday at 9:30.
    context = at(standing_parts.context, datetime(2026, 11, 20, 8, 30, tzinfo=UTC))
    with standing_parts.sessions() as session:
        ticket = hand_over(session, context, receive(session, context), matter="E03", type=ComplaintType.COMPLAINT)
        assert ticket.sign_due == datetime(2026, 11, 23, 1, 30, tzinfo=UTC)
        assert ticket.handle_due == datetime(2026, 12, 11, 9, 30, tzinfo=UTC)
