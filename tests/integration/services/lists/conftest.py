"""What the tests of lists start from."""

import pytest
from tests.integration.services.lists.city import City

from hotline.bootstrap import Runtime
from hotline.demo.knowledge import build_knowledge
from hotline.storage.engine import transaction


@pytest.fixture
def city(parts: Runtime) -> City:
    return City(parts)


@pytest.fixture
def answers(parts: Runtime) -> None:
    """The demo city's knowledge base."""
    with transaction(parts.sessions) as session:
        build_knowledge(session, parts.context)
