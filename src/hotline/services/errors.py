"""Why a service refuses.  Each becomes one kind of answer at the edge: 422, 404, 403 or 409."""


class InvalidInput(Exception):
    """``field`` holds something that cannot be used; ``message`` says what would do."""

    def __init__(self, field: str, message: str) -> None:
        self.field, self.message = field, message
        super().__init__(f"{field}: {message}")


class NotFound(Exception):
    """There is no such thing, or none that this actor may know of."""


class Forbidden(Exception):
    """The actor may see it but not do this to it; the message says why."""


class Conflict(Exception):
    """The request contradicts what has happened in the meantime; the message says what."""
