"""The English catalogue: nothing empty, nothing that would break a page, and every name of a code."""

import re
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from babel.messages.pofile import read_po

import hotline.web
from hotline.domain import people, ticket

CATALOGUE = Path(hotline.web.__file__).parent / "translations" / "en" / "LC_MESSAGES" / "messages.po"
_PLACEHOLDER = re.compile(r"%\(\w+\)s")


@pytest.fixture(scope="module")
def messages() -> list[Message]:
    with CATALOGUE.open("rb") as text:
        return [message for message in read_po(text, locale="en") if message.id]


def test_every_text_has_a_translation(messages: list[Message]) -> None:
    assert [message.id for message in messages if not message.string] == []


def test_a_translation_takes_the_same_values(messages: list[Message]) -> None:
    for message in messages:
        assert sorted(_PLACEHOLDER.findall(message.string)) == sorted(_PLACEHOLDER.findall(message.id)), message.id
        # A lone percent sign would be read as the beginning of a value.
        if _PLACEHOLDER.search(message.id):
            assert "%" not in _PLACEHOLDER.sub("", message.string), message.id


@pytest.mark.parametrize("table", [people.ROLE_NAMES, ticket.STATE_NAMES, ticket.ACTION_NAMES, ticket.URGENCY_NAMES])
def test_the_names_of_codes_are_there(messages: list[Message], table: dict[object, str]) -> None:
    assert set(table.values()) <= {message.id for message in messages}
