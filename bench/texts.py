"""What the callers of the benchmark say: the demo city's complaints, each somewhere else."""

import json
import random

from hotline.demo.callers import CallerBook, places
from hotline.demo.city import demo_file

SEED = 20261125


def call_bodies(number: int) -> list[str]:
    """Return ``number`` bodies of POST /api/v1/tickets with caller, address and district, the same each time."""
    chance = random.Random(SEED)  # noqa: S311 - a benchmark, and the same one every time
    lines, where, callers = demo_file("complaints.yaml")["complaints"], places(), CallerBook(chance)
    bodies = []
    for _ in range(number):
        line, place, caller = chance.choice(lines), chance.choice(where.all), callers.next()
        body = {
            "channel": "phone",
            "content": line["text"].replace("{place}", place.spoken),
            "address": place.address,
            "district": place.district,
        }
        if not caller.anonymous:
            body["caller"] = {"name": caller.name, "phone": caller.phone}
        bodies.append(json.dumps(body, ensure_ascii=False))
    return bodies
