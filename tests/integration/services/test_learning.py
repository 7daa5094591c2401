"""The loop that learns: blind checks, labels, live figures."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from tests.factories import STREET_LIGHT, ApiClient, actor_named, receive

from hotline.bootstrap import Runtime
from hotline.domain.kpi import Rate
from hotline.domain.successors import successors_from_mapping
from hotline.services import dispatch
from hotline.services.context import Context
from hotline.services.labels import keep_label
from hotline.services.learning import confirmed_tickets, is_held_out, live_report
from hotline.services.triage import triage
from hotline.storage.engine import transaction
from hotline.storage.tables import Label, Ticket

NOW = datetime.now(UTC)


def blindly(parts: Runtime, share: float = 1.0) -> Context:
    """The surroundings with every confident ticket, or a share of them, drawn for a blind check."""
    return replace(parts.context, blind_share=share)


def triaged(session: Session, context: Context, **given: object) -> Ticket:
    """Return a ticket that the model has read."""
    ticket = receive(session, context, **given)
    triage(session, context, ticket.id)
    return ticket


def send(session: Session, context: Context, ticket: Ticket, matter: str) -> None:
    """Dispatch as the dispatcher, who says what it is about."""
    command = dispatch.DispatchTicket(number=ticket.number, matter=matter)
    dispatch.dispatch(session, context, command, actor_named(session, "dispatcher01"))


def test_a_drawn_ticket_waits_for_a_person_who_does_not_see_the_answer(parts: Runtime, api: object) -> None:
    context = blindly(parts)
    with transaction(parts.sessions) as session:
        ticket = triaged(session, context)
        number = ticket.number
        assert (ticket.state, ticket.blind, ticket.matter) == ("awaiting_dispatch", True, None)
    dispatcher: ApiClient = api("dispatcher01")  # type: ignore[operator]
    shown = dispatcher.get(f"/api/v1/tickets/{number}")
    assert shown.json["prediction"] is None
    # Nor do the events give it away.
    assert "E03" not in shown.get_data(as_text=True)
    done = dispatcher.post(f"/api/v1/tickets/{number}/actions/dispatch", {"matter": "E03"}).json
    assert done["state"] == "awaiting_sign"
    assert done["prediction"]["matter"] == "E03"


def test_the_draw_is_the_share_asked_for_and_nobody_can_choose(parts: Runtime) -> None:
    context = blindly(parts, 0.3)
    with transaction(parts.sessions) as session:
        drawn = [triaged(session, context).blind for _ in range(120)]
    # 36 are expected; ten standard deviations either way would be no accident.
    assert 10 <= sum(drawn) <= 70


def test_a_ticket_the_model_is_unsure_of_is_never_blind(parts: Runtime) -> None:
    with transaction(parts.sessions) as session:
        unsure = triaged(session, blindly(parts), content="你好，我想问一下那个事情怎么样了")
        assert (unsure.state, unsure.blind) == ("awaiting_dispatch", False)


@pytest.mark.parametrize(("share", "source"), [(1.0, "blind"), (0.0, "dispatcher")])
def test_a_dispatchers_word_is_a_label(parts: Runtime, share: float, source: str) -> None:
    context = blindly(parts, share)
    content = STREET_LIGHT if share else "你好，我想问一下那个事情怎么样了"
    with transaction(parts.sessions) as session:
        ticket = triaged(session, context, content=content)
        send(session, context, ticket, "C01")
        label = session.scalars(select(Label)).one()
        assert (label.source, label.matter) == (source, "C01")
        assert label.predicted is not None and label.model_version is not None


def test_only_what_people_said_is_learned_and_corrections_weigh_more(parts: Runtime) -> None:
    context = parts.context
    with transaction(parts.sessions) as session:
        triaged(session, context)  # dispatched by the model: nobody has confirmed it
        agreed = triaged(session, blindly(parts), content=STREET_LIGHT + "，麻烦尽快")
        send(session, context, agreed, "E03")
        corrected = triaged(session, blindly(parts), content=STREET_LIGHT + "，灯杆是物业的")
        send(session, context, corrected, "C01")
        chosen = receive(session, context, matter="D03", content="楼下烧烤店夜里两点还在放音乐")
        # A department sent one back, and the dispatcher agreed with the department: that is a correction too.
        returned = receive(session, context, matter="D03", content="楼下烧烤店的油烟直往家里灌")
        keep_label(session, returned, "D02", "return", actor_named(session, "dispatcher01"), NOW)
        learned = {(ticket.content, ticket.matter): ticket.weight for ticket in confirmed_tickets(session)}
    assert learned == {
        (agreed.content, "E03"): 1.0,
        (corrected.content, "C01"): 2.0,
        (chosen.content, "D03"): 1.0,
        (returned.content, "D02"): 2.0,
    }


def test_a_label_outlives_the_matter_that_it_names(parts: Runtime) -> None:
    codes = [code for code in parts.context.taxonomy.codes if code not in ("D02", "D03")]
    today = successors_from_mapping(
        {"D03": [{"matter": "D01", "words": ["油烟"]}, {"matter": "E09"}], "D02": []}, codes
    )
    with transaction(parts.sessions) as session:
        split = receive(session, parts.context, matter="D03", content="楼下烧烤店夜里两点还在放音乐")
        receive(session, parts.context, matter="D02", content="楼下烧烤店的油烟直往家里灌")
        assert [(row.content, row.matter) for row in confirmed_tickets(session, today)] == [(split.content, "E09")]
        # The rows themselves stay as people wrote them.
        assert set(session.scalars(select(Label.matter))) == {"D03", "D02"}


def test_a_tenth_of_the_tickets_is_held_out_and_stays_so(parts: Runtime) -> None:
    kept = [is_held_out(f"20261125-{number:06}") for number in range(1, 2001)]
    assert kept == [is_held_out(f"20261125-{number:06}") for number in range(1, 2001)]
    assert 150 <= sum(kept) <= 250
    with transaction(parts.sessions) as session:
        tickets = [receive(session, parts.context, matter="D03") for _ in range(5)]
        held_out = [row.held_out for row in confirmed_tickets(session)]
    assert held_out == [is_held_out(ticket.number) for ticket in tickets]


def test_live_accuracy_counts_blind_tickets_and_overrides_the_rest(parts: Runtime) -> None:
    context = parts.context
    with transaction(parts.sessions) as session:
        for matter in ("E03", "E03", "C01"):
            send(session, context, triaged(session, blindly(parts)), matter)
        unsure = triaged(session, context, content="你好，我想问一下那个事情怎么样了")
        send(session, context, unsure, "G01" if unsure.matter != "G01" else "G02")
        triaged(session, context)
        report = live_report(session, NOW - timedelta(days=1), NOW + timedelta(days=1), NOW - timedelta(days=30))
    (version,) = report.versions
    assert version.accuracy == Rate(2, 3)
    assert version.coverage == Rate(4, 5)
    assert version.overridden == Rate(1, 1)
    assert {line.matter for line in report.matters} >= {"E03"}
