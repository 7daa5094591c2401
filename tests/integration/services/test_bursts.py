"""Alerts: many calls about one matter in one district are told, and what is usual for the hour is not."""

from datetime import timedelta

from tests.factories import MovableClock, at, receive
from tests.integration.browser import Browser

from hotline.bootstrap import Runtime
from hotline.services.bursts import bursts
from hotline.services.countings import catch_up
from hotline.storage.engine import transaction
from hotline.web.app import create_app


def test_a_burst_is_told_with_its_place_and_opens_its_tickets(parts: Runtime) -> None:
    now = MovableClock().instant
    with transaction(parts.sessions) as session:
        for minutes in range(7):
            context = at(parts.context, now - timedelta(minutes=minutes))
            receive(session, context, content="小区停水了", matter="C04", district="LD")
            # As many as in each of the weeks before.
            for weeks in range(1, 9):
                usual = at(parts.context, now - timedelta(weeks=weeks, minutes=minutes))
                receive(session, usual, content="路灯坏了", matter="E03", district="LD")
            receive(session, context, content="路灯坏了", matter="E03", district="LD")
        catch_up(session)
        found = bursts(session, parts.context, now)
        assert [(burst.matter, burst.district, burst.calls) for burst in found] == [("C04", "LD", 7)]
        assert found[0].expected < 0.2
        assert bursts(session, parts.context, now + timedelta(hours=4)) == []
    browser = Browser.of(create_app(parts))
    browser.sign_in("supervisor01")
    assert "突发聚集" in browser.text("/reports")
