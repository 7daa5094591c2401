"""A measured figure beside the floor it must keep and the aim it is wanted to reach."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of a table; ``where`` says on which rows it was measured, where there are several kinds.

    ``floor`` and ``aim`` are None where none was set; for most figures more is better.
    """

    name: str
    where: str
    value: float
    floor: float | None = None
    aim: float | None = None
    less_is_better: bool = False

    @property
    def holds(self) -> bool:
        """Whether the floor holds."""
        if self.floor is None:
            return True
        return self.value <= self.floor if self.less_is_better else self.value >= self.floor
