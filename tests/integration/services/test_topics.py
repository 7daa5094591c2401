"""Hot topics: tickets that mean the same come together under telling words and their place, and nobody is named."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from tests.factories import MovableClock, at, receive
from tests.integration.browser import Browser

from hotline.bootstrap import Runtime
from hotline.domain.city_time import CITY_ZONE
from hotline.services import topics
from hotline.services.bulletins import Kind, bulletin
from hotline.services.topic_names import Telling
from hotline.services.vectors import keep_vectors
from hotline.storage.engine import transaction
from hotline.storage.tables import HOT_TOPIC, Ticket
from hotline.web.app import create_app

WATER = (
    "金茂小区停水两天了，物业说水管爆裂，什么时候恢复供水",
    "我住金茂小区，昨天开始停水，自来水公司电话没人接",
    "金茂小区又停水了，一家老小没法做饭，请尽快抢修水管",
    "反映金茂小区停水问题，水管漏水严重，水压也低",
    "金茂小区全部停水，通知也没有，什么时候来水",
    "金茂小区停水，我叫张建国，家里有病人急需用水，电话13912345678",
)
WAGES = (
    "工地老板拖欠工资三个月不发，农民工讨薪无门",
    "包工头欠我们工资不给，一共八个农民工，请帮忙讨薪",
    "公司拖欠工资，劳动合同也没签，要求支付工资",
    "干了半年装修，老板拖欠工资跑了，农民工没钱回家",
    "劳务公司拖欠农民工工资，讨要多次没有结果",
)
LAMPS = ("路灯坏了好几天", "公园里有人跳广场舞太吵", "想咨询公积金提取需要什么材料")


def told(parts: Runtime, clock: MovableClock, *texts: str, days: int = 2, **given: object) -> None:
    """Receive tickets with these words so many days ago."""
    with transaction(parts.sessions) as session:
        context = at(parts.context, clock.instant - timedelta(days=days))
        keep_vectors(session, context, [receive(session, context, content=text, **given) for text in texts])


def test_what_means_the_same_comes_together_under_its_words_and_place(parts: Runtime) -> None:
    clock = MovableClock()
    told(parts, clock, *WATER, matter="C04")
    told(parts, clock, *WAGES, matter="C11")
    told(parts, clock, *LAMPS)
    told(parts, clock, *WATER[:2], days=12)
    told(parts, clock, *WATER[:3], days=40)
    now = at(parts.context, clock.instant)
    with transaction(parts.sessions) as session:
        assert topics.find_rolling(session, now) == 2
        assert topics.find_rolling(session, now) == 0, "once a day"
        water, wages = topics.rolling_topics(session)
        assert "停水" in water.name and "金茂" in water.name
        assert "工资" in wages.name
        assert (water.size, water.before, water.of) == (8, 3, 16)
        assert (water.weeks[-1], water.weeks[-2], sum(water.weeks)) == (6, 2, 11)
        assert (water.matter, wages.matter) == ("C04", "C11")
        assert water.places[0][0] == "金茂" and water.places[0][1] >= 5
        assert water.is_growing is (6 - 2 > 2 * 8**0.5)
        words = " ".join([water.name, wages.name, *(name for name, _ in water.places)])
        assert "张建国" not in words and "13912345678" not in words
        number = water.id
    browser = Browser.of(create_app(parts))
    browser.sign_in("supervisor01")
    page = browser.text("/reports")
    assert water.name in page and f"/reports/topics/{number}" in page
    behind = browser.text(f"/reports/topics/{number}")
    assert 'id="total">8<' in behind
    assert behind.count('href="/tickets/') == 8
    assert "13912345678" not in behind and "张建国" not in behind
    assert browser.get("/reports/topics/999999").status_code == 404
    browser = Browser.of(create_app(parts))
    browser.sign_in("cgj-handler")
    assert browser.get(f"/reports/topics/{number}").status_code == 403


def test_tomorrows_topics_take_the_place_of_todays_and_bulletins_keep_theirs(parts: Runtime) -> None:
    clock = MovableClock()
    told(parts, clock, *WATER)
    today = at(parts.context, clock.instant)
    tomorrow = at(parts.context, clock.instant + timedelta(days=1))
    with transaction(parts.sessions) as session:
        last = clock.instant.astimezone(CITY_ZONE).date() - timedelta(days=2)
        topics.ensure_topics(session, today, last, last)
        assert topics.find_rolling(session, today) == 1
        assert topics.find_rolling(session, tomorrow) == 1
        rows = session.execute(select(HOT_TOPIC.c.first_day, HOT_TOPIC.c.last_day, HOT_TOPIC.c.rolling)).all()
        ends = {(row.last_day - row.first_day).days: row.rolling for row in rows}
        assert ends == {0: False, topics.ROLLING_DAYS - 1: True} and len(rows) == 2
        found = bulletin(session, today, Kind.DAILY, last)
        assert [topic.size for topic in found.topics] == [6]
        assert found.theme == (found.topics[0].name,)
        later = at(parts.context, clock.instant + topics.KEPT + timedelta(days=1))
        told_later = [receive(session, later, content=text) for text in WATER]
        keep_vectors(session, later, told_later)
        evening = at(parts.context, later.now() + timedelta(days=1))
        assert topics.find_rolling(session, evening) == 1
        assert [topic.last for topic in topics.kept_topics(session, last, last)] == []


@pytest.mark.parametrize("confidential", [True, False])
def test_confidential_tickets_count_and_lend_no_words(parts: Runtime, confidential: bool) -> None:
    clock = MovableClock()
    told(parts, clock, *WATER, confidential=confidential, matter="C04")
    with transaction(parts.sessions) as session:
        assert topics.find_rolling(session, at(parts.context, clock.instant)) == 1
        (topic,) = topics.rolling_topics(session)
        assert topic.size == 6
        assert ("停水" in topic.name, bool(topic.places)) == (not confidential, not confidential)


def test_a_closed_out_ticket_is_not_read(parts: Runtime) -> None:
    clock = MovableClock()
    told(parts, clock, *WATER)
    with transaction(parts.sessions) as session:
        session.execute(Ticket.__table__.update().values(anonymised_at=clock.instant))
        topics.find_rolling(session, at(parts.context, clock.instant))
        assert all("停水" not in topic.name for topic in topics.rolling_topics(session))


@pytest.mark.parametrize(
    ("words", "share", "matters", "is_told"),
    [
        (("周末", "楼上"), 0.3, ("A01", "B02", "C04", "C05", "E03", "F04"), False),
        (("停水",), 0.6, ("A01", "B02", "C04", "C05", "E03", "F04"), True),
        (("周末", "楼上"), 0.3, ("C04", "C04", "C05", "E03", "F04", "A01"), True),
        ((), 0.0, ("C04", "C04", "C05", "E03", "F04", "A01"), False),
        ((), 0.0, ("C04", "C04", "C04", "E03", "F04", "A01"), True),
    ],
)
def test_a_group_without_a_subject_of_its_own_is_no_topic(
    parts: Runtime, words: tuple[str, ...], share: float, matters: tuple[str, ...], is_told: bool
) -> None:
    """As many people say 能不能 about twenty matters: they are alike in how they ask, and not in what."""
    with transaction(parts.sessions) as session:
        ids = [receive(session, parts.context, content=WATER[0], matter=matter).id for matter in matters]
        trend = topics._Trend(len(ids), 0, (0,) * topics.WEEKS)
        line = topics._line(session, parts.context, (), Telling(words, share), ids, trend, {})
    assert (line is not None) is is_told
