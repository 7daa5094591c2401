"""Which time limit applies to a ticket: rules as values, and the one way to choose among them.

The ordinary limit is the most specific rule of city < type < matter < matter × district.  Urgency adds a *ceiling* in
clock time; the due is the earlier of the two (``hotline.md``, "Time limits").  A city keeps its own rules in
configuration or in the database; a set has a version, so that a stored result names what it was computed with.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from hotline.domain.working_time import Calendar, Due, Limit, LimitError, Pause, due


class Kind(StrEnum):
    """What a limit is for."""

    DISPATCH = "dispatch"  # 派单, from intake
    SIGN = "sign"  # 签收, from each assignment
    RETURN = "return"  # 退单, from each assignment
    CONTACT = "contact"  # 先行联系, from the first dispatch
    HANDLE = "handle"  # 办理, from the first dispatch and never reset by a return
    REWORK = "rework"  # 重办, from the rework order
    FOLLOW_UP = "follow_up"  # 回访, from the approved reply


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the table of limits.

    A rule applies where all that it names agrees; without ``type``, ``matter`` and ``district`` it is the city's.  With
    ``urgency`` it is a ceiling and must run on the clock.  ``source`` says where the number comes from.  Raises
    ``LimitError`` for a rule that the order city < type < matter < matter × district does not place: type with matter,
    or a district without a matter.
    """

    kind: Kind
    limit: Limit
    type: str | None = None
    matter: str | None = None
    district: str | None = None
    urgency: str | None = None
    source: str = ""

    def __post_init__(self) -> None:
        if self.type is not None and self.matter is not None:
            raise LimitError(f"the rule {self} names both a type and a matter; only one of them can decide")
        if self.district is not None and self.matter is None:
            raise LimitError(f"the rule {self} names a district without a matter")
        if self.urgency is not None and not self.limit.clock:
            raise LimitError(f"the rule {self} is a ceiling for urgent tickets and has to run on the clock")

    @property
    def scope(self) -> tuple[str | None, ...]:
        """What the rule is for; two rules of one set never share it."""
        return self.kind, self.urgency, self.type, self.matter, self.district

    @property
    def specificity(self) -> int:
        """0 city, 1 type, 2 matter, 3 matter × district."""
        if self.district is not None:
            return 3
        return 2 if self.matter is not None else 1 if self.type is not None else 0

    def __str__(self) -> str:
        named = [part for part in (self.urgency, self.type, self.matter, self.district) if part is not None]
        return f"{' '.join([self.kind, *named])}: {self.limit}"


@dataclass(frozen=True)
class LimitRules:
    """A city's whole set of rules, versioned.

    Raises ``LimitError`` when two rules have one scope, or when a kind has no rule for the city: then some ticket would
    have no deadline.
    """

    version: str
    rules: tuple[Rule, ...]
    _by_scope: dict[tuple[str | None, ...], Rule] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_scope: dict[tuple[str | None, ...], Rule] = {}
        for rule in self.rules:
            if rule.scope in by_scope:
                raise LimitError(f"two rules for the same case: {by_scope[rule.scope]} and {rule}")
            by_scope[rule.scope] = rule
        missing = [kind for kind in Kind if (kind, None, None, None, None) not in by_scope]
        if missing:
            raise LimitError(f"no rule for the whole city: {', '.join(missing)}")
        object.__setattr__(self, "_by_scope", by_scope)

    def find(self, kind: Kind, type: str, matter: str | None, district: str | None, urgency: str | None) -> Rule | None:
        """Return the most specific rule of ``kind``: among the ceilings for ``urgency``, with None among the rest."""
        scopes: list[tuple[str | None, ...]] = []
        if matter is not None:
            if district is not None:
                scopes.append((kind, urgency, None, matter, district))
            scopes.append((kind, urgency, None, matter, None))
        scopes += [(kind, urgency, type, None, None), (kind, urgency, None, None, None)]
        return next((self._by_scope[scope] for scope in scopes if scope in self._by_scope), None)


@dataclass(frozen=True, slots=True)
class ResolvedLimit:
    """The limits that apply to one ticket, with the rules that fired and the version of their set."""

    rule: Rule
    ceiling_rule: Rule | None
    version: str

    @property
    def kind(self) -> Kind:
        """What the limit is for."""
        return self.rule.kind

    @property
    def limit(self) -> Limit:
        """The ordinary limit."""
        return self.rule.limit

    @property
    def ceiling(self) -> Limit | None:
        """The ceiling in clock time that urgency adds, if any."""
        return None if self.ceiling_rule is None else self.ceiling_rule.limit


def resolve(
    rules: LimitRules,
    kind: Kind,
    type: str,
    matter: str | None = None,
    district: str | None = None,
    urgency: str = "normal",
) -> ResolvedLimit:
    """Return the limits of ``kind`` for a ``type`` (诉求类型), ``matter`` (事项), ``district`` and ``urgency``.

    What the rules do not name falls to the wider rule, at last to the city's, so there is always an answer.
    """
    rule = rules.find(kind, type, matter, district, None)
    assert rule is not None  # LimitRules refuses a set without a rule for the whole city.
    return ResolvedLimit(rule, rules.find(kind, type, matter, district, urgency), rules.version)


def deadline(calendar: Calendar, start: datetime, resolved: ResolvedLimit, pauses: Iterable[Pause] = ()) -> Due:
    """Return the earlier of the ordinary due and the ceiling; ``Due.limit`` is the one that governs.

    Reminders of a ticket are ``at_fraction`` of that governing limit.  Raises ``CalendarError`` like ``due``.
    """
    kept = tuple(pauses)
    ordinary = due(calendar, start, resolved.limit, kept)
    if resolved.ceiling is None:
        return ordinary
    ceiling = due(calendar, start, resolved.ceiling, kept)
    if ordinary.instant is not None and (ceiling.instant is None or ordinary.instant <= ceiling.instant):
        return ordinary
    return ceiling


def rules_from_mapping(data: Mapping[str, Any]) -> LimitRules:
    """Read a set of rules: ``{"version": "…", "rules": [{"kind": "handle", "type": "咨询", "limit": "2wd"}, …]}``.

    Raises ``LimitError`` that names the rule which cannot be read.
    """
    version, lines = data.get("version"), data.get("rules")
    if not isinstance(version, str) or not isinstance(lines, list):
        raise LimitError("a set of limits has a version (text) and rules (list)")
    return LimitRules(version, tuple(_rule(line, number) for number, line in enumerate(lines, start=1)))


def rules_to_mapping(rules: LimitRules) -> dict[str, Any]:
    """Return ``rules`` in the form that ``rules_from_mapping`` reads, to keep them as JSON."""
    lines = []
    for rule in rules.rules:
        line = {"kind": str(rule.kind), "limit": str(rule.limit)}
        line.update({name: value for name in _NAMES if (value := getattr(rule, name))})
        lines.append(line)
    return {"version": rules.version, "rules": lines}


_NAMES = ("type", "matter", "district", "urgency", "source")


def _rule(line: object, number: int) -> Rule:
    if not isinstance(line, dict):
        raise LimitError(f"rule {number}: expected an object, got {type(line).__name__}")
    unknown = [str(key) for key in line if key not in ("kind", "limit", *_NAMES)]
    if unknown:
        raise LimitError(f"rule {number}: unknown key {unknown[0][:40]!r}")
    named: dict[str, str] = {name: line[name] for name in _NAMES if line.get(name) is not None}
    if not all(isinstance(value, str) for value in named.values()):
        raise LimitError(f"rule {number}: {', '.join(_NAMES)} are texts")
    try:
        return Rule(Kind(str(line.get("kind"))), Limit.parse(line.get("limit")), **named)
    except ValueError as error:  # LimitError is one; so is what an unknown kind raises.
        raise LimitError(f"rule {number}: {error}") from error


def _default(kind: Kind, limit: str, source: str, **scope: str) -> Rule:
    return Rule(kind, Limit.parse(limit), source=source, **scope)


# The table of hotline.md.  Only the utility matter (供水供电供气供热) has a ceiling for "urgent"; a city that wants
# more adds rules.  A type without a line of its own (表扬, or one not known yet) has the longest handling limit, so
# that nobody is late only because the type was not settled.
DEFAULT_RULES = LimitRules(
    "2026-01-01",
    (
        _default(Kind.DISPATCH, "30m", "practice"),
        _default(Kind.DISPATCH, "10m clock", "practice", urgency="critical"),
        _default(Kind.SIGN, "2h", "practice; varies from 2 h to 1 wd"),
        _default(Kind.SIGN, "30m clock", "practice", urgency="critical"),
        _default(Kind.RETURN, "1wd", "practice; Shandong 2020 allows 2 wd"),
        _default(Kind.CONTACT, "1wd", "practice"),
        _default(Kind.HANDLE, "15wd", "the longest of the limits by type"),
        _default(Kind.HANDLE, "2wd", "Guangdong 2022", type="咨询"),
        _default(Kind.HANDLE, "10wd", "Guangdong 2022", type="求助"),
        _default(Kind.HANDLE, "10wd", "Guangdong 2022", type="建议"),
        _default(Kind.HANDLE, "15wd", "Guangdong 2022", type="投诉"),
        _default(Kind.HANDLE, "15wd", "Guangdong 2022", type="举报"),
        _default(Kind.HANDLE, "24h clock", "Beijing", urgency="urgent", matter="C04"),
        _default(Kind.HANDLE, "2h clock", "Beijing", urgency="critical"),
        _default(Kind.REWORK, "3wd", "practice"),
        _default(Kind.FOLLOW_UP, "3wd", "practice"),
    ),
)

# Where the rules above come from, as people read it; a city's own rules say so in its own words.
SOURCE_NAMES = {
    "practice": "各地通行做法",
    "practice; varies from 2 h to 1 wd": "各地通行做法，2 小时至 1 个工作日不等",
    "practice; Shandong 2020 allows 2 wd": "各地通行做法；山东 2020 年规定为 2 个工作日",
    "the longest of the limits by type": "各类型时限中最长的",
    "Guangdong 2022": "广东 2022 年规定",
    "Beijing": "北京做法",
}

# An extension (延期) is granted once and adds at most this many working days (Shandong).
LONGEST_EXTENSION = 10
