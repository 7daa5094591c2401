"""The life of a ticket (工单): every move, who may make it, what stands in its way and why it is there.

``TRANSITIONS`` is the only place that says so.  A move that is not in it is refused with the list of what is allowed.
Source: the states, transitions and side moves of the hotline's rules.
"""

from collections.abc import Collection
from dataclasses import dataclass

from hotline.domain.people import Role
from hotline.domain.ticket import OPEN_STATES, Action, Overlay, State


@dataclass(frozen=True, slots=True)
class Transition:
    """One line of the table: ``action`` leads from any of ``sources`` to ``target`` and is open to ``roles``.

    A ``target`` of None leaves the state as it is.  The line needs all overlays of ``needs`` and none of ``bars``.
    """

    action: Action
    sources: frozenset[State]
    target: State | None
    roles: frozenset[Role]
    reason: str
    needs: frozenset[Overlay] = frozenset()
    bars: frozenset[Overlay] = frozenset()

    def open_to(self, state: State, role: Role, overlays: Collection[Overlay]) -> bool:
        """Tell whether ``role`` may take this line now."""
        return state in self.sources and role in self.roles and self.free(overlays)

    def free(self, overlays: Collection[Overlay]) -> bool:
        """Tell whether the overlays that lie over the ticket let this line pass."""
        return self.needs.issubset(overlays) and self.bars.isdisjoint(overlays)


States = set[State] | frozenset[State]


def _line(
    action: Action,
    sources: States,
    target: State | None,
    roles: set[Role],
    reason: str,
    *,
    needs: set[Overlay] | frozenset[Overlay] = frozenset(),
    bars: set[Overlay] | frozenset[Overlay] = frozenset(),
) -> Transition:
    return Transition(action, frozenset(sources), target, frozenset(roles), reason, frozenset(needs), frozenset(bars))


UNDISPATCHED = {State.RECEIVED, State.AWAITING_DISPATCH}
WITH_DEPARTMENT = {State.AWAITING_SIGN, State.HANDLING}
IN_HAND = WITH_DEPARTMENT | {State.REPLIED}
# What a figure may be computed from, and what may therefore be asked to be left out of it.
COUNTED = {State.HANDLING, State.REPLIED, State.AWAITING_FOLLOWUP, State.CLOSED, State.ARCHIVED}

HOTLINE_DESK = {Role.AGENT, Role.DISPATCHER, Role.SUPERVISOR}
DISPATCH_DESK = {Role.DISPATCHER, Role.SUPERVISOR}
DEPARTMENT = {Role.HANDLER, Role.LEAD}

RETURN_OPEN = {Overlay.RETURN_PENDING, Overlay.ADJUDICATION_PENDING}
STANDING_STILL = RETURN_OPEN | {Overlay.SUSPENDED}

TRANSITIONS: tuple[Transition, ...] = (
    # The hotline's desk.
    _line(
        Action.QUEUE,
        {State.RECEIVED},
        State.AWAITING_DISPATCH,
        {Role.SYSTEM},
        "The model is not sure, is missing, or no catalogue entry owns the matter: a person decides.",
    ),
    _line(
        Action.DISPATCH,
        UNDISPATCHED,
        State.AWAITING_SIGN,
        {Role.SYSTEM, Role.AGENT, Role.DISPATCHER, Role.SUPERVISOR},
        "The owner is known; the sign, return and handling limits start.",
    ),
    _line(
        Action.ANSWER,
        UNDISPATCHED,
        State.ANSWERED,
        HOTLINE_DESK,
        "An inquiry (咨询) answered on the spot needs no department.",
    ),
    _line(
        Action.MERGE,
        UNDISPATCHED,
        State.MERGED,
        HOTLINE_DESK,
        "The same event is already in hand; this caller is informed with that ticket.",
    ),
    _line(
        Action.MERGE,
        WITH_DEPARTMENT,
        State.MERGED,
        DISPATCH_DESK,
        "Found to be the same event only after dispatch.",
        bars=STANDING_STILL,
    ),
    *(
        _line(
            Action.UNMERGE,
            {State.MERGED},
            state,
            HOTLINE_DESK,
            "It was another event after all; the ticket goes back to where it came from.",
        )
        for state in (State.RECEIVED, State.AWAITING_DISPATCH, State.AWAITING_SIGN, State.HANDLING)
    ),
    _line(
        Action.SPLIT,
        UNDISPATCHED,
        None,
        HOTLINE_DESK,
        "One call told of two matters; each gets a ticket and an owner of its own.",
    ),
    _line(
        Action.DECLINE,
        UNDISPATCHED,
        State.DECLINED,
        DISPATCH_DESK,
        "Courts, discipline (12388) and disclosure requests have channels of their own, which the caller is told.",
    ),
    _line(
        Action.TRANSFER,
        UNDISPATCHED,
        State.TRANSFERRED,
        HOTLINE_DESK,
        "Emergencies belong to 110, 119 and 120; the call is handed over.",
    ),
    _line(
        Action.TAKE_BACK,
        {State.AWAITING_SIGN},
        State.AWAITING_DISPATCH,
        DISPATCH_DESK,
        "A dispatch is undone while nobody has signed for it.",
        bars=RETURN_OPEN,
    ),
    # The department.
    _line(
        Action.SIGN,
        {State.AWAITING_SIGN},
        State.HANDLING,
        DEPARTMENT,
        "The department takes the ticket in hand.",
        bars=RETURN_OPEN,
    ),
    _line(
        Action.ASSIGN,
        WITH_DEPARTMENT,
        None,
        DEPARTMENT,
        "One person of the department is named to handle it (经办人).",
    ),
    _line(
        Action.DISPATCH_ON,
        WITH_DEPARTMENT,
        State.AWAITING_SIGN,
        DEPARTMENT,
        "A department hands the ticket to one of its sub-units; the handling limit runs on.",
        bars=STANDING_STILL,
    ),
    _line(
        Action.TAKE_BACK,
        {State.AWAITING_SIGN},
        State.HANDLING,
        DEPARTMENT,
        "A department takes back what it handed to a sub-unit that has not signed for it.",
        bars=RETURN_OPEN,
    ),
    _line(
        Action.CONTACT,
        WITH_DEPARTMENT,
        None,
        DEPARTMENT,
        "The citizen is called before the work starts (先行联系).",
    ),
    _line(
        Action.REPLY,
        {State.HANDLING},
        State.REPLIED,
        DEPARTMENT,
        "The department says what it found and did.",
        bars=STANDING_STILL,
    ),
    _line(
        Action.SEND_BACK,
        {State.REPLIED},
        State.HANDLING,
        {Role.LEAD},
        "The department's lead is not satisfied with the reply; the clock runs on.",
    ),
    _line(
        Action.APPROVE,
        {State.REPLIED},
        State.AWAITING_FOLLOWUP,
        {Role.LEAD},
        "The lead answers for the reply; handling ends here.",
    ),
    _line(
        Action.ASK_COHANDLER,
        WITH_DEPARTMENT,
        None,
        DEPARTMENT | DISPATCH_DESK,
        "Another department does a part of it (协办); only the lead department closes.",
    ),
    _line(
        Action.COHANDLE,
        IN_HAND,
        None,
        DEPARTMENT,
        "The co-handler reports what it did of its part.",
    ),
    # Returns 退单.
    _line(
        Action.REQUEST_RETURN,
        WITH_DEPARTMENT,
        None,
        DEPARTMENT,
        "Not this department's: reason, legal basis and the owner it suggests, within the return limit.",
        bars=STANDING_STILL | {Overlay.RETURN_BARRED},
    ),
    *(
        _line(
            Action.CANCEL_RETURN,
            WITH_DEPARTMENT,
            None,
            DEPARTMENT,
            "The department handles it after all.",
            needs={pending},
        )
        for pending in (Overlay.RETURN_PENDING, Overlay.ADJUDICATION_PENDING)
    ),
    _line(
        Action.ACCEPT_RETURN,
        WITH_DEPARTMENT,
        State.AWAITING_SIGN,
        DISPATCH_DESK,
        "The return is right and the owner is known (改派); the handling due stays.",
        needs={Overlay.RETURN_PENDING},
    ),
    _line(
        Action.ACCEPT_RETURN,
        WITH_DEPARTMENT,
        State.AWAITING_DISPATCH,
        DISPATCH_DESK,
        "The return is right and nobody knows the owner yet.",
        needs={Overlay.RETURN_PENDING},
    ),
    _line(
        Action.REJECT_RETURN,
        WITH_DEPARTMENT,
        None,
        DISPATCH_DESK,
        "The ticket is this department's, which must handle it (强制承办).",
        needs={Overlay.RETURN_PENDING},
    ),
    _line(
        Action.ADJUDICATE,
        WITH_DEPARTMENT,
        State.AWAITING_SIGN,
        {Role.SUPERVISOR},
        "The second return of one ticket is settled for good, in favour of another department.",
        needs={Overlay.ADJUDICATION_PENDING},
    ),
    _line(
        Action.ADJUDICATE,
        WITH_DEPARTMENT,
        None,
        {Role.SUPERVISOR},
        "The second return of one ticket is settled for good: it stays where it is.",
        needs={Overlay.ADJUDICATION_PENDING},
    ),
    # The clock.
    _line(
        Action.REQUEST_EXTENSION,
        WITH_DEPARTMENT,
        None,
        {Role.LEAD},
        "More working days, asked for once and before the due (延期).",
        bars={Overlay.EXTENSION_PENDING, Overlay.EXTENDED, Overlay.SUSPENDED},
    ),
    _line(
        Action.APPROVE_EXTENSION,
        IN_HAND,
        None,
        {Role.SUPERVISOR},
        "The new due counts from the old one; both are kept.",
        needs={Overlay.EXTENSION_PENDING},
        bars={Overlay.SUSPENDED},
    ),
    _line(
        Action.REFUSE_EXTENSION,
        IN_HAND,
        None,
        {Role.SUPERVISOR},
        "The old due stands.",
        needs={Overlay.EXTENSION_PENDING},
    ),
    _line(
        Action.REQUEST_SUSPENSION,
        {State.HANDLING},
        None,
        {Role.LEAD},
        "It cannot be done now; a plan and a review date are given (挂账).",
        bars={Overlay.SUSPENSION_PENDING, Overlay.SUSPENDED},
    ),
    _line(
        Action.APPROVE_SUSPENSION,
        {State.HANDLING},
        None,
        {Role.SUPERVISOR},
        "The only thing that stops the clock.",
        needs={Overlay.SUSPENSION_PENDING},
    ),
    _line(
        Action.REFUSE_SUSPENSION,
        IN_HAND,
        None,
        {Role.SUPERVISOR},
        "The clock runs on.",
        needs={Overlay.SUSPENSION_PENDING},
    ),
    _line(
        Action.RESUME,
        {State.HANDLING},
        None,
        {Role.LEAD, Role.SUPERVISOR},
        "The obstacle is gone; the due moves on by the working time that was stopped.",
        needs={Overlay.SUSPENDED},
    ),
    # Watching over it.
    _line(
        Action.URGE,
        {State.AWAITING_DISPATCH} | IN_HAND,
        None,
        HOTLINE_DESK | {Role.FOLLOWUP},
        "The citizen calls again about it (催办).",
    ),
    _line(
        Action.SUPERVISE,
        IN_HAND,
        None,
        {Role.SUPERVISOR, Role.SYSTEM},
        "The supervisor watches over it with a yellow or red card (督办).",
    ),
    _line(
        Action.RECLASSIFY,
        IN_HAND,
        None,
        DISPATCH_DESK,
        "Type, matter or urgency were wrong; the dues follow from their original starts, in view of all.",
    ),
    # Follow-up and the end.
    _line(
        Action.FOLLOW_UP,
        {State.AWAITING_FOLLOWUP, State.ANSWERED},
        None,
        {Role.FOLLOWUP, Role.SUPERVISOR},
        "One caller was called; others, or further tries, are still to come.",
    ),
    _line(
        Action.REWORK,
        {State.AWAITING_FOLLOWUP},
        State.HANDLING,
        {Role.FOLLOWUP, Role.SUPERVISOR},
        "Unresolved or dissatisfied: the department does it again (重办), and it counts against it.",
    ),
    _line(
        Action.CLOSE,
        {State.AWAITING_FOLLOWUP, State.ANSWERED},
        State.CLOSED,
        {Role.SYSTEM},
        "Each caller has a result, or none is to be called.",
    ),
    _line(
        Action.WITHDRAW,
        OPEN_STATES,
        State.WITHDRAWN,
        {Role.AGENT, Role.DISPATCHER, Role.FOLLOWUP, Role.SUPERVISOR},
        "The citizen takes the complaint back (撤诉); the hotline records it for them.",
    ),
    _line(
        Action.ARCHIVE,
        {State.CLOSED},
        State.ARCHIVED,
        {Role.SYSTEM},
        "Thirty days after closing nothing about it is open any more (归档).",
    ),
    # Exclusion 剔除.
    _line(
        Action.REQUEST_EXCLUSION,
        COUNTED,
        None,
        {Role.LEAD, Role.SUPERVISOR},
        "The demand is unreasonable, with evidence; figures are published with and without it.",
        bars={Overlay.EXCLUSION_PENDING, Overlay.EXCLUDED},
    ),
    _line(
        Action.APPROVE_EXCLUSION,
        COUNTED,
        None,
        {Role.SUPERVISOR},
        "Two people approve, neither of whom asked for it.",
        needs={Overlay.EXCLUSION_PENDING},
    ),
    _line(
        Action.REFUSE_EXCLUSION,
        COUNTED,
        None,
        {Role.SUPERVISOR},
        "It counts like any other.",
        needs={Overlay.EXCLUSION_PENDING},
    ),
)


class TransitionRefused(Exception):
    """The move is not in the table.  ``allowed`` lists what this role may do with the ticket as it is now."""

    def __init__(
        self,
        state: State,
        action: Action,
        role: Role,
        allowed: tuple[Action, ...],
        overlays: Collection[Overlay] = (),
    ) -> None:
        self.state, self.action, self.role, self.allowed = state, action, role, allowed
        self.overlays = tuple(overlays)
        listed = ", ".join(allowed) or "nothing"
        where = f"in state '{state}'" + (f" ({', '.join(self.overlays)})" if self.overlays else "")
        super().__init__(f"'{action}' is not possible {where} for role '{role}'; allowed now: {listed}")

    @property
    def is_role_matter(self) -> bool:
        """Tell whether the move is possible now, but not for this role."""
        return any(line.action == self.action and self._possible(line) for line in TRANSITIONS)

    def _possible(self, line: Transition) -> bool:
        return self.state in line.sources and line.free(self.overlays)


def allowed_actions(state: State, role: Role, overlays: Collection[Overlay] = ()) -> tuple[Action, ...]:
    """Return what ``role`` may do to a ticket in ``state`` under ``overlays``, in the order of the table."""
    return tuple(dict.fromkeys(line.action for line in TRANSITIONS if line.open_to(state, role, overlays)))


def next_state(
    state: State, action: Action, role: Role, overlays: Collection[Overlay] = (), *, to: State | None = None
) -> State:
    """Return where ``action`` by ``role`` leads from ``state`` under ``overlays``.

    Where the table knows several targets, ``to`` says which one is meant; without it the first counts.  Raises
    ``TransitionRefused`` when it leads nowhere.
    """
    for line in TRANSITIONS:
        if line.action == action and line.open_to(state, role, overlays):
            target = line.target or state
            if to is None or to is target:
                return target
    raise TransitionRefused(state, action, role, allowed_actions(state, role, overlays), overlays)
