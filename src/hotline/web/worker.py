"""gunicorn's threaded worker, which does not repeat a request that it cannot read.

The stock worker quotes the request line or header both in its log and in its answer, with whatever personal data is in
it.
"""

from typing import Any

from gunicorn.workers.gthread import ThreadWorker

WORDS = "the request cannot be read"


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn ships no types.
    """The worker that ``hotline web`` runs."""

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Log and answer as gunicorn does, by the error's type alone."""
        super().handle_error(req, client, addr, _without_words(exc))


def _without_words(error: BaseException) -> BaseException:
    """Return an error of the same type that says nothing; gunicorn decides by the type and quotes the text."""
    kind = type(error)
    quiet = type(kind.__name__, (kind,), {"__str__": lambda _: WORDS, "__init__": lambda _: None})
    return quiet()  # type: ignore[no-any-return]  # The type is made above.
