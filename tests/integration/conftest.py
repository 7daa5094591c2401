"""What integration tests share beyond one test: a database for the tests of a module that change nothing."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from flask import Flask
from tests import conftest as root
from tests.factories import ApiClient, token_for

from hotline import bootstrap
from hotline.bootstrap import Runtime
from hotline.jobs.doorbell import SilentDoorbell
from hotline.web.app import create_app


@pytest.fixture(scope="module")
def standing_parts() -> Iterator[Runtime]:
    """The running parts over one database for all tests of a module, which refuse, read and never write."""
    with contextmanager(root._fresh_database)(root.TEMPLATE) as url:
        parts = bootstrap.start(root.make_settings(url, os.environ[root.REDIS]), doorbell=SilentDoorbell())
        yield parts
        parts.close()


@pytest.fixture(scope="module")
def standing_app(standing_parts: Runtime) -> Flask:
    """The web application over ``standing_parts``."""
    return create_app(standing_parts)


@pytest.fixture(scope="module")
def standing_api(standing_app: Flask, standing_parts: Runtime) -> Callable[[str], ApiClient]:
    """Give an API client by username over ``standing_parts``; one token each."""
    tokens: dict[str, str] = {}

    def client_of(username: str) -> ApiClient:
        if username not in tokens:
            tokens[username] = token_for(standing_parts, username)
        return ApiClient(standing_app.test_client(), tokens[username])

    return client_of
