"""Random histories: tickets pushed through the services by a moving clock, with all that goes wrong in a city."""

import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session
from tests.factories import SettledClassifier, actor_named, department, with_classifier

from hotline.domain.people import Actor, Role
from hotline.domain.ticket import (
    Action,
    Channel,
    ComplaintType,
    ExclusionReason,
    FollowupResult,
    Overlay,
    ReturnReason,
    Satisfaction,
    State,
    Urgency,
)
from hotline.domain.transitions import allowed_actions
from hotline.services import (
    dispatch,
    exclusions,
    extensions,
    followup,
    handling,
    intake,
    merging,
    returns,
    splitting,
    supervision,
    suspensions,
)
from hotline.services.context import Context
from hotline.services.errors import Conflict, Forbidden, InvalidInput, NotFound
from hotline.services.moves import overlays_of
from hotline.services.triage import triage
from hotline.storage.tables import Ticket

START = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)
MATTERS = ("E03", "C04", "C12", "D03", "A01", "G09")
LEADS = ("GAJ", "CGJ", "ZJJ", "SJJ")
# A bureau and the sub-unit that it hands tickets on to.
BUREAU, SUBUNIT = "GAJ", "JJZD"
PHONES = ("13912345670", "13912345671", "13912345672")
# Side moves that need two people, and would hardly ever come to their end by chance.
OFTEN = {
    Action.REQUEST_EXTENSION: 3,
    Action.APPROVE_EXTENSION: 6,
    Action.REQUEST_SUSPENSION: 2,
    Action.APPROVE_SUSPENSION: 6,
    Action.RESUME: 6,
    Action.REQUEST_EXCLUSION: 2,
    Action.APPROVE_EXCLUSION: 6,
    Action.CANCEL_RETURN: 2,
}
RETURN_OPEN = {Overlay.RETURN_PENDING, Overlay.ADJUDICATION_PENDING}
UNREACHED = (FollowupResult.UNREACHABLE, FollowupResult.REFUSED, FollowupResult.WRONG_NUMBER)


class History:
    """One city's days.  ``now`` only moves forward; every step is taken by whoever may take it."""

    def __init__(self, session: Session, context: Context, seed: int) -> None:
        self.session, self.random, self.now = session, random.Random(seed), START
        self.context = replace(context, now=lambda: self.now)
        self.people = {
            role: actor_named(session, name)
            for role, name in {
                Role.AGENT: "agent01",
                Role.DISPATCHER: "dispatcher01",
                Role.FOLLOWUP: "followup01",
                Role.SUPERVISOR: "supervisor01",
            }.items()
        }

        self.bosses = [self.people[Role.SUPERVISOR].account_id, self.people[Role.DISPATCHER].account_id]

    def play(self, tickets: int) -> None:
        """Receive ``tickets`` calls and live through a random part of each one's life, interleaved."""
        open_ones: list[Ticket] = []
        while tickets or open_ones:
            self.now += timedelta(minutes=self.random.choice((1, 20, 90, 600, 3000)))
            if tickets and (not open_ones or self.random.random() < 0.3):
                open_ones.append(self.receive())
                tickets -= 1
                continue
            ticket = self.random.choice(open_ones)
            if self.random.random() < 0.35 and self.side_step(ticket):
                continue
            # Some tickets are never heard of again and stay open.
            if not self.step(ticket) or self.random.random() < 0.03:
                open_ones.remove(ticket)
        self.session.flush()

    def receive(self) -> Ticket:
        """Take a call; some agents answer at once or name the matter themselves."""
        luck = self.random.random()
        answered = luck < 0.1
        command = intake.ReceiveTicket(
            channel=self.random.choice(list(Channel)),
            content="路灯不亮",
            anonymous=(anonymous := self.random.random() < 0.2),
            caller_phone=None if anonymous or self.random.random() < 0.5 else self.random.choice(PHONES),
            matter=self.random.choice(MATTERS) if 0.1 <= luck < 0.3 else None,
            urgency=self.random.choice([None, *Urgency]),
            disposition="answered" if answered else "triage",
            answer="已告知" if answered else None,
        )
        return intake.receive(self.session, self.context, command, self.people[Role.AGENT]).ticket

    def step(self, ticket: Ticket) -> bool:
        """Take one step on the ticket; tell whether its life may go on."""
        if ticket.confidence is None and ticket.type is None and self.random.random() < 0.7:
            model = SettledClassifier(
                matter=self.random.choice(MATTERS),
                auto=self.random.random() < 0.5,
                type=self.random.choice(list(ComplaintType)),
                urgency=self.random.choice(list(Urgency)),
            )
            triage(self.session, with_classifier(self.context, model), ticket.id)
            return True
        match ticket.state:
            case State.RECEIVED | State.AWAITING_DISPATCH:
                self._dispatch_or_end(ticket)
            case State.AWAITING_SIGN | State.HANDLING if set(ticket.overlays) & RETURN_OPEN:
                self._decide_return(ticket)
            case State.AWAITING_SIGN | State.HANDLING if self._may_return(ticket) and self.random.random() < 0.4:
                returns.request_return(self.session, self.context, self._return_of(ticket), self._of(ticket))
            case State.AWAITING_SIGN if not self._withdraw(ticket, 0.1):
                handling.sign(self.session, self.context, handling.SignTicket(number=ticket.number), self._of(ticket))
            case State.HANDLING if Overlay.SUSPENDED not in ticket.overlays and not self._withdraw(ticket, 0.1):
                self._reply(ticket)
            case State.HANDLING:
                return ticket.state == State.HANDLING
            case State.REPLIED:
                self._approve_or_send_back(ticket)
            case State.AWAITING_FOLLOWUP if not self._withdraw(ticket, 0.05):
                self._follow_up(ticket)
            case State.MERGED if self.random.random() < 0.5:
                self._unmerge(ticket)
            case State.ANSWERED | State.MERGED:
                return False
        return bool(allowed_actions(State(ticket.state), Role.SUPERVISOR))

    def side_step(self, ticket: Ticket) -> bool:
        """Take one of the side moves that are open to anybody now; tell whether there was one that came through."""
        number = ticket.number
        lead, handler = self._of(ticket, Role.LEAD), self._of(ticket)
        boss, desk = self.people[Role.SUPERVISOR], self.people[Role.DISPATCHER]
        word = suspensions.DecideSuspension(number=number, reason="理由")
        extend = extensions.DecideExtension(number=number, reason="理由")
        exclude = exclusions.DecideExclusion(number=number, reason="理由")
        moves: dict[Action, tuple[Actor, Callable[..., Any], Any]] = {
            Action.REQUEST_RETURN: (handler, returns.request_return, self._return_of(ticket)),
            Action.CANCEL_RETURN: (handler, returns.cancel_return, returns.CancelReturn(number=number)),
            Action.DISPATCH_ON: (lead, dispatch.dispatch_on, dispatch.DispatchOn(number=number, department=SUBUNIT)),
            Action.TAKE_BACK: (
                self.random.choice((desk, Actor(Role.LEAD, None, department(self.session, BUREAU).id))),
                dispatch.take_back,
                dispatch.TakeBack(number=number, reason="理由"),
            ),
            Action.CONTACT: (handler, handling.contact, handling.ContactCitizen(number=number)),
            Action.REQUEST_EXTENSION: (
                lead,
                extensions.request_extension,
                extensions.RequestExtension(number=number, working_days=self.random.randint(1, 10), reason="理由"),
            ),
            Action.APPROVE_EXTENSION: (boss, extensions.approve_extension, extend),
            Action.REFUSE_EXTENSION: (boss, extensions.refuse_extension, extend),
            Action.REQUEST_SUSPENSION: (
                lead,
                suspensions.request_suspension,
                suspensions.RequestSuspension(number=number, reason="理由", plan="计划", review_on=date(2028, 1, 3)),
            ),
            Action.APPROVE_SUSPENSION: (boss, suspensions.approve_suspension, word),
            Action.RESUME: (boss, suspensions.resume, word),
            Action.RECLASSIFY: (
                desk,
                supervision.reclassify,
                supervision.Reclassify(
                    number=number,
                    reason="理由",
                    type=self.random.choice([kind for kind in ComplaintType if kind != ticket.type]),
                    matter=self.random.choice([None, *(matter for matter in MATTERS if matter != ticket.matter)]),
                ),
            ),
            Action.REWORK: (
                boss,
                followup.order_rework,
                followup.OrderRework(number=number, reason="理由"),
            ),
            Action.REQUEST_EXCLUSION: (
                lead,
                exclusions.request_exclusion,
                exclusions.RequestExclusion(number=number, reason_code=ExclusionReason.MALICIOUS, evidence="证据"),
            ),
            Action.APPROVE_EXCLUSION: (
                Actor(Role.SUPERVISOR, self.random.choice(self.bosses)),
                exclusions.approve_exclusion,
                exclude,
            ),
            Action.SPLIT: (
                desk,
                splitting.split,
                splitting.SplitTicket(number=number, parts=(splitting.Part(content="噪音扰民", matter="E03"),)),
            ),
        }
        able = [
            action
            for action, (actor, _, _) in moves.items()
            if action in allowed_actions(State(ticket.state), actor.role, overlays_of(ticket))
        ]
        if not able:
            return False
        weights = [OFTEN.get(action, 1) for action in able]
        actor, take, command = moves[self.random.choices(able, weights)[0]]
        before = self.session.begin_nested()
        try:
            take(self.session, self.context, command, actor)
        except (Conflict, Forbidden, InvalidInput, NotFound):
            # Too late, somebody else's, approved by the same person: the city's days are full of refusals.
            before.rollback()
            return False
        before.commit()
        return True

    def _may_return(self, ticket: Ticket) -> bool:
        able = allowed_actions(State(ticket.state), Role.HANDLER, overlays_of(ticket))
        in_time = ticket.return_due is not None and self.now <= ticket.return_due
        return in_time and Action.REQUEST_RETURN in able

    def _return_of(self, ticket: Ticket) -> returns.RequestReturn:
        return returns.RequestReturn(
            number=ticket.number,
            reason_code=ReturnReason.NOT_OUR_DUTY,
            basis="职责规定",
            suggested_department=self._some_other(ticket),
        )

    def _some_other(self, ticket: Ticket) -> str:
        """Return a department that does not have the ticket."""
        others = [code for code in LEADS if department(self.session, code).id != ticket.lead_department_id]
        return self.random.choice(others)

    def _decide_return(self, ticket: Ticket) -> None:
        number, luck = ticket.number, self.random.random()
        code = self._some_other(ticket)
        if Overlay.ADJUDICATION_PENDING in ticket.overlays:
            stays = luck < 0.5 and ticket.lead_department is not None
            word = returns.Adjudicate(
                number=number,
                department=ticket.lead_department.code if stays and ticket.lead_department else code,
                reason="理由",
                fresh_limit=self.random.random() < 0.5,
            )
            returns.adjudicate(self.session, self.context, word, self.people[Role.SUPERVISOR])
        elif luck < 0.3:
            no = returns.RejectReturn(number=number, reason="理由")
            returns.reject_return(self.session, self.context, no, self.people[Role.DISPATCHER])
        else:
            yes = returns.AcceptReturn(number=number, reason="理由", department=code if luck < 0.7 else None)
            returns.accept_return(self.session, self.context, yes, self.people[Role.DISPATCHER])

    def _unmerge(self, ticket: Ticket) -> None:
        before = self.session.begin_nested()
        try:
            command = merging.UnmergeTicket(number=ticket.number, reason="理由")
            merging.unmerge(self.session, self.context, command, self.people[Role.DISPATCHER])
        except Conflict:
            before.rollback()
        else:
            before.commit()

    def _of(self, ticket: Ticket, role: Role = Role.HANDLER) -> Actor:
        return Actor(role, None, ticket.lead_department_id)

    def _ended(self, ticket: Ticket) -> handling.EndTicket:
        return handling.EndTicket(number=ticket.number, reason="理由")

    def _withdraw(self, ticket: Ticket, share: float) -> bool:
        if self.random.random() >= share:
            return False
        handling.withdraw(self.session, self.context, self._ended(ticket), self.people[Role.AGENT])
        return True

    def _dispatch_or_end(self, ticket: Ticket) -> None:
        luck, boss = self.random.random(), self.people[Role.SUPERVISOR]
        end = {1: handling.decline, 2: handling.transfer, 3: handling.withdraw}.get(int(luck * 12))
        if int(luck * 12) == 0:
            answer = handling.AnswerTicket(number=ticket.number, answer="已告知")
            handling.answer(self.session, self.context, answer, boss)
        elif end is not None:
            end(self.session, self.context, self._ended(ticket), boss)
        elif luck < 0.45 and (target := self._some_open_ticket(ticket)) is not None:
            merging.merge(self.session, self.context, merging.MergeTicket(number=ticket.number, into=target), boss)
        else:
            command = dispatch.DispatchTicket(
                number=ticket.number,
                matter=self.random.choice(MATTERS),
                department=self.random.choice([None, *LEADS]),
                type=self.random.choice([None, *ComplaintType]),
                urgency=self.random.choice([None, *Urgency]),
            )
            dispatch.dispatch(self.session, self.context, command, self.people[Role.DISPATCHER])

    def _some_open_ticket(self, ticket: Ticket) -> str | None:
        self.session.flush()
        query = self.session.query(Ticket.number).filter(Ticket.state == State.HANDLING, Ticket.id != ticket.id)
        return query.order_by(Ticket.id).limit(1).scalar()

    def _reply(self, ticket: Ticket) -> None:
        resolved = self.random.random() < 0.7
        command = handling.ReplyToTicket(
            number=ticket.number,
            text="已处理",
            valid=True,
            contacted=True,
            resolved=resolved,
            unresolved_reason=None if resolved else "需会商",
        )
        handling.reply(self.session, self.context, command, self._of(ticket))

    def _approve_or_send_back(self, ticket: Ticket) -> None:
        lead = self._of(ticket, Role.LEAD)
        if self.random.random() < 0.3:
            handling.send_back(self.session, self.context, self._ended(ticket), lead)
        else:
            handling.approve(self.session, self.context, handling.ApproveReply(number=ticket.number), lead)

    def _follow_up(self, ticket: Ticket) -> None:
        reached = (FollowupResult.RESOLVED, FollowupResult.UNRESOLVED)
        result = self.random.choice((*reached, *reached, *UNREACHED))
        if ticket.id % 5 == 0:
            result = FollowupResult.UNREACHABLE
        rating = self.random.choice([None, *Satisfaction]) if result in reached else None
        command = followup.FollowUp(number=ticket.number, result=result, satisfaction=rating)
        with suppress(Conflict):
            # When the last caller to be asked was taken out again, nobody is left to be called.
            followup.follow_up(self.session, self.context, command, self.people[Role.FOLLOWUP])


def lead_codes(session: Session) -> dict[str, int]:
    """Return the ids of the departments that histories dispatch to by name."""
    return {code: department(session, code).id for code in LEADS}
