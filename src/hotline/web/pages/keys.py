"""Where a page of a list ends, as it stands in an address: the due of the last row and its id."""

from datetime import datetime

from hotline.services.queues import Key


def written(key: Key) -> str:
    """Return the key for an address."""
    return f"{key.due.isoformat() if key.due else ''}~{key.id}"


def read(given: str) -> Key | None:
    """Return the key that stands in an address, None when none does that can be read."""
    due, _between, last_id = given.partition("~")
    if not last_id.isascii() or not last_id.isdecimal() or len(last_id) > 18:
        return None
    try:
        at = datetime.fromisoformat(due) if due else None
    except ValueError:
        return None
    # A time without a zone is none that we have written.
    return Key(at, int(last_id)) if at is None or at.tzinfo is not None else None
