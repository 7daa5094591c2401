"""The administrator's pages of the knowledge base: what holds, what has expired; write, change, retire."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext

from hotline.domain.people import Permission
from hotline.services import knowledge
from hotline.services.errors import InvalidInput
from hotline.services.knowledge import EntryText
from hotline.services.knowledge_listing import Holding, holding_of, listed
from hotline.storage.engine import transaction
from hotline.web.auth import requires
from hotline.web.pages import choices
from hotline.web.pages.blueprint import bp
from hotline.web.pages.paging import PAGE, last_page, page_number
from hotline.web.pages.refusals import refusal
from hotline.web.pages.session import View
from hotline.web.runtime import actor, runtime

HOLDINGS = {
    Holding.IN_FORCE: lazy_gettext("有效"),
    Holding.EXPIRED: lazy_gettext("已过期"),
    Holding.COMING: lazy_gettext("尚未生效"),
    Holding.RETIRED: lazy_gettext("停用"),
}

# An answer of the greatest length, as a form encodes it.
LONGEST_BODY = 12 * knowledge.ANSWER_CHARS


@bp.get("/knowledge")
@requires(Permission.MANAGE_LISTS)
def knowledge_list() -> View:
    """The entries that match the form; what has expired or expires next stands first."""
    asked = {name: request.args.get(name, "").strip()[:60] for name in ("text", "matter", "owner", "holding")}
    holding = Holding(asked["holding"]) if asked["holding"] in list(Holding) else None
    number, context = page_number(), runtime().context
    with transaction(runtime().sessions) as session:
        found = listed(
            session,
            context,
            text=asked["text"],
            matter=asked["matter"] or None,
            owner=asked["owner"] or None,
            holding=holding,
            offset=(number - 1) * PAGE,
            limit=PAGE,
        )
        return render_template(
            "knowledge.html",
            found=found,
            holding_of={entry.id: holding_of(context, entry) for entry in found.entries},
            holdings=HOLDINGS,
            asked=asked,
            address={name: said for name, said in asked.items() if said},
            page=number,
            last=last_page(found.total),
            departments=choices.departments(session),
        )


@bp.get("/knowledge/new")
@requires(Permission.MANAGE_LISTS)
def new_entry() -> View:
    """The form of an entry that is still to be written."""
    return _form(None, {})


@bp.post("/knowledge/new")
@requires(Permission.MANAGE_LISTS, longest_body=LONGEST_BODY)
def add_entry() -> View:
    """Write an entry."""
    try:
        with transaction(runtime().sessions) as session:
            knowledge.add(session, runtime().context, _typed(), actor())
    except InvalidInput as error:
        return _form(None, request.form, {error.field: refusal(error.message)}), 422
    flash(_("已新增条目。"), "success")
    return redirect(url_for(".knowledge_list"))


@bp.get("/knowledge/<int:entry_id>")
@requires(Permission.MANAGE_LISTS)
def entry(entry_id: int) -> View:
    """The form of an entry."""
    return _form(entry_id, None)


@bp.post("/knowledge/<int:entry_id>")
@requires(Permission.MANAGE_LISTS, longest_body=LONGEST_BODY)
def change_entry(entry_id: int) -> View:
    """Change what an entry says; one that was retired is in use again."""
    try:
        with transaction(runtime().sessions) as session:
            knowledge.edit(session, runtime().context, entry_id, _typed(), actor())
    except InvalidInput as error:
        return _form(entry_id, request.form, {error.field: refusal(error.message)}), 422
    flash(_("已保存条目。"), "success")
    return redirect(url_for(".knowledge_list"))


@bp.post("/knowledge/<int:entry_id>/retire")
@requires(Permission.MANAGE_LISTS, longest_body=LONGEST_BODY)
def retire_entry(entry_id: int) -> View:
    """Take an entry out of use."""
    with transaction(runtime().sessions) as session:
        knowledge.retire(session, runtime().context, entry_id, actor())
    flash(_("条目已停用；已引用它的工单不受影响。"), "success")
    return redirect(url_for(".knowledge_list"))


def _typed() -> EntryText:
    """Return the form.  Raises ``InvalidInput``."""
    given = {name: value.strip().replace("\r\n", "\n") for name, value in request.form.items()}
    for name, value in given.items():
        if any(not letter.isprintable() and letter not in "\n\t\u3000\xa0" for letter in value):
            raise InvalidInput(name, "contains control characters (such as NUL); remove them")
    return EntryText(
        question=given.get("question", ""),
        answer=given.get("answer", ""),
        matter=given.get("matter") or None,
        source=given.get("source", "")[:500] or None,
        owner=given.get("owner") or None,
        valid_from=_day("valid_from", given),
        valid_to=_day("valid_to", given),
    )


def _day(name: str, given: Mapping[str, str]) -> date | None:
    try:
        return date.fromisoformat(given[name]) if given.get(name) else None
    except ValueError as error:
        raise InvalidInput(name, "is not a date like 2027-06-30") from error


def _form(entry_id: int | None, typed: Any, errors: dict[str, str] | None = None) -> str:
    context = runtime().context
    with transaction(runtime().sessions) as session:
        found, text = knowledge.entry_text(session, entry_id) if entry_id is not None else (None, None)
        return render_template(
            "knowledge_entry.html",
            entry=found,
            holding=holding_of(context, found) if found else None,
            holdings=HOLDINGS,
            given=text if typed is None else typed,
            errors=errors or {},
            matter_groups=[
                (f"{task.code} {task.name}", [(m.code, f"{m.code} {m.name}") for m in _matters(task.code)])
                for task in context.taxonomy.tasks.values()
            ],
            departments=[(group.heading, group.options) for group in choices.departments(session)],
            longest={"question": knowledge.QUESTION_CHARS, "answer": knowledge.ANSWER_CHARS},
        )


def _matters(task: str) -> list[Any]:
    return [matter for matter in runtime().context.taxonomy.matters.values() if matter.task == task]
