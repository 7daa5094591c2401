"""Where the demo city's people live and who calls: fictional places and callers.

The phone numbers begin with 138 0000, a range used in examples and by nobody here.
"""

import random
from dataclasses import dataclass
from typing import Any

from hotline.demo.city import demo_file

SURNAMES = "赵钱孙李周吴郑王冯陈卫蒋沈韩杨朱秦许何吕张孔曹严华金魏陶姜"
ANONYMOUS_SHARE = 0.06
RETURNING_SHARE = 0.25


@dataclass(frozen=True, slots=True)
class Place:
    """A community of the city; ``district`` is a code."""

    district: str
    street: str
    community: str

    @property
    def spoken(self) -> str:
        """The place as people say it."""
        return f"{self.street}{self.community}"

    @property
    def address(self) -> str:
        """The place as an address field holds it."""
        return f"{self.street}{self.community}"


@dataclass(frozen=True)
class Places:
    """All communities, each as likely as its district is populous."""

    all: tuple[Place, ...]
    weights: tuple[float, ...]


def places() -> Places:
    """Return the communities of the demo city."""
    found: list[Place] = []
    weights: list[float] = []
    for district in demo_file("city.yaml")["districts"]:
        here = _communities(district)
        found += here
        weights += [district["residents"] / len(here)] * len(here)
    return Places(tuple(found), tuple(weights))


def _communities(district: dict[str, Any]) -> list[Place]:
    return [
        Place(district["code"], street["name"], community)
        for street in district["streets"]
        for community in street["communities"]
    ]


@dataclass(frozen=True, slots=True)
class DemoCaller:
    """Somebody who calls."""

    name: str | None
    phone: str | None
    anonymous: bool = False


class CallerBook:
    """Draws callers; a quarter of them have called before, as at a real hotline."""

    def __init__(self, generator: random.Random) -> None:
        self._random = generator
        self._known: list[DemoCaller] = []

    def next(self) -> DemoCaller:
        """Return the next caller."""
        luck = self._random.random()
        if luck < ANONYMOUS_SHARE:
            return DemoCaller(None, None, anonymous=True)
        if self._known and luck < ANONYMOUS_SHARE + RETURNING_SHARE:
            return self._random.choice(self._known)
        title = self._random.choice(("先生", "女士"))
        caller = DemoCaller(f"{self._random.choice(SURNAMES)}{title}", f"1380000{self._random.randrange(10_000):04d}")
        self._known.append(caller)
        return caller
