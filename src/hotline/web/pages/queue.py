"""The queue: what must I do next.  Tabs with counts, filters that are kept as views, and signing for many at once."""

from dataclasses import asdict
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug import Response

from hotline.domain.people import DEPARTMENT_STAFF, Permission
from hotline.domain.ticket import OPEN_STATES, Action, State
from hotline.domain.transitions import TransitionRefused, allowed_actions
from hotline.services import queues, views
from hotline.services.access import scope_of
from hotline.services.errors import Conflict, Forbidden, InvalidInput, NotFound
from hotline.services.handling import SignTicket, sign
from hotline.services.moves import overlays_of
from hotline.services.queues import Filters, Key, Tab
from hotline.storage.engine import transaction
from hotline.storage.tables import Account, District, Ticket
from hotline.storage.vault import VaultError
from hotline.web.auth import SMALL_BODY, requires, safe_next
from hotline.web.pages import keys
from hotline.web.pages.blueprint import bp
from hotline.web.pages.choices import departments
from hotline.web.pages.refusals import refusal
from hotline.web.pages.session import View
from hotline.web.pages.step_fields import NEXT
from hotline.web.runtime import actor, runtime

PAGE = 50
MOST_AT_ONCE = 100
_LONGEST_TEXT = 100
_FIELDS = ("district", "matter", "assignee", "state", "department")


@bp.get("/tickets")
@requires(Permission.READ_TICKETS)
def ticket_list() -> View:
    """The queue of one's role, what falls due first on top."""
    context, tabs = runtime().context, queues.tabs_of(actor().role)
    chosen = next((tab for tab in tabs if tab == request.args.get("tab")), tabs[0])
    filters = _filters_of_address()
    with transaction(runtime().sessions) as session:
        page = queues.page(session, context, actor(), chosen, filters, keys.read(request.args.get("after", "")), PAGE)
        return render_template(
            "queue.html",
            page=page,
            tabs=tabs,
            tab_names=queues.TAB_NAMES,
            chosen=chosen,
            counts=queues.counts(session, context, actor(), filters),
            filters=filters,
            address=_address(chosen, filters),
            next_page=_address(chosen, filters, page.next) if page.next else None,
            scope=scope_of(session, actor()),
            next_step=_next_step,
            views=[(view.name, views.filters_of(view)) for view in views.listed(session, actor())],
            **_choices(session),
        )


def _choices(session: Session) -> dict[str, Any]:
    """Return what the filters choose from; people only within a department, where there are few."""
    people: list[Account] = []
    if actor().role in DEPARTMENT_STAFF:
        mine = scope_of(session, actor()).departments or frozenset()
        query = select(Account).where(Account.department_id.in_(mine), Account.active).order_by(Account.id)
        people = list(session.scalars(query))
    return {
        "districts": {row.code: row.name for row in session.scalars(select(District).order_by(District.code))},
        "people": people,
        "departments": departments(session) if actor().role not in DEPARTMENT_STAFF else (),
        "open_states": [state for state in State if state in OPEN_STATES],
    }


def _next_step(ticket: Ticket) -> Action | None:
    """Return the likeliest step on the ticket for who looks, as the table has it; the ticket page knows for certain."""
    allowed = allowed_actions(State(ticket.state), actor().role, overlays_of(ticket))
    return next((step for step in NEXT if step in allowed and step is not Action.COHANDLE), None)


def _filters_of_address() -> Filters:
    given = {name: request.args.get(name, "")[:40].replace("\x00", "") for name in _FIELDS}
    return Filters(**given, text=_opened(request.args.get("text", "")))


def _opened(sealed: str) -> str:
    try:
        return runtime().context.vault.open(sealed) or "" if sealed else ""
    except VaultError:
        return ""


def _address(tab: Tab, filters: Filters, after: Key | None = None) -> dict[str, Any]:
    """Return the parameters of the queue's address.  Words are sealed: they may be a citizen's."""
    given = {name: value for name, value in asdict(filters).items() if value}
    if "text" in given:
        given["text"] = runtime().context.vault.seal(given["text"])
    if after is not None:
        given["after"] = keys.written(after)
    return {"tab": tab.value, **given}


@bp.post("/tickets")
@requires(Permission.READ_TICKETS, longest_body=SMALL_BODY)
def filter_tickets() -> View:
    """Lead to the queue with these filters, and keep them as a view when they are given a name."""
    form = request.form
    given = {name: form.get(name, "")[:40].replace("\x00", "") for name in _FIELDS}
    filters = Filters(**given, text=form.get("text", "").strip()[:_LONGEST_TEXT].replace("\x00", ""))
    tabs = queues.tabs_of(actor().role)
    tab = next((tab for tab in tabs if tab == form.get("tab")), tabs[0])
    name = form.get("name", "").strip()[: views.LONGEST_NAME + 1]
    if "save" in form:
        try:
            with transaction(runtime().sessions) as session:
                views.save(session, runtime().context, actor(), name, tab, filters)
            flash(_("视图“%(name)s”已保存", name=name), "success")
        except InvalidInput:
            limits = {"longest": views.LONGEST_NAME, "most": views.MOST}
            flash(_("请给视图起 1 至 %(longest)s 字的名称；每人最多保存 %(most)s 个。", **limits), "danger")
    return redirect(url_for(".ticket_list", **_address(tab, filters)))


@bp.post("/tickets/views/discard")
@requires(Permission.READ_TICKETS, longest_body=SMALL_BODY)
def discard_view() -> View:
    """Delete a view."""
    with transaction(runtime().sessions) as session:
        views.discard(session, actor(), request.form.get("view", "")[: views.LONGEST_NAME])
    return redirect(safe_next(request.form.get("next")) or url_for(".ticket_list"))


@bp.post("/tickets/sign")
@requires(Permission.ACT_ON_TICKETS, longest_body=SMALL_BODY)
def sign_many() -> Response:
    """Sign for the ticket whose button was pressed, or for all that are marked; say which failed and why."""
    only = request.form.get("only")
    numbers = [only] if only else list(dict.fromkeys(request.form.getlist("number")))[:MOST_AT_ONCE]
    refused = {number: why for number in numbers if (why := _sign(number)) is not None}
    signed = len(numbers) - len(refused)
    if signed:
        flash(_("已签收 %(signed)s 件。", signed=signed), "success")
    if refused:
        lines = "；".join(f"{number}：{why}" for number, why in refused.items())
        flash(_("%(refused)s 件没有签收：%(lines)s", refused=len(refused), lines=lines), "warning")
    if not numbers:
        flash(_("请先勾选要签收的工单。"), "warning")
    response: Response = redirect(safe_next(request.form.get("next")) or url_for(".ticket_list"))
    return response


def _sign(number: str) -> str | None:
    """Sign in a transaction of its own, so that one that fails leaves the others; return why it failed."""
    try:
        with transaction(runtime().sessions) as session:
            sign(session, runtime().context, SignTicket(number=number[:20].replace("\x00", "")), actor())
    except TransitionRefused:
        return str(_("状态已变化，不能签收"))
    except NotFound:
        return str(_("不在您可以办理的范围内"))
    except (Forbidden, Conflict) as error:
        return refusal(str(error))
    return None
