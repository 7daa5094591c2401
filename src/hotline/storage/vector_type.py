"""pgvector's ``vector`` as a column type: a list of floats in Python, compared by cosine distance in the database."""

from collections.abc import Callable, Sequence
from typing import Any, cast

from sqlalchemy import ColumnElement, Float
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.types import UserDefinedType


class Vector(UserDefinedType[list[float]]):
    """A vector of a fixed number of dimensions."""

    cache_ok = True

    def __init__(self, dimensions: int | None = None) -> None:
        self.dimensions = dimensions

    def get_col_spec(self, **_: Any) -> str:
        """The type's name in SQL."""
        return "vector" if self.dimensions is None else f"vector({self.dimensions})"

    def bind_processor(self, dialect: Any) -> Callable[[Sequence[float] | None], str | None]:  # noqa: ARG002 - SQLAlchemy's signature
        """Write a vector as pgvector reads it."""
        return lambda value: None if value is None else vector_text(value)

    def result_processor(self, dialect: Any, coltype: Any) -> Callable[[str | None], list[float] | None]:  # noqa: ARG002 - SQLAlchemy's signature
        """Read what pgvector writes."""
        return lambda value: None if value is None else [float(part) for part in value[1:-1].split(",")]

    class Comparator(UserDefinedType.Comparator[list[float]]):
        """What a query may do with a vector."""

        def cosine_distance(self, other: Sequence[float]) -> ColumnElement[float]:
            """One minus the cosine of the angle; what the index is made for."""
            distance: Any = self.op("<=>", return_type=Float())(other)
            return cast("ColumnElement[float]", distance)

    comparator_factory = Comparator


def vector_text(values: Sequence[float]) -> str:
    """Return a vector in pgvector's writing, [0.1,-0.2,…]."""
    return f"[{','.join(f'{value:.6g}' for value in values)}]"


# Lets Alembic read the type back from a database when it compares the tables with it.
ischema_names["vector"] = Vector
