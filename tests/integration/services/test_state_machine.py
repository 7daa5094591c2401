"""The life of a ticket through the services: the table decides, events tell the same story, refusals change nothing."""

from collections.abc import Callable
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session
from tests.factories import actor_named, department, receive

from hotline.bootstrap import Runtime
from hotline.domain.people import DEPARTMENT_STAFF, SYSTEM, Actor, Role
from hotline.domain.ticket import Action, FollowupResult, State
from hotline.domain.transitions import TRANSITIONS, TransitionRefused, allowed_actions
from hotline.services import dispatch, followup, handling, merging
from hotline.services.context import Context
from hotline.services.errors import Forbidden, NotFound
from hotline.services.moves import move
from hotline.storage.engine import transaction
from hotline.storage.tables import Assignment, Followup, Reply, Ticket, TicketEvent

WITH_A_DEPARTMENT = (State.AWAITING_SIGN, State.HANDLING, State.REPLIED, State.AWAITING_FOLLOWUP)
Take = Callable[[Session, Context, Ticket, Actor], object]

PEOPLE = {
    Role.AGENT: "agent01",
    Role.DISPATCHER: "dispatcher01",
    Role.HANDLER: "cgj-handler",
    Role.LEAD: "cgj-lead",
    Role.FOLLOWUP: "followup01",
    Role.SUPERVISOR: "supervisor01",
}


def _end(service: Callable[..., Ticket]) -> Take:
    command = handling.EndTicket
    return lambda session, context, ticket, actor: service(
        session, context, command(number=ticket.number, reason="理由"), actor
    )


def _dispatch(session: Session, context: Context, ticket: Ticket, actor: Actor) -> object:
    return dispatch.dispatch(session, context, dispatch.DispatchTicket(number=ticket.number, matter="E03"), actor)


def _sign(session: Session, context: Context, ticket: Ticket, actor: Actor) -> object:
    return handling.sign(session, context, handling.SignTicket(number=ticket.number), actor)


def _reply(session: Session, context: Context, ticket: Ticket, actor: Actor) -> object:
    command = handling.ReplyToTicket(number=ticket.number, text="已处理", valid=True, contacted=True, resolved=True)
    return handling.reply(session, context, command, actor)


def _approve(session: Session, context: Context, ticket: Ticket, actor: Actor) -> object:
    return handling.approve(session, context, handling.ApproveReply(number=ticket.number), actor)


def _follow_up(session: Session, context: Context, ticket: Ticket, actor: Actor) -> object:
    command = followup.FollowUp(number=ticket.number, result=FollowupResult.RESOLVED)
    return followup.follow_up(session, context, command, actor)


def _merge(session: Session, context: Context, ticket: Ticket, actor: Actor) -> object:
    into = session.scalars(select(Ticket).where(Ticket.content == "并入目标")).first()
    number = (into or receive(session, context, content="并入目标")).number
    return merging.merge(session, context, merging.MergeTicket(number=ticket.number, into=number), actor)


def _answer(session: Session, context: Context, ticket: Ticket, actor: Actor) -> object:
    return handling.answer(session, context, handling.AnswerTicket(number=ticket.number, answer="已告知"), actor)


SERVICES: dict[Action, Take] = {
    Action.DISPATCH: _dispatch,
    Action.SIGN: _sign,
    Action.REPLY: _reply,
    Action.APPROVE: _approve,
    Action.FOLLOW_UP: _follow_up,
    Action.MERGE: _merge,
    Action.SEND_BACK: _end(handling.send_back),
    Action.ANSWER: _answer,
    Action.DECLINE: _end(handling.decline),
    Action.TRANSFER: _end(handling.transfer),
    Action.WITHDRAW: _end(handling.withdraw),
    Action.QUEUE: lambda session, context, ticket, actor: move(
        session, context, ticket, Action.QUEUE, actor, context.now()
    ),
}


def leads_to(state: State, action: Action, role: Role) -> State | None:
    """Read the table as it is written: one line names the action, the state among its sources and the role."""
    lines = [t for t in TRANSITIONS if t.action == action and state in t.sources and role in t.roles and not t.needs]
    assert len(lines) <= 1
    found = (lines[0].target or state) if lines else None
    # The last caller's answer closes the ticket in the same breath.
    return State.CLOSED if found is not None and action is Action.FOLLOW_UP else found


def snapshot(session: Session, ticket: Ticket) -> dict[str, Any]:
    """Return everything that is stored about the ticket, but for when the clock was heard: any attempt hears it."""
    session.flush()
    columns = [column for column in Ticket.__table__.columns if column.name != "noticed_until"]
    row = session.execute(select(*columns).where(Ticket.id == ticket.id)).one()
    events = session.execute(select(TicketEvent.__table__).where(TicketEvent.ticket_id == ticket.id)).all()
    replies = session.execute(select(Reply.__table__).where(Reply.ticket_id == ticket.id)).all()
    return {"ticket": tuple(row), "events": [tuple(e) for e in events], "replies": [tuple(r) for r in replies]}


def folded(session: Session, ticket: Ticket) -> State:
    """Fold the events into a state, checking that each begins where the one before ended."""
    state: str | None = None
    query = select(TicketEvent).where(TicketEvent.ticket_id == ticket.id).order_by(TicketEvent.id)
    for event in session.scalars(query):
        if event.to_state is not None:
            assert event.from_state == state, event.kind
            state = event.to_state
    assert state is not None
    return State(state)


def put(session: Session, ticket: Ticket, state: State) -> None:
    """Put the ticket into ``state`` with 城市管理局 as its lead, its one caller still to be followed up."""
    lead, now = department(session, "CGJ").id, ticket.received_at
    session.execute(update(Ticket).where(Ticket.id == ticket.id).values(state=state, lead_department_id=lead))
    session.execute(delete(Assignment).where(Assignment.ticket_id == ticket.id))
    session.execute(delete(Followup).where(Followup.ticket_id == ticket.id))
    if state in WITH_A_DEPARTMENT:
        session.add(Assignment(ticket_id=ticket.id, department_id=lead, at=now, sign_due=now, return_due=now))
    if state in (State.AWAITING_FOLLOWUP, State.ANSWERED):
        session.add(Followup(ticket_id=ticket.id, caller_ticket_id=ticket.id, round=0, due=now))
    session.flush()
    session.refresh(ticket)


@pytest.mark.parametrize("action", SERVICES)
def test_every_action_in_every_state_by_every_role_does_what_the_table_says(
    standing_parts: Runtime, action: Action
) -> None:
    context = standing_parts.context
    with standing_parts.sessions() as session:
        actors = {role: actor_named(session, name) for role, name in PEOPLE.items()} | {Role.SYSTEM: SYSTEM}
        ticket = receive(session, context)
        handler = actors[Role.HANDLER].account_id
        session.add(
            Reply(
                ticket_id=ticket.id,
                account_id=handler,
                at=context.now(),
                text="已处理",
                valid=True,
                contacted=True,
                resolved=True,
            )
        )
        for state in State:
            put(session, ticket, state)
            for role, actor in actors.items():
                _check_one(session, context, ticket, action, actor, leads_to(state, action, role))


def _check_one(
    session: Session, context: Context, ticket: Ticket, action: Action, actor: Actor, target: State | None
) -> None:
    state = State(ticket.state)
    before = snapshot(session, ticket)
    attempt = session.begin_nested()
    try:
        SERVICES[action](session, context, ticket, actor)
        session.flush()
        assert target is not None, f"{actor.role} could {action} in {state}"
        assert ticket.state == target
    except TransitionRefused as refused:
        assert target is None, f"{actor.role} could not {action} in {state}"
        assert refused.allowed == allowed_actions(state, actor.role)
        assert (refused.state, refused.action, refused.role) == (state, action, actor.role)
        assert snapshot(session, ticket) == before, "a refused move wrote something"
    finally:
        attempt.rollback()
        session.refresh(ticket)


# Who tries, which of the possible or of all actions, and whether they try only what the table lets them.
ATTEMPTS = st.lists(st.tuples(st.sampled_from([*PEOPLE, Role.SYSTEM]), st.integers(0, 11), st.booleans()), max_size=25)


@hypothesis.settings(max_examples=40, deadline=None, derandomize=True)
@hypothesis.given(ATTEMPTS)
def test_after_any_sequence_of_attempts_the_state_is_the_fold_of_the_events(
    standing_parts: Runtime, attempts: list[tuple[Role, int, bool]]
) -> None:
    """Everybody tries everything, half of it allowed; every refusal leaves the ticket as it was."""
    context = standing_parts.context
    with standing_parts.sessions() as session:
        ticket = receive(session, context)
        for role, choice, sensible in attempts:
            actor = SYSTEM if role is Role.SYSTEM else actor_named(session, PEOPLE[role])
            possible = tuple(a for a in allowed_actions(State(ticket.state), role) if a in SERVICES) if sensible else ()
            choices = possible or tuple(SERVICES)
            _attempt(session, context, ticket, actor, choices[choice % len(choices)])
            assert ticket.state == folded(session, ticket)


def _attempt(session: Session, context: Context, ticket: Ticket, actor: Actor, action: Action) -> None:
    expected = leads_to(State(ticket.state), action, actor.role)
    before = snapshot(session, ticket)
    try:
        SERVICES[action](session, context, ticket, actor)
    except TransitionRefused:
        assert expected is None
        assert snapshot(session, ticket) == before
    except NotFound:
        assert expected is None
        assert actor.role in DEPARTMENT_STAFF
    except Forbidden:
        assert action is Action.APPROVE, "only one's own reply is refused beyond the table"
        assert snapshot(session, ticket) == before
    else:
        assert ticket.state == expected


def test_every_move_says_who_when_from_where_and_where_to(parts: Runtime) -> None:
    with transaction(parts.sessions) as session:
        ticket = receive(session, parts.context)
        dispatcher = actor_named(session, "dispatcher01")
        _dispatch(session, parts.context, ticket, dispatcher)
        session.flush()
        received, dispatched = session.scalars(select(TicketEvent).order_by(TicketEvent.id))
        assert (received.from_state, received.to_state) == (None, "received")
        assert (dispatched.from_state, dispatched.to_state) == ("received", "awaiting_sign")
        assert (dispatched.account_id, dispatched.role) == (dispatcher.account_id, "dispatcher")
        assert dispatched.at == ticket.dispatched_at
        assert dispatched.data["department"] == "CGJ"


def test_a_department_that_does_not_lead_is_refused_before_the_table_is_asked(parts: Runtime) -> None:
    with transaction(parts.sessions) as session:
        ticket = receive(session, parts.context)
        _dispatch(session, parts.context, ticket, actor_named(session, "dispatcher01"))
        for username in ("gdgs-handler", "gdgs-lead"):
            helper = actor_named(session, username)
            assert helper.role in DEPARTMENT_STAFF
            for action in (Action.SIGN, Action.REPLY, Action.APPROVE, Action.SEND_BACK):
                with pytest.raises(Forbidden):
                    SERVICES[action](session, parts.context, ticket, helper)
