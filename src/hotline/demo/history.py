"""Sixty days of the demo city's hotline, pushed through the real services with a moving clock.

Who calls when, what departments do and how long they take is drawn from a seeded generator, so that two builds on the
same day are the same.  What has not happened by now stays open, so that the queues are full as on any morning.
"""

import dataclasses
import heapq
import itertools
import random
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, Self

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session
from tqdm import tqdm

from hotline.demo.callers import CallerBook, Place, places
from hotline.demo.city import demo_file
from hotline.demo.words import Words
from hotline.domain.city_time import CITY_ZONE
from hotline.domain.people import Actor, Role
from hotline.domain.ticket import (
    Action,
    Channel,
    ComplaintType,
    FollowupResult,
    Overlay,
    ReturnReason,
    Satisfaction,
    State,
    Urgency,
)
from hotline.domain.working_time import next_working
from hotline.ml.classifier import Prediction, TriageModel
from hotline.services import (
    archiving,
    cohandling,
    dispatch,
    extensions,
    followup,
    handling,
    intake,
    notices,
    returns,
    supervision,
    suspensions,
)
from hotline.services.allowed import actions_for
from hotline.services.context import Classifier, Context
from hotline.services.triage import triage
from hotline.storage.tables import Account, CatalogueEntryRow, Department, District, Job, Ticket

DAYS = 60
CALLS = 3000
SEED = 12345

# Calls by hour of the day, and how much of a weekday's volume Saturday and Sunday have.
HOURS = (1, 1, 1, 1, 1, 2, 5, 14, 30, 38, 36, 26, 16, 22, 34, 36, 32, 26, 18, 14, 11, 8, 4, 2)
WEEKEND = 0.55

# How many tickets a department sends back when it should sign, asks more time for, or puts aside; how many are urged.
RETURNED, EXTENDED, SUSPENDED, URGED = 0.06, 0.05, 0.012, 0.08
# In the others the citizen is called only with the reply.
CONTACTED_FIRST = 0.6
HOTLINE_CENTRE = "RXZX"

UNRESOLVED = "需多部门会商，已列入后续计划"
CHANNELS = {Channel.PHONE: 78, Channel.WECHAT: 10, Channel.WEB: 6, Channel.APP: 6}

Step = Callable[[], None]


class MovingClock:
    """The demo's clock: whoever pops the next step sets it."""

    def __init__(self) -> None:
        self.now = datetime(1970, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


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
        self._context = dataclasses.replace(context, now=clock, classifier=self._readings.classifier)
        self._session, self._clock, self._until = session, clock, until
        self._random = random.Random(SEED)  # noqa: S311 - a demo, and the same one every time
        self._agenda: list[tuple[datetime, int, Step]] = []
        self._order = itertools.count()
        self._staff = _staff(session)
        # Held here, these are read once and not again for every ticket.
        self._held = [session.scalars(select(table)).all() for table in (CatalogueEntryRow, Department, District)]
        self._places = places()
        self._callers = CallerBook(self._random)
        self._complaints = demo_file("complaints.yaml")["complaints"]
        self._words = Words(self._random)

    def run(self) -> None:
        """Play every step up to ``until``."""
        first = self._until.astimezone(CITY_ZONE).date() - timedelta(days=DAYS)
        self._plan_calls(first)
        self._plan_bursts(first)
        self._plan_sweeps(first)
        self._readings.read()
        with tqdm(total=DAYS, unit="day", desc="demo city", disable=None) as progress:
            done = 0
            while self._agenda:
                at, _, step = heapq.heappop(self._agenda)
                self._clock.now = at
                step()
                day = (at.astimezone(CITY_ZONE).date() - first).days
                if day > done:
                    progress.update(day - done)
                    done = day
        self._session.flush()
        # Triage was done above, in the order of the story; the jobs that intake wrote have nothing left to do.
        self._session.execute(update(Job).values(state="done", finished_at=func.now()))

    def _at(self, instant: datetime, step: Step) -> None:
        if instant <= self._until:
            heapq.heappush(self._agenda, (instant, next(self._order), step))

    def _later(self, low: float, high: float) -> datetime:
        """Return a working instant between ``low`` and ``high`` hours from now."""
        instant = self._clock.now + timedelta(hours=self._random.uniform(low, high))
        return next_working(self._context.calendar, instant)

    def _plan_sweeps(self, first: date) -> None:
        """Let the clock speak and put away what is closed, once a day; its notices carry the right times anyway."""
        for offset in range(DAYS + 1):
            day = first + timedelta(days=offset)
            self._at(datetime(day.year, day.month, day.day, 7, 30, tzinfo=CITY_ZONE).astimezone(UTC), self._sweep)

    def _sweep(self) -> None:
        self._session.flush()
        while notices.sweep(self._session, self._context) == notices.SWEEP_BATCH:
            pass
        archiving.archive(self._session, self._context)

    def _plan_calls(self, first: date) -> None:
        days = [first + timedelta(days=offset) for offset in range(DAYS + 1)]
        weights = [WEEKEND if day.weekday() >= 5 else 1.0 for day in days]
        for day in self._random.choices(days, weights, k=self._calls):
            hour = self._random.choices(range(24), HOURS)[0]
            second = self._random.randrange(3600)
            instant = datetime(day.year, day.month, day.day, hour, second // 60, second % 60, tzinfo=CITY_ZONE)
            place = self._random.choices(self._places.all, self._places.weights)[0]
            self._plan_call(instant, self._random.choice(self._complaints), place)

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

    def _plan_call(self, instant: datetime, line: dict[str, Any], place: Place) -> None:
        content = line["text"].replace("{place}", place.spoken)
        if instant <= self._until:
            self._readings.expect(content)
        self._at(instant.astimezone(UTC), lambda: self._call(line, place, content))

    def _call(self, line: dict[str, Any], place: Place, content: str) -> None:
        """Log a call as an agent does, and triage it a moment later."""
        answered = line["type"] == ComplaintType.INQUIRY and self._random.random() < 0.55
        caller = self._callers.next()
        command = intake.ReceiveTicket(
            channel=self._random.choices(list(CHANNELS), list(CHANNELS.values()))[0],
            content=content,
            caller_name=caller.name,
            caller_phone=caller.phone,
            anonymous=caller.anonymous,
            address=place.address,
            district=place.district,
            confidential=line["type"] == ComplaintType.REPORT and self._random.random() < 0.3,
            disposition="answered" if answered else "triage",
            answer=self._words.reply(line["matter"], line["type"], content)["text"] if answered else None,
        )
        ticket = intake.receive(self._session, self._context, command, self._person(Role.AGENT)).ticket
        self._at(self._clock.now + timedelta(seconds=2), lambda: self._triage(ticket, line))

    def _triage(self, ticket: Ticket, line: dict[str, Any]) -> None:
        triage(self._session, self._context, ticket.id)
        if ticket.state == State.AWAITING_DISPATCH:
            self._at(self._later(0.05, 0.52), lambda: self._dispatch(ticket, line))
        elif ticket.state == State.AWAITING_SIGN:
            self._after_dispatch(ticket)

    def _dispatch(self, ticket: Ticket, line: dict[str, Any]) -> None:
        command = dispatch.DispatchTicket(number=ticket.number, matter=line["matter"], type=ComplaintType(line["type"]))
        dispatch.dispatch(self._session, self._context, command, self._person(Role.DISPATCHER))
        self._after_dispatch(ticket)

    def _after_dispatch(self, ticket: Ticket) -> None:
        """A department signs, nearly always in time."""
        assert ticket.sign_due is not None
        on_time = self._random.random() < 0.95
        share = self._random.uniform(0.05, 0.9) if on_time else self._random.uniform(1.1, 3)
        self._at(self._on_the_way_to(ticket, ticket.sign_due, share), lambda: self._sign(ticket))

    def _on_the_way_to(self, ticket: Ticket, due: datetime, share: float) -> datetime:
        """Return the instant ``share`` of the way to ``due``; only critical tickets are worked on outside hours."""
        at = self._clock.now + (due - self._clock.now) * share
        return at if ticket.urgency == Urgency.CRITICAL else next_working(self._context.calendar, at)

    def _sign(self, ticket: Ticket) -> None:
        if ticket.state != State.AWAITING_SIGN:
            return
        if self._random.random() < 0.01:
            withdrawal = handling.EndTicket(number=ticket.number, reason="诉求人来电表示问题已自行解决，要求撤回")
            handling.withdraw(self._session, self._context, withdrawal, self._person(Role.AGENT))
            return
        if self._random.random() < RETURNED and self._request_return(ticket):
            return
        officer = self._officer(ticket, Role.HANDLER)
        handling.sign(self._session, self._context, handling.SignTicket(number=ticket.number), officer)
        if self._random.random() < CONTACTED_FIRST:
            self._at(self._later(0.5, 9), lambda: self._contact(ticket))
        if self._random.random() < URGED:
            self._at(self._later(20, 120), lambda: self._urge(ticket))
        self._plan_reply(ticket)

    def _request_return(self, ticket: Ticket) -> bool:
        """Send the ticket back with a reason that fits its matter; tell whether there is one and time for it."""
        reason = self._words.return_of(
            ticket.matter or "", ticket.lead_department.code if ticket.lead_department else ""
        )
        if reason is None or ticket.return_due is None or self._clock.now > ticket.return_due or ticket.returns > 1:
            return False
        command = returns.RequestReturn(
            number=ticket.number,
            reason_code=ReturnReason(reason["reason_code"]),
            basis=reason["legal_basis"],
            suggested_department=reason["suggested_owner_hint"],
            note=reason["text"],
        )
        returns.request_return(self._session, self._context, command, self._officer(ticket, Role.HANDLER))
        self._at(self._later(0.5, 5), lambda: self._decide_return(ticket, reason["suggested_owner_hint"]))
        return True

    def _decide_return(self, ticket: Ticket, suggested: str) -> None:
        """The dispatcher sends it where the department says, or keeps it there; the second time a supervisor does."""
        accepted = self._random.random() < 0.6 and suggested != HOTLINE_CENTRE
        if Overlay.ADJUDICATION_PENDING in ticket.overlays:
            assert ticket.lead_department is not None
            word = returns.Adjudicate(
                number=ticket.number,
                department=suggested if accepted else ticket.lead_department.code,
                reason="综合权责清单与双方意见裁定",
                fresh_limit=accepted,
            )
            returns.adjudicate(self._session, self._context, word, self._person(Role.SUPERVISOR))
        elif accepted:
            yes = returns.AcceptReturn(number=ticket.number, department=suggested, reason="退单理由成立，改派")
            returns.accept_return(self._session, self._context, yes, self._person(Role.DISPATCHER))
        else:
            no = returns.RejectReturn(number=ticket.number, reason="依权责清单由你单位承办")
            returns.reject_return(self._session, self._context, no, self._person(Role.DISPATCHER))
        self._after_dispatch(ticket)

    def _contact(self, ticket: Ticket) -> None:
        if ticket.state == State.HANDLING and ticket.contacted_at is None:
            told = handling.ContactCitizen(number=ticket.number, note="已电话联系诉求人核实情况")
            handling.contact(self._session, self._context, told, self._officer(ticket, Role.HANDLER))

    def _urge(self, ticket: Ticket) -> None:
        if ticket.state == State.HANDLING:
            urge = supervision.Urge(number=ticket.number, reason="诉求人再次来电询问办理进度")
            supervision.urge(self._session, self._context, urge, self._person(Role.AGENT))

    def _extend(self, ticket: Ticket) -> None:
        """Ask for more days a while before the due; the supervisor agrees more often than not."""
        if ticket.state != State.HANDLING or ticket.next_due is None or self._clock.now >= ticket.next_due:
            return
        days = self._random.choice((3, 5, 5, 10))
        ask = extensions.RequestExtension(number=ticket.number, working_days=days, reason="需现场勘查并会同多单位研究")
        extensions.request_extension(self._session, self._context, ask, self._officer(ticket, Role.LEAD))
        self._at(self._later(1, 6), lambda: self._decide_extension(ticket))

    def _decide_extension(self, ticket: Ticket) -> None:
        if Overlay.EXTENSION_PENDING not in ticket.overlays:
            return
        agreed = self._random.random() < 0.75
        decide = extensions.approve_extension if agreed else extensions.refuse_extension
        word = extensions.DecideExtension(
            number=ticket.number, reason="情况属实，同意" if agreed else "理由不充分，按期办理"
        )
        decide(self._session, self._context, word, self._person(Role.SUPERVISOR))
        self._plan_reply(ticket)

    def _suspend(self, ticket: Ticket) -> None:
        """Put aside what cannot be done this season; some are taken up again within the sixty days."""
        if ticket.state != State.HANDLING or ticket.next_due is None or self._clock.now >= ticket.next_due:
            return
        review = self._clock.now.astimezone(CITY_ZONE).date() + timedelta(days=self._random.randint(10, 40))
        ask = suspensions.RequestSuspension(
            number=ticket.number,
            reason="已列入下一批改造计划，近期不具备施工条件",
            plan="纳入年度计划，开工后十五个工作日内完成",
            review_on=review,
        )
        suspensions.request_suspension(self._session, self._context, ask, self._officer(ticket, Role.LEAD))
        self._at(self._later(1, 6), lambda: self._decide_suspension(ticket))

    def _decide_suspension(self, ticket: Ticket) -> None:
        if Overlay.SUSPENSION_PENDING not in ticket.overlays:
            return
        agree = suspensions.DecideSuspension(number=ticket.number, reason="同意挂账，按计划推进并定期复核")
        suspensions.approve_suspension(self._session, self._context, agree, self._person(Role.SUPERVISOR))
        self._at(self._later(24 * 5, 24 * 30), lambda: self._resume(ticket))

    def _resume(self, ticket: Ticket) -> None:
        resumed = suspensions.DecideSuspension(number=ticket.number, reason="已具备条件，恢复办理")
        suspensions.resume(self._session, self._context, resumed, self._officer(ticket, Role.LEAD))
        self._plan_reply(ticket)

    def _plan_reply(self, ticket: Ticket) -> None:
        """Most replies come well before the due, some in its last hours, a few late."""
        if ticket.next_due is None:
            return
        luck = self._random.random()
        if luck < EXTENDED and Overlay.EXTENDED not in ticket.overlays and not ticket.reworks:
            self._at(self._on_the_way_to(ticket, ticket.next_due, 0.7), lambda: self._extend(ticket))
            return
        if luck < EXTENDED + SUSPENDED and not ticket.suspensions and not ticket.reworks:
            self._at(self._on_the_way_to(ticket, ticket.next_due, 0.4), lambda: self._suspend(ticket))
            return
        share = self._random.betavariate(2, 4) if luck < 0.8 else self._random.uniform(0.7, 0.97)
        if luck > 0.95:
            share = self._random.uniform(1.02, 1.6)
        at = self._on_the_way_to(ticket, ticket.next_due, max(share, 0.02))
        self._at(at, lambda: self._reply_to(ticket))

    def _reply_to(self, ticket: Ticket) -> None:
        if ticket.state != State.HANDLING or Overlay.SUSPENDED in ticket.overlays:
            return
        self._report_parts(ticket)
        words = self._words.reply(ticket.matter or "", ticket.type or "", ticket.content)
        command = handling.ReplyToTicket(
            number=ticket.number,
            text=words["text"],
            valid=words["valid"],
            contacted=words["contacted"],
            resolved=words["resolved"],
            unresolved_reason=words.get("unresolved_reason") or (None if words["resolved"] else UNRESOLVED),
        )
        handling.reply(self._session, self._context, command, self._officer(ticket, Role.HANDLER))
        self._at(self._later(0.2, 3), lambda: self._approve(ticket, resolved=words["resolved"]))

    def _report_parts(self, ticket: Ticket) -> None:
        """Some co-handlers report their part before the lead replies; the rest is called off."""
        for helper in ticket.cohandlers:
            actor = Actor(Role.HANDLER, None, helper.id)
            if self._random.random() < 0.4 and Action.COHANDLE in actions_for(self._session, ticket, actor):
                done = cohandling.ReportCohandling(number=ticket.number, report="已到场配合并完成本单位职责内的工作")
                cohandling.report_cohandling(self._session, self._context, done, actor)

    def _approve(self, ticket: Ticket, *, resolved: bool) -> None:
        if ticket.state != State.REPLIED:
            return
        lead = self._officer(ticket, Role.LEAD)
        if self._random.random() < 0.04:
            back = handling.EndTicket(number=ticket.number, reason="答复未说明处理结果，请补充后再报")
            handling.send_back(self._session, self._context, back, lead)
            self._at(self._later(1, 8), lambda: self._reply_to(ticket))
            return
        handling.approve(self._session, self._context, handling.ApproveReply(number=ticket.number), lead)
        self._at(self._later(3, 40), lambda: self._follow_up(ticket, resolved=resolved))

    def _follow_up(self, ticket: Ticket, *, resolved: bool) -> None:
        if ticket.state != State.AWAITING_FOLLOWUP:
            return
        result, rating = self._citizen_says(resolved)
        comment = self._words.comment(rating, ticket.matter or "") if rating else None
        command = followup.FollowUp(number=ticket.number, result=result, satisfaction=rating, comment=comment)
        followup.follow_up(self._session, self._context, command, self._person(Role.FOLLOWUP))
        if ticket.state == State.AWAITING_FOLLOWUP:
            self._at(self._later(4, 30), lambda: self._follow_up(ticket, resolved=resolved))
        elif ticket.state == State.HANDLING:
            self._plan_reply(ticket)

    def _citizen_says(self, resolved: bool) -> tuple[FollowupResult, Satisfaction | None]:
        luck = self._random.random()
        if luck < 0.08:
            return FollowupResult.UNREACHABLE, None
        if luck < 0.1:
            return FollowupResult.REFUSED, None
        content = self._random.random() < (0.93 if resolved else 0.25)
        result = FollowupResult.RESOLVED if content else FollowupResult.UNRESOLVED
        ratings = (Satisfaction.SATISFIED, Satisfaction.BASICALLY_SATISFIED, Satisfaction.NEUTRAL)
        if content:
            return result, self._random.choices(ratings, (70, 22, 8))[0]
        return result, self._random.choices((Satisfaction.NEUTRAL, Satisfaction.DISSATISFIED), (35, 65))[0]

    def _person(self, role: Role) -> Actor:
        return self._random.choice(self._staff[role, None])

    def _officer(self, ticket: Ticket, role: Role) -> Actor:
        """Return somebody of the lead department; one without an account of its own is played by an unnamed person."""
        department = ticket.lead_department_id
        return self._random.choice(self._staff.get((role, department)) or [Actor(role, None, department)])


def _staff(session: Session) -> dict[tuple[Role, int | None], list[Actor]]:
    staff: dict[tuple[Role, int | None], list[Actor]] = defaultdict(list)
    for account in session.scalars(select(Account).order_by(Account.id)):
        role = Role(account.role)
        actor = Actor(role, account.id, account.department_id)
        staff[role, account.department_id if role in (Role.HANDLER, Role.LEAD) else None].append(actor)
    return dict(staff)
