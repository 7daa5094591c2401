"""What departments reply and citizens say in the demo city."""

import random
from collections import defaultdict
from typing import Any

from hotline.demo.city import demo_file
from hotline.domain.ticket import Satisfaction

# The types that have replies of their own; complaints and requests share the general ones.
TYPES_WITH_WORDS = frozenset({"咨询", "建议", "表扬"})

# One reply in forty closes a ticket in words only, so that a supervisor has something to find.
SHAM_SHARE = 0.025

# Most departments can say that it is done; the others say why not.
SOLVED_SHARE = 0.75


class Words:
    """Draws replies and comments that fit a ticket."""

    def __init__(self, generator: random.Random) -> None:
        self._random = generator
        self._replies: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for reply in demo_file("replies.yaml")["replies"]:
            for matter in reply["matters"]:
                self._replies[matter].append(reply)
        self._returns = demo_file("returns.yaml")["returns"]
        self._followups = demo_file("followups.yaml")["followups"]

    def reply(self, matter: str, type_: str, content: str) -> dict[str, Any]:
        """Return a reply: one whose key words stand in ``content``, else one for the type, else a general one."""
        known = self._replies.get(matter) or [reply for replies in self._replies.values() for reply in replies]
        sham = [reply for reply in known if reply.get("sham")]
        if sham and self._random.random() < SHAM_SHARE:
            return self._random.choice(sham)
        honest = [reply for reply in known if not reply.get("sham")]
        fitting = [reply for reply in honest if any(word in content for word in reply.get("keywords", ()))]
        if not fitting and type_ in TYPES_WITH_WORDS:
            fitting = [reply for reply in honest if type_ in reply.get("types", ())]
        general = [reply for reply in honest if "keywords" not in reply and "types" not in reply]
        choices = fitting or general or honest
        solved = [reply for reply in choices if reply["resolved"]]
        return self._random.choice(solved if solved and self._random.random() < SOLVED_SHARE else choices)

    def return_of(self, matter: str, department: str) -> dict[str, Any] | None:
        """Return a reason for which ``department`` would send a ticket of ``matter`` back, None when there is none."""
        fitting = [
            line for line in self._returns if matter in line["matters"] and line["suggested_owner_hint"] != department
        ]
        return self._random.choice(fitting) if fitting else None

    def comment(self, rating: Satisfaction, matter: str) -> str:
        """Return what a citizen who gives ``rating`` says."""
        fitting = [
            line["text"]
            for line in self._followups
            if line["rating"] == rating and ("matters" not in line or matter in line["matters"])
        ]
        return str(self._random.choice(fitting))
