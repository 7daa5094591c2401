"""The runtime of the application that answers the present request."""

from dataclasses import dataclass
from typing import cast

from flask import Flask, current_app, g, request

from hotline.bootstrap import Runtime
from hotline.domain.people import Actor
from hotline.services.context import Context
from hotline.settings import Settings
from hotline.storage.engine import SessionFactory
from hotline.web.counters import Counters

EXTENSION = "hotline"


@dataclass(frozen=True, slots=True)
class WebRuntime:
    """What views need of the runtime, and the application itself."""

    app: Flask
    parts: Runtime
    counters: Counters

    @property
    def settings(self) -> Settings:
        """The process's settings."""
        return self.parts.settings

    @property
    def sessions(self) -> SessionFactory:
        """The factory of database sessions."""
        return self.parts.sessions

    @property
    def context(self) -> Context:
        """The services' surroundings."""
        return self.parts.context


def runtime() -> WebRuntime:
    """Return the runtime of the current application."""
    return cast(WebRuntime, current_app.extensions[EXTENSION])


def address() -> str | None:
    """Return the network address that the request came from, as far as proxies are to be believed."""
    return request.remote_addr


def actor() -> Actor:
    """Return who asks; only routes that need a login may call this."""
    return cast(Actor, g.actor)
