"""Which limit applies: city < type < matter < matter × district, and the ceiling that urgency adds."""

import json
from datetime import datetime
from typing import Any

import pytest

from hotline.domain.limits import (
    DEFAULT_RULES,
    Kind,
    LimitRules,
    Rule,
    deadline,
    resolve,
    rules_from_mapping,
    rules_to_mapping,
)
from hotline.domain.working_time import Limit, LimitError
from hotline.reference import load_taxonomy
from hotline.reference.calendars import load_calendar

CITY = tuple(Rule(kind, Limit.parse("9wd")) for kind in Kind)


def rules(*more: Rule) -> LimitRules:
    return LimitRules("test", CITY + more)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("kind", "type", "matter", "urgency", "limit", "ceiling"),
    [
        (Kind.DISPATCH, "投诉", None, "normal", "30m", None),
        (Kind.DISPATCH, "投诉", None, "urgent", "30m", None),
        (Kind.DISPATCH, "投诉", None, "critical", "30m", "10m clock"),
        (Kind.SIGN, "投诉", "E03", "normal", "2h", None),
        (Kind.SIGN, "投诉", "E03", "critical", "2h", "30m clock"),
        (Kind.RETURN, "投诉", "E03", "critical", "1wd", None),
        (Kind.CONTACT, "求助", "E03", "normal", "1wd", None),
        (Kind.HANDLE, "咨询", "E03", "normal", "2wd", None),
        (Kind.HANDLE, "求助", "E03", "normal", "10wd", None),
        (Kind.HANDLE, "建议", "E03", "normal", "10wd", None),
        (Kind.HANDLE, "投诉", "E03", "normal", "15wd", None),
        (Kind.HANDLE, "举报", "E03", "normal", "15wd", None),
        (Kind.HANDLE, "表扬", "E03", "normal", "15wd", None),
        (Kind.HANDLE, "求助", "C04", "normal", "10wd", None),
        (Kind.HANDLE, "求助", "C04", "urgent", "10wd", "24h clock"),
        (Kind.HANDLE, "求助", "E03", "urgent", "10wd", None),
        (Kind.HANDLE, "求助", "C04", "critical", "10wd", "2h clock"),
        (Kind.REWORK, "投诉", "E03", "normal", "3wd", None),
        (Kind.FOLLOW_UP, "投诉", "E03", "normal", "3wd", None),
    ],
)
def test_defaults(kind: Kind, type: str, matter: str | None, urgency: str, limit: str, ceiling: str | None) -> None:
    found = resolve(DEFAULT_RULES, kind, type, matter, "东城区", urgency)
    assert str(found.limit) == limit
    assert (None if found.ceiling is None else str(found.ceiling)) == ceiling
    assert (found.kind, found.version) == (kind, DEFAULT_RULES.version)


def test_the_utility_matter_of_the_defaults_is_in_the_taxonomy() -> None:
    assert "供水" in load_taxonomy().matter("C04").name


def test_the_most_specific_rule_decides_whatever_its_length() -> None:
    by_type = Rule(Kind.HANDLE, Limit.parse("4wd"), type="投诉")
    by_matter = Rule(Kind.HANDLE, Limit.parse("12wd"), matter="E03")
    by_place = Rule(Kind.HANDLE, Limit.parse("6wd"), matter="E03", district="东城区")
    own = rules(by_place, by_type, by_matter)
    assert resolve(own, Kind.HANDLE, "投诉", "E03", "东城区").rule == by_place
    assert resolve(own, Kind.HANDLE, "投诉", "E03", "西城区").rule == by_matter
    assert resolve(own, Kind.HANDLE, "投诉", "E03").rule == by_matter
    assert resolve(own, Kind.HANDLE, "投诉", "E04", "东城区").rule == by_type
    assert resolve(own, Kind.HANDLE, "求助", "E04", "东城区").rule.specificity == 0
    assert resolve(own, Kind.HANDLE, "求助", None, "东城区").rule.specificity == 0
    assert resolve(own, Kind.SIGN, "投诉", "E03", "东城区").rule.specificity == 0
    assert [rule.specificity for rule in (by_type, by_matter, by_place)] == [1, 2, 3]


def test_ceilings_follow_the_same_order_and_their_own_urgency() -> None:
    city = Rule(Kind.HANDLE, Limit.parse("4h clock"), urgency="critical")
    matter = Rule(Kind.HANDLE, Limit.parse("6h clock"), urgency="critical", matter="E03")
    own = rules(city, matter)
    assert resolve(own, Kind.HANDLE, "投诉", "E03", None, "critical").ceiling_rule == matter
    assert resolve(own, Kind.HANDLE, "投诉", "E04", None, "critical").ceiling_rule == city
    assert resolve(own, Kind.HANDLE, "投诉", "E03", None, "urgent").ceiling is None


def test_the_due_is_the_earlier_of_limit_and_ceiling() -> None:
    calendar = load_calendar("cn")
    night = at("2025-03-03T22:00:00+08:00")
    critical = resolve(DEFAULT_RULES, Kind.HANDLE, "投诉", "E03", None, "critical")
    result = deadline(calendar, night, critical)
    assert (result.instant, str(result.limit)) == (at("2025-03-04T00:00:00+08:00"), "2h clock")
    own = rules(
        Rule(Kind.HANDLE, Limit.parse("48h clock"), urgency="critical"),
        Rule(Kind.HANDLE, Limit.parse("1wd"), type="咨询"),
    )
    result = deadline(calendar, night, resolve(own, Kind.HANDLE, "咨询", None, None, "critical"))
    assert (result.instant, str(result.limit)) == (at("2025-03-04T17:30:00+08:00"), "1wd")


def test_both_are_paused_and_unknown_while_suspended() -> None:
    calendar, start = load_calendar("cn"), at("2025-03-03T10:00:00+08:00")
    critical = resolve(DEFAULT_RULES, Kind.HANDLE, "投诉", "E03", None, "critical")
    held = (at("2025-03-03T11:00:00+08:00"), at("2025-03-03T15:00:00+08:00"))
    assert deadline(calendar, start, critical, [held]).instant == at("2025-03-03T16:00:00+08:00")
    suspended = deadline(calendar, start, critical, iter([(held[0], None)]))
    assert (suspended.instant, str(suspended.limit)) == (None, "2h clock")


def test_rules_survive_being_stored() -> None:
    stored = json.loads(json.dumps(rules_to_mapping(DEFAULT_RULES)))
    assert rules_from_mapping(stored) == DEFAULT_RULES


def test_rules_that_no_order_places_are_refused() -> None:
    limit = Limit.parse("1wd")
    with pytest.raises(LimitError, match="both a type and a matter"):
        Rule(Kind.HANDLE, limit, type="投诉", matter="E03")
    with pytest.raises(LimitError, match="district without a matter"):
        Rule(Kind.HANDLE, limit, district="东城区")
    with pytest.raises(LimitError, match="run on the clock"):
        Rule(Kind.HANDLE, limit, urgency="critical")
    with pytest.raises(LimitError, match="two rules for the same case"):
        rules(Rule(Kind.HANDLE, limit))
    with pytest.raises(LimitError, match="whole city: handle, rework"):
        LimitRules("test", tuple(rule for rule in CITY if rule.kind not in (Kind.HANDLE, Kind.REWORK)))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (None, "expected an object"),
        ({"kind": "handle"}, "limit: NoneType"),
        ({"limit": "1wd"}, "'None' is not a valid Kind"),
        ({"kind": "sing", "limit": "1wd"}, "'sing' is not a valid Kind"),
        ({"kind": "handle", "limit": "1x"}, "limit: '1x'"),
        ({"kind": "handle", "limit": "1wd", "matters": "E03"}, "unknown key 'matters'"),
        ({"kind": "handle", "limit": "1wd", "matter": 3}, "are texts"),
        ({"kind": "handle", "limit": "1wd", "district": "东城区"}, "without a matter"),
    ],
)
def test_stored_rules_that_cannot_be_read_name_their_line(line: Any, message: str) -> None:
    data = rules_to_mapping(rules())
    data["rules"].append(line)
    with pytest.raises(LimitError, match=rf"rule {len(CITY) + 1}: .*{message}"):
        rules_from_mapping(data)


@pytest.mark.parametrize("data", [{}, {"version": 1, "rules": []}, {"version": "1", "rules": {}}])
def test_sets_without_version_or_rules_are_refused(data: dict[str, Any]) -> None:
    with pytest.raises(LimitError, match="version"):
        rules_from_mapping(data)
