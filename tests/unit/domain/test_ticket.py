"""The table of transitions as a whole: it holds together, names everything, and refuses whatever it does not list."""

from itertools import product

import pytest

from hotline.domain.people import DEPARTMENT_STAFF, HOTLINE_STAFF, Role
from hotline.domain.ticket import (
    ACTION_NAMES,
    CHANNEL_NAMES,
    ENDED_WITHOUT_HANDLING,
    FOLLOWUP_RESULT_NAMES,
    OPEN_STATES,
    SATISFACTION_NAMES,
    STATE_NAMES,
    TRANSITIONS,
    URGENCY_NAMES,
    Action,
    Channel,
    FollowupResult,
    Satisfaction,
    State,
    TransitionRefused,
    Urgency,
    allowed_actions,
    next_state,
)

EVERYTHING = list(product(State, Action, Role))

# The table once more, by hand, as the rules of the hotline tell it: action, from, to, by whom.
RULES = """
queue received awaiting_dispatch system
dispatch received,awaiting_dispatch awaiting_sign system,agent,dispatcher,supervisor
answer received,awaiting_dispatch answered agent,dispatcher,supervisor
merge received,awaiting_dispatch merged agent,dispatcher,supervisor
decline received,awaiting_dispatch declined dispatcher,supervisor
transfer received,awaiting_dispatch transferred agent,dispatcher,supervisor
sign awaiting_sign handling handler,lead
reply handling replied handler,lead
send_back replied handling lead
approve replied awaiting_followup lead
follow_up awaiting_followup closed followup,supervisor
withdraw received,awaiting_dispatch,awaiting_sign withdrawn agent,dispatcher,followup,supervisor
withdraw handling,replied,awaiting_followup withdrawn agent,dispatcher,followup,supervisor
"""


def written() -> dict[tuple[State, Action, Role], State]:
    found = {}
    for line in RULES.split("\n"):
        if line:
            action, sources, target, roles = line.split()
            for source, role in product(sources.split(","), roles.split(",")):
                found[State(source), Action(action), Role(role)] = State(target)
    return found


def test_the_table_is_what_the_rules_of_the_hotline_say() -> None:
    expected = written()
    for state, action, role in EVERYTHING:
        try:
            found: State | None = next_state(state, action, role)
        except TransitionRefused:
            found = None
        assert found == expected.get((state, action, role)), (state, action, role)


def test_every_refusal_lists_what_is_possible_instead() -> None:
    expected = written()
    for state, action, role in EVERYTHING:
        if (state, action, role) in expected:
            continue
        with pytest.raises(TransitionRefused) as caught:
            next_state(state, action, role)
        possible = tuple(other for other in Action if (state, other, role) in expected)
        assert set(caught.value.allowed) == set(possible)
        assert caught.value.allowed == allowed_actions(state, role)
        assert all(other in str(caught.value) for other in possible or ("nothing",))


def test_a_refusal_tells_a_matter_of_role_from_one_of_state() -> None:
    expected = written()
    for state, action, role in EVERYTHING:
        if (state, action, role) not in expected:
            somebody_may = any((state, action, other) in expected for other in Role)
            assert TransitionRefused(state, action, role, ()).is_role_matter is somebody_may


def test_what_is_allowed_leads_somewhere() -> None:
    for state, role in product(State, Role):
        for action in allowed_actions(state, role):
            assert next_state(state, action, role) in State


def test_an_action_of_a_role_in_a_state_leads_to_one_state_only() -> None:
    seen = [(state, line.action, role) for line in TRANSITIONS for state in line.sources for role in line.roles]
    assert len(seen) == len(set(seen))


def test_every_state_can_be_reached_and_every_open_one_can_be_left() -> None:
    reached = {State.RECEIVED}
    while new := {line.target for line in TRANSITIONS if line.sources & reached} - reached:
        reached |= new
    assert reached == set(State)
    assert {state for line in TRANSITIONS for state in line.sources} == OPEN_STATES


def test_from_every_open_state_the_ticket_can_be_closed() -> None:
    can_close = {State.CLOSED}
    while new := {s for line in TRANSITIONS if line.target in can_close for s in line.sources} - can_close:
        can_close |= new
    assert can_close >= OPEN_STATES


def test_no_state_is_open_and_ended_and_none_is_neither() -> None:
    assert not OPEN_STATES & ENDED_WITHOUT_HANDLING
    assert set(State) == OPEN_STATES | ENDED_WITHOUT_HANDLING | {State.CLOSED}


def test_departments_handle_and_the_hotline_does_the_rest() -> None:
    for line in TRANSITIONS:
        people = line.roles - {Role.SYSTEM}
        assert people <= DEPARTMENT_STAFF or people <= HOTLINE_STAFF, line.action
        assert not line.roles & {Role.ADMIN, Role.AUDITOR}


def test_every_line_of_the_table_gives_its_reason() -> None:
    assert all(line.reason.endswith(".") for line in TRANSITIONS)
    assert {line.action for line in TRANSITIONS} == set(Action)


@pytest.mark.parametrize(
    ("codes", "names"),
    [
        (State, STATE_NAMES),
        (Action, ACTION_NAMES),
        (Channel, CHANNEL_NAMES),
        (Urgency, URGENCY_NAMES),
        (FollowupResult, FOLLOWUP_RESULT_NAMES),
        (Satisfaction, SATISFACTION_NAMES),
    ],
)
def test_everything_that_people_see_has_a_name_of_its_own(codes: type, names: dict[str, str]) -> None:
    assert list(names) == list(codes)
    assert len(set(names.values())) == len(names)


def test_urgencies_are_ranked_from_normal_to_critical() -> None:
    assert [urgency.rank for urgency in Urgency] == [0, 1, 2]
    assert max(Urgency, key=lambda urgency: urgency.rank) is Urgency.CRITICAL
