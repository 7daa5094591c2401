"""Sixty days of the demo city's hotline, pushed through the real services with a moving clock.

Who calls when, what departments do and how long they take is drawn from a seeded generator, so that two builds on the
same day are the same.  What has not happened by now stays open, so that the queues are full as on any morning.
"""

import dataclasses
from datetime import UTC, date, datetime, timedelta
from typing import Any, Self

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session
from tqdm import tqdm

from hotline.demo.callers import CallerBook, Place, places
from hotline.demo.city import demo_file
from hotline.demo.detours import Detours
from hotline.demo.stage import MovingClock, Stage
from hotline.domain.city_time import CITY_ZONE
from hotline.domain.people import Actor, Role
from hotline.domain.ticket import (
    Action,
    Channel,
    ComplaintType,
    FollowupResult,
    Overlay,
    Satisfaction,
    State,
)
from hotline.ml.classifier import Prediction, TriageModel
from hotline.services import (
    archiving,
    cohandling,
    dispatch,
    followup,
    handling,
    intake,
    notices,
    vectors,
)
from hotline.services.allowed import actions_for
from hotline.services.context import Classifier, Context
from hotline.services.triage import triage
from hotline.storage.tables import CatalogueEntryRow, Department, District, Job, Ticket

DAYS = 60
CALLS = 3000

# Calls by hour of the day, and how much of a weekday's volume Saturday and Sunday have.
HOURS = (1, 1, 1, 1, 1, 2, 5, 14, 30, 38, 36, 26, 16, 22, 34, 36, 32, 26, 18, 14, 11, 8, 4, 2)
WEEKEND = 0.55

# So many calls come in the last minutes before the demo opens: whoever looks at the dispatcher's desk finds work there.
RUSH, RUSH_MINUTES = 14, 20

# How many tickets a department sends back when it should sign, asks more time for, or puts aside; how many are urged.
RETURNED, EXTENDED, SUSPENDED, URGED = 0.06, 0.05, 0.012, 0.08
# In the others the citizen is called only with the reply.
CONTACTED_FIRST = 0.3

# Whose callers the follow-up agents call: those with an approved reply, and the sample of those answered at once.
TO_BE_CALLED = (State.AWAITING_FOLLOWUP, State.ANSWERED)

UNRESOLVED = "需多部门会商，已列入后续计划"
CHANNELS = {Channel.PHONE: 78, Channel.WECHAT: 10, Channel.WEB: 6, Channel.APP: 6}


def build_history(session: Session, context: Context, until: datetime, calls: int) -> int:
    """Play the sixty days that end at ``until``, with ``calls`` ordinary calls; return how many tickets there are."""
    clock = MovingClock()
    play = History(session, context, clock, until, calls)
    play.run()
    return session.scalar(select(func.count()).select_from(Ticket)) or 0


class ReadAhead:
    """The model, with all texts of the demo read in one batch, which takes a tenth of the time."""

    def __init__(self, model: Classifier | None) -> None:
        self._model = model
        self._texts: dict[str, Prediction | None] = {}

    def classifier(self) -> Self | None:
        """Return itself in the model's place, None when there is no model."""
        return self if self._model else None

    def expect(self, content: str) -> None:
        """Note that ``content`` will be asked for."""
        self._texts[content] = None

    def read(self) -> None:
        """Read everything expected."""
        if isinstance(self._model, TriageModel):
            texts = [("", content) for content in self._texts]
            self._texts.update(zip(self._texts, self._model.predict_many(texts), strict=True))

    @property
    def version(self) -> str:
        """The model's version."""
        assert self._model is not None
        return self._model.version

    def predict(self, title: str, content: str) -> Prediction:
        """Return the reading of a ticket."""
        assert self._model is not None
        return self._texts.get(content) or self._model.predict(title, content)


class History:
    """The days as a queue of steps by time; each step may put later ones in."""

    def __init__(self, session: Session, context: Context, clock: MovingClock, until: datetime, calls: int) -> None:
        self._calls = calls
        self._readings = ReadAhead(context.classifier())
        self._similar = context.similar
        # Vectors are written at the end, many at a time, since nobody in the story looks for similar tickets.
        surroundings = dataclasses.replace(
            context, now=clock, classifier=self._readings.classifier, similar=lambda: None
        )
        self._stage = Stage(session, surroundings, clock, until)
        self._detours = Detours(self._stage, after_dispatch=self._after_dispatch, plan_reply=self._plan_reply)
        # Held here, these are read once and not again for every ticket.
        self._held = [session.scalars(select(table)).all() for table in (CatalogueEntryRow, Department, District)]
        self._places = places()
        self._callers = CallerBook(self._stage.random)
        self._complaints = demo_file("complaints.yaml")["complaints"]

    def run(self) -> None:
        """Play every step up to ``until``."""
        first = self._stage.until.astimezone(CITY_ZONE).date() - timedelta(days=DAYS)
        self._plan_calls(first)
        self._plan_bursts(first)
        self._plan_rush()
        self._plan_sweeps(first)
        self._readings.read()
        with tqdm(total=DAYS, unit="day", desc="demo city", disable=None) as progress:
            done = 0
            while (at := self._stage.take_next()) is not None:
                day = (at.astimezone(CITY_ZONE).date() - first).days
                if day > done:
                    progress.update(day - done)
                    done = day
        self._keep_vectors()
        # Triage was done above, in the order of the story; the jobs that intake wrote have nothing left to do.
        self._stage.session.execute(update(Job).values(state="done", finished_at=func.now()))

    def _keep_vectors(self) -> None:
        context = dataclasses.replace(self._stage.context, similar=self._similar)
        tickets = self._stage.session.scalars(select(Ticket).order_by(Ticket.id)).all()
        for start in range(0, len(tickets), vectors.BATCH):
            vectors.keep_vectors(self._stage.session, context, tickets[start : start + vectors.BATCH])

    def _plan_sweeps(self, first: date) -> None:
        """Let the clock speak and put away what is closed, once a day; its notices carry the right times anyway."""
        for offset in range(DAYS + 1):
            day = first + timedelta(days=offset)
            self._stage.at(
                datetime(day.year, day.month, day.day, 7, 30, tzinfo=CITY_ZONE).astimezone(UTC), self._sweep, alone=True
            )

    def _sweep(self) -> None:
        while notices.sweep(self._stage.session, self._stage.context) == notices.SWEEP_BATCH:
            pass
        archiving.archive(self._stage.session, self._stage.context)

    def _plan_calls(self, first: date) -> None:
        days = [first + timedelta(days=offset) for offset in range(DAYS + 1)]
        weights = [WEEKEND if day.weekday() >= 5 else 1.0 for day in days]
        for day in self._stage.random.choices(days, weights, k=self._calls):
            hour = self._stage.random.choices(range(24), HOURS)[0]
            second = self._stage.random.randrange(3600)
            instant = datetime(day.year, day.month, day.day, hour, second // 60, second % 60, tzinfo=CITY_ZONE)
            place = self._stage.random.choices(self._places.all, self._places.weights)[0]
            self._plan_call(instant, self._stage.random.choice(self._complaints), place)

    def _plan_bursts(self, first: date) -> None:
        """Place the two bursts late in the period, where a supervisor looks first."""
        for offset, burst in zip((DAYS - 9, DAYS - 2), demo_file("bursts.yaml")["bursts"], strict=False):
            hour, minute = (int(part) for part in burst["start"].split(":"))
            day = first + timedelta(days=offset)
            start = datetime(day.year, day.month, day.day, hour, minute, tzinfo=CITY_ZONE)
            for text in burst["texts"]:
                place = Place(burst["district"], text["street"], text["community"])
                line = {**text, "matter": burst["matter"]}
                self._plan_call(start + timedelta(minutes=text["minute"]), line, place)

    def _plan_rush(self) -> None:
        for _ in range(RUSH):
            before = timedelta(minutes=self._stage.random.uniform(1, RUSH_MINUTES))
            place = self._stage.random.choices(self._places.all, self._places.weights)[0]
            self._plan_call(self._stage.until - before, self._stage.random.choice(self._complaints), place)

    def _plan_call(self, instant: datetime, line: dict[str, Any], place: Place) -> None:
        content = line["text"].replace("{place}", place.spoken)
        if instant <= self._stage.until:
            self._readings.expect(content)
        self._stage.at(instant.astimezone(UTC), lambda: self._call(line, place, content))

    def _call(self, line: dict[str, Any], place: Place, content: str) -> None:
        """Log a call as an agent does, and triage it a moment later."""
        answered = line["type"] == ComplaintType.INQUIRY and self._stage.random.random() < 0.55
        caller = self._callers.next()
        command = intake.ReceiveTicket(
            channel=self._stage.random.choices(list(CHANNELS), list(CHANNELS.values()))[0],
            content=content,
            caller_name=caller.name,
            caller_phone=caller.phone,
            anonymous=caller.anonymous,
            address=place.address,
            district=place.district,
            confidential=line["type"] == ComplaintType.REPORT and self._stage.random.random() < 0.3,
            disposition="answered" if answered else "triage",
            answer=self._stage.words.reply(line["matter"], line["type"], content)["text"] if answered else None,
        )
        ticket = intake.receive(
            self._stage.session, self._stage.context, command, self._stage.person(Role.AGENT)
        ).ticket
        self._stage.at(self._stage.clock.now + timedelta(seconds=2), lambda: self._triage(ticket, line), about=ticket)
        if ticket.followup_due is not None:
            self._stage.at(self._stage.later(3, 20), lambda: self._follow_up(ticket, resolved=True), about=ticket)

    def _triage(self, ticket: Ticket, line: dict[str, Any]) -> None:
        triage(self._stage.session, self._stage.context, ticket.id)
        if ticket.state == State.AWAITING_DISPATCH:
            self._stage.at(self._stage.later(0.05, 0.52), lambda: self._dispatch(ticket, line), about=ticket)
        elif ticket.state == State.AWAITING_SIGN:
            self._after_dispatch(ticket)

    def _dispatch(self, ticket: Ticket, line: dict[str, Any]) -> None:
        command = dispatch.DispatchTicket(number=ticket.number, matter=line["matter"], type=ComplaintType(line["type"]))
        dispatch.dispatch(self._stage.session, self._stage.context, command, self._stage.person(Role.DISPATCHER))
        self._after_dispatch(ticket)

    def _after_dispatch(self, ticket: Ticket) -> None:
        """A department signs, nearly always in time."""
        assert ticket.sign_due is not None
        on_time = self._stage.random.random() < 0.95
        share = self._stage.random.uniform(0.05, 0.9) if on_time else self._stage.random.uniform(1.1, 3)
        self._stage.at(
            self._stage.on_the_way_to(ticket, ticket.sign_due, share), lambda: self._sign(ticket), about=ticket
        )

    def _sign(self, ticket: Ticket) -> None:
        if ticket.state != State.AWAITING_SIGN:
            return
        if self._stage.random.random() < 0.01:
            withdrawal = handling.EndTicket(number=ticket.number, reason="诉求人来电表示问题已自行解决，要求撤回")
            handling.withdraw(self._stage.session, self._stage.context, withdrawal, self._stage.person(Role.AGENT))
            return
        if self._stage.random.random() < RETURNED and self._detours.request_return(ticket):
            return
        officer = self._stage.officer(ticket, Role.HANDLER)
        handling.sign(self._stage.session, self._stage.context, handling.SignTicket(number=ticket.number), officer)
        if self._stage.random.random() < CONTACTED_FIRST:
            self._stage.at(self._stage.later(0.5, 9), lambda: self._detours.contact(ticket), about=ticket)
        if self._stage.random.random() < URGED:
            self._stage.at(self._stage.later(20, 120), lambda: self._detours.urge(ticket), about=ticket)
        self._plan_reply(ticket)

    def _plan_reply(self, ticket: Ticket) -> None:
        """Most replies come well before the due, some in its last hours, a few late."""
        if ticket.next_due is None:
            return
        luck = self._stage.random.random()
        if luck < EXTENDED and Overlay.EXTENDED not in ticket.overlays and not ticket.reworks:
            self._stage.at(
                self._stage.on_the_way_to(ticket, ticket.next_due, 0.7),
                lambda: self._detours.extend(ticket),
                about=ticket,
            )
            return
        if luck < EXTENDED + SUSPENDED and not ticket.suspensions and not ticket.reworks:
            self._stage.at(
                self._stage.on_the_way_to(ticket, ticket.next_due, 0.4),
                lambda: self._detours.suspend(ticket),
                about=ticket,
            )
            return
        share = self._stage.random.betavariate(2, 4) if luck < 0.8 else self._stage.random.uniform(0.7, 0.97)
        if luck > 0.95:
            share = self._stage.random.uniform(1.02, 1.6)
        at = self._stage.on_the_way_to(ticket, ticket.next_due, max(share, 0.02))
        self._stage.at(at, lambda: self._reply_to(ticket), about=ticket)

    def _reply_to(self, ticket: Ticket) -> None:
        if ticket.state != State.HANDLING or Overlay.SUSPENDED in ticket.overlays:
            return
        self._report_parts(ticket)
        words = self._stage.words.reply(ticket.matter or "", ticket.type or "", ticket.content)
        command = handling.ReplyToTicket(
            number=ticket.number,
            text=words["text"],
            valid=words["valid"],
            contacted=words["contacted"],
            resolved=words["resolved"],
            unresolved_reason=words.get("unresolved_reason") or (None if words["resolved"] else UNRESOLVED),
        )
        handling.reply(self._stage.session, self._stage.context, command, self._stage.officer(ticket, Role.HANDLER))
        self._stage.at(
            self._stage.later(0.2, 3), lambda: self._approve(ticket, resolved=words["resolved"]), about=ticket
        )

    def _report_parts(self, ticket: Ticket) -> None:
        """Some co-handlers report their part before the lead replies; the rest is called off."""
        for helper in ticket.cohandlers:
            actor = Actor(Role.HANDLER, None, helper.id)
            if self._stage.random.random() < 0.2 and Action.COHANDLE in actions_for(self._stage.session, ticket, actor):
                done = cohandling.ReportCohandling(number=ticket.number, report="已到场配合并完成本单位职责内的工作")
                cohandling.report_cohandling(self._stage.session, self._stage.context, done, actor)

    def _approve(self, ticket: Ticket, *, resolved: bool) -> None:
        if ticket.state != State.REPLIED:
            return
        lead = self._stage.officer(ticket, Role.LEAD)
        if self._stage.random.random() < 0.04:
            back = handling.EndTicket(number=ticket.number, reason="答复未说明处理结果，请补充后再报")
            handling.send_back(self._stage.session, self._stage.context, back, lead)
            self._stage.at(self._stage.later(1, 8), lambda: self._reply_to(ticket), about=ticket)
            return
        handling.approve(self._stage.session, self._stage.context, handling.ApproveReply(number=ticket.number), lead)
        self._stage.at(self._stage.later(3, 40), lambda: self._follow_up(ticket, resolved=resolved), about=ticket)

    def _follow_up(self, ticket: Ticket, *, resolved: bool) -> None:
        if ticket.state not in TO_BE_CALLED:
            return
        result, rating = self._citizen_says(resolved)
        comment = self._stage.words.comment(rating, ticket.matter or "") if rating else None
        command = followup.FollowUp(number=ticket.number, result=result, satisfaction=rating, comment=comment)
        followup.follow_up(self._stage.session, self._stage.context, command, self._stage.person(Role.FOLLOWUP))
        if ticket.state in TO_BE_CALLED:
            self._stage.at(self._stage.later(4, 30), lambda: self._follow_up(ticket, resolved=resolved), about=ticket)
        elif ticket.state == State.HANDLING:
            self._plan_reply(ticket)

    def _citizen_says(self, resolved: bool) -> tuple[FollowupResult, Satisfaction | None]:
        luck = self._stage.random.random()
        if luck < 0.08:
            return FollowupResult.UNREACHABLE, None
        if luck < 0.1:
            return FollowupResult.REFUSED, None
        content = self._stage.random.random() < (0.93 if resolved else 0.25)
        result = FollowupResult.RESOLVED if content else FollowupResult.UNRESOLVED
        ratings = (Satisfaction.SATISFIED, Satisfaction.BASICALLY_SATISFIED, Satisfaction.NEUTRAL)
        if content:
            return result, self._stage.random.choices(ratings, (70, 22, 8))[0]
        return result, self._stage.random.choices((Satisfaction.NEUTRAL, Satisfaction.DISSATISFIED), (35, 65))[0]
