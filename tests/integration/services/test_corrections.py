"""Corrections: exactly the tickets that the figures of a matter count, and what came back, one click away."""

import html
import re
from datetime import timedelta

import pytest
from tests.factories import SettledClassifier, actor_named, receive, take, with_classifier
from tests.integration.browser import Browser

from hotline.bootstrap import Runtime
from hotline.domain.kpi import Period
from hotline.domain.ticket import Action, ReturnReason
from hotline.services import dispatch, returns
from hotline.services.corrections import corrections
from hotline.services.errors import NotFound
from hotline.services.triage import triage
from hotline.storage.engine import transaction
from hotline.web.app import create_app


def test_the_button_opens_what_the_row_counts(parts: Runtime) -> None:
    unsure = with_classifier(parts.context, SettledClassifier(matter="E03", auto=False))
    now = parts.context.now()
    period = Period(now - timedelta(days=1), now + timedelta(days=1), now)
    with transaction(parts.sessions) as session:
        desk, lead = actor_named(session, "dispatcher01"), actor_named(session, "cgj-lead")
        changed = []
        for matter in ("E08", "E08", "E05", "E03"):
            ticket = receive(session, unsure)
            triage(session, unsure, ticket.id)
            command = dispatch.DispatchTicket(number=ticket.number, matter=matter)
            dispatch.dispatch(session, unsure, command, desk)
            changed += [ticket] if matter != "E03" else []
        back = take(session, unsure, receive(session, unsure), Action.DISPATCH)
        ask = returns.RequestReturn(
            number=back.number, reason_code=ReturnReason.NOT_OUR_DUTY, basis="三定方案", suggested_department="ZJJ"
        )
        returns.request_return(session, unsure, ask, lead)
        found = corrections(session, unsure, period, "E03")
        assert {override.ticket.id for override in found.overrides} == {ticket.id for ticket in changed}
        assert dict(found.instead) == {"E08": 2, "E05": 1}
        (entry,) = found.entries
        assert (entry.returns, entry.accepted, entry.in_force) == (1, 0, True)
        assert entry.dispatches == 2
        assert [number for _, number in entry.suggested] == [1]
        nothing = corrections(session, unsure, period, "A01")
        assert (nothing.overrides, nothing.entries) == ([], [])
        with pytest.raises(NotFound):
            corrections(session, unsure, period, "Z99")
    browser = Browser.of(create_app(parts))
    browser.sign_in("supervisor01")
    page = browser.text("/reports/integrity")
    button = re.search(r'href="(/reports/corrections/E03[^"]*)"', page)
    assert button
    row = re.search(r'figure=return[^"]*matter=E03.*?<div class="of">(\d+)/(\d+)</div></td><td[^>]*>(\d+)</td>', page)
    assert row
    assert row.groups() == ("3", "4", "1")
    opened = browser.client.get(html.unescape(button[1])).get_data(as_text=True)
    for ticket in changed:
        assert f"/tickets/{ticket.number}" in opened
    assert "被退回的权责清单条目" in opened
    assert browser.get("/reports/corrections/Z99").status_code == 404
