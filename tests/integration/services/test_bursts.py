"""Alerts: many calls about one matter in one district are told, and what is usual for the hour is not."""

from datetime import timedelta

from tests.factories import MovableClock, at, receive
from tests.integration.browser import Browser

from hotline.bootstrap import Runtime
from hotline.domain.city_time import CITY_ZONE
from hotline.services.bulletins import Kind, bulletin
from hotline.services.bursts import bursts, bursts_during
from hotline.services.countings import catch_up
from hotline.services.vectors import keep_vectors
from hotline.storage.engine import transaction
from hotline.web.app import create_app

WATER = ("金茂小区停水了", "金茂小区没有水，王小明反映", "家里停水了")


def test_a_burst_is_told_with_its_place_and_opens_its_tickets(parts: Runtime) -> None:
    now = MovableClock().instant
    with transaction(parts.sessions) as session:
        for minutes in range(7):
            context = at(parts.context, now - timedelta(minutes=minutes))
            water = receive(session, context, content=WATER[minutes % 3], matter="C04", district="LD")
            keep_vectors(session, context, [water])
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
        assert found[0].at == now
        assert found[0].places == ("金茂",)
        assert "王小明" not in str(found)
    browser = Browser.of(create_app(parts))
    browser.sign_in("supervisor01")
    page = browser.text("/reports")
    assert "突发聚集" in page and "提及 金茂" in page


def test_a_burst_of_the_night_is_told_at_its_height_in_the_bulletin(parts: Runtime) -> None:
    now = MovableClock().instant
    day = (now - timedelta(days=3)).astimezone(CITY_ZONE)
    first = day.replace(hour=0, minute=0, second=0, microsecond=0)
    with transaction(parts.sessions) as session:
        for minutes in (60, 70, 80, 90, 100, 200, 210):
            context = at(parts.context, first + timedelta(minutes=minutes))
            receive(session, context, content="小区停水了", matter="C04", district="LD")
        # Too few for an alarm, and far apart.
        for hours in (2, 9, 15, 22):
            context = at(parts.context, first + timedelta(hours=hours))
            receive(session, context, content="路灯坏了", matter="E03", district="LD")
        catch_up(session)
        whole = bursts_during(session, parts.context, first, first + timedelta(days=1))
        assert [(found.matter, found.calls) for found in whole] == [("C04", 7)]
        assert whole[0].at == first + timedelta(minutes=210)
        assert bursts_during(session, parts.context, first + timedelta(days=1), now) == []
        context = at(parts.context, now)
        assert bulletin(session, context, Kind.DAILY, first.date()).bursts == tuple(whole)
        assert bulletin(session, context, Kind.DAILY, first.date() - timedelta(days=1)).bursts == ()
    browser = Browser.of(create_app(parts))
    browser.sign_in("supervisor01")
    assert "突发聚集" in browser.text("/reports/bulletins/daily", day=first.date().isoformat())
