"""What kinds of departments (承办单位) there are, and how their tree may look."""

from collections.abc import Mapping
from enum import StrEnum


class DepartmentKind(StrEnum):
    """What a department is.  Streets and towns are protected from what must not be pushed down (不得下派)."""

    HOTLINE_CENTRE = "hotline_centre"
    CITY_BUREAU = "city_bureau"
    DISTRICT_BUREAU = "district_bureau"
    STREET = "street"
    UTILITY = "utility"


DEPARTMENT_KIND_NAMES: dict[DepartmentKind, str] = {
    DepartmentKind.HOTLINE_CENTRE: "热线中心",
    DepartmentKind.CITY_BUREAU: "市级部门",
    DepartmentKind.DISTRICT_BUREAU: "区级部门",
    DepartmentKind.STREET: "街道（镇）",
    DepartmentKind.UTILITY: "公用事业单位",
}


def in_a_circle(parents: Mapping[str, str | None]) -> frozenset[str]:
    """Return the codes that stand above themselves when ``parents`` gives each code's parent."""
    settled: set[str | None] = {None}
    circling: set[str] = set()
    for code in parents:
        path: list[str] = []
        at: str | None = code
        while at not in settled and at not in path:
            path.append(at)  # type: ignore[arg-type]
            at = parents.get(at)  # type: ignore[arg-type]
        if at in path:
            circling.update(path[path.index(at) :])
        settled.update(path)
    return frozenset(circling)
