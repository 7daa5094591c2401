"""Random histories: tickets pushed through the services by a moving clock, with all that goes wrong in a city."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session
from tests.factories import SettledClassifier, actor_named, department, with_classifier

from hotline.domain.people import Actor, Role
from hotline.domain.ticket import Channel, ComplaintType, FollowupResult, Satisfaction, State, Urgency
from hotline.domain.transitions import allowed_actions
from hotline.services import dispatch, followup, handling, intake, merging
from hotline.services.context import Context
from hotline.services.triage import triage
from hotline.storage.tables import Ticket

START = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)
MATTERS = ("E03", "C04", "C12", "D03", "A01", "G09")
LEADS = ("CGJ", "ZJJ", "SJJ")
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
            # Some tickets are never heard of again and stay open.
            if not self.step(ticket) or self.random.random() < 0.05:
                open_ones.remove(ticket)
        self.session.flush()

    def receive(self) -> Ticket:
        """Take a call; some agents answer at once or name the matter themselves."""
        luck = self.random.random()
        answered = luck < 0.1
        command = intake.ReceiveTicket(
            channel=self.random.choice(list(Channel)),
            content="路灯不亮",
            anonymous=self.random.random() < 0.2,
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
            case State.AWAITING_SIGN if not self._withdraw(ticket, 0.1):
                handling.sign(self.session, self.context, handling.SignTicket(number=ticket.number), self._of(ticket))
            case State.HANDLING if not self._withdraw(ticket, 0.1):
                self._reply(ticket)
            case State.REPLIED:
                self._approve_or_send_back(ticket)
            case State.AWAITING_FOLLOWUP if not self._withdraw(ticket, 0.05):
                self._follow_up(ticket)
            case State.ANSWERED | State.MERGED:
                return False
        return bool(allowed_actions(State(ticket.state), Role.SUPERVISOR))

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
        followup.follow_up(self.session, self.context, command, self.people[Role.FOLLOWUP])


def lead_codes(session: Session) -> dict[str, int]:
    """Return the ids of the departments that histories dispatch to by name."""
    return {code: department(session, code).id for code in LEADS}
