"""The stage of the demo's history: a clock that moves, an agenda of steps, and the people who take them."""

import heapq
import itertools
import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.demo.words import Words
from hotline.domain.people import Actor, Role
from hotline.domain.ticket import Urgency
from hotline.domain.working_time import next_working
from hotline.services.context import Context
from hotline.storage.tables import Account, Ticket

SEED = 12345

# As many tickets as wait to be written together: by then a statement more or less no longer counts.
TOGETHER = 100


@dataclass(frozen=True, slots=True)
class Step:
    """What somebody does: about a ticket, about one that is not there yet, or, ``alone``, about all of them."""

    take: Callable[[], None]
    about: Ticket | None
    alone: bool


class MovingClock:
    """The demo's clock: whoever pops the next step sets it."""

    def __init__(self) -> None:
        self.now = datetime(1970, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


class Stage:
    """What all parts of the history share.  Steps after ``until`` are never taken."""

    def __init__(self, session: Session, context: Context, clock: MovingClock, until: datetime) -> None:
        self.session, self.context, self.clock, self.until = session, context, clock, until
        self.random = random.Random(SEED)  # noqa: S311 - a demo, and the same one every time
        self.words = Words(self.random)
        self._agenda: list[tuple[datetime, int, Step]] = []
        self._order = itertools.count()
        self._unwritten: set[int] = set()
        self._staff = _staff(session)

    def at(
        self, instant: datetime, take: Callable[[], None], *, about: Ticket | None = None, alone: bool = False
    ) -> None:
        """Put a step on the agenda, unless it lies beyond the end.

        One that reads or changes a ticket that is there already says which, and one that does so to many is ``alone``.
        """
        if instant <= self.until:
            heapq.heappush(self._agenda, (instant, next(self._order), Step(take, about, alone)))

    def later(self, low: float, high: float) -> datetime:
        """Return a working instant between ``low`` and ``high`` hours from now."""
        instant = self.clock.now + timedelta(hours=self.random.uniform(low, high))
        return next_working(self.context.calendar, instant)

    def take_next(self) -> datetime | None:
        """Take the next step at its time and return that; None when the agenda is empty.

        What steps change is written together, since a statement for each would take most of the time: before a step
        about a ticket that was changed, before and after one about many, and when enough has come together.
        """
        if not self._agenda:
            self.write()
            return None
        instant, _, step = heapq.heappop(self._agenda)
        self.clock.now = instant
        if step.alone or len(self._unwritten) >= TOGETHER or (step.about and step.about.id in self._unwritten):
            self.write()
        with self.session.no_autoflush:
            step.take()
        self._unwritten.update(changed.id for changed in self.session.dirty if isinstance(changed, Ticket))
        if step.about:
            self._unwritten.add(step.about.id)
        if step.alone:
            self.write()
        return instant

    def write(self) -> None:
        """Write what is unwritten."""
        self.session.flush()
        self._unwritten.clear()

    def on_the_way_to(self, ticket: Ticket, due: datetime, share: float) -> datetime:
        """Return the instant ``share`` of the way to ``due``; only critical tickets are worked on outside hours."""
        # Of a due that is over nothing is left to share; somebody who is late does it within the hour.
        at = self.clock.now + max(due - self.clock.now, timedelta(hours=1)) * share
        return at if ticket.urgency == Urgency.CRITICAL else next_working(self.context.calendar, at)

    def person(self, role: Role) -> Actor:
        """Return somebody of the hotline in ``role``."""
        return self.random.choice(self._staff[role, None])

    def officer(self, ticket: Ticket, role: Role) -> Actor:
        """Return somebody of the lead department; one without an account of its own is played by an unnamed person."""
        department = ticket.lead_department_id
        return self.random.choice(self._staff.get((role, department)) or [Actor(role, None, department)])


def _staff(session: Session) -> dict[tuple[Role, int | None], list[Actor]]:
    staff: dict[tuple[Role, int | None], list[Actor]] = defaultdict(list)
    for account in session.scalars(select(Account).order_by(Account.id)):
        role = Role(account.role)
        actor = Actor(role, account.id, account.department_id)
        staff[role, account.department_id if role in (Role.HANDLER, Role.LEAD) else None].append(actor)
    return dict(staff)
