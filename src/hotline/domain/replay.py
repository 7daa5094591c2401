"""A ticket's facts from its raw events alone: the way back from every figure to what happened.

What events do not hold is given beside them: whether the caller is anonymous and has complained again, since events
never hold anything of a person.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from hotline.domain.facts import Asked, Held, TicketFacts
from hotline.domain.ticket import Action, FollowupResult, Satisfaction, State
from hotline.domain.transitions import WITH_DEPARTMENT

ENDINGS = frozenset({Action.ANSWER, Action.MERGE, Action.DECLINE, Action.TRANSFER, Action.WITHDRAW})
# After these nobody waits for the hotline or a department any more, after the others in this table somebody does.
STOPS = ENDINGS | {Action.APPROVE}
TURNS = STOPS | {
    *(Action.DISPATCH, Action.DISPATCH_ON, Action.ACCEPT_RETURN, Action.ADJUDICATE),
    *(Action.TAKE_BACK, Action.UNMERGE, Action.REWORK),
}


@dataclass(frozen=True, slots=True)
class Event:
    """One event, as it stands in the ledger."""

    kind: str
    at: datetime
    to_state: str | None
    data: Mapping[str, Any]


@dataclass
class _Life:
    """The ticket while its events are read."""

    facts: TicketFacts
    held: list[Held] = field(default_factory=list)
    # For each of ``held``, the one that handed it on to a sub-unit; ``current`` is None while no department has it.
    parents: list[int | None] = field(default_factory=list)
    # When each of ``held`` asked to return the ticket and did not take that back.
    asked_back: list[list[datetime]] = field(default_factory=list)
    current: int | None = None
    merged: int | None = None
    waits: list[tuple[datetime, datetime | None, str | None]] = field(default_factory=list)

    def set(self, **members: Any) -> None:
        self.facts = replace(self.facts, **members)

    def set_held(self, number: int | None, **members: Any) -> None:
        if number is not None:
            self.held[number] = replace(self.held[number], **members)

    def end(self, at: datetime) -> int | None:
        ended, self.current = self.current, None
        self.set_held(ended, ended_at=at)
        return ended

    def hand_over(self, event: Event, parent: int | None = None) -> None:
        department = event.data["department"]
        self.held.append(Held(department, event.at, _instant(event.data["sign_due"]) or event.at))
        self.parents.append(parent)
        self.asked_back.append([])
        self.current = len(self.held) - 1
        self.set(department=department, dispatched_at=self.facts.dispatched_at or event.at)

    def reopen(self, number: int | None) -> None:
        self.set_held(number, ended_at=None)
        self.current = number

    def turn(self, event: Event) -> None:
        """Close the present time of waiting and open the next one, if somebody still waits."""
        if self.waits and self.waits[-1][1] is None:
            since, _, department = self.waits.pop()
            self.waits.append((since, event.at, department))
        if event.kind not in STOPS:
            holder = self.held[self.current].department if self.current is not None else None
            self.waits.append((event.at, None, holder))


def replay(events: Iterable[Event], *, anonymous: bool = False, repeated: bool = False) -> TicketFacts:
    """Fold ``events``, oldest first and beginning with ``received``, into the ticket's facts."""
    life: _Life | None = None
    for event in events:
        if life is None:
            life = _Life(TicketFacts(received_at=event.at, anonymous=anonymous, repeated=repeated))
            life.turn(event)
            continue
        _dues(life, event)
        _assignment(life, event)
        _rest(life, event)
        if event.kind in TURNS:
            life.turn(event)
    assert life is not None, "a ticket has been received"
    both = zip(life.held, life.asked_back, strict=True)
    held = [replace(held, returned_at=min(asked, default=None)) for held, asked in both]
    waits = [wait for wait in life.waits if wait[0] != wait[1]]
    returns = sum(len(asked) for asked in life.asked_back)
    return replace(life.facts, held=tuple(held), returns=returns, waits=tuple(waits))


def _instant(written: str | None) -> datetime | None:
    return datetime.fromisoformat(written) if written else None


def _dues(life: _Life, event: Event) -> None:
    """Take over the dues that the event set.  A completed ticket's stays what it was."""
    if "contact_due" in event.data:
        life.set(contact_due=_instant(event.data["contact_due"]))
    moved = event.data.get("moved", {})
    if "followup_due" in moved and not _own_is_asked(life.facts):
        life.set(replied=(*life.facts.replied[:-1], _instant(moved["followup_due"][1])))
    if life.facts.completed_at is None:
        if event.kind == Action.APPROVE_SUSPENSION:
            life.set(handle_due=None)
        elif "handle_due" in event.data:
            life.set(handle_due=_instant(event.data["handle_due"]))


def _own_is_asked(facts: TicketFacts) -> bool:
    return any(asked.own and asked.round == len(facts.replied) - 1 for asked in facts.asked)


def _assignment(life: _Life, event: Event) -> None:
    match event.kind:
        case Action.DISPATCH | Action.ACCEPT_RETURN | Action.ADJUDICATE | Action.DISPATCH_ON:
            if event.kind in (Action.ACCEPT_RETURN, Action.ADJUDICATE) and event.data.get("stays") is not True:
                life.set_held(life.current, accepted_at=event.at)
            elif event.kind == Action.ADJUDICATE:
                life.set_held(life.current, leaving_at=None, sign_due=_instant(event.data["sign_due"]))
            if "department" in event.data:
                left = life.end(event.at)
                life.hand_over(event, left if event.kind == Action.DISPATCH_ON else None)
            elif event.kind == Action.ACCEPT_RETURN:
                life.end(event.at)
                life.set(department=None)
        case Action.TAKE_BACK:
            left = life.end(event.at)
            if event.to_state == State.HANDLING and left is not None:
                life.reopen(life.parents[left])
                assert life.current is not None
                again = life.held[life.current]
                life.set_held(life.current, signed_at=again.signed_at or event.at)
                life.set(department=again.department)
            else:
                life.set(department=None)
        case Action.SIGN:
            life.set_held(life.current, signed_at=event.at)
        case "dues_recomputed" | Action.RECLASSIFY if event.data.get("sign_due"):
            life.set_held(life.current, sign_due=_instant(event.data["sign_due"]))
        case Action.REJECT_RETURN:
            life.set_held(life.current, leaving_at=None, sign_due=_instant(event.data["sign_due"]))
        case Action.MERGE | Action.WITHDRAW:
            life.merged = life.end(event.at)
        case Action.UNMERGE if event.to_state in WITH_DEPARTMENT:
            life.reopen(life.merged)
        case Action.REQUEST_RETURN:
            assert life.current is not None
            life.asked_back[life.current].append(event.at)
            life.set_held(life.current, leaving_at=event.at)
        case Action.CANCEL_RETURN:
            assert life.current is not None
            life.asked_back[life.current].pop()
            life.set_held(life.current, leaving_at=None)


def _rest(life: _Life, event: Event) -> None:
    facts, data = life.facts, event.data
    match event.kind:
        case Action.CONTACT:
            life.set(contacted_at=facts.contacted_at or event.at)
        case Action.REPLY if data["contacted"]:
            life.set(contacted_at=facts.contacted_at or event.at)
        case Action.APPROVE:
            due = _instant(data["followup_due"])
            life.set(completed_at=facts.completed_at or event.at, replied=(*facts.replied, due))
        case Action.APPROVE_EXTENSION if facts.completed_at is None:
            life.set(extended=True)
        case Action.FOLLOW_UP if data["final"]:
            rating = data["satisfaction"]
            asked = Asked(
                at=event.at,
                round=data["round"],
                result=FollowupResult(data["result"]),
                satisfaction=Satisfaction(rating) if rating else None,
                own=data["own"],
            )
            life.set(asked=(*facts.asked, asked))
        case Action.REWORK:
            life.set(reworked=(*facts.reworked, event.at))
        case Action.CLOSE:
            life.set(closed_at=event.at)
        case Action.APPROVE_EXCLUSION if data["approval"] == 2:
            life.set(excluded_at=event.at)
        case Action.UNMERGE:
            life.set(ended_early_at=None)
        case kind if kind in ENDINGS:
            life.set(ended_early_at=facts.ended_early_at or event.at)
            if kind == Action.ANSWER:
                life.set(answered_at=event.at)
