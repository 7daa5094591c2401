"""Who owns a matter: the district before the city, the newest line in force, and nobody when no line speaks."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hotline.domain.responsibility import CatalogueEntry, find_owner

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)

# A busy machine is no reason to fail, and each run tries the same examples.
steadily = settings(deadline=None, derandomize=True)


def entry(
    number: int, lead: int, district: str | None = None, since: int = 0, until: int | None = None
) -> CatalogueEntry:
    """Return a line for E03 in force from day ``since`` until before day ``until``."""
    to = None if until is None else NEW_YEAR + until * DAY
    return CatalogueEntry(number, "E03", district, lead, (), NEW_YEAR + since * DAY, to)


def owner(
    entries: list[CatalogueEntry], district: str | None = None, day: float = 10, matter: str = "E03"
) -> int | None:
    found = find_owner(entries, matter, district, NEW_YEAR + day * DAY)
    return found.lead if found else None


def test_the_city_owns_what_no_district_claims() -> None:
    assert owner([entry(1, lead=7)]) == 7
    assert owner([entry(1, lead=7)], district="LD") == 7


def test_a_districts_own_line_wins_there_and_only_there() -> None:
    entries = [entry(1, lead=7, since=5), entry(2, lead=8, district="LD")]
    assert owner(entries, district="LD") == 8
    assert owner(entries, district="LX") == 7
    assert owner(entries, district=None) == 7


def test_nobody_owns_what_no_line_names() -> None:
    assert owner([]) is None
    assert owner([entry(1, lead=7)], matter="E04") is None
    assert owner([entry(1, lead=8, district="LD")], district=None) is None
    assert owner([entry(1, lead=8, district="LD")], district="LX") is None


@pytest.mark.parametrize(("day", "lead"), [(-0.001, None), (0, 7), (4.999, 7), (5, 8), (9.999, 8), (10, None)])
def test_a_line_is_in_force_from_its_first_instant_to_before_its_last(day: float, lead: int | None) -> None:
    assert owner([entry(1, lead=7, until=5), entry(2, lead=8, since=5, until=10)], day=day) == lead


def test_of_two_lines_in_force_the_younger_wins_and_then_the_one_written_later() -> None:
    assert owner([entry(1, lead=7, since=3), entry(2, lead=8, since=1)]) == 7
    assert owner([entry(2, lead=8), entry(1, lead=7)]) == 8


def test_a_district_falls_back_to_the_city_when_its_line_has_ended() -> None:
    entries = [entry(1, lead=7), entry(2, lead=8, district="LD", until=5)]
    assert (owner(entries, "LD", day=4), owner(entries, "LD", day=5)) == (8, 7)


def test_instants_in_any_zone_mean_the_same() -> None:
    line = entry(1, lead=7, since=0, until=5)
    there = timezone(timedelta(hours=8))
    for day in (-0.001, 0, 4.999, 5):
        instant = NEW_YEAR + day * DAY
        assert line.applies("E03", None, instant) == line.applies("E03", None, instant.astimezone(there))


LINES = st.lists(
    st.builds(
        lambda number, lead, district, since, length: entry(
            number, lead, district, since, None if length is None else since + length
        ),
        st.integers(1, 10_000),
        st.integers(1, 9),
        st.sampled_from([None, "LD", "LX"]),
        st.integers(0, 20),
        st.none() | st.integers(1, 20),
    ),
    max_size=8,
    unique_by=lambda line: line.entry_id,
)


@steadily
@given(LINES, st.sampled_from([None, "LD", "LX", "QH"]), st.integers(0, 40))
def test_the_owner_is_in_force_is_the_most_specific_and_does_not_hang_on_the_order(
    lines: list[CatalogueEntry], district: str | None, day: int
) -> None:
    instant = NEW_YEAR + day * DAY
    found = find_owner(lines, "E03", district, instant)
    assert found == find_owner(reversed(lines), "E03", district, instant)
    speaking = [line for line in lines if line.applies("E03", district, instant)]
    if found is None:
        assert speaking == []
        return
    assert found in speaking
    if any(line.district is not None for line in speaking):
        assert found.district == district
    rivals = [line for line in speaking if line.district == found.district]
    assert found.valid_from == max(line.valid_from for line in rivals)


@steadily
@given(LINES, st.integers(0, 40))
def test_lines_for_other_matters_change_nothing(lines: list[CatalogueEntry], day: int) -> None:
    others = [replace(line, matter="C04", entry_id=line.entry_id + 20_000) for line in lines]
    assert owner(lines + others, "LD", day) == owner(lines, "LD", day)
