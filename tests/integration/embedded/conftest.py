"""Fixtures of the tests of the embedded servers."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.embedded.helpers import Scripts

from hotline.embedded.privileges import Identity, service_identity


@pytest.fixture
def scripts(tmp_path: Path) -> Iterator[Scripts]:
    """Scripts run as processes of their own."""
    running = Scripts(tmp_path)
    yield running
    running.finish()


@pytest.fixture
def nobody() -> Identity:
    """An ordinary user to become; only root can."""
    identity = service_identity()
    if identity is None:
        pytest.skip("not root, so every other test of this folder runs as an ordinary user already")
    return identity
