"""The drills' fixture: an installation of their own."""

from collections.abc import Iterator

import pytest
from tests.drills.stack import Stack, open_stack


@pytest.fixture
def stack() -> Iterator[Stack]:
    """An installation with servers and demo city, and no programs running yet."""
    with open_stack() as stack:
        yield stack
