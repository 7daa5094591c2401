"""The detours of the demo's history: returns, extensions, suspensions, and citizens who call again."""

from collections.abc import Callable
from datetime import timedelta

from hotline.demo.stage import Stage
from hotline.domain.city_time import CITY_ZONE
from hotline.domain.people import Role
from hotline.domain.ticket import Overlay, ReturnReason, State
from hotline.services import extensions, handling, returns, supervision, suspensions
from hotline.storage.tables import Ticket

HOTLINE_CENTRE = "RXZX"

Onward = Callable[[Ticket], None]


class Detours:
    """Side moves of a ticket; each leads back to the main road by one of the two functions given."""

    def __init__(self, stage: Stage, *, after_dispatch: Onward, plan_reply: Onward) -> None:
        self._stage, self._after_dispatch, self._plan_reply = stage, after_dispatch, plan_reply

    def request_return(self, ticket: Ticket) -> bool:
        """Send the ticket back with a reason that fits its matter; tell whether there is one and time for it."""
        reason = self._stage.words.return_of(
            ticket.matter or "", ticket.lead_department.code if ticket.lead_department else ""
        )
        if (
            reason is None
            or ticket.return_due is None
            or self._stage.clock.now > ticket.return_due
            or ticket.returns > 1
        ):
            return False
        command = returns.RequestReturn(
            number=ticket.number,
            reason_code=ReturnReason(reason["reason_code"]),
            basis=reason["legal_basis"],
            suggested_department=reason["suggested_owner_hint"],
            note=reason["text"],
        )
        returns.request_return(
            self._stage.session, self._stage.context, command, self._stage.officer(ticket, Role.HANDLER)
        )
        self._stage.at(
            self._stage.later(0.5, 5), lambda: self._decide_return(ticket, reason["suggested_owner_hint"]), about=ticket
        )
        return True

    def _decide_return(self, ticket: Ticket, suggested: str) -> None:
        """The dispatcher sends it where the department says, or keeps it there; the second time a supervisor does."""
        accepted = self._stage.random.random() < 0.6 and suggested != HOTLINE_CENTRE
        if Overlay.ADJUDICATION_PENDING in ticket.overlays:
            assert ticket.lead_department is not None
            word = returns.Adjudicate(
                number=ticket.number,
                department=suggested if accepted else ticket.lead_department.code,
                reason="综合权责清单与双方意见裁定",
                fresh_limit=accepted,
            )
            returns.adjudicate(self._stage.session, self._stage.context, word, self._stage.person(Role.SUPERVISOR))
        elif accepted:
            yes = returns.AcceptReturn(number=ticket.number, department=suggested, reason="退单理由成立，改派")
            returns.accept_return(self._stage.session, self._stage.context, yes, self._stage.person(Role.DISPATCHER))
        else:
            no = returns.RejectReturn(number=ticket.number, reason="依权责清单由你单位承办")
            returns.reject_return(self._stage.session, self._stage.context, no, self._stage.person(Role.DISPATCHER))
        self._after_dispatch(ticket)

    def contact(self, ticket: Ticket) -> None:
        """Call the citizen before the work starts."""
        if ticket.state == State.HANDLING and ticket.contacted_at is None:
            told = handling.ContactCitizen(number=ticket.number, note="已电话联系诉求人核实情况")
            handling.contact(self._stage.session, self._stage.context, told, self._stage.officer(ticket, Role.HANDLER))

    def urge(self, ticket: Ticket) -> None:
        """The citizen calls again."""
        if ticket.state == State.HANDLING:
            urge = supervision.Urge(number=ticket.number, reason="诉求人再次来电询问办理进度")
            supervision.urge(self._stage.session, self._stage.context, urge, self._stage.person(Role.AGENT))

    def extend(self, ticket: Ticket) -> None:
        """Ask for more days a while before the due; the supervisor agrees more often than not."""
        if ticket.state != State.HANDLING or ticket.next_due is None or self._stage.clock.now >= ticket.next_due:
            return
        days = self._stage.random.choice((3, 5, 5, 10))
        ask = extensions.RequestExtension(number=ticket.number, working_days=days, reason="需现场勘查并会同多单位研究")
        extensions.request_extension(
            self._stage.session, self._stage.context, ask, self._stage.officer(ticket, Role.LEAD)
        )
        self._stage.at(self._stage.later(1, 6), lambda: self._decide_extension(ticket), about=ticket)

    def _decide_extension(self, ticket: Ticket) -> None:
        if Overlay.EXTENSION_PENDING not in ticket.overlays:
            return
        agreed = self._stage.random.random() < 0.75
        decide = extensions.approve_extension if agreed else extensions.refuse_extension
        word = extensions.DecideExtension(
            number=ticket.number, reason="情况属实，同意" if agreed else "理由不充分，按期办理"
        )
        decide(self._stage.session, self._stage.context, word, self._stage.person(Role.SUPERVISOR))
        self._plan_reply(ticket)

    def suspend(self, ticket: Ticket) -> None:
        """Put aside what cannot be done this season; some are taken up again within the sixty days."""
        if ticket.state != State.HANDLING or ticket.next_due is None or self._stage.clock.now >= ticket.next_due:
            return
        review = self._stage.clock.now.astimezone(CITY_ZONE).date() + timedelta(days=self._stage.random.randint(10, 40))
        ask = suspensions.RequestSuspension(
            number=ticket.number,
            reason="已列入下一批改造计划，近期不具备施工条件",
            plan="纳入年度计划，开工后十五个工作日内完成",
            review_on=review,
        )
        suspensions.request_suspension(
            self._stage.session, self._stage.context, ask, self._stage.officer(ticket, Role.LEAD)
        )
        self._stage.at(self._stage.later(1, 6), lambda: self._decide_suspension(ticket), about=ticket)

    def _decide_suspension(self, ticket: Ticket) -> None:
        if Overlay.SUSPENSION_PENDING not in ticket.overlays:
            return
        agree = suspensions.DecideSuspension(number=ticket.number, reason="同意挂账，按计划推进并定期复核")
        suspensions.approve_suspension(
            self._stage.session, self._stage.context, agree, self._stage.person(Role.SUPERVISOR)
        )
        self._stage.at(self._stage.later(24 * 5, 24 * 30), lambda: self._resume(ticket), about=ticket)

    def _resume(self, ticket: Ticket) -> None:
        resumed = suspensions.DecideSuspension(number=ticket.number, reason="已具备条件，恢复办理")
        suspensions.resume(self._stage.session, self._stage.context, resumed, self._stage.officer(ticket, Role.LEAD))
        self._plan_reply(ticket)
