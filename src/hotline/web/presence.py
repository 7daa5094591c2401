"""Who else looks at a ticket, or types into it, right now.

It is a courtesy and lives in Redis for as long as a page keeps telling; while Redis is away nobody is seen.  Whether
two people may do the same thing is decided by the ticket's row lock and its table of transitions, never here.
"""

import json
from dataclasses import dataclass

from redis import Redis

from hotline.web.runtime import runtime

# A page tells every 10 seconds; one that has been closed is forgotten soon after.
TELL_EVERY_SECONDS = 10
_REMEMBER_SECONDS = 25


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody who has the ticket open."""

    name: str
    is_editing: bool


def tell(number: str, account_id: int, name: str, *, is_editing: bool) -> list[Colleague]:
    """Say that the account has the ticket open, and return who else has."""
    now = runtime().context.now().timestamp()
    key = f"hotline:web:presence:{number}"
    mine = json.dumps([name, is_editing, now + _REMEMBER_SECONDS])

    def exchange(redis: Redis) -> dict[bytes, bytes]:
        with redis.pipeline(transaction=False) as pipe:
            pipe.hset(key, str(account_id), mine)
            pipe.expire(key, 2 * _REMEMBER_SECONDS)
            pipe.hgetall(key)
            found: dict[bytes, bytes] = pipe.execute()[-1]
        return found

    nobody: dict[bytes, bytes] = {}
    known = runtime().counters.ask(exchange, nobody)
    others = [json.loads(value) for account, value in known.items() if int(account) != account_id]
    return sorted(
        (Colleague(who, is_typing) for who, is_typing, until in others if until > now), key=lambda other: other.name
    )


# A dispatcher who takes longer may find that a colleague has dispatched the ticket meanwhile, and is told so.
_CLAIM_SECONDS = 180


def claim(ticket_ids: list[int], account_id: int, *, leave: int | None = None) -> int | None:
    """Return the first of the tickets that no colleague has on the screen, which it then is for ``account_id``.

    ``leave`` is one that is given free again.  While Redis is away the first is everybody's.
    """
    mine = str(account_id).encode()

    def choose(redis: Redis) -> int | None:
        if leave is not None and redis.get(_claim_key(leave)) == mine:
            redis.delete(_claim_key(leave))
        for ticket_id in ticket_ids:
            key = _claim_key(ticket_id)
            if redis.set(key, mine, nx=True, ex=_CLAIM_SECONDS) or redis.get(key) == mine:
                return ticket_id
        return None

    return runtime().counters.ask(choose, next(iter(ticket_ids), None))


def _claim_key(ticket_id: int) -> str:
    return f"hotline:web:desk:{ticket_id}"
