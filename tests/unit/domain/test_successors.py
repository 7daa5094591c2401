"""Labels of matters that have left the taxonomy are read as the matters that took over."""

import pytest

from hotline.domain.successors import SuccessorsError, successors_from_mapping
from hotline.reference import load_successors

CODES = ("E03", "E04", "C01")


def test_a_label_follows_to_the_matter_of_today() -> None:
    found = successors_from_mapping(
        {
            "Z01": [{"matter": "E03"}],
            "Z02": [{"matter": "Z01", "words": ["路灯", "灯杆"]}, {"matter": "E04"}],
            "Z03": [{"matter": "C01", "words": ["物业"]}],
            "Z04": [],
        },
        CODES,
    )
    assert found.follow("C01", "路灯") == "C01"
    assert found.follow("Z01", "什么都行") == "E03"
    # Split: by the words of the text, the rest by the part without words, and on along the chain.
    assert found.follow("Z02", "灯杆歪了") == "E03"
    assert found.follow("Z02", "电线垂下来") == "E04"
    # A split without a part for the rest, and a matter without a successor, teach nothing.
    assert found.follow("Z03", "电线垂下来") is None
    assert found.follow("Z04", "电线垂下来") is None


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"E03": [{"matter": "E04"}]}, "stands in it"),
        ({"Z01": [{"matter": "X99"}]}, "no matter"),
        ({"Z01": [{"matter": "Z02"}], "Z02": [{"matter": "Z01"}]}, "circle"),
    ],
)
def test_a_mapping_that_contradicts_itself_is_refused(given: dict[str, object], message: str) -> None:
    with pytest.raises(SuccessorsError, match=message):
        successors_from_mapping(given, CODES)


def test_the_mapping_that_ships_fits_the_taxonomy() -> None:
    assert load_successors().follow("E03", "路灯") == "E03"
