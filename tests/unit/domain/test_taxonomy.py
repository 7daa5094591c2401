"""The taxonomy that ships: seven tasks, sixty-six matters, and rules that speak of matters that exist."""

import copy
import re
from typing import Any

import pytest

from hotline.domain.taxonomy import TaxonomyError, taxonomy_from_mapping
from hotline.reference import load_taxonomy

TAXONOMY = load_taxonomy()
SMALL: dict[str, Any] = {
    "version": 1,
    "tasks": {"A": {"name": "任务甲", "en": "first"}},
    "matters": {"A01": {"name": "事项", "en": "matter", "scope": ["路灯"], "lead": "城管局"}},
    "tie_breaks": ["先看 A01"],
    "boundaries": {"路灯": "A01 管亮灯"},
}


def test_seven_tasks_and_sixty_six_matters_ship() -> None:
    assert list(TAXONOMY.tasks) == list("ABCDEFG")
    assert len(TAXONOMY.matters) == 66
    assert TAXONOMY.codes == tuple(TAXONOMY.matters) == tuple(sorted(TAXONOMY.matters))


def test_every_matter_belongs_to_the_task_of_its_letter() -> None:
    for code, matter in TAXONOMY.matters.items():
        assert re.fullmatch(r"[A-G]\d\d", code)
        assert (matter.code, matter.task) == (code, code[0])
        assert matter.task in TAXONOMY.tasks
    assert {matter.task for matter in TAXONOMY.matters.values()} == set(TAXONOMY.tasks)


def test_everything_has_names_of_its_own() -> None:
    for things in (TAXONOMY.tasks.values(), TAXONOMY.matters.values()):
        assert all(thing.name and thing.name_en for thing in things)
        assert len({thing.name for thing in things}) == len(things)
    assert all(matter.scope and matter.lead for matter in TAXONOMY.matters.values())


def test_rules_for_close_calls_speak_of_matters_that_exist() -> None:
    for text in (*TAXONOMY.tie_breaks, *TAXONOMY.boundaries.values()):
        assert set(re.findall(r"[A-G]\d\d", text)) <= set(TAXONOMY.matters), text


def test_a_boundary_note_is_shown_when_it_decides_between_two_candidates() -> None:
    subject, note = next((s, n) for s, n in TAXONOMY.boundaries.items() if len(set(re.findall(r"[A-G]\d\d", n))) >= 2)
    codes = re.findall(r"[A-G]\d\d", note)
    assert f"{subject}：{note}" in TAXONOMY.boundary_notes((codes[0], codes[1]))
    assert f"{subject}：{note}" not in TAXONOMY.boundary_notes((codes[0],))
    assert f"{subject}：{note}" not in TAXONOMY.boundary_notes((codes[0], codes[0]))
    assert TAXONOMY.boundary_notes(()) == []


def test_a_matter_is_found_by_its_code_or_not_at_all() -> None:
    assert TAXONOMY.matter("E03").code == "E03"
    for code in ("Z99", "e03", "", "E"):
        with pytest.raises(KeyError):
            TAXONOMY.matter(code)


def test_a_matter_without_a_task_contradicts_itself() -> None:
    stray = copy.deepcopy(SMALL)
    stray["matters"]["B01"] = stray["matters"]["A01"]
    with pytest.raises(TaxonomyError, match="B01"):
        taxonomy_from_mapping(stray)


def test_a_small_taxonomy_is_read_whole() -> None:
    read = taxonomy_from_mapping(SMALL)
    assert (read.version, read.codes, read.tie_breaks) == (1, ("A01",), ("先看 A01",))
    assert read.matter("A01").scope == ("路灯",)
    assert read.matter("A01").note is None


@pytest.mark.parametrize("missing", ["version", "tasks", "matters", "tie_breaks", "boundaries"])
def test_a_file_with_a_part_missing_is_not_read(missing: str) -> None:
    with pytest.raises(KeyError):
        taxonomy_from_mapping({name: value for name, value in SMALL.items() if name != missing})
