"""Integrity: what moves figures is listed with who decided it, and hollow replies come up for review."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.factories import MovableClock, actor_named, at, ticket_after
from tests.integration.browser import Browser

from hotline.bootstrap import Runtime
from hotline.domain.kpi import Period
from hotline.domain.people import Role
from hotline.domain.ticket import Action, ComplaintType, ExclusionReason
from hotline.services import exclusions, extensions, handling, supervision
from hotline.services.integrity import Signal, asks_for_review, integrity, signals_of
from hotline.storage.engine import transaction
from hotline.storage.tables import Reply, Ticket
from hotline.web.app import create_app


def test_decisions_are_listed_with_who_made_them(parts: Runtime) -> None:
    clock = MovableClock()
    context = at(parts.context, clock.instant)
    period = Period(clock.instant - timedelta(days=1), clock.instant + timedelta(days=1), clock.instant)
    with transaction(parts.sessions) as session:
        boss, desk = actor_named(session, "supervisor01"), actor_named(session, "dispatcher01")
        lead, handler = actor_named(session, "cgj-lead"), actor_named(session, "cgj-handler")
        softened = ticket_after(session, context, Action.SIGN, type=ComplaintType.COMPLAINT)
        command = supervision.Reclassify(number=softened.number, reason="只是问问", type=ComplaintType.INQUIRY)
        supervision.reclassify(session, context, command, desk)
        hardened = ticket_after(session, context, Action.SIGN, type=ComplaintType.INQUIRY)
        harder = supervision.Reclassify(number=hardened.number, reason="其实是投诉", type=ComplaintType.COMPLAINT)
        supervision.reclassify(session, context, harder, desk)
        longer = ticket_after(session, context, Action.SIGN)
        ask = extensions.RequestExtension(number=longer.number, working_days=3, reason="勘查")
        extensions.request_extension(session, context, ask, lead)
        yes = extensions.DecideExtension(number=longer.number, reason="同意，联系人13912345678")
        extensions.approve_extension(session, context, yes, boss)
        left_out = ticket_after(session, context, Action.SIGN)
        wish = exclusions.RequestExclusion(
            number=left_out.number, reason_code=ExclusionReason.MALICIOUS, evidence="录音"
        )
        exclusions.request_exclusion(session, context, wish, lead)
        agree = exclusions.DecideExclusion(number=left_out.number, reason="属实")
        exclusions.approve_exclusion(session, context, agree, boss)
        exclusions.approve_exclusion(session, context, agree, replace(desk, role=Role.SUPERVISOR))
        found = integrity(session, context, period)
        assert [(line.number, line.what) for line in found.retyped] == [(softened.number, "投诉 → 咨询")]
        assert [(line.number, line.what) for line in found.extended] == [(longer.number, "+3 个工作日")]
        assert "13912345678" not in found.extended[0].reason
        assert [line.number for line in found.excluded] == [left_out.number]
        assert found.excluded[0].by.count("、") == 1
        assert "—" not in found.excluded[0].by
        assert found.suspects == []
        assert handler is not None
    browser = Browser.of(create_app(parts))
    browser.sign_in("supervisor01")
    page = browser.text("/reports/integrity")
    assert softened.number in page and longer.number in page and left_out.number in page
    assert hardened.number not in page


def test_hollow_replies_come_up_for_review(parts: Runtime) -> None:
    clock = MovableClock()
    context = at(parts.context, clock.instant)
    period = Period(clock.instant - timedelta(days=1), clock.instant + timedelta(days=1), clock.instant)
    with transaction(parts.sessions) as session:
        handler, lead = actor_named(session, "cgj-handler"), actor_named(session, "cgj-lead")
        hollow = [ticket_after(session, context, Action.SIGN) for _ in range(3)]
        for ticket in hollow:
            command = handling.ReplyToTicket(
                number=ticket.number, text="您好，已收悉。", valid=True, contacted=False, resolved=True
            )
            handling.reply(session, context, command, handler)
            handling.approve(session, context, handling.ApproveReply(number=ticket.number), lead)
        ticket_after(session, context, Action.APPROVE)
        suspects = integrity(session, context, period).suspects
        assert {suspect.number for suspect in suspects} == {ticket.number for ticket in hollow}
        expected = {Signal.OFF_TOPIC, Signal.BOILERPLATE, Signal.COPIED, Signal.NO_CONTACT}
        assert all(set(suspect.signals) == expected for suspect in suspects)


@pytest.mark.parametrize(("minutes", "late"), [(10, True), (29, True), (31, False), (-1, False)])
def test_closing_just_before_the_due_is_a_signal(minutes: int, late: bool) -> None:
    done = MovableClock().instant
    ticket = Ticket(title="", content="路灯坏了", handle_due=done + timedelta(minutes=minutes), contacted_at=done)
    reply = Reply(text="路灯已经更换灯头并恢复照明，现场照片已存档", contacted=True, approved_at=done)
    assert (Signal.LAST_MINUTES in signals_of(reply, ticket, copied=False)) is late
    assert set(signals_of(reply, ticket, copied=False)) <= {Signal.LAST_MINUTES}


def test_words_alone_ask_for_a_review_only_when_all_of_them_do() -> None:
    words = (Signal.OFF_TOPIC, Signal.BOILERPLATE, Signal.COPIED)
    assert asks_for_review(words)
    assert not asks_for_review(words[:2])
    assert not asks_for_review((Signal.NO_CONTACT,))
    assert asks_for_review((Signal.NO_CONTACT, Signal.COPIED))
