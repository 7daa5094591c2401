"""The WSGI application, as gunicorn loads it: ``gunicorn hotline.web.server:load()``."""

from flask import Flask

from hotline.bootstrap import start
from hotline.logs import configure_logging
from hotline.settings import load_settings
from hotline.web.app import create_app


def load() -> Flask:
    """Build the application of this process from the environment."""
    settings = load_settings()
    configure_logging(settings.log_level)
    return create_app(start(settings))
