"""A time limit (时限) as a value: ``180m``, ``24h``, ``5wd``, ``2h clock``."""

import re
from dataclasses import dataclass
from enum import StrEnum

# Ten years: nobody promises more, and a slip of the keyboard shall not become a deadline in another century.
_MOST = {"m": 10 * 366 * 24 * 60, "h": 10 * 366 * 24, "wd": 10 * 366}
_FORM = re.compile(r"([0-9]{1,9}) ?(m|h|wd)( clock)?")


class LimitError(ValueError):
    """A limit that cannot be read, is not positive, or is absurdly long."""


class Unit(StrEnum):
    """What a limit counts in: minutes, hours, or whole working days (工作日)."""

    MINUTES = "m"
    HOURS = "h"
    WORKING_DAYS = "wd"


@dataclass(frozen=True, slots=True)
class Limit:
    """How long something may take.

    Minutes and hours run in working time, or on the clock when ``clock`` is set: day and night, holidays included.
    Working days are whole days counted from the midnight after the start.  Raises ``LimitError`` for an amount that is
    not positive or beyond ten years, and for working days "on the clock", which would contradict itself.
    """

    amount: int
    unit: Unit
    clock: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.amount, int) or isinstance(self.amount, bool):
            raise LimitError(f"a limit is a whole number of {self.unit}, not {self.amount!r}")
        if self.amount < 1:
            raise LimitError(f"a limit is positive; {self} is not")
        if self.amount > _MOST[self.unit]:
            raise LimitError(f"a limit of {self} is longer than ten years")
        if self.clock and self.unit is Unit.WORKING_DAYS:
            raise LimitError("working days do not run on the clock; give hours, as in '24h clock'")

    @classmethod
    def parse(cls, text: object) -> "Limit":
        """Read ``180m``, ``24h``, ``5wd``, ``30m clock`` or ``2h clock``; raise ``LimitError`` for anything else."""
        match = _FORM.fullmatch(text.strip()) if isinstance(text, str) else None
        if match is None:
            shown = repr(text[:40]) if isinstance(text, str) else type(text).__name__
            raise LimitError(f"limit: {shown} is not one; write '180m', '24h', '5wd' or '2h clock'")
        return cls(int(match[1]), Unit(match[2]), clock=match[3] is not None)

    def __str__(self) -> str:
        return f"{self.amount}{self.unit}{' clock' if self.clock else ''}"

    @property
    def seconds(self) -> int:
        """The seconds that pass, in working time or on the clock.  Raises ``LimitError`` for working days.

        How long working days are is for a calendar to say.
        """
        if self.unit is Unit.WORKING_DAYS:
            raise LimitError(f"{self} has no length without a calendar")
        return self.amount * (60 if self.unit is Unit.MINUTES else 3600)
