"""The table of transitions as a whole: it holds together, names everything, and refuses whatever it does not list."""

from itertools import product

import pytest

from hotline.domain.clock_notices import NOTICE_NAMES, NoticeKind
from hotline.domain.people import DEPARTMENT_STAFF, HOTLINE_STAFF, Role
from hotline.domain.ticket import (
    ACTION_NAMES,
    CHANNEL_NAMES,
    ENDED_WITHOUT_HANDLING,
    EXCLUSION_REASON_NAMES,
    FOLLOWUP_RESULT_NAMES,
    OPEN_STATES,
    OVERLAY_NAMES,
    QUEUE_REASON_NAMES,
    RETURN_REASON_NAMES,
    SATISFACTION_NAMES,
    STATE_NAMES,
    URGENCY_NAMES,
    Action,
    Channel,
    ExclusionReason,
    FollowupResult,
    Overlay,
    QueueReason,
    ReturnReason,
    Satisfaction,
    State,
    Urgency,
)
from hotline.domain.transitions import TRANSITIONS, TransitionRefused, allowed_actions, next_state

EVERYTHING = list(product(State, Action, Role))

# The table once more, by hand, as the rules of the hotline tell it: action, from, to (= stays), by whom, and what must
# lie over the ticket (+) or must not (-).
RULES = """
queue received awaiting_dispatch system
dispatch received,awaiting_dispatch awaiting_sign system,agent,dispatcher,supervisor
answer received,awaiting_dispatch answered agent,dispatcher,supervisor
merge received,awaiting_dispatch merged agent,dispatcher,supervisor
merge awaiting_sign,handling merged dispatcher,supervisor -return_pending,adjudication_pending,suspended
unmerge merged received agent,dispatcher,supervisor
split received,awaiting_dispatch = agent,dispatcher,supervisor
decline received,awaiting_dispatch declined dispatcher,supervisor
transfer received,awaiting_dispatch transferred agent,dispatcher,supervisor
take_back awaiting_sign awaiting_dispatch dispatcher,supervisor -return_pending,adjudication_pending
take_back awaiting_sign handling handler,lead -return_pending,adjudication_pending
sign awaiting_sign handling handler,lead -return_pending,adjudication_pending
assign awaiting_sign,handling = handler,lead
dispatch_on awaiting_sign,handling awaiting_sign handler,lead -return_pending,adjudication_pending,suspended
contact awaiting_sign,handling = handler,lead
reply handling replied handler,lead -return_pending,adjudication_pending,suspended
send_back replied handling lead
approve replied awaiting_followup lead
ask_cohandler awaiting_sign,handling = handler,lead,dispatcher,supervisor
cohandle awaiting_sign,handling,replied = handler,lead
request_return awaiting_sign,handling = handler,lead -return_pending,adjudication_pending,suspended,return_barred
cancel_return awaiting_sign,handling = handler,lead +return_pending
cancel_return awaiting_sign,handling = handler,lead +adjudication_pending
accept_return awaiting_sign,handling awaiting_sign dispatcher,supervisor +return_pending
reject_return awaiting_sign,handling = dispatcher,supervisor +return_pending
adjudicate awaiting_sign,handling awaiting_sign supervisor +adjudication_pending
request_extension awaiting_sign,handling = lead -extension_pending,extended,suspended
approve_extension awaiting_sign,handling,replied = supervisor +extension_pending -suspended
refuse_extension awaiting_sign,handling,replied = supervisor +extension_pending
request_suspension handling = lead -suspension_pending,suspended
approve_suspension handling = supervisor +suspension_pending
refuse_suspension awaiting_sign,handling,replied = supervisor +suspension_pending
resume handling = lead,supervisor +suspended
urge awaiting_dispatch,awaiting_sign,handling,replied = agent,dispatcher,supervisor,followup
supervise awaiting_sign,handling,replied = supervisor,system
reclassify awaiting_sign,handling,replied = dispatcher,supervisor
follow_up awaiting_followup,answered = followup,supervisor
rework awaiting_followup handling followup,supervisor
close awaiting_followup,answered closed system
withdraw received,awaiting_dispatch,awaiting_sign withdrawn agent,dispatcher,followup,supervisor
withdraw handling,replied,awaiting_followup withdrawn agent,dispatcher,followup,supervisor
archive closed archived system
request_exclusion handling,replied,awaiting_followup,closed,archived = lead,supervisor -exclusion_pending,excluded
approve_exclusion handling,replied,awaiting_followup,closed,archived = supervisor +exclusion_pending
refuse_exclusion handling,replied,awaiting_followup,closed,archived = supervisor +exclusion_pending
"""

OVER = (
    (),
    *((overlay,) for overlay in Overlay),
    (Overlay.EXTENSION_PENDING, Overlay.SUSPENDED),
    (Overlay.RETURN_PENDING, Overlay.EXTENDED),
    (Overlay.ADJUDICATION_PENDING, Overlay.RETURN_BARRED),
)


def written(overlays: tuple[Overlay, ...] = ()) -> dict[tuple[State, Action, Role], State]:
    """Return where each action leads a role from each state, as the rules above say."""
    found = {}
    for line in RULES.strip().split("\n"):
        action, sources, target, roles, *conditions = line.split()
        needs = {name for part in conditions if part[0] == "+" for name in part[1:].split(",")}
        bars = {name for part in conditions if part[0] == "-" for name in part[1:].split(",")}
        if needs <= set(overlays) and not bars & set(overlays):
            for source, role in product(sources.split(","), roles.split(",")):
                found[State(source), Action(action), Role(role)] = State(source if target == "=" else target)
    return found


@pytest.mark.parametrize("overlays", OVER)
def test_the_table_is_what_the_rules_of_the_hotline_say(overlays: tuple[Overlay, ...]) -> None:
    expected = written(overlays)
    for state, action, role in EVERYTHING:
        try:
            found: State | None = next_state(state, action, role, overlays)
        except TransitionRefused:
            found = None
        assert found == expected.get((state, action, role)), (state, action, role)


@pytest.mark.parametrize("overlays", OVER)
def test_every_refusal_lists_what_is_possible_instead(overlays: tuple[Overlay, ...]) -> None:
    expected = written(overlays)
    for state, action, role in EVERYTHING:
        if (state, action, role) in expected:
            continue
        with pytest.raises(TransitionRefused) as caught:
            next_state(state, action, role, overlays)
        possible = tuple(other for other in Action if (state, other, role) in expected)
        assert set(caught.value.allowed) == set(possible)
        assert caught.value.allowed == allowed_actions(state, role, overlays)
        assert all(other in str(caught.value) for other in possible or ("nothing",))
        somebody_may = any((state, action, other) in expected for other in Role)
        assert caught.value.is_role_matter is somebody_may


def test_a_target_that_is_asked_for_must_be_one_of_the_table() -> None:
    desk = Role.DISPATCHER
    for state in (State.RECEIVED, State.AWAITING_DISPATCH, State.AWAITING_SIGN, State.HANDLING):
        assert next_state(State.MERGED, Action.UNMERGE, desk, to=state) is state
    with pytest.raises(TransitionRefused):
        next_state(State.MERGED, Action.UNMERGE, desk, to=State.CLOSED)
    pending = (Overlay.RETURN_PENDING,)
    for target in (State.AWAITING_SIGN, State.AWAITING_DISPATCH):
        assert next_state(State.HANDLING, Action.ACCEPT_RETURN, desk, pending, to=target) is target


def test_nothing_that_a_department_waits_for_is_without_somebody_who_decides() -> None:
    for overlay in (
        Overlay.RETURN_PENDING,
        Overlay.ADJUDICATION_PENDING,
        Overlay.EXTENSION_PENDING,
        Overlay.SUSPENSION_PENDING,
        Overlay.EXCLUSION_PENDING,
    ):
        deciding = [line for line in TRANSITIONS if overlay in line.needs and line.roles & HOTLINE_STAFF]
        assert deciding, overlay


def test_every_state_can_be_reached_and_every_open_one_can_be_left() -> None:
    reached = {State.RECEIVED}
    while new := {line.target for line in TRANSITIONS if line.target and line.sources & reached} - reached:
        reached |= new
    assert reached == set(State)
    leaving = {state for line in TRANSITIONS if line.target for state in line.sources}
    assert leaving == OPEN_STATES | {State.MERGED, State.ANSWERED, State.CLOSED}


def test_from_every_open_state_the_ticket_can_be_closed() -> None:
    can_close = {State.CLOSED}
    while new := {s for line in TRANSITIONS if line.target in can_close for s in line.sources} - can_close:
        can_close |= new
    assert can_close >= OPEN_STATES


def test_no_state_is_open_and_ended_and_none_is_neither() -> None:
    assert not OPEN_STATES & ENDED_WITHOUT_HANDLING
    assert set(State) == OPEN_STATES | ENDED_WITHOUT_HANDLING | {State.CLOSED, State.ARCHIVED}


def test_only_people_who_work_with_tickets_move_them() -> None:
    for line in TRANSITIONS:
        assert line.roles <= DEPARTMENT_STAFF | HOTLINE_STAFF | {Role.SYSTEM}, line.action


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
        (Overlay, OVERLAY_NAMES),
        (QueueReason, QUEUE_REASON_NAMES),
        (ReturnReason, RETURN_REASON_NAMES),
        (ExclusionReason, EXCLUSION_REASON_NAMES),
        (NoticeKind, NOTICE_NAMES),
    ],
)
def test_everything_that_people_see_has_a_name_of_its_own(codes: type, names: dict[str, str]) -> None:
    assert list(names) == list(codes)
    assert len(set(names.values())) == len(names)


def test_urgencies_are_ranked_from_normal_to_critical() -> None:
    assert [urgency.rank for urgency in Urgency] == [0, 1, 2]
    assert max(Urgency, key=lambda urgency: urgency.rank) is Urgency.CRITICAL
