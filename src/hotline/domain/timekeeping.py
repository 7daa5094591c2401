"""The calendar and the limits that a city's clock runs by, as one value that is exchanged whole."""

from dataclasses import dataclass
from datetime import UTC, datetime

from hotline.domain.calendar import Calendar
from hotline.domain.limits import DEFAULT_RULES, LimitRules

# The limits that ship with the program hold from the beginning until a city's own take their place.
ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class LimitSet:
    """A set of limits for everything whose limit starts at ``valid_from`` or later, until a newer set takes over."""

    valid_from: datetime
    rules: LimitRules


SHIPPED_LIMITS = LimitSet(ALWAYS, DEFAULT_RULES)


@dataclass(frozen=True, slots=True)
class Timekeeping:
    """``limit_sets`` are ordered: among the sets that hold at an instant, the first counts."""

    calendar: Calendar
    limit_sets: tuple[LimitSet, ...] = (SHIPPED_LIMITS,)

    def limits_at(self, start: datetime) -> LimitRules:
        """Return the limits for what starts at ``start``: a later set changes nothing that runs already."""
        found = next((each for each in self.limit_sets if each.valid_from <= start), SHIPPED_LIMITS)
        return found.rules

    def limits_versioned(self, version: str) -> LimitRules | None:
        """Return the set that a stored result names, None when it is not known here."""
        sets = (*self.limit_sets, SHIPPED_LIMITS)
        return next((each.rules for each in sets if each.rules.version == version), None)


def in_order(sets: list[LimitSet]) -> tuple[LimitSet, ...]:
    """Return ``sets``, given in the order of their import, in the order in which they are asked.

    The one that came into force last comes first; of two that came into force together, the one imported later.
    """
    newest_first = sorted([*sets[::-1], SHIPPED_LIMITS], key=lambda each: each.valid_from, reverse=True)
    return tuple(newest_first)
