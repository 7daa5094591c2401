"""The one error of this package."""


class EmbeddedError(Exception):
    """Something about this machine stops Hotline; the message is one line that says what to do, fit to be printed."""
