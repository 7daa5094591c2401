"""A browser for tests: it keeps cookies, reads forms as they are rendered and sends them as a person would."""

import html
import re
from dataclasses import dataclass
from typing import Self

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from hotline.demo.city import DEMO_PASSWORD

_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
_KEY = re.compile(r'name="key" value="([^"]+)"')


@dataclass(frozen=True)
class Browser:
    """A browser; ``Browser.of(app)`` has no session, ``.sign_in(username)`` gives it one."""

    client: FlaskClient

    @classmethod
    def of(cls, app: Flask) -> Self:
        """Open a browser that was never here."""
        return cls(app.test_client())

    def sign_in(self, username: str, password: str = DEMO_PASSWORD, **more: str) -> TestResponse:
        """Fill in the login form."""
        return self.send("/login", {"username": username, "password": password, **more}, form_on="/login")

    def get(self, path: str, **query: str) -> TestResponse:
        """Open a page."""
        return self.client.get(path, query_string=query or None)

    def text(self, path: str, **query: str) -> str:
        """Open a page that must be there and return its HTML."""
        answer = self.get(path, **query)
        assert answer.status_code == 200, answer.status
        return answer.get_data(as_text=True)

    def token(self, page: str) -> str:
        """Return the anti-forgery token that a page carries."""
        found = _TOKEN.search(self.text(page))
        assert found, f"{page} has no form"
        return html.unescape(found[1])

    def key(self, page: str) -> str:
        """Return the key that the form on ``page`` is sent with."""
        found = _KEY.search(self.text(page))
        assert found, f"{page} has no key"
        return html.unescape(found[1])

    def send(self, path: str, fields: dict[str, str], *, form_on: str) -> TestResponse:
        """Send the form that stands on the page ``form_on`` to ``path``."""
        return self.client.post(path, data=fields | {"csrf_token": self.token(form_on)})
